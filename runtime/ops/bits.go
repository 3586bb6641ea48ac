package ops

import (
	"fmt"
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
)

// bitwise binds an operator on the bits of integers.
func bitwise(f func(x, y int64) int64) binder {
	return binaryOp(arithmetic{float: nil, whole: exact(f)})
}

func bitwiseNot(env *Env, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	if x.DType.IsFloat() || x.DType == graph.Bool {
		return nil, fmt.Errorf("input 0 is of type %v, want integers", x.DType)
	}
	y := env.like(x)
	for i, v := range x.I64 {
		y.I64[i] = ^v
	}
	return one(y), nil
}

// runBitShift moves bits of unsigned integers; a shift by as many bits as there are, or
// more, leaves 0.
func runBitShift(b op.BitShift, env *Env, in []*Tensor) ([]*Tensor, error) {
	switch in[0].DType {
	case graph.Uint8, graph.Uint16, graph.Uint32, graph.Uint64:
	default:
		return nil, fmt.Errorf("input 0 is of type %v, want an unsigned integer type", in[0].DType)
	}
	return arithmetic{whole: exact(func(x, y int64) int64 {
		if b.Left {
			return int64(uint64(x) << uint64(y))
		}
		return int64(uint64(x) >> uint64(y))
	})}.run(env, in)
}

// tells binds a question about each element of a floating point tensor.
func tells(f func(x float64) bool) runner {
	return func(env *Env, in []*Tensor) ([]*Tensor, error) {
		check(wantFloat(in[0]))
		y := env.alloc(graph.Bool, in[0].Dims)
		for i, v := range in[0].F32 {
			y.I64[i] = truth(f(float64(v)))
		}
		return one(y), nil
	}
}

func runIsInf(i op.IsInf, env *Env, in []*Tensor) ([]*Tensor, error) {
	return tells(func(x float64) bool {
		return i.Positive && math.IsInf(x, 1) || i.Negative && math.IsInf(x, -1)
	})(env, in)
}

// runShrink takes integers too: the difference is cut off towards zero.
func runShrink(s op.Shrink, env *Env, in []*Tensor) ([]*Tensor, error) {
	shrink := func(x float32) float32 {
		switch {
		case x < -s.Lambda:
			return x + s.Bias
		case x > s.Lambda:
			return x - s.Bias
		}
		return 0
	}
	x := in[0]
	return numberUnary(func(dst, x []float32) {
		for i, v := range x {
			dst[i] = shrink(v)
		}
	}, func(v int64) int64 { return truncate(x.DType, shrink(float32(v))) })(env, in)
}

func runCastLike(_ op.CastLike, env *Env, in []*Tensor) ([]*Tensor, error) {
	if in[0].DType == in[1].DType {
		return one(duplicate(env, in[0])), nil
	}
	return one(castTo(env, in[0], in[1].DType)), nil
}

func swish(a op.Activation) func(dst, x []float32) {
	alpha := float64(a.Alpha)
	return rounded(func(x float64) float64 { return x * sigmoid(alpha*x) })
}
