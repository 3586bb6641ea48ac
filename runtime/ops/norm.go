package ops

import (
	"fmt"
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel"
)

// bindBatchNorm normalises every channel by stored statistics, or in training
// mode by those of the batch, which then also update the stored ones.
func bindBatchNorm(n *graph.Node, opset int64) (runner, error) {
	b, err := op.BatchNormOf(n, opset)
	switch {
	case err != nil:
		return nil, err
	case b.PerElement:
		return nil, op.Errorf(n, "attribute spatial is 0, want 1 (parameters per channel)")
	case b.Training && opset < 14:
		return nil, op.Errorf(n, "training mode is not supported at opset %d, want 14 or more", opset)
	}
	return func(env *Env, in []*Tensor) ([]*Tensor, error) {
		x := in[0]
		check(wantFloat(x))
		check(wantRank(0, x, 2))
		for i, name := range []string{"scale", "B", "mean", "var"} {
			check(wantPerChannel(i+1, name, in[i+1], x.Dims[1]))
		}
		mean, variance := in[3].F32, in[4].F32
		out := []*Tensor{env.like(x)}
		if b.Training {
			mean, variance = channelMoments(x)
			out = append(out, moved(env, in[3], mean, b.Momentum),
				moved(env, in[4], variance, b.Momentum))
		}
		scale := scales(b, in[1], variance)
		eachPlane(env, x, func(c, lo, hi int) {
			affine(out[0].F32[lo:hi], x.F32[lo:hi], mean[c], scale[c], in[2].F32[c])
		})
		return out, nil
	}, nil
}

// scales is what each channel is multiplied by.
func scales(b op.BatchNorm, scale *Tensor, variance []float32) []float32 {
	list := make([]float32, len(variance))
	for c, v := range variance {
		list[c] = scale.F32[c] / float32(math.Sqrt(float64(v+b.Epsilon)))
	}
	return list
}

// affine sets dst = (x - mean) * scale + bias, part by part, so that what one step
// leaves is still at hand for the next.
func affine(dst, x []float32, mean, scale, bias float32) {
	const part = 2 << 10
	for len(x) > 0 {
		n := min(part, len(x))
		kernel.AddScalar(dst[:n], x[:n], -mean)
		kernel.MulScalar(dst[:n], dst[:n], scale)
		kernel.AddScalar(dst[:n], dst[:n], bias)
		dst, x = dst[n:], x[n:]
	}
}

func moved(env *Env, running *Tensor, batch []float32, momentum float32) *Tensor {
	y := env.like(running)
	for c, v := range running.F32 {
		y.F32[c] = float32(v*momentum) + float32(batch[c]*(1-momentum))
	}
	return y
}

// eachPlane calls f for the element range of every plane of x [N, C, ...].
func eachPlane(env *Env, x *Tensor, f func(channel, lo, hi int)) {
	planes := x.Dims[0] * x.Dims[1]
	size := product(x.Dims[2:])
	env.each(planes, size, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			f(i%x.Dims[1], i*size, (i+1)*size)
		}
	})
}

// channelMoments is the mean and the biased variance of every channel over
// images and planes, which are no numbers where there are none.
func channelMoments(x *Tensor) (mean, variance []float32) {
	channels := x.Dims[1]
	sums, squares := make([]float64, channels), make([]float64, channels)
	count := float64(x.Dims[0] * product(x.Dims[2:]))
	eachPlane(&Env{}, x, func(c, lo, hi int) {
		for _, v := range x.F32[lo:hi] {
			sums[c] += float64(v)
		}
	})
	eachPlane(&Env{}, x, func(c, lo, hi int) {
		for _, v := range x.F32[lo:hi] {
			d := float64(v) - float64(sums[c]/count)
			squares[c] += float64(d * d)
		}
	})
	mean, variance = make([]float32, channels), make([]float32, channels)
	for c := range channels {
		mean[c], variance[c] = float32(sums[c]/count), float32(squares[c]/count)
	}
	return mean, variance
}

func moments(x []float32) (mean, variance float64) {
	for _, v := range x {
		mean += float64(v)
	}
	mean /= float64(len(x))
	for _, v := range x {
		d := float64(v) - mean
		variance += float64(d * d)
	}
	return mean, variance / float64(len(x))
}

// runInstanceNorm normalises every plane by its own mean and variance.
func runInstanceNorm(p op.InstanceNorm, env *Env, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	check(wantFloat(x))
	check(wantRank(0, x, 3))
	for i, name := range []string{"scale", "B"} {
		check(wantPerChannel(i+1, name, in[i+1], x.Dims[1]))
	}
	y := env.like(x)
	eachPlane(env, x, func(c, lo, hi int) {
		mean, variance := moments(x.F32[lo:hi])
		scale := float64(in[1].F32[c]) / math.Sqrt(variance+float64(p.Epsilon))
		affine(y.F32[lo:hi], x.F32[lo:hi], float32(mean), float32(scale), in[2].F32[c])
	})
	return one(y), nil
}

// runLayerNorm normalises over the last axes; scale and bias broadcast to x.
// The second and third outputs are the mean and the inverse deviation.
func runLayerNorm(l op.LayerNorm, env *Env, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	check(wantFloat(in...))
	axis := must(axisOf(l.Axis, x.Rank()))
	y, mean, inverse := normalise(env, x, axis, float64(l.Epsilon))
	for i, a := range []arithmetic{multiplication, addition} {
		if p := optional(in, i+1); p != nil {
			dims, err := broadcastDims(x, p)
			if err != nil || product(dims) != x.Len() || len(dims) != x.Rank() {
				return nil, fmt.Errorf("input %d is %v, want it to broadcast to %v", i+1, p, x)
			}
			a.floats(env, broadcastWalk(dims, y, p), y.F32, y.F32, p.F32)
		}
	}
	return []*Tensor{y, mean, inverse}, nil
}

// normalise is (x - mean) / sqrt(var + epsilon) over the axes from axis on, with
// the means and the inverse deviations.
func normalise(env *Env, x *Tensor, axis int, epsilon float64) (y, mean, inverse *Tensor) {
	dims := make([]int, x.Rank())
	for i := range dims {
		dims[i] = 1
		if i < axis {
			dims[i] = x.Dims[i]
		}
	}
	y = env.like(x)
	mean, inverse = env.alloc(graph.Float32, dims), env.alloc(graph.Float32, dims)
	size := product(x.Dims[axis:])
	env.each(mean.Len(), size, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row := x.F32[i*size : (i+1)*size]
			m, v := moments(row)
			mean.F32[i], inverse.F32[i] = float32(m), float32(1/math.Sqrt(v+epsilon))
			affine(y.F32[i*size:(i+1)*size], row, mean.F32[i], inverse.F32[i], 0)
		}
	})
	return y, mean, inverse
}
