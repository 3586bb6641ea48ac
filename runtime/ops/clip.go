package ops

import (
	"fmt"
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel"
)

// bindClip limits floats and integers. A limit that is given as an input has
// the type of the data, so that integers are exact.
func bindClip(n *graph.Node, opset int64) (runner, error) {
	c, err := op.ClipOf(n, opset)
	if err != nil {
		return nil, err
	}
	return func(env *Env, in []*Tensor) ([]*Tensor, error) {
		if opset >= 11 {
			return clip(env, in[0], optional(in, 1), optional(in, 2))
		}
		check(wantFloat(in[0]))
		return clip(env, in[0], Floats([]float32{c.Min.Value}), Floats([]float32{c.Max.Value}))
	}, nil
}

// clip limits x to the only elements of low and high, either of which may be
// nil.
func clip(env *Env, x, low, high *Tensor) ([]*Tensor, error) {
	for i, t := range []*Tensor{low, high} {
		if t != nil && (t.Len() != 1 || t.DType.IsFloat() != x.DType.IsFloat()) {
			return nil, fmt.Errorf("input %d (limit) is %v, want one element of type %v",
				i+1, t, x.DType)
		}
	}
	if x.DType.IsFloat() {
		lo, hi := float32(math.Inf(-1)), float32(math.Inf(1))
		if low != nil {
			lo = low.F32[0]
		}
		if high != nil {
			hi = high.F32[0]
		}
		return one(mapFloats(env, x, func(dst, x []float32) { kernel.Clip(dst, x, lo, hi) })), nil
	}
	y := env.like(x)
	less := lessInts(x.DType)
	for i, v := range x.I64 {
		if low != nil && less(v, low.I64[0]) {
			v = low.I64[0]
		}
		if high != nil && less(high.I64[0], v) {
			v = high.I64[0]
		}
		y.I64[i] = v
	}
	return one(y), nil
}

// lessInts is the order of an integer type's elements as they are kept in an
// int64.
func lessInts(d graph.DType) func(x, y int64) bool {
	if d == graph.Uint64 {
		return func(x, y int64) bool { return uint64(x) < uint64(y) }
	}
	return func(x, y int64) bool { return x < y }
}
