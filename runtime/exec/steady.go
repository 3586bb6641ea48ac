package exec

import (
	"slices"

	"spikingir/graph/op"
	"spikingir/runtime/neuron"
	"spikingir/runtime/ops"
)

// steadyLayer is a neuron behind analog values alone: the first layer of a
// network. Its current is computed once, in float32, and each neuron advances
// through all steps at once while its potential is at hand. The bits are those of
// the layer run step by step.
type steadyLayer struct {
	*layer
	sink *neuronSink
	post bool // there is a current in the post step: some operator adds a constant
}

// steady binds such a layer; nil when it has another form.
func (p *plan) steady(l *layer) *steadyLayer {
	s, ok := onlyNeuron(l)
	if !ok {
		return nil
	}
	if slices.ContainsFunc(l.steps, func(k *linear) bool { return !k.steady }) {
		return nil
	}
	if v := s.node.Input(0); len(l.steps) == 0 && !v.Producer().IsSpiking("Encode") {
		return nil
	}
	return &steadyLayer{l, s, p.timing.post > 0 && adds(l)}
}

// adds reports whether a layer may turn currents of zero into others.
func adds(l *layer) bool {
	return slices.ContainsFunc(l.steps, func(k *linear) bool {
		if k.node.Is("Conv") || k.node.Is("ConvTranspose") {
			return k.node.Input(2) != nil
		}
		return !k.node.IsSpiking("Bias")
	})
}

func (s *steadyLayer) run(r *run) error {
	c := s.layer.clock(r)
	defer c.drop()
	if err := c.advance(0); err != nil {
		return err
	}
	x, err := c.value(s.sink.node.Input(op.NeuronX), 0)
	if err != nil {
		return op.Wrap(s.sink.node, err)
	}
	if len(x.Dims) != 4 { // no images: step by step, and counted anew
		for _, n := range s.all {
			if k := r.counters[n]; k != nil {
				r.counters[n] = newCounter(k.work)
			}
		}
		return s.layer.run(r)
	}
	for at := range c.timing.results {
		if err := c.forResult(at, s.all, func() error { return s.postCurrent(c, at) }); err != nil {
			return err
		}
	}
	return s.integrate(c, x)
}

// postCurrent computes the current of the post step, in which encoded inputs are zero,
// and leaves it as the slice of the moment. It is the same for all results, but counts
// for each.
func (s *steadyLayer) postCurrent(c *clock, at int) error {
	c.release(c.now)
	if !s.post {
		return nil
	}
	c.trial = true
	defer func() { c.trial = false }()
	if err := c.advance(c.timing.steps + at); err != nil {
		return err
	}
	if _, err := c.value(s.sink.node.Input(op.NeuronX), c.timing.steps+at); err != nil {
		return op.Wrap(s.sink.node, err)
	}
	return nil
}

// integrate advances the neurons.
func (s *steadyLayer) integrate(c *clock, x *ops.Tensor) error {
	n := s.sink.node
	p, err := s.sink.parameters(c.run, x.Dims)
	if err != nil {
		return op.Wrap(n, err)
	}
	if s.sink.grade != op.Single {
		return s.integrateGraded(c, x, p)
	}
	out := c.newPacked(x.Dims, p.Threshold)
	j := &neuron.Steady{Params: p, Current: x.F32, Out: out.Tensor, Steps: c.timing.spikeSteps()}
	if s.post {
		j.Post = c.now[n.Input(op.NeuronX)].F32
	}
	var residuals []*ops.Tensor
	if n.Output(op.NeuronVRes) != nil || c.o.Measure {
		residuals = c.potentials(x.Dims)
	}
	if c.areas == nil {
		if err := p.Check(x.Dims[1]); err != nil {
			return op.Wrap(n, err)
		}
		for _, t := range residuals {
			j.Residuals = append(j.Residuals, t.F32)
		}
		if err := j.Run(c.ctx, c.pool); err != nil {
			return err
		}
	}
	s.report(c, p.Threshold, out, residuals)
	return nil
}

// report tells what the neurons did, and makes their spikes known.
func (s *steadyLayer) report(c *clock, theta []float32, out *packed, residuals []*ops.Tensor) {
	n := s.sink.node
	if c.counters != nil {
		for at, v := range residuals {
			left := neuron.ResidualOf(v.F32, theta, out.C, out.H, out.W, c.view(n.Input(op.NeuronX), out.H, out.W).Part)
			c.reportPacked(n, out, left, at)
		}
	}
	c.putNeurons(n, out, residuals)
}
