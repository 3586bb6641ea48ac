package ops

import (
	"fmt"
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// runDynamicQuantize quantises to uint8 by the range of x, which is widened to hold 0;
// the scale and the zero point are results too.
func runDynamicQuantize(env *Env, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	check(wantFloat(x))
	lo, hi := float32(0), float32(0)
	for _, v := range x.F32 {
		lo, hi = min(lo, v), max(hi, v)
	}
	y, scale, zero := env.alloc(graph.Uint8, x.Dims), env.alloc(x.DType, nil), env.alloc(graph.Uint8, nil)
	step := (hi - lo) / 255
	if step == 0 {
		step = 1
	}
	scale.F32[0] = step
	zero.I64[0] = int64(math.RoundToEven(math.Max(0, math.Min(255, float64(-lo/step)))))
	for i, v := range x.F32 {
		q := math.RoundToEven(float64(v/step)) + float64(zero.I64[0])
		y.I64[i] = truncate(graph.Uint8, float32(q))
	}
	return []*Tensor{y, scale, zero}, nil
}

// centred is x of 8 bits without its zero point: one number, or one for each index along
// an axis.
func centred(env *Env, x, zero *Tensor, axis int) (*Tensor, error) {
	if x.DType != graph.Int8 && x.DType != graph.Uint8 {
		return nil, fmt.Errorf("an operand is of type %v, want int8 or uint8", x.DType)
	}
	y := &Tensor{DType: graph.Int32, Dims: x.Dims, I64: slices.Clone(x.I64)}
	if zero == nil {
		return y, nil
	}
	if zero.DType != x.DType {
		return nil, fmt.Errorf("a zero point is of type %v, want %v as its operand", zero.DType, x.DType)
	}
	at, err := perAxis(zero, x, axis)
	for i := range y.I64 {
		if err != nil {
			return nil, err
		}
		y.I64[i] -= zero.I64[at(i)]
	}
	return y, err
}

// perAxis tells which element of a setting belongs to element i of x: the setting is one
// number, or one for each index along an axis of x.
func perAxis(setting, x *Tensor, axis int) (func(i int) int, error) {
	if setting.Len() == 1 {
		return func(int) int { return 0 }, nil
	}
	if axis < 0 || axis >= x.Rank() || setting.Len() != x.Dims[axis] {
		return nil, fmt.Errorf("a scale or zero point is %v, want one number or one for each along axis %d of %v", setting, axis, x)
	}
	inner, n := product(x.Dims[axis+1:]), x.Dims[axis]
	return func(i int) int { return i / inner % n }, nil
}

func runMatMulInteger(env *Env, in []*Tensor) ([]*Tensor, error) {
	a := must(centred(env, in[0], optional(in, 2), in[0].Rank()-2))
	b := must(centred(env, in[1], optional(in, 3), in[1].Rank()-1))
	return matMulVectors(env, []*Tensor{a, b})
}

// requantize turns sums of products into numbers of a type: sums*factor rounded, halves
// to even, plus the zero point, or the nearest number that there is.
func requantize(env *Env, sums, zero *Tensor, factor func(i int) float32) (*Tensor, error) {
	if zero.Len() != 1 || zero.DType != graph.Int8 && zero.DType != graph.Uint8 {
		return nil, fmt.Errorf("the zero point of the result is %v, want one number of int8 or uint8", zero)
	}
	y := env.alloc(zero.DType, sums.Dims)
	lo, hi := integerRange(zero.DType)
	for i, s := range sums.I64 {
		v := math.RoundToEven(float64(float32(s)*factor(i))) + float64(zero.I64[0])
		y.I64[i] = int64(math.Max(lo, math.Min(hi, v)))
	}
	return y, nil
}

// runQLinearMatMul: a, its scale and zero point, b, its scale and zero point, the scale and zero
// point of the result.
func runQLinearMatMul(env *Env, in []*Tensor) ([]*Tensor, error) {
	check(wantFloat(nil, in[1], nil, nil, in[4], nil, in[6]))
	a := must(centred(env, in[0], in[2], in[0].Rank()-2))
	b := must(centred(env, in[3], in[5], in[3].Rank()-1))
	sums := must(matMulVectors(env.scratch(), []*Tensor{a, b}))[0]
	if in[6].Len() != 1 {
		return nil, fmt.Errorf("input 6 (y_scale) is %v, want one number", in[6])
	}
	rows := must(perAxis(in[1], sums, sums.Rank()-2))
	cols := must(perAxis(in[4], sums, sums.Rank()-1))
	return one(must(requantize(env, sums, in[7], func(i int) float32 {
		return float32(in[1].F32[rows(i)]*in[4].F32[cols(i)]) / in[6].F32[0]
	}))), nil
}

// convolveInts is a convolution of integers: y [N, M, out...] of x [N, C, in...] and
// weight [M, C/group, kernel...].
func convolveInts(env *Env, n *graph.Node, c op.Conv, x, weight *Tensor) (*Tensor, error) {
	check(wantRank(1, weight, 3))
	if m := weight.Dims[0]; c.Group < 1 || m%int(c.Group) != 0 || weight.Len() == 0 {
		return nil, fmt.Errorf("weights are %v, want output channels in %d groups", weight, c.Group)
	}
	check(checkConvInput(x, weight, weight.Dims[1]*int(c.Group)))
	win := must(c.WithKernel(n, sizesOf(weight.Dims[2:])))
	check(wantKernel(win.Kernel, weight.Dims))
	spatial := sizesOf(x.Dims[2:])
	out := win.Out(spatial)
	check(wantRoom(out, win.Kernel, x))
	y := env.scratch().alloc(graph.Int32, must(dimsOf(append([]int64{int64(x.Dims[0]), int64(weight.Dims[0])}, out...))))
	env.claimStencil(y.Dims[2:], win)
	st := forwardStencil(x.Dims[2:], y.Dims[2:], win, win.PadsFor(spatial))
	plane, area, size := product(st.in), product(st.kernel), product(st.out)
	taps, perGroup := weight.Dims[1], weight.Dims[0]/int(c.Group)
	var buf [2][]cell
	for o := range size {
		cells := st.cells(o, &buf)
		for i := range x.Dims[0] * weight.Dims[0] {
			image, m := i/weight.Dims[0], i%weight.Dims[0]
			sum := int64(0)
			for t := range taps {
				xs := x.I64[(image*x.Dims[1]+m/perGroup*taps+t)*plane:]
				ws := weight.I64[(m*taps+t)*area:]
				for _, at := range cells {
					sum += ws[at.kernel] * xs[at.in]
				}
			}
			y.I64[i*size+o] = sum
		}
	}
	return y, nil
}

// bindConvInteger gives the sums as they are.
func bindConvInteger(n *graph.Node, _ int64) (runner, error) {
	c, err := op.ConvIntegerOf(n)
	return func(env *Env, in []*Tensor) ([]*Tensor, error) {
		x := must(centred(env, in[0], optional(in, 2), 1))
		w := must(centred(env, in[1], optional(in, 3), 0))
		y, err := convolveInts(env, n, c, x, w)
		return []*Tensor{y}, err
	}, err
}

// bindQLinearConv: x, its scale and zero point, the weights, theirs, the scale and zero point of
// the result, a bias of int32.
func bindQLinearConv(n *graph.Node, _ int64) (runner, error) {
	c, err := op.QLinearConvOf(n)
	return func(env *Env, in []*Tensor) ([]*Tensor, error) {
		check(wantFloat(nil, in[1], nil, nil, in[4], nil, in[6]))
		x := must(centred(env, in[0], in[2], -1))
		w := must(centred(env, in[3], in[5], 0))
		y := must(convolveInts(env, n, c, x, w))
		if in[1].Len() != 1 || in[6].Len() != 1 {
			return nil, fmt.Errorf("inputs 1 and 6 (scales) are %v and %v, want one number each", in[1], in[6])
		}
		if b := optional(in, 8); b != nil {
			if b.DType != graph.Int32 || b.Rank() != 1 || b.Len() != y.Dims[1] {
				return nil, fmt.Errorf("input 8 (bias) is %v, want int32[%d]", b, y.Dims[1])
			}
			plane := product(y.Dims[2:])
			for i := range y.I64 {
				y.I64[i] += b.I64[i/plane%y.Dims[1]]
			}
		}
		channel := must(perAxis(in[4], y, 1))
		return one(must(requantize(env, y, in[7], func(i int) float32 {
			return float32(in[1].F32[0]*in[4].F32[channel(i)]) / in[6].F32[0]
		}))), nil
	}, err
}
