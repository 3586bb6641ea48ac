package reference

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"

	"spikingir/graph"
	"spikingir/graph/op"
)

func (b *builder) timed(n *graph.Node, s op.Steps) {
	if s.Timesteps == 0 {
		b.failf(n, "attribute %q is 0, the untimed form of the passes; want a timed network", "timesteps")
	}
}

func (b *builder) slicesOf(n *graph.Node, v *graph.Value, s op.Steps) []*gorgonia.Node {
	b.timed(n, s)
	x := b.value(n, v)
	if b.err != nil {
		return nil
	}
	if !x.timed || len(x.slices) != int(s.Slices()) {
		b.failf(n, "input %q has %d slices, want %d", v.Name(), len(x.slices), s.Slices())
	}
	return x.slices
}

func (b *builder) encode(n *graph.Node, e op.Encode) []*series {
	b.timed(n, e.Steps)
	x := b.constant(n, e.X)
	if b.err != nil {
		return nil
	}
	y := &series{timed: true}
	for t := range e.Slices() {
		if t < e.Timesteps {
			y.slices = append(y.slices, x)
		} else {
			y.slices = append(y.slices, b.full(x.Shape(), 0))
		}
	}
	return []*series{y}
}

func (b *builder) bias(n *graph.Node, a op.Bias) []*series {
	xs := b.slicesOf(n, a.X, a.Steps)
	c := b.constant(n, a.B)
	y := &series{timed: true}
	for t, x := range xs {
		if int64(t) < a.Timesteps {
			x = b.add(x, b.expand(c, x.Shape()))
		}
		y.slices = append(y.slices, x)
	}
	return []*series{y}
}

// cell is an IF or MPRN: its parameters, each expanded to the shape of a slice.
type cell struct {
	op.Neuron
	theta, alpha, bias *gorgonia.Node // alpha and bias may be nil
}

// neuron unrolls a neuron; see the package's doc for the equations of an IF and an MPRN.
func (b *builder) neuron(n *graph.Node, s op.Neuron) []*series {
	xs := b.slicesOf(n, s.X, s.Steps)
	c := cell{Neuron: s}
	for _, p := range []struct {
		from *graph.Value
		to   **gorgonia.Node
	}{{s.Theta, &c.theta}, {s.Alpha, &c.alpha}, {s.Bias, &c.bias}} {
		if p.from == nil {
			continue
		}
		v := b.constant(n, p.from)
		*p.to = b.expand(v, xs[0].Shape())
	}
	b.checkTheta(n, s.Theta)
	y := &series{timed: true}
	v := b.start(c)
	var sent *gorgonia.Node
	for t, x := range xs {
		var spike *gorgonia.Node
		if post := int64(t) >= s.Timesteps; s.Grade == op.Single {
			spike, v = b.step(c, v, x, post)
		} else {
			spike, v, sent = b.gradedStep(c, v, x, sent, post)
		}
		y.slices = append(y.slices, spike)
	}
	return []*series{y, analog(v)}
}

// checkTheta demands thresholds that potentials can be divided by.
func (b *builder) checkTheta(n *graph.Node, v *graph.Value) {
	if b.err == nil && op.Constant(v) == nil {
		b.failf(n, "input %q is no constant, want constant thresholds", v.Name())
	}
	for _, x := range b.floats(n, v) {
		if !(x > 0) || math.IsInf(float64(x), 0) {
			b.failf(n, "threshold %v, want finite ones above 0", x)
		}
	}
}

func (b *builder) start(c cell) *gorgonia.Node {
	if c.V0 == 0 {
		return nil
	}
	return b.scale(c.theta, float64(c.V0))
}

// step is one timestep: what the neuron emits, and the potential after it.
func (b *builder) step(c cell, v, x *gorgonia.Node, post bool) (y, left *gorgonia.Node) {
	u := x
	if v != nil {
		u = b.add(v, x)
	}
	if c.bias != nil && !post {
		u = b.add(u, c.bias)
	}
	if b.err != nil {
		return nil, nil
	}
	level := b.full(u.Shape(), 1)
	if post && c.alpha != nil {
		level = c.alpha
	}
	over := b.sub(b.div(u, c.theta), level)
	y = b.mul(c.theta, b.spike(over, fires))
	lost := y
	if !b.options.ThroughReset {
		lost = b.mul(c.theta, b.spike(over, resets))
	}
	return y, b.sub(u, lost)
}

func (b *builder) spike(x *gorgonia.Node, kind spikeKind) *gorgonia.Node {
	return b.apply(func() (*gorgonia.Node, error) {
		return gorgonia.ApplyOp(spikeOp{kind, b.options.Surrogate, b.options.Slope, b.options.Smooth, &b.near}, x)
	})
}

func (b *builder) decode(n *graph.Node, d op.Decode) []*series {
	xs := b.slicesOf(n, d.X, d.Steps)
	return []*series{analog(b.scale(b.sum(xs), 1/float64(d.Timesteps)))}
}

func (b *builder) cpm(n *graph.Node, c op.CPM) []*series {
	xs := b.slicesOf(n, c.Y, c.Steps)
	w := b.constant(n, c.W)
	left := b.constant(n, c.VRes)
	o := b.conv(convolution{Window: c.Window, group: 1}, b.sum(xs), w)
	o = b.scale(b.add(o, left), 1/float64(c.Timesteps))
	if c.B != nil {
		bias := b.constant(n, c.B)
		o = b.addChannels(o, bias)
	}
	return []*series{analog(o)}
}

// whole is a value as one tensor, its slices behind each other.
func (b *builder) whole(s *series) *gorgonia.Node {
	if !s.timed {
		return s.slices[0]
	}
	return b.concat(s.slices, 0)
}

// slicewise applies f to each slice of what the inputs hold; what does not vary
// over time joins every slice. Slices of equal inputs are computed once.
func (b *builder) slicewise(n *graph.Node, in []*graph.Value, f func(xs []*gorgonia.Node) *gorgonia.Node) []*series {
	all := make([]*series, len(in))
	out := &series{}
	count := 1
	for i, v := range in {
		s := b.value(n, v)
		if b.err != nil {
			return nil
		}
		all[i] = s
		if s.timed {
			if out.timed && len(s.slices) != count {
				return b.failf(n, "inputs have %d and %d slices, want equally many", count, len(s.slices))
			}
			out.timed, count = true, len(s.slices)
		}
	}
	known := map[string]*gorgonia.Node{}
	for t := range count {
		xs, key := make([]*gorgonia.Node, len(all)), ""
		for i, s := range all {
			xs[i] = s.slices[0]
			if s.timed {
				xs[i] = s.slices[t]
			}
			if b.err != nil {
				return nil
			}
			key += fmt.Sprint(xs[i].ID(), " ")
			if out.timed && !s.timed && xs[i].Dims() == 4 && xs[i].Shape()[0] != 1 {
				return b.failf(n, "input %q of batch %d does not broadcast over time", in[i].Name(), xs[i].Shape()[0])
			}
		}
		if known[key] == nil {
			known[key] = f(xs)
		}
		out.slices = append(out.slices, known[key])
	}
	return []*series{out}
}
