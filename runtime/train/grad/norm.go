package grad

import (
	"fmt"
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/ops"
)

// bindBatchNorm is the gradient of (x - mean) / sqrt(var + epsilon) * scale + bias.
func bindBatchNorm(n *graph.Node, opset int64) (backward, error) {
	b, err := op.BatchNormOf(n, opset)
	if err == nil && b.Training {
		err = op.Errorf(n, "training mode has no gradient, want inference")
	}
	return func(c *call) error {
		if err := checkPlanes(c); err != nil {
			return err
		}
		x, g := c.in[0].F32, c.gout[0].F32
		scale, mean := c.in[1].F32, c.in[3].F32
		inverse := make([]float64, len(mean)) // of the deviation
		for i, v := range c.in[4].F32 {
			inverse[i] = 1 / math.Sqrt(float64(v)+float64(b.Epsilon))
		}
		sums, products := make([]float64, len(mean)), make([]float64, len(mean))
		eachPlane(c.in[0], func(ch, lo, hi int) {
			m := float64(mean[ch])
			factor := float32(float64(scale[ch]) * inverse[ch])
			for i := lo; i < hi; i++ {
				sums[ch] += float64(g[i])
				products[ch] += float64(g[i]) * (float64(x[i]) - m)
				if c.gin[0] != nil {
					c.gin[0].F32[i] += float32(g[i] * factor)
				}
			}
		})
		for ch, r := range inverse {
			s := float64(scale[ch])
			totalOf(c.gin[1], false).add(ch, products[ch]*r)
			totalOf(c.gin[2], false).add(ch, sums[ch])
			totalOf(c.gin[3], false).add(ch, -s*r*sums[ch])
			totalOf(c.gin[4], false).add(ch, -0.5*s*r*r*r*products[ch])
		}
		return nil
	}, err
}

// checkPlanes requires x [N, C, ...], an output of its dimensions and parameters
// [C] in the other inputs.
func checkPlanes(c *call) error {
	if c.in[0].Rank() < 2 {
		return fmt.Errorf("input 0 is %v, want rank 2 or more", c.in[0])
	}
	for i := range c.in[1:] {
		if err := wantDims(fmt.Sprintf("input %d", i+1), c.in[i+1], c.in[0].Dims[1]); err != nil {
			return err
		}
	}
	return wantDims("output 0", c.out[0], c.in[0].Dims...)
}

// bindInstanceNorm normalises every plane by its own mean and variance.
func bindInstanceNorm(n *graph.Node, _ int64) (backward, error) {
	p, err := op.InstanceNormOf(n)
	return func(c *call) error {
		if err := checkPlanes(c); err != nil {
			return err
		}
		x, g := c.in[0].F32, c.gout[0].F32
		scale, bias := totalOf(c.gin[1], true), totalOf(c.gin[2], true)
		eachPlane(c.in[0], func(ch, lo, hi int) {
			z := standardise(x[lo:hi], float64(p.Epsilon))
			for i, v := range g[lo:hi] {
				scale.add(ch, float64(v)*z.x[i])
				bias.add(ch, float64(v))
				z.g[i] = float64(v) * float64(c.in[1].F32[ch])
			}
			if c.gin[0] != nil {
				z.backward(c.gin[0].F32[lo:hi])
			}
		})
		scale.done()
		bias.done()
		return nil
	}, err
}

// A standard is a list of numbers with mean 0 and variance 1, and its gradient.
type standard struct {
	x, g    []float64
	inverse float64 // of the deviation that the numbers were divided by
}

// standardise makes (x - mean) / sqrt(variance + epsilon).
func standardise(x []float32, epsilon float64) *standard {
	s := &standard{x: make([]float64, len(x)), g: make([]float64, len(x))}
	var mean float64
	mean, s.inverse = inverseDeviation(x, epsilon)
	for i, v := range x {
		s.x[i] = (float64(v) - mean) * s.inverse
	}
	return s
}

