package ops

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// A fold reduces numbers to one: start, then add for each element in index
// order, then done with their count. float works in float64; whole is its
// integer form.
type fold struct {
	float foldOf[float64]
	whole foldOf[int64]
	empty bool // an empty list has a result
	// ofBools: bools have one too
	ofBools bool
}

type foldOf[T any] struct {
	start T
	add   func(acc, x T) T
	done  func(acc T, n int) T // nil: acc itself
}

var (
	sumOf = fold{
		float: foldOf[float64]{0, func(a, x float64) float64 { return a + x }, nil},
		whole: foldOf[int64]{0, func(a, x int64) int64 { return a + x }, nil},
		empty: true,
	}
	meanOf = fold{
		float: foldOf[float64]{0, sumOf.float.add,
			func(a float64, n int) float64 { return a / float64(n) }},
		whole: foldOf[int64]{0, sumOf.whole.add,
			func(a int64, n int) int64 { return a / int64(n) }},
	}
	productOf = fold{
		float: foldOf[float64]{1, func(a, x float64) float64 { return a * x }, nil},
		whole: foldOf[int64]{1, func(a, x int64) int64 { return a * x }, nil},
		empty: true,
	}
	largestOf = fold{
		float: foldOf[float64]{math.Inf(-1), func(a, x float64) float64 { return math.Max(a, x) }, nil},
		whole: foldOf[int64]{math.MinInt64, func(a, x int64) int64 { return max(a, x) }, nil},
		empty: true, ofBools: true,
	}
	smallestOf = fold{
		float: foldOf[float64]{math.Inf(1), func(a, x float64) float64 { return math.Min(a, x) }, nil},
		whole: foldOf[int64]{math.MaxInt64, func(a, x int64) int64 { return min(a, x) }, nil},
		empty: true, ofBools: true,
	}
	normOf = fold{
		float: foldOf[float64]{0, func(a, x float64) float64 { return a + float64(x*x) },
			func(a float64, _ int) float64 { return math.Sqrt(a) }},
		whole: foldOf[int64]{0, func(a, x int64) int64 { return a + x*x },
			func(a int64, _ int) int64 { return int64(math.Sqrt(float64(a))) }},
		empty: true,
	}
	absoluteSumOf = fold{
		float: foldOf[float64]{0, func(a, x float64) float64 { return a + math.Abs(x) }, nil},
		whole: foldOf[int64]{0, func(a, x int64) int64 { return a + absInt(x) }, nil},
		empty: true,
	}
	squareSumOf = fold{
		float: foldOf[float64]{0, normOf.float.add, nil},
		whole: foldOf[int64]{0, normOf.whole.add, nil},
		empty: true,
	}
	logSumOf = fold{
		float: foldOf[float64]{0, sumOf.float.add, func(a float64, _ int) float64 { return math.Log(a) }},
		whole: foldOf[int64]{0, sumOf.whole.add, func(a int64, _ int) int64 { return truncate(graph.Int64, float32(math.Log(float64(a)))) }},
		empty: true,
	}
)

func reduceOp(f fold) binder {
	return viewedAt(op.ReduceOf, func(r op.Reduce, env *Env, in []*Tensor) ([]*Tensor, error) {
		list, _ := mustBoth(intsParam(r.Axes, in, 1))
		axes, err := axesOf(list, in[0].Rank())
		switch {
		case err != nil:
			return nil, err
		case len(axes) == 0 && r.NoOp:
			return one(duplicate(env, in[0])), nil
		case len(axes) == 0:
			axes = span(in[0].Rank())
		}
		y, err := f.reduce(env, in[0], axes, r.KeepDims)
		return []*Tensor{y}, err
	})
}

// reduce folds x over axes, which are in rising order.
func (f fold) reduce(env *Env, x *Tensor, axes []int, keep bool) (*Tensor, error) {
	strides := stridesOf(x.Dims)
	var kept, keptSteps, folded, foldedSteps, dims []int
	for i, d := range x.Dims {
		if slices.Contains(axes, i) {
			folded, foldedSteps = append(folded, d), append(foldedSteps, strides[i])
			if keep {
				dims = append(dims, 1)
			}
			continue
		}
		kept, keptSteps = append(kept, d), append(keptSteps, strides[i])
		dims = append(dims, d)
	}
	n := product(folded)
	if n == 0 && !f.empty && product(kept) > 0 {
		return nil, fmt.Errorf("reduction over no elements of %v along axes %v", x, axes)
	}
	y := env.alloc(x.DType, dims)
	outer, inner := newWalk(kept, keptSteps), newWalk(folded, foldedSteps)
	if x.DType.IsFloat() {
		foldFloats(env, f.float, y.F32, x.F32, outer, inner, n)
		return y, nil
	}
	if x.DType == graph.Bool && !f.ofBools || x.DType == graph.Uint64 {
		return nil, fmt.Errorf("input 0 is of type %v, want a float or an integer that an int64 holds",
			x.DType)
	}
	whole := f.whole
	whole.start = nearestInt(x.DType, whole.start)
	foldElements(env, whole, y.I64, outer, inner, n, func(i int) int64 { return x.I64[i] })
	return y, nil
}

func foldFloats(env *Env, f foldOf[float64], dst, x []float32, outer, inner *walk, n int) {
	env.claim(8 * int64(len(dst)))
	out := make([]float64, len(dst))
	foldElements(env, f, out, outer, inner, n, func(i int) float64 { return float64(x[i]) })
	for i, v := range out {
		dst[i] = float32(v)
	}
}

