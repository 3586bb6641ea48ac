package exec

import (
	"fmt"

	"spikingir/graph"
	"spikingir/runtime/neuron"
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
			if s.op, err = bind(m, n); err != nil {
				return nil, err
			}
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
		c.at = at
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
		if x := c.analogValue(v); x != nil {
			return x, nil
		}
		return nil, fmt.Errorf("value %q was not computed", v.Name())
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

// planes reads the dimensions of a slice as images, channels and elements of a
// channel.
func planes(dims []int) (n, c, plane int, err error) {
	if len(dims) < 2 {
		return 0, 0, 0, fmt.Errorf("slices of dimensions %v, want [N,C,...]", dims)
	}
	plane = 1
	for _, d := range dims[2:] {
		plane *= d
	}
	return dims[0], dims[1], plane, nil
}

// parameters reads a neuron's parameter of one number or one per channel.
func parameters(r *run, v *graph.Value, dims []int) ([]float32, error) {
	t := r.analogValue(v)
	if t == nil {
		return nil, nil
	}
	if _, _, err := channelwise(dims, t); err != nil {
		return nil, fmt.Errorf("parameter %q: %w", v.Name(), err)
	}
	return t.F32, nil
}

// neuronSink is an IF or MPRN.
type neuronSink struct {
	node *graph.Node
	v0   float32
	pop  *neuron.Population
	out  *train
}

func (s *neuronSink) source() *graph.Value { return s.node.Input(0) }
func (s *neuronSink) label() *graph.Node   { return s.node }

// start makes the population once the size of a slice is known.
func (s *neuronSink) start(l *clock, x *ops.Tensor) error {
	n, c, plane, err := planes(x.Dims)
	if err != nil {
		return err
	}
	p := neuron.Params{V0: s.v0}
	for i, dst := range []*[]float32{&p.Bias, &p.Threshold, &p.Alpha} {
		if *dst, err = parameters(l.run, s.node.Input(i+1), x.Dims); err != nil {
			return err
		}
	}
	if s.node.IsSpiking("IF") {
		p.Alpha = nil
	}
	v := l.arena.tensor(graph.Float32, x.Dims)
	if s.pop, err = neuron.New(p, n, c, plane, v.F32); err != nil {
		return err
	}
	s.out = &train{neuron.NewTrain(l.timing.slices(), n, c, plane, p.Threshold), x.Dims}
	return nil
}

func (s *neuronSink) step(l *clock, x *ops.Tensor, t int) error {
	s.pop.Step(l.pool, x.F32, s.out.Train, t, t >= l.timing.steps)
	return nil
}

// mark takes the post step and reads the residual potential. Unless it is the
// last checkpoint, the potentials of the main steps are put back.
func (s *neuronSink) mark(l *clock, at int, x *ops.Tensor) error {
	v := s.pop.Potential()
	last := at == len(l.timing.marks)-1
	keep := &ops.Tensor{DType: graph.Float32, Dims: s.out.dims, F32: v}
	if !last {
		keep = l.arena.tensor(graph.Float32, s.out.dims)
		copy(keep.F32, v)
	}
	if x != nil {
		if err := s.step(l, x, l.timing.steps+at); err != nil {
			return err
		}
	}
	if l.o.Measure {
		l.neurons[at] = append(l.neurons[at], s.report(l, at))
	}
	if last {
		l.put(s.node.Output(1), keep)
		return nil
	}
	// The value read is the potential after the post step, the one to go on
	// with that before it.
	for i, before := range keep.F32 {
		keep.F32[i], v[i] = v[i], before
	}
	l.put(s.node.Output(1), keep)
	return nil
}

func (s *neuronSink) finish(l *clock) {
	l.slots[s.node.Output(0)] = &slot{train: s.out}
	s.pop, s.out = nil, nil
}

// readoutSink is Decode or CPM: it sums the slices.
type readoutSink struct {
	node *graph.Node
	conv ops.Op // CPM
	work *work  // CPM
	sum  *ops.Tensor
}

func (s *readoutSink) source() *graph.Value { return s.node.Input(0) }
func (s *readoutSink) label() *graph.Node   { return s.node }

func (s *readoutSink) start(l *clock, x *ops.Tensor) error {
	s.sum = l.arena.tensor(graph.Float32, x.Dims)
	clear(s.sum.F32)
	return nil
}

func (s *readoutSink) step(l *clock, x *ops.Tensor, t int) error {
	for i, v := range x.F32 {
		s.sum.F32[i] += v
	}
	if l.o.Measure && s.work != nil {
		s.work.spikes([]*ops.Tensor{x}, s.sum)
	}
	return nil
}

// mark is Eq. 7-9: o = Conv(sum)/T + vres/T, or sum/T, for the sum of the main
// steps so far and the post step.
func (s *readoutSink) mark(l *clock, at int, x *ops.Tensor) error {
	total := l.arena.tensor(graph.Float32, s.sum.Dims)
	copy(total.F32, s.sum.F32)
	if x != nil {
		for i, v := range x.F32 {
			total.F32[i] += v
		}
		if l.o.Measure && s.work != nil {
			s.work.spikes([]*ops.Tensor{x}, s.sum)
		}
	}
	if s.conv != nil {
		mapped, err := pixelMap(l.run, s.node, s.conv, total)
		if err != nil {
			return err
		}
		l.arena.hold(total)
		l.arena.release(total)
		total = mapped
	}
	steps := float32(l.timing.marks[at])
	for i := range total.F32 {
		total.F32[i] /= steps
	}
	if err := addBias(total, l.analogValue(s.node.Input(3))); err != nil {
		return err
	}
	l.put(s.node.Output(0), total)
	return nil
}

func (s *readoutSink) finish(l *clock) {
	l.arena.hold(s.sum)
	l.arena.release(s.sum)
	s.sum = nil
}

// pixelMap is Conv(y) + vres of a CPM.
func pixelMap(r *run, n *graph.Node, conv ops.Op, y *ops.Tensor) (*ops.Tensor, error) {
	out, err := conv.Run(r.env, []*ops.Tensor{y, r.analogValue(n.Input(2))})
	if err != nil {
		return nil, err
	}
	residual := r.analogValue(n.Input(1))
	if residual == nil || len(residual.F32) != len(out[0].F32) {
		return nil, fmt.Errorf("the residual potential and the convolution differ in size")
	}
	for i, v := range residual.F32 {
		out[0].F32[i] += v
	}
	return out[0], nil
}

// addBias adds the bias [C] of a CPM, if any.
func addBias(o, bias *ops.Tensor) error {
	if bias == nil {
		return nil
	}
	b := &ops.Tensor{DType: bias.DType, Dims: []int{len(bias.F32), 1, 1}, F32: bias.F32}
	return addBroadcast(o, o, b)
}

// sink binds a neuron or readout.
func (p *Program) sink(m *graph.Model, n *graph.Node) (layerSink, error) {
	switch n.Op().Type {
	case "Decode":
		return &readoutSink{node: n}, nil
	case "CPM":
		conv, err := bindCPM(m, n)
		return &readoutSink{node: n, conv: conv, work: p.weigh(n)}, err
	}
	v0, err := graph.Get(n.Attrs, "v0", graph.Float(0))
	if err != nil {
		return nil, nodeError(n, err)
	}
	if n.Input(2) == nil || n.IsSpiking("MPRN") && n.Input(3) == nil {
		return nil, nodeError(n, fmt.Errorf("lacks its threshold or alpha"))
	}
	return &neuronSink{node: n, v0: float32(v0)}, nil
}

// bindCPM binds the convolution of a CPM as a standard Conv without bias: the
// bias counts once a readout, not once a step.
func bindCPM(m *graph.Model, n *graph.Node) (ops.Op, error) {
	if n.Input(1) == nil || n.Input(2) == nil {
		return nil, nodeError(n, fmt.Errorf("lacks its residual potential or its weight"))
	}
	g := graph.New("cpm", nil)
	y := g.AddInput("y", n.Input(0).Type)
	var w *graph.Value
	if c := n.Input(2).Const; c != nil {
		w = g.AddInitializer("w", c)
	} else {
		w = g.AddInput("w", n.Input(2).Type)
	}
	var attrs graph.Attrs
	for _, a := range n.Attrs {
		if a.Name != "timesteps" && a.Name != "post" {
			attrs = append(attrs, a)
		}
	}
	conv := g.AddNode(graph.Op{Type: "Conv"}, attrs, []*graph.Value{y, w}, "o")
	conv.Name, conv.From = n.Name, n.From
	return ops.Bind(conv, m.Opset(""))
}
