package ops

import (
	"fmt"
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// lines calls f for every line of elements along an axis: the first element, and how far
// apart they are.
func lines(dims []int, axis int, f func(line, at, step int)) {
	count, step := dims[axis], product(dims[axis+1:])
	if product(dims) == 0 {
		return
	}
	for i := range product(dims) / count {
		f(i, i/step*step*count+i%step, step)
	}
}

// runTopK gives the largest or smallest elements along an axis in order, the first of
// equal ones first, and their indices. NaN counts as the largest.
func runTopK(t op.TopK, env *Env, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	axis := must(axisOf(t.Axis, x.Rank()))
	list, _ := mustBoth(intsParam(t.K, in, 1))
	if len(list) != 1 || list[0] < 0 || list[0] > int64(x.Dims[axis]) {
		return nil, fmt.Errorf("input K is %v for axis %d of %v, want one number from 0 to %d", list, axis, x, x.Dims[axis])
	}
	k := int(list[0])
	dims := slices.Clone(x.Dims)
	dims[axis] = k
	y, index := env.alloc(x.DType, dims), env.alloc(graph.Int64, dims)
	order := x.order()
	lines(x.Dims, axis, func(line, at, step int) {
		best := span(x.Dims[axis])
		slices.SortStableFunc(best, func(i, j int) int {
			c := order(at+i*step, at+j*step)
			if t.Smallest {
				return c
			}
			return -c
		})
		to := line/step*step*k + line%step
		for i, b := range best[:k] {
			move(y, to+i*step, x, at+b*step)
			index.I64[to+i*step] = int64(b)
		}
	})
	return []*Tensor{y, index}, nil
}

func runCumSum(c op.CumSum, env *Env, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	list := in[1].I64
	if in[1].DType.IsFloat() || in[1].Len() != 1 {
		return nil, fmt.Errorf("input 1 (axis) is %v, want one integer", in[1])
	}
	if x.DType == graph.Bool {
		return nil, fmt.Errorf("input 0 is of type bool, want numbers")
	}
	axis := must(axisOf(list[0], x.Rank()))
	y := env.like(x)
	lines(x.Dims, axis, func(_, at, step int) {
		n := x.Dims[axis]
		if c.Reverse {
			at, step = at+(n-1)*step, -step
		}
		sum, whole := 0.0, int64(0)
		for i := range n {
			k := at + i*step
			if !c.Exclusive {
				sum, whole = sum+elementFloat(x, k), whole+elementInt(x, k)
			}
			if x.DType.IsFloat() {
				y.F32[k] = float32(sum)
			} else {
				y.I64[k] = whole
			}
			if c.Exclusive {
				sum, whole = sum+elementFloat(x, k), whole+elementInt(x, k)
			}
		}
	})
	return one(y), nil
}

// elementFloat is element i of a floating point tensor, 0 of others.
func elementFloat(t *Tensor, i int) float64 {
	if t.DType.IsFloat() {
		return float64(t.F32[i])
	}
	return 0
}

// elementInt is element i of an integer tensor, 0 of others.
func elementInt(t *Tensor, i int) int64 {
	if t.DType.IsFloat() {
		return 0
	}
	return t.I64[i]
}

// softmaxLike binds LogSoftmax and Hardmax: f handles count elements, step apart.
func softmaxLike(f func(dst, x []float32, count, step int)) binder {
	return viewedAt(op.SoftmaxOf, func(s op.Softmax, env *Env, in []*Tensor) ([]*Tensor, error) {
		return overAxis(s, env, in, f)
	})
}

func logSoftmax(dst, x []float32, count, step int) {
	top, sum := expSum(x, count, step)
	for i := range count {
		dst[i*step] = float32(float64(x[i*step]) - top - math.Log(sum))
	}
}

func hardmax(dst, x []float32, count, step int) {
	best := 0
	for i := range count {
		dst[i*step] = 0
		if x[i*step] > x[best*step] {
			best = i
		}
	}
	dst[best*step] = 1
}
