package ops

import (
	"fmt"
	"math"
	"slices"

	"spikingir/graph/op"
	"spikingir/runtime/kernel"
)

// runGroupNorm normalises groups of channels of every image by their own mean and
// variance.
func runGroupNorm(g op.GroupNorm, env *Env, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	check(wantFloat(x))
	check(wantRank(0, x, 2))
	channels, groups := x.Dims[1], int(g.Groups)
	if channels%groups != 0 {
		return nil, fmt.Errorf("input 0 is %v, want channels in %d groups", x, groups)
	}
	entries := channels
	if g.PerGroup {
		entries = groups
	}
	for i, name := range []string{"scale", "bias"} {
		check(wantPerChannel(i+1, name, in[i+1], entries))
	}
	y := env.like(x)
	plane := product(x.Dims[2:])
	size := channels / groups * plane
	env.each(x.Dims[0]*groups, size, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			mean, variance := moments(x.F32[i*size : (i+1)*size])
			inverse := 1 / math.Sqrt(variance+float64(g.Epsilon))
			for k := range channels / groups {
				c := i%groups*(channels/groups) + k
				if g.PerGroup {
					c = i % groups
				}
				at := i*size + k*plane
				affine(y.F32[at:at+plane], x.F32[at:at+plane], float32(mean), float32(float64(in[1].F32[c])*inverse), in[2].F32[c])
			}
		}
	})
	return one(y), nil
}

// runLpNorm divides by the norm along an axis, by 1 where that is 0.
func runLpNorm(l op.LpNorm, env *Env, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	check(wantFloat(x))
	axis := must(axisOf(l.Axis, x.Rank()))
	y := env.like(x)
	lines(x.Dims, axis, func(_, at, step int) {
		sum := 0.0
		for i := range x.Dims[axis] {
			v := math.Abs(float64(x.F32[at+i*step]))
			if l.P == 2 {
				v *= v
			}
			sum += v
		}
		if l.P == 2 {
			sum = math.Sqrt(sum)
		}
		if sum == 0 {
			sum = 1
		}
		for i := range x.Dims[axis] {
			y.F32[at+i*step] = float32(float64(x.F32[at+i*step]) / sum)
		}
	})
	return one(y), nil
}

// runLRN divides by a power of the squares of neighbouring channels.
func runLRN(l op.LRN, env *Env, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	check(wantFloat(x))
	check(wantRank(0, x, 2))
	y := env.like(x)
	before, after := int(l.Size-1)/2, int(l.Size)/2
	lines(x.Dims, 1, func(_, at, step int) {
		for c := range x.Dims[1] {
			sum := 0.0
			for k := max(0, c-before); k <= min(x.Dims[1]-1, c+after); k++ {
				v := float64(x.F32[at+k*step])
				sum += float64(v * v)
			}
			base := float64(l.Bias) + float64(float64(l.Alpha)/float64(l.Size)*sum)
			y.F32[at+c*step] = float32(float64(x.F32[at+c*step]) / math.Pow(base, float64(l.Beta)))
		}
	})
	return one(y), nil
}

// meanVarianceFloor keeps a constant tensor from being divided by 0.
const meanVarianceFloor = 1e-9

func runMeanVarianceNorm(m op.MeanVarianceNorm, env *Env, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	check(wantFloat(x))
	axes := must(axesOf(m.Axes, x.Rank()))
	inner := env.scratch()
	mean := must(meanOf.reduce(inner, x, axes, true))
	centred := must(subtraction.apply(inner, x, mean))
	squares := mapFloats(inner, centred, func(dst, x []float32) { kernel.Mul(dst, x, x) })
	deviation := must(meanOf.reduce(inner, squares, axes, true))
	for i, v := range deviation.F32 {
		deviation.F32[i] = float32(math.Sqrt(float64(v))) + meanVarianceFloor
	}
	return one(must(division.apply(env, centred, deviation))), nil
}

// runRMSNorm divides by the root of the mean square over the last axes, then multiplies by
// a scale that broadcasts.
func runRMSNorm(l op.LayerNorm, env *Env, in []*Tensor) ([]*Tensor, error) {
	x, scale := in[0], in[1]
	check(wantFloat(in...))
	axis := must(axisOf(l.Axis, x.Rank()))
	y := env.like(x)
	size := product(x.Dims[axis:])
	for i := 0; size > 0 && i < x.Len(); i += size {
		sum := 0.0
		for _, v := range x.F32[i : i+size] {
			sum += float64(float64(v) * float64(v))
		}
		kernel.MulScalar(y.F32[i:i+size], x.F32[i:i+size], float32(1/math.Sqrt(sum/float64(size)+float64(l.Epsilon))))
	}
	dims, err := broadcastDims(x, scale)
	if err != nil || product(dims) != x.Len() || len(dims) != x.Rank() {
		return nil, fmt.Errorf("input 1 is %v, want it to broadcast to %v", scale, x)
	}
	multiplication.floats(env, broadcastWalk(dims, y, scale), y.F32, y.F32, scale.F32)
	return one(y), nil
}

// runGlobalLpPool is the norm of every channel of every image.
func runGlobalLpPool(p op.GlobalLpPool, env *Env, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	check(wantFloat(x))
	check(wantRank(0, x, 3))
	dims := slices.Clone(x.Dims)
	fill(dims[2:], 1)
	y := env.alloc(x.DType, dims)
	size := product(x.Dims[2:])
	for i := range y.F32 {
		sum := 0.0
		for _, v := range x.F32[i*size : (i+1)*size] {
			sum += math.Pow(math.Abs(float64(v)), float64(p.P))
		}
		y.F32[i] = float32(math.Pow(sum, 1/float64(p.P)))
	}
	return one(y), nil
}
