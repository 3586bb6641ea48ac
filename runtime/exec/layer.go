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
	group *group
	all   []*graph.Node
	extra []*graph.Value // what the nodes read from outside the layer
}

// linear is one operator of the cone, applied to slice after slice.
type linear struct {
	node   *graph.Node
	op     ops.Op // nil for Bias
	steady bool   // depends on encoded inputs alone: the same at steps 1..T
	work   *work  // nil unless the operator has weights
}

// layerSink integrates or sums the slices of its input.
type layerSink interface {
	start(l *clock, x *ops.Tensor) error
	step(l *clock, x *ops.Tensor, t int) error  // t >= T: a trial post step
	mark(l *clock, at int, x *ops.Tensor) error // a checkpoint; x is the post slice, or nil
	finish(l *clock)
	source() *graph.Value // the time-major input
	label() *graph.Node
}

// layer binds a group.
func (p *Program) layer(m *graph.Model, g *group) (*layer, error) {
	l := &layer{group: g}
	inside := map[*graph.Value]bool{}
	steady := map[*graph.Value]bool{}
	for _, n := range g.cone {
		s := &linear{node: n, steady: true, work: p.weigh(n)}
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
		if s.work != nil {
			s.work.current = s.steady
		}
		for _, v := range n.Outputs() {
			if v != nil {
				inside[v], steady[v] = true, s.steady
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
	l.all = append(append(l.all, g.cone...), g.sinks...)
	for _, n := range l.all {
		for _, v := range present(n.Inputs()) {
			if !inside[v] {
				l.extra = append(l.extra, v)
			}
		}
	}
	return l, nil
}

// bindLinear binds an operator of a cone: it must act on each slice alone and
// be linear over time. A constant that it adds arrives at every slice.
func (p *Program) bindLinear(m *graph.Model, n *graph.Node) (ops.Op, error) {
	varies := func(v *graph.Value) bool { return p.timing.timed[v] }
	if m.Function(n.Op(), n.Overload) == nil {
		if _, err := op.LinearInTime(n, m.Opset(""), varies); err != nil {
			return nil, err
		}
	}
	return bind(m, n)
}

func (l *layer) nodes() []*graph.Node  { return l.all }
func (l *layer) reads() []*graph.Value { return l.extra }

// clock is a layer at work: the slices at hand at one timestep.
type clock struct {
	*run
	layer *layer
	now   map[*graph.Value]*ops.Tensor // this slice of the values inside and of expanded trains
	fixed map[*graph.Value]*ops.Tensor // of steady nodes: kept over steps 1..T
	trial bool                         // in a post step, where fixed does not hold
}

func (l *layer) run(r *run) error {
	c := &clock{run: r, layer: l, now: map[*graph.Value]*ops.Tensor{}, fixed: map[*graph.Value]*ops.Tensor{}}
	defer c.drop()
	for t := range r.timing.steps {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if err := c.tick(t); err != nil {
			return err
		}
		c.release(c.now)
		if at := r.timing.mark(t); at >= 0 {
			if err := c.checkpoint(at); err != nil {
				return err
			}
		}
	}
	for _, s := range l.sinks {
		s.finish(c)
	}
	return nil
}

// tick computes one slice of every value and feeds the sinks.
func (c *clock) tick(t int) error {
	if err := c.advance(t); err != nil {
		return err
	}
	for _, s := range c.layer.sinks {
		x, err := c.value(s.source(), t)
		if err != nil {
			return nodeError(s.label(), err)
		}
		if t == 0 {
			if err := s.start(c, x); err != nil {
				return nodeError(s.label(), err)
			}
		}
		if err := s.step(c, x, t); err != nil {
			return nodeError(s.label(), err)
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
			return nodeError(s.node, err)
		}
	}
	for v := range c.layer.group.keep {
		if err := c.record(v, t); err != nil {
			return err
		}
	}
	return nil
}

// checkpoint tries the post step, if there is one, from the state of the
// moment and lets the sinks read their results.
func (c *clock) checkpoint(at int) error {
	works := c.layer.works()
	for _, w := range works {
		w.begin()
	}
	c.trial = true
	t := c.timing.steps + at
	if c.timing.post > 0 {
		if err := c.advance(t); err != nil {
			return err
		}
	}
	for _, s := range c.layer.sinks {
		var x *ops.Tensor
		if c.timing.post > 0 {
			var err error
			if x, err = c.value(s.source(), t); err != nil {
				return nodeError(s.label(), err)
			}
		}
		c.at = c.place(at)
		err := s.mark(c, at, x)
		c.at = everywhere
		if err != nil {
			return nodeError(s.label(), err)
		}
	}
	c.trial = false
	c.release(c.now)
	for _, w := range works {
		w.end(at)
	}
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
		c.arena.hold(y)
		if v := s.node.Output(i); v != nil {
			where[v] = y
		} else {
			c.arena.release(y)
		}
	}
	if c.o.Measure && s.work != nil {
		c.weigh(s, in, out[0], t)
	}
	return nil
}

func (c *clock) compute(s *linear, in []*ops.Tensor, t int) ([]*ops.Tensor, error) {
	if s.op != nil {
		return s.op.Run(c.env, in)
	}
	if t >= c.timing.steps {
		return in[:1], nil
	}
	y := c.arena.tensor(graph.Float32, in[0].Dims)
	return []*ops.Tensor{y}, addBroadcast(y, in[0], in[1])
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
	x := c.outside(s, t)
	c.arena.hold(x)
	c.now[v] = x
	return x, nil
}

// outside makes slice t of what an earlier layer left.
func (c *clock) outside(s *slot, t int) *ops.Tensor {
	switch {
	case s.packed != nil:
		x := c.arena.tensor(graph.Float32, s.packed.dims)
		s.packed.expand(c.pool, x.F32, t)
		return x
	case s.train != nil:
		x := c.arena.tensor(graph.Float32, s.train.dims)
		s.train.Expand(c.pool, x.F32, t)
		return x
	case s.series != nil:
		return s.series[t]
	case t < c.timing.steps:
		return s.steady
	}
	x := c.arena.tensor(graph.Float32, s.steady.Dims)
	clear(x.F32)
	return x
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
