package ops

import (
	"cmp"
	"fmt"
	"math"

	"spikingir/graph"
)

// compare binds a comparison: a bool for each pair of elements. The integer
// function gets -1, 0 or 1 for the order of x and y in their type.
func compare(float func(x, y float32) bool, whole func(order int) bool) binder {
	return plain(func(env *Env, in []*Tensor) ([]*Tensor, error) {
		x, y := in[0], in[1]
		check(wantSameType(x, y))
		if x.DType.IsFloat() {
			return pairs(env, x, y, func(i, j int) bool { return float(x.F32[i], y.F32[j]) })
		}
		order := cmp.Compare[int64]
		if x.DType == graph.Uint64 {
			order = func(a, b int64) int { return cmp.Compare(a^math.MinInt64, b^math.MinInt64) }
		}
		return pairs(env, x, y, func(i, j int) bool { return whole(order(x.I64[i], y.I64[j])) })
	})
}

func less(x, y float32) bool           { return x < y }
func lessOrEqual(x, y float32) bool    { return x <= y }
func greater(x, y float32) bool        { return x > y }
func greaterOrEqual(x, y float32) bool { return x >= y }

func logical(f func(x, y bool) bool) binder {
	return plain(func(env *Env, in []*Tensor) ([]*Tensor, error) {
		x, y := in[0], in[1]
		check(wantBool(x, y))
		return pairs(env, x, y, func(i, j int) bool { return f(x.I64[i] != 0, y.I64[j] != 0) })
	})
}

func wantBool(in ...*Tensor) error {
	for i, t := range in {
		if t.DType != graph.Bool {
			return fmt.Errorf("input %d is of type %v, want bool", i, t.DType)
		}
	}
	return nil
}

func pairs(env *Env, x, y *Tensor, f func(i, j int) bool) ([]*Tensor, error) {
	dims, err := broadcastDims(x, y)
	if err != nil {
		return nil, err
	}
	dst := env.alloc(graph.Bool, dims)
	w := broadcastWalk(dims, x, y)
	step := w.inner()
	w.run(env, func(at, n int, off offsets) {
		for i := range n {
			dst.I64[at+i] = truth(f(off[0]+i*step[0], off[1]+i*step[1]))
		}
	})
	return one(dst), nil
}

func logicalNot(env *Env, in []*Tensor) ([]*Tensor, error) {
	check(wantBool(in[0]))
	y := env.like(in[0])
	for i, v := range in[0].I64 {
		y.I64[i] = 1 - v
	}
	return one(y), nil
}

// where takes elements of the second input where the first is true, else of
// the third.
func where(env *Env, in []*Tensor) ([]*Tensor, error) {
	cond, x, y := in[0], in[1], in[2]
	check(wantBool(cond))
	if x.DType != y.DType {
		return nil, fmt.Errorf("input 2 is of type %v, want %v as input 1", y.DType, x.DType)
	}
	dims := must(broadcastDims(cond, x, y))
	dst := env.alloc(x.DType, dims)
	w := broadcastWalk(dims, cond, x, y)
	if x.DType.IsFloat() {
		choose(env, w, dst.F32, cond.I64, x.F32, y.F32)
	} else {
		choose(env, w, dst.I64, cond.I64, x.I64, y.I64)
	}
	return one(dst), nil
}

func choose[T any](env *Env, w *walk, dst []T, cond []int64, x, y []T) {
	step := w.inner()
	w.run(env, func(at, n int, off offsets) {
		for i := range n {
			if cond[off[0]+i*step[0]] != 0 {
				dst[at+i] = x[off[1]+i*step[1]]
			} else {
				dst[at+i] = y[off[2]+i*step[2]]
			}
		}
	})
}

func equal(env *Env, in []*Tensor) ([]*Tensor, error) {
	x, y := in[0], in[1]
	check(wantSameType(x, y))
	if x.DType.IsFloat() {
		return pairs(env, x, y, func(i, j int) bool { return x.F32[i] == y.F32[j] })
	}
	return pairs(env, x, y, func(i, j int) bool { return x.I64[i] == y.I64[j] })
}
