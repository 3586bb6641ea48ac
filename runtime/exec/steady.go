package exec

import (
	"spikingir/graph"
	"spikingir/runtime/kernel"
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
func (p *Program) steady(l *layer) *steadyLayer {
	s, ok := single(l)
	if !ok {
		return nil
	}
	for _, k := range l.steps {
		if !k.steady {
			return nil
		}
	}
	if v := s.node.Input(0); len(l.steps) == 0 && !v.Producer().IsSpiking("Encode") {
		return nil
	}
	return &steadyLayer{l, s, p.timing.post > 0 && adds(l)}
}

// adds reports whether a layer may turn currents of zero into others.
func adds(l *layer) bool {
	for _, k := range l.steps {
		convolves := k.node.Is("Conv") || k.node.Is("ConvTranspose")
		if !convolves && !k.node.IsSpiking("Bias") || convolves && k.node.Input(2) != nil {
			return true
		}
	}
	return false
}

func (s *steadyLayer) run(r *run) error {
	c := &clock{run: r, layer: s.layer, now: map[*graph.Value]*ops.Tensor{}, fixed: map[*graph.Value]*ops.Tensor{}}
	defer c.drop()
	for _, w := range s.layer.works() {
		w.begin()
	}
	if err := c.advance(0); err != nil {
		return err
	}
	x, err := c.value(s.sink.source(), 0)
	if err != nil {
		return nodeError(s.sink.node, err)
	}
	if len(x.Dims) != 4 { // no images: step by step, and counted anew
		for _, w := range s.layer.works() {
			w.report = w.saved
		}
		return s.layer.run(r)
	}
	if err := s.checkpoints(c); err != nil {
		return err
	}
	return s.integrate(c, x)
}

// checkpoints computes the current of the post step, in which encoded inputs are
// nothing, where there is any, and leaves it as the slice of the moment. It is the same for every
// checkpoint, but each counts it.
func (s *steadyLayer) checkpoints(c *clock) error {
	c.trial = true
	defer func() { c.trial = false }()
	works := s.layer.works()
	for at := range c.timing.marks {
		c.release(c.now)
		for _, w := range works {
			w.begin()
		}
		if s.post {
			if err := c.advance(c.timing.steps + at); err != nil {
				return err
			}
			if _, err := c.value(s.sink.source(), c.timing.steps+at); err != nil {
				return nodeError(s.sink.node, err)
			}
		}
		for _, w := range works {
			w.end(at)
		}
	}
	return nil
}

// integrate advances the neurons.
func (s *steadyLayer) integrate(c *clock, x *ops.Tensor) error {
	n := s.sink.node
	p, err := s.sink.parameters(c.run, x.Dims)
	if err == nil {
		err = p.Check(x.Dims[1])
	}
	if err != nil {
		return nodeError(n, err)
	}
	out := c.newPacked(x.Dims, p.Threshold)
	var potentials potentials
	if n.Output(1) != nil || c.o.Measure {
		potentials = c.potentials(x.Dims)
	}
	j := &neuron.Steady{Params: p, Current: x.F32, Out: out.SpikeTrain,
		Steps: kernel.SpikeSteps{Main: c.timing.steps, Marks: c.timing.marks, Post: c.timing.post > 0}}
	if s.post {
		j.Post = c.now[s.sink.source()].F32
	}
	for _, t := range potentials {
		j.Residuals = append(j.Residuals, t.F32)
	}
	if err := j.Run(c.ctx, c.pool); err != nil {
		return err
	}
	if c.o.Measure {
		for at, v := range potentials {
			left := neuron.ResidualOf(v.F32, p.Threshold, out.C, out.H, out.W, c.view(n.Input(0), out.H, out.W).Part)
			c.reportPacked(n, out, left, at)
		}
	}
	potentials.put(c.run, n)
	c.keepPacked(n, out)
	return nil
}