// foldElements computes every element of dst: at gives element i of the input,
// outer walks over the results and inner over the n elements of each.
func foldElements[T any](
	env *Env, f foldOf[T], dst []T, outer, inner *walk, n int, at func(i int) T,
) {
	row := inner.dims[len(inner.dims)-1]
	rows := product(inner.dims[:len(inner.dims)-1])
	result := func(base int) T {
		acc := f.start
		for r := range rows {
			i := base + inner.locate(r, len(inner.dims)-1)[0]
			for range row {
				acc = f.add(acc, at(i))
				i += inner.inner()[0]
			}
		}
		if f.done != nil {
			acc = f.done(acc, n)
		}
		return acc
	}
	env.each(len(dst), n, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			dst[i] = result(outer.locate(i, len(outer.dims))[0])
		}
	})
}

// overAxis calls f for the elements along one axis, or before opset 13 over all axes from
// one on: count elements, step apart.
func overAxis(s op.Softmax, env *Env, in []*Tensor, f func(dst, x []float32, count, step int)) ([]*Tensor, error) {
	x := in[0]
	check(wantFloat(x))
	y := env.like(x)
	if s.Flattened && s.Axis == int64(x.Rank()) {
		s.Flattened, x = false, x.view(append(slices.Clone(x.Dims), 1)) // rows of one element
	}
	axis := must(axisOf(s.Axis, x.Rank()))
	count, step := x.Dims[axis], product(x.Dims[axis+1:])
	if s.Flattened {
		count, step = count*step, 1
	}
	if y.Len() == 0 {
		return one(y), nil
	}
	env.each(y.Len()/count, count, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			at := i/step*step*count + i%step
			f(y.F32[at:], x.F32[at:], count, step)
		}
	})
	return one(y), nil
}

// expSum gives the largest of count elements, step apart, and the sum of exp(x - top).
func expSum(x []float32, count, step int) (top, sum float64) {
	top = math.Inf(-1)
	for i := range count {
		top = math.Max(top, float64(x[i*step]))
	}
	for i := range count {
		sum += math.Exp(float64(x[i*step]) - top)
	}
	return top, sum
}

// softmax is exp(x) over its sum. The largest element is subtracted first.
func softmax(dst, x []float32, count, step int) {
	top, sum := expSum(x, count, step)
	for i := range count {
		dst[i*step] = float32(math.Exp(float64(x[i*step])-top) / sum)
	}
}

func runArgMax(a op.Arg, env *Env, in []*Tensor) ([]*Tensor, error) { return argBest(a, env, in[0], 1) }

func runArgMin(a op.Arg, env *Env, in []*Tensor) ([]*Tensor, error) {
	return argBest(a, env, in[0], -1)
}

// argBest is the index of the largest element along an axis, or with sign -1 of the
// smallest; the first of equal ones unless the node asks for the last.
func argBest(a op.Arg, env *Env, x *Tensor, sign int) ([]*Tensor, error) {
	axis := must(axisOf(a.Axis, x.Rank()))
	count, step := x.Dims[axis], product(x.Dims[axis+1:])
	dims := slices.Clone(x.Dims)
	dims[axis] = 1
	if !a.KeepDims {
		dims = slices.Delete(dims, axis, axis+1)
	}
	y := env.alloc(graph.Int64, dims)
	if count == 0 && y.Len() > 0 {
		return nil, fmt.Errorf("axis %d of %v is empty", axis, x)
	}
	order := x.order()
	for i := range y.I64 {
		at := i/step*step*count + i%step
		best := 0
		for k := 1; k < count; k++ {
			c := sign * order(at+k*step, at+best*step)
			if c > 0 || c == 0 && a.Last {
				best = k
			}
		}
		y.I64[i] = int64(best)
	}
	return one(y), nil
}

func (t *Tensor) order() func(i, j int) int {
	switch {
	case t.DType.IsFloat():
		return func(i, j int) int {
			switch x, y := t.F32[i], t.F32[j]; {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		}
	case t.DType == graph.Uint64:
		return func(i, j int) int { return cmp.Compare(t.I64[i]^math.MinInt64, t.I64[j]^math.MinInt64) }
	}
	return func(i, j int) int { return cmp.Compare(t.I64[i], t.I64[j]) }
}

// runLogSumExp is the logarithm of the sum of exponentials; the largest element is
// subtracted first, so that none overflows.
func runLogSumExp(r op.Reduce, env *Env, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	check(wantFloat(x))
	list, _ := mustBoth(intsParam(r.Axes, in, 1))
	axes := must(axesOf(list, x.Rank()))
	switch {
	case len(axes) == 0 && r.NoOp:
		return one(duplicate(env, x)), nil
	case len(axes) == 0:
		axes = span(x.Rank())
	}
	if x.Len() == 0 {
		y, err := logSumOf.reduce(env, x, axes, r.KeepDims)
		return []*Tensor{y}, err
	}
	top := must(largestOf.reduce(env.scratch(), x, axes, true))
	for i, v := range top.F32 {
		if math.IsInf(float64(v), 0) || v != v {
			top.F32[i] = 0
		}
	}
	less := must(subtraction.apply(env.scratch(), x, top))
	e := mapFloats(env.scratch(), less, rounded(math.Exp))
	y := must(logSumOf.reduce(env, e, axes, r.KeepDims))
	for i, v := range top.F32 {
		y.F32[i] += v
	}
	return one(y), nil
}
