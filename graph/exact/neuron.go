package exact

import (
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
)

// spiking is the operators of the domain ai.spikingir.
func (p *Prover) spiking(n *graph.Node) error {
	switch {
	case n.IsSpiking("Encode"):
		s := p.Of(n.Input(0)).each(func(s Span) Span { return Span{s.Unit, min(s.Low, 0), max(s.High, 0)} })
		p.set(n, n.Output(0), s)
		return p.sums(n, s)
	case n.IsSpiking("Bias"):
		s := both(p.Of(n.Input(0)), p.beside(n, 1), partial)
		p.set(n, n.Output(0), s)
		return p.sums(n, s)
	case op.IsNeuron(n):
		return p.neuron(n)
	case n.IsSpiking("Decode"):
		s := p.Of(n.Input(0)).each(func(s Span) Span {
			return Span{Free, s.Low * p.Slices() / float64(p.timing.Timesteps), s.High * p.Slices() / float64(p.timing.Timesteps)}
		})
		p.set(n, n.Output(0), s)
		return nil
	case n.IsSpiking("CPM"):
		return p.cpm(n)
	}
	return op.Unsupportedf(n, "an operator that is not known")
}

// neuron bounds the potential by all currents of one sign, whether it fires or not.
func (p *Prover) neuron(n *graph.Node) error {
	k, err := op.NeuronOf(n)
	if err != nil {
		return err
	}
	x := p.beside(n, op.NeuronX)
	parameter := func(v *graph.Value, what string) (Spans, error) {
		if v == nil {
			return Spans{spanOf(0)}, nil
		}
		t := p.Constant(v)
		if t == nil {
			return nil, op.Unsupportedf(n, "its %s %q %s, want a constant", what, v.Name(), op.Source(v))
		}
		return p.constant(t, len(k.Y.Type.Shape)), nil
	}
	bias, err := parameter(k.Bias, "bias")
	if err != nil {
		return err
	}
	theta, err := parameter(k.Theta, "threshold")
	if err != nil {
		return err
	}
	var y, left Spans
	for c := range max(len(x), len(bias), len(theta)) {
		a, b, t := x.At(c), bias.At(c), theta.At(c)
		if t.Unit == Free {
			return op.Unsupportedf(n, "the threshold of channel %d is %g, want a finite number", c, t.High)
		}
		sent := sentBy(k.Grade, t)
		v := p.potential(a, b, Span{sent.Unit, t.Low, t.High}, float64(k.V0))
		if !v.Fits(1) {
			return tooLarge(n, c, v, 1)
		}
		y, left = append(y, sent), append(left, v)
	}
	p.set(n, k.Y, y)
	if k.VRes != nil {
		p.set(n, k.VRes, left)
		p.timed[k.VRes] = false // one for all slices
	}
	return nil
}

// sentBy is what a neuron of a grade and threshold emits in a slice.
func sentBy(g op.Grade, theta Span) Span {
	if g == op.Single {
		return Span{theta.Unit, 0, theta.High}
	}
	unit := theta.High * float64(g.Unit)
	return Span{max(theta.Unit, UnitOf(unit)), unit * float64(g.Least), unit * float64(g.Most)}
}

// potential is the span of the potential of a neuron with current a and bias b at each step, and
// of all sums on the way there.
func (p *Prover) potential(a, b, theta Span, v0 float64) Span {
	if a.Unit == Free || b.Unit == Free {
		return anything
	}
	start := float64(float32(v0) * float32(theta.High))
	s := p.Slices()
	return Span{max(a.Unit, b.Unit, theta.Unit, UnitOf(start)),
		s*(min(a.Low, 0)-b.Largest()) - theta.High, start + s*(max(a.High, 0)+b.Largest()) + theta.High}
}

// cpm is the convolution of the sum of all slices, plus what is left, over T.
func (p *Prover) cpm(n *graph.Node) error {
	l, xs, err := p.weights(n, 2)
	if err != nil {
		return err
	}
	all := p.beside(n, 0).each(func(s Span) Span { return Span{s.Unit, s.Low * p.Slices(), s.High * p.Slices()} })
	sums := both(Sums(l, xs, all), p.beside(n, 1), partial)
	steps := float64(p.timing.Timesteps)
	var out Spans
	for c, s := range sums {
		if !s.Fits(1) {
			return tooLarge(n, c, s, 1)
		}
		out = append(out, Span{Free, s.Low / steps, s.High / steps})
	}
	if n.Input(3) != nil {
		out = both(out, p.beside(n, 3), func(a, b Span) Span { return Span{Free, a.Low + b.Low, a.High + b.High} })
	}
	for i, s := range out {
		if math.IsNaN(s.Low + s.High) {
			out[i] = anything
		}
	}
	p.set(n, n.Output(0), out)
	return nil
}
