package exec

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/runtime/neuron"
	"spikingir/runtime/ops"
)

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

// parameters reads a neuron's parameter of one number or one per channel. It is
// a copy: thresholds live on as the amplitudes of the spikes.
func parameters(r *run, v *graph.Value, dims []int) ([]float32, error) {
	t, err := r.parameter(v)
	if t == nil {
		return nil, err
	}
	if _, _, err := channelwise(dims, t); err != nil {
		return nil, fmt.Errorf("parameter %q: %w", v.Name(), err)
	}
	return slices.Clone(t.F32), nil
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

// parameters reads what the neurons of slices of dims are made of.
func (s *neuronSink) parameters(r *run, dims []int) (neuron.Params, error) {
	p := neuron.Params{V0: s.v0}
	for i, dst := range []*[]float32{&p.Bias, &p.Threshold, &p.Alpha} {
		var err error
		if *dst, err = parameters(r, s.node.Input(i+1), dims); err != nil {
			return p, err
		}
	}
	if s.node.IsSpiking("IF") {
		p.Alpha = nil
	}
	return p, nil
}

// start makes the population once the size of a slice is known.
func (s *neuronSink) start(l *clock, x *ops.Tensor) error {
	n, c, plane, err := planes(x.Dims)
	if err != nil {
		return err
	}
	p, err := s.parameters(l.run, x.Dims)
	if err != nil {
		return err
	}
	v := l.arena.tensor(graph.Float32, x.Dims)
	if s.pop, err = neuron.New(p, n, c, plane, v.F32); err != nil {
		return err
	}
	steps := l.timing.slices()
	words := l.arena.words(neuron.TrainWords(steps, n, c, plane)) // Step writes every word
	s.out = &train{neuron.NewTrainOver(words, steps, n, c, plane, p.Threshold), x.Dims}
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
	if y := s.node.Output(0); y != nil {
		l.slots[y] = &slot{train: s.out}
	} else {
		l.arena.bringBack(s.out)
	}
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
		s.count(l, x)
	}
	return nil
}

// count notes the spikes of a slice for a CPM.
func (s *readoutSink) count(l *clock, x *ops.Tensor) {
	if weights := l.analogValue(s.node.Input(2)); weights != nil {
		s.work.shape([]*ops.Tensor{x, weights}, s.sum)
		s.work.spikes([]*ops.Tensor{x}, s.sum)
	}
}

// mark reads the sum of the main steps so far and the post step.
func (s *readoutSink) mark(l *clock, at int, x *ops.Tensor) error {
	total := l.arena.tensor(graph.Float32, s.sum.Dims)
	copy(total.F32, s.sum.F32)
	if x != nil {
		for i, v := range x.F32 {
			total.F32[i] += v
		}
		if l.o.Measure && s.work != nil {
			s.count(l, x)
		}
	}
	return s.read(l.run, at, total, false)
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
	return &neuronSink{node: n, v0: float32(v0)}, nil
}

// bindCPM binds the convolution of a CPM as a standard Conv without bias: the
// bias counts once a readout, not once a step.
func bindCPM(m *graph.Model, n *graph.Node) (ops.Op, error) {
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
