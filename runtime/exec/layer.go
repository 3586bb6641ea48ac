package exec

import (
	"fmt"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/ops"
)

// layer is a group bound: the unit that the time loop runs over.
type layer struct {
	sinks []layerSink
	steps []*linear
	keep  map[*graph.Value]bool // what later layers read of the values between
	all   []*graph.Node
	extra []*graph.Value // what the nodes read from outside the layer
}

// linear is one operator of the cone, applied to slice after slice.
type linear struct {
	node   *graph.Node
	op     ops.Op // nil for Bias
	steady bool   // depends on encoded inputs alone: the same at steps 1..T
}

// layerSink ends a layer: a neuron or a readout.
type layerSink interface {
	label() *graph.Node // whose first input is what the sink integrates
	start(c *clock, x *ops.Tensor) (integrator, error)
}

// integrator is a sink in a run: it integrates or sums the slices of its input.
type integrator interface {
	step(c *clock, x *ops.Tensor, t int) error
	// result reads what the sink gives for a result; x is the post slice, or nil.
	result(c *clock, at int, x *ops.Tensor) error
	finish(c *clock)
}

// layer binds a group.
func (p *plan) layer(m *graph.Model, g *group) (*layer, error) {
	l := &layer{keep: g.keep, all: append(append([]*graph.Node{}, g.cone...), g.sinks...)}
	steady := map[*graph.Value]bool{} // of the values inside
	for _, n := range g.cone {
		s := &linear{node: n, steady: true}
		for _, v := range present(n.Inputs()) {
			if p.timing.timed[v] && !steady[v] && !v.Producer().IsSpiking("Encode") {
				s.steady = false
			}
		}
		if !n.IsSpiking("Bias") {
			var err error
			if s.op, err = p.bindLinear(m, n); err != nil {
				return nil, err
			}
		}
		if w := p.weigh(n); w != nil {
			w.current = s.steady
		}
		for _, v := range n.Outputs() {
			if v != nil {
				steady[v] = s.steady
			}
		}
		l.steps = append(l.steps, s)
	}
	for _, n := range g.sinks {
		s, err := p.sink(m, n)
		if err != nil {
			return nil, err
		}
		l.sinks = append(l.sinks, s)
	}
	for _, n := range l.all {
		for _, v := range present(n.Inputs()) {
			if _, inside := steady[v]; !inside {
				l.extra = append(l.extra, v)
			}
		}
	}
	return l, nil
}

// bindLinear binds an operator of a cone: it must act on each slice alone and
// be linear over time. A constant that it adds arrives at every slice.
func (p *plan) bindLinear(m *graph.Model, n *graph.Node) (ops.Op, error) {
	varies := func(v *graph.Value) bool { return p.timing.timed[v] }
	if p.functions.Of(n) == nil {
		if _, err := op.LinearInTime(n, m.Opset(""), varies); err != nil {
			return nil, err
		}
	}
	return p.bindExact(m, n)
}

func (l *layer) nodes() []*graph.Node  { return l.all }
func (l *layer) reads() []*graph.Value { return l.extra }
func (l *layer) timed()                {} // see run.unit

// clock is a layer at work: the slices at hand at one timestep.
type clock struct {
	*run
	layer *layer
	sinks []integrator
	now   map[*graph.Value]*ops.Tensor // this slice of the values inside and of expanded spikes
	fixed map[*graph.Value]*ops.Tensor // of steady nodes: kept over steps 1..T
	trial bool                         // in a post step, where fixed does not hold
}

// clock starts the time of a layer; drop ends it.
func (l *layer) clock(r *run) *clock {
	return &clock{run: r, layer: l, now: map[*graph.Value]*ops.Tensor{}, fixed: map[*graph.Value]*ops.Tensor{}}
}

func (l *layer) run(r *run) error {
	c := l.clock(r)
	defer c.drop()
	for t := range r.timing.steps {
		at := r.timing.result(t)
		if r.areas != nil && t > 0 && at < 0 && len(l.keep) == 0 {
			continue // takes what the step before took
		}
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if err := c.tick(t); err != nil {
			return err
		}
		r.watch.Step(int64(t)+1, int64(r.timing.steps))
		c.release(c.now)
		if at < 0 {
			continue
		}
		if err := r.forResult(at, l.all, func() error { return c.result(at) }); err != nil {
			return err
		}
	}
	for _, s := range c.sinks {
		s.finish(c)
	}
	return nil
}