// inverseDeviation is 1/sqrt(variance + epsilon) of a list, with its mean.
func inverseDeviation(x []float32, epsilon float64) (mean, inverse float64) {
	for _, v := range x {
		mean += float64(v)
	}
	mean /= float64(len(x))
	variance := 0.0
	for _, v := range x {
		variance += (float64(v) - mean) * (float64(v) - mean)
	}
	return mean, 1 / math.Sqrt(variance/float64(len(x))+epsilon)
}

// backward adds the gradient of the numbers before they were standardised:
// inverse * (g - mean(g) - x * mean(g * x)).
func (s *standard) backward(gx []float32) {
	mean, along := 0.0, 0.0
	for i, v := range s.g {
		mean += v
		along += v * s.x[i]
	}
	mean /= float64(len(gx))
	along /= float64(len(gx))
	for i, v := range s.g {
		gx[i] += float32(s.inverse * (v - mean - s.x[i]*along))
	}
}

// bindLayerNorm normalises over the last axes; scale and bias broadcast to x. The
// second and third outputs are the mean and the inverse deviation.
func bindLayerNorm(n *graph.Node, _ int64) (backward, error) {
	l, err := op.LayerNormOf(n)
	return func(c *call) error {
		x := c.in[0]
		axis, ok := op.Axis(l.Axis, x.Rank())
		if !ok {
			return fmt.Errorf("axis %d of %v, want %d to %d", l.Axis, x, -x.Rank(), x.Rank()-1)
		}
		size := product(x.Dims[axis:])
		if size == 0 {
			return nil
		}
		rows := make([]*standard, x.Len()/size)
		for i := range rows {
			rows[i] = standardise(x.F32[i*size:(i+1)*size], float64(l.Epsilon))
		}
		if c.gout[0] != nil {
			if err := scaled(c, rows, size); err != nil {
				return err
			}
		}
		if c.gin[0] == nil {
			return nil
		}
		for i, r := range rows {
			gx := c.gin[0].F32[i*size : (i+1)*size]
			r.backward(gx)
			r.statistics(gx, c.gradient(1, i), c.gradient(2, i))
		}
		return nil
	}, err
}

// gradient is element i of the gradient of output j, 0 where there is none.
func (c *call) gradient(j, i int) float64 {
	if j >= len(c.gout) || c.gout[j] == nil || i >= len(c.gout[j].F32) {
		return 0
	}
	return float64(c.gout[j].F32[i])
}

// statistics adds what comes from the mean and from the inverse deviation, which
// has the derivative -inverse^2 * x / n by a number.
func (s *standard) statistics(gx []float32, mean, inverse float64) {
	if mean == 0 && inverse == 0 {
		return
	}
	n := float64(len(gx))
	for i, v := range s.x {
		gx[i] += float32((mean - inverse*s.inverse*s.inverse*v) / n)
	}
}

// scaled is the gradient of x * scale + bias for standardised rows of equal size.
func scaled(c *call, rows []*standard, size int) error {
	x, scale, bias := c.in[0], c.in[1], c.optional(2)
	none := &ops.Tensor{}
	var gb *ops.Tensor
	if bias == nil {
		bias = none
	} else {
		gb = c.gin[2]
	}
	w, err := newWalk(x.Dims, scale.Dims, bias.Dims)
	if err != nil {
		return err
	}
	if err := wantDims("output 0", c.out[0], x.Dims...); err != nil {
		return err
	}
	ts, tb := totalOf(c.gin[1], true), totalOf(gb, true)
	w.rows(func(at, n int, off, step []int) {
		s, b := off[0], off[1]
		for i := at; i < at+n; i++ {
			g, r := float64(c.gout[0].F32[i]), rows[i/size]
			ts.add(s, g*r.x[i%size])
			tb.add(b, g)
			r.g[i%size] = g * float64(scale.F32[s])
			s, b = s+step[0], b+step[1]
		}
	})
	ts.done()
	tb.done()
	return nil
}
