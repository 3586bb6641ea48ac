package ops

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// operand is one factor of an Einsum: how far apart its elements are along each letter.
type operand struct {
	x       *Tensor
	strides map[rune]int
}

// runEinsum sums the products of all operands' elements in the order of the letters that
// the result does not have.
func runEinsum(e op.Einsum, env *Env, in []*Tensor) ([]*Tensor, error) {
	check(wantSameType(in...))
	if in[0].DType == graph.Bool {
		return nil, fmt.Errorf("inputs are of type bool, want numbers")
	}
	sizes := map[rune]int{}
	operands := make([]operand, len(in))
	var order []rune // of the letters, as they come
	widest := 0
	for i, x := range in {
		term := e.Terms[i]
		axes := op.EinsumAxes(term, x.Rank())
		if slices.Contains(term, '.') {
			widest = max(widest, x.Rank()-len(term)+1)
		}
		if len(axes) != x.Rank() {
			return nil, fmt.Errorf("input %d is %v, want an axis for each letter of %q", i, x, string(term))
		}
		operands[i] = operand{x, map[rune]int{}}
		for a, step := range stridesOf(x.Dims) {
			l, d := axes[a], x.Dims[a]
			if first := slices.Index(axes, l); x.Dims[first] != d {
				return nil, fmt.Errorf("input %d is %v: sizes %d and %d along %c, want a diagonal of equal ones", i, x, x.Dims[first], d, l)
			}
			have, known := sizes[l]
			switch {
			case !known:
				sizes[l], order = d, append(order, l)
			case have == 1:
				sizes[l] = d
			case d != 1 && d != have:
				return nil, fmt.Errorf("input %d is %v: size %d where another operand has %d", i, x, d, have)
			}
			if d != 1 {
				operands[i].strides[l] += step
			}
		}
	}
	out := op.EinsumAxes(e.Out, widest+len(e.Out)-1)
	summed := slices.DeleteFunc(order, func(l rune) bool { return slices.Contains(out, l) })
	dims := make([]int, len(out))
	for i, l := range out {
		dims[i] = sizes[l]
	}
	y := env.alloc(in[0].DType, dims)
	inner := 1
	for _, l := range summed {
		inner *= sizes[l]
	}
	env.each(y.Len(), inner*len(in), func(lo, hi int) {
		base := make([]int, len(operands))
		for k := lo; k < hi; k++ {
			clear(base)
			locate(operands, out, sizes, k, base)
			einsumElement(y, k, operands, summed, sizes, inner, base)
		}
	})
	return one(y), nil
}

// locate adds to base where element k of the axes of letters lies in each operand.
func locate(operands []operand, letters []rune, sizes map[rune]int, k int, base []int) {
	for i := len(letters) - 1; i >= 0; i-- {
		l := letters[i]
		c := k % sizes[l]
		k /= sizes[l]
		for o := range operands {
			base[o] += c * operands[o].strides[l]
		}
	}
}

func einsumElement(y *Tensor, k int, operands []operand, summed []rune, sizes map[rune]int, inner int, base []int) {
	sum, whole := 0.0, int64(0)
	at := make([]int, len(base))
	for j := range inner {
		copy(at, base)
		locate(operands, summed, sizes, j, at)
		product, integer := 1.0, int64(1)
		for o := range operands {
			product *= elementFloat(operands[o].x, at[o])
			integer *= elementInt(operands[o].x, at[o])
		}
		sum, whole = sum+product, whole+integer
	}
	if y.DType.IsFloat() {
		y.F32[k] = float32(sum)
	} else {
		y.I64[k] = whole
	}
}
