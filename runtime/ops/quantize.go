package ops

import (
	"fmt"
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// grid is where the scales of a quantisation lie: x is [outer, size, inner], and
// element (o, i, k) has the scale o*stride[0] + i/block*stride[1] + k*stride[2].
type grid struct {
	size, inner, block int
	stride             [3]int
}

// gridOf finds the scales of x, of which zero, if any, has as many.
func gridOf(q op.Quantize, x, scale, zero *Tensor) (grid, error) {
	if zero != nil && !slices.Equal(zero.Dims, scale.Dims) {
		return grid{}, fmt.Errorf("input 2 (zero point) is %v, want dimensions %v as those of the scale", zero, scale.Dims)
	}
	if q.Block == 0 && scale.Rank() <= 1 && scale.Len() == 1 {
		row := 1
		if x.Rank() > 0 {
			row = x.Dims[x.Rank()-1]
		}
		return grid{size: 1, inner: row, block: 1}, nil
	}
	axis, err := axisOf(q.Axis, x.Rank())
	if err != nil {
		return grid{}, err
	}
	g := grid{size: x.Dims[axis], inner: product(x.Dims[axis+1:]), block: 1, stride: [3]int{0, 1, 0}}
	if q.Block == 0 {
		return g, wantDims(1, "scale", scale, g.size)
	}
	g.block = int(q.Block)
	dims := slices.Clone(x.Dims)
	dims[axis] = (g.size + g.block - 1) / g.block
	g.stride = [3]int{dims[axis] * g.inner, g.inner, 1}
	return g, wantDims(1, "scale", scale, dims...)
}

// each calls f for runs of elements [lo, hi) of a tensor of n, of which element i has the scale
// at + (i-lo)*step.
func (g grid) each(env *Env, n int, f func(lo, hi, at, step int)) {
	if n == 0 {
		return
	}
	env.each(n/g.inner, g.inner, func(first, last int) {
		for row := first; row < last; row++ {
			at := row/g.size*g.stride[0] + row%g.size/g.block*g.stride[1]
			f(row*g.inner, (row+1)*g.inner, at, g.stride[2])
		}
	})
}

// runQuantize rounds x/scale to the nearest integer, halves to even, adds zero, and takes
// the nearest number of the type where that is none; NaN becomes zero.
func runQuantize(q op.Quantize, env *Env, in []*Tensor) ([]*Tensor, error) {
	x, scale, zero := in[0], in[1], optional(in, 2)
	check(wantFloat(scale))
	to := q.To
	if zero != nil {
		to = zero.DType
	}
	switch to {
	case graph.Int8, graph.Uint8, graph.Int16, graph.Uint16:
	default:
		return nil, fmt.Errorf("it quantises to %v, want an integer of 8 or 16 bits", to)
	}
	if !x.DType.IsFloat() {
		if x.DType != graph.Int32 {
			return nil, fmt.Errorf("input 0 is of type %v, want a floating point type or int32", x.DType)
		}
		x = castTo(env.scratch(), x, graph.Float32)
	}
	g := must(gridOf(q, x, scale, zero))
	least, most := integerRange(to)
	y := env.alloc(to, x.Dims)
	g.each(env, y.Len(), func(lo, hi, at, step int) {
		for i := lo; i < hi; i++ {
			var z int64
			if zero != nil {
				z = zero.I64[at]
			}
			v := math.RoundToEven(float64(x.F32[i]/scale.F32[at])) + float64(z)
			if math.IsNaN(v) {
				v = float64(z)
			}
			y.I64[i] = int64(min(max(v, least), most))
			at += step
		}
	})
	return one(y), nil
}

// runDequantize gives the number that a quantised one stands for.
func runDequantize(q op.Quantize, env *Env, in []*Tensor) ([]*Tensor, error) {
	x, scale, zero := in[0], in[1], optional(in, 2)
	check(wantFloat(scale))
	switch x.DType {
	case graph.Int8, graph.Uint8, graph.Int16, graph.Uint16, graph.Int32:
	default:
		return nil, fmt.Errorf("input 0 is of type %v, want an integer of 8 or 16 bits or int32", x.DType)
	}
	if zero != nil && zero.DType != x.DType {
		return nil, fmt.Errorf("input 2 (zero point) is of type %v, want %v as input 0", zero.DType, x.DType)
	}
	g := must(gridOf(q, x, scale, zero))
	y := env.alloc(scale.DType, x.Dims)
	g.each(env, y.Len(), func(lo, hi, at, step int) {
		for i := lo; i < hi; i++ {
			v := x.I64[i]
			if zero != nil {
				v -= zero.I64[at]
			}
			y.F32[i] = float32(v) * scale.F32[at]
			at += step
		}
	})
	return one(y), nil
}