// tick computes one slice of every value and feeds the sinks.
func (c *clock) tick(t int) error {
	if err := c.advance(t); err != nil {
		return err
	}
	for i, s := range c.layer.sinks {
		x, err := c.value(s.label().Input(0), t)
		if err == nil && t == 0 {
			var started integrator
			started, err = s.start(c, x)
			c.sinks = append(c.sinks, started)
		}
		if err == nil {
			err = c.sinks[i].step(c, x, t)
		}
		if err != nil {
			return op.Wrap(s.label(), err)
		}
	}
	return nil
}

// advance computes slice t of every value of the layer.
func (c *clock) advance(t int) error {
	for _, s := range c.layer.steps {
		if s.steady && t > 0 && t < c.timing.steps {
			continue
		}
		if err := c.apply(s, t); err != nil {
			return op.Wrap(s.node, err)
		}
	}
	for v := range c.layer.keep {
		if err := c.record(v, t); err != nil {
			return err
		}
	}
	return nil
}

// result tries the post step, if there is one, from the state of the moment and lets
// the sinks read their results.
func (c *clock) result(at int) error {
	c.trial = true
	t := c.timing.steps + at
	if c.timing.post > 0 {
		if err := c.advance(t); err != nil {
			return err
		}
	}
	for i, s := range c.layer.sinks {
		var x *ops.Tensor
		var err error
		if c.timing.post > 0 {
			x, err = c.value(s.label().Input(0), t)
		}
		if err == nil {
			err = c.sinks[i].result(c, at, x)
		}
		if err != nil {
			return op.Wrap(s.label(), err)
		}
	}
	c.trial = false
	c.release(c.now)
	return nil
}

// apply runs one linear operator on slice t.
func (c *clock) apply(s *linear, t int) error {
	in := make([]*ops.Tensor, s.node.NumInputs())
	for i, v := range s.node.Inputs() {
		if v == nil {
			continue
		}
		x, err := c.value(v, t)
		if err != nil {
			return err
		}
		in[i] = x
	}
	out, err := c.compute(s, in, t)
	if err != nil {
		return err
	}
	where := c.now
	if s.steady && !c.trial {
		where = c.fixed
	}
	for i, y := range out {
		if v := s.node.Output(i); v != nil {
			c.arena.hold(y)
			where[v] = y
		} else {
			c.arena.discard(y)
		}
	}
	c.count(s, in, out[0], t)
	return nil
}

func (c *clock) compute(s *linear, in []*ops.Tensor, t int) ([]*ops.Tensor, error) {
	if s.op != nil {
		return c.run.compute(s.node, s.op, in)
	}
	if t >= c.timing.steps {
		return in[:1], nil
	}
	y := c.arena.tensor(graph.Float32, in[0].Dims)
	return []*ops.Tensor{y}, c.addBroadcast(y, in[0], in[1])
}

// value gives slice t of a time-major value, or an analog value as it is.
func (c *clock) value(v *graph.Value, t int) (*ops.Tensor, error) {
	if x := c.now[v]; x != nil {
		return x, nil
	}
	if x := c.fixed[v]; x != nil && !c.trial {
		return x, nil
	}
	if !c.timing.timed[v] {
		return c.parameter(v)
	}
	s := c.slots[v]
	if s == nil {
		return nil, fmt.Errorf("time-major value %q was not computed", v.Name())
	}
	x := c.slice(s, t)
	c.arena.hold(x)
	c.now[v] = x
	return x, nil
}

// record keeps slice t of a value for later layers.
func (c *clock) record(v *graph.Value, t int) error {
	x, err := c.value(v, t)
	if err != nil {
		return err
	}
	s := c.slots[v]
	if s == nil {
		s = &slot{series: make([]*ops.Tensor, c.timing.slices())}
		c.slots[v] = s
	}
	c.arena.hold(x)
	s.series[t] = x
	return nil
}

func (c *clock) release(m map[*graph.Value]*ops.Tensor) {
	for v, t := range m {
		c.arena.release(t)
		delete(m, v)
	}
}

func (c *clock) drop() {
	c.release(c.now)
	c.release(c.fixed)
}
