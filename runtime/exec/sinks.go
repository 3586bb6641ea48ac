package exec

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/neuron"
	"spikingir/runtime/ops"
)

// neuronSink is a neuron.
type neuronSink struct {
	node  *graph.Node
	v0    float32
	grade op.Grade
}

func (s *neuronSink) label() *graph.Node { return s.node }

// parameters reads what the neurons of slices of dims are made of. They are copies:
// thresholds live on as the amplitudes of the spikes.
func (s *neuronSink) parameters(r *run, dims []int) (neuron.Params, error) {
	p := neuron.Params{V0: s.v0}
	if r.areas != nil {
		return p, nil
	}
	for i, dst := range []*[]float32{&p.Bias, &p.Threshold, &p.Alpha} {
		v := s.node.Input(op.NeuronBias + i)
		t, err := r.parameter(v)
		if err != nil {
			return p, err
		}
		if t == nil {
			continue
		}
		if _, _, err := channelwise(dims, t); err != nil {
			return p, fmt.Errorf("parameter %q: %w", v.Name(), err)
		}
		*dst = slices.Clone(t.F32)
	}
	if !op.IsMPRN(s.node) {
		p.Alpha = nil
	}
	return p, nil
}

// neurons is a neuronSink in a run.
type neurons struct {
	node *graph.Node
	pop  *neuron.Population
	v    *ops.Tensor // the potentials
	out  *planar
}

// start makes the population once the size of a slice is known.
func (s *neuronSink) start(c *clock, x *ops.Tensor) (integrator, error) {
	if len(x.Dims) < 2 {
		return nil, fmt.Errorf("slices of dimensions %v, want [N,C,...]", x.Dims)
	}
	n, channels, plane := x.Dims[0], x.Dims[1], product(x.Dims[2:])
	p, err := s.parameters(c.run, x.Dims)
	if err != nil {
		return nil, err
	}
	if s.grade != op.Single {
		return s.startGraded(c, x, p)
	}
	k := &neurons{node: s.node, v: c.arena.tensor(graph.Float32, x.Dims)}
	steps := c.timing.slices()
	words := lend(c.arena, &c.arena.words, neuron.SpikeWords(steps, n, channels, plane)) // Step writes every word
	k.out = &planar{neuron.SpikesOver(words, steps, n, channels, plane, p.Threshold), x.Dims}
	if c.areas == nil {
		k.pop, err = neuron.New(p, n, channels, plane, k.v.F32)
	}
	return k, err
}

func (k *neurons) step(c *clock, x *ops.Tensor, t int) error {
	if c.areas == nil {
		k.pop.Step(c.pool, x.F32, k.out.Spikes, t, t >= c.timing.steps)
	}
	return nil
}

// result takes the post step and reads the residual potential. Unless it is the
// last result, the potentials of the main steps are put back.
func (k *neurons) result(c *clock, at int, x *ops.Tensor) error {
	keep, last := k.v, at == len(c.timing.results)-1
	if !last {
		keep = c.arena.tensor(graph.Float32, k.v.Dims)
		copy(keep.F32, k.v.F32)
	}
	if x != nil {
		if err := k.step(c, x, c.timing.steps+at); err != nil {
			return err
		}
	}
	if c.counters != nil {
		c.reportNeurons(k.node, at, k.pop.Residual(), k.out.Count)
	}
	if !last {
		// The value read is the potential after the post step, the one to go on
		// with that before it.
		for i, before := range keep.F32 {
			keep.F32[i], k.v.F32[i] = k.v.F32[i], before
		}
	}
	c.put(k.node.Output(op.NeuronVRes), keep)
	return nil
}

func (k *neurons) finish(c *clock) {
	if y := k.node.Output(op.NeuronY); y != nil {
		c.slots[y] = &slot{planar: k.out}
	} else {
		c.freePlanar(k.out)
	}
}

// freePlanar ends the life of spikes.
func (r *run) freePlanar(p *planar) {
	r.arena.words.give(neuron.SpikeWords(p.Steps, p.N, p.C, p.Plane), p.Words())
}

// readoutSink is Decode or CPM.
type readoutSink struct {
	node *graph.Node
	conv ops.Op // CPM
}

func (s *readoutSink) label() *graph.Node { return s.node }

// readout is a readoutSink in a run: it sums the slices.
type readout struct {
	*readoutSink
	sum *ops.Tensor
}

func (s *readoutSink) start(c *clock, x *ops.Tensor) (integrator, error) {
	sum := c.arena.tensor(graph.Float32, x.Dims)
	clear(sum.F32)
	return &readout{s, sum}, nil
}

func (k *readout) step(c *clock, x *ops.Tensor, _ int) error {
	k.add(c, k.sum, x)
	return nil
}

// add adds a slice to a sum, and counts its spikes for a CPM.
func (k *readout) add(c *clock, sum, x *ops.Tensor) {
	for i, v := range x.F32 {
		sum.F32[i] += v
	}
	if w := c.counters[k.node]; w != nil {
		if weights := c.analogValue(k.node.Input(2)); weights != nil {
			w.shape(x, weights, sum)
			w.spikes(x)
		}
	}
}

// result reads the sum of the main steps so far and the post step.
func (k *readout) result(c *clock, at int, x *ops.Tensor) error {
	total := c.arena.tensor(graph.Float32, k.sum.Dims)
	copy(total.F32, k.sum.F32)
	if x != nil {
		k.add(c, total, x)
	}
	return k.read(c.run, at, total, false)
}

func (k *readout) finish(c *clock) { c.arena.discard(k.sum) }

// read is Eq. 7-9: o = Conv(total)/T + vres/T, or total/T.
func (s *readoutSink) read(r *run, at int, total *ops.Tensor, identity bool) error {
	var residual *ops.Tensor // that is left to add
	switch {
	case s.conv != nil && identity:
		var err error
		if residual, err = r.residualPotential(s.node, total); err != nil {
			return err
		}
	case s.conv != nil:
		mapped, err := r.pixelMap(s.node, s.conv, total)
		if err != nil {
			return err
		}
		r.arena.discard(total)
		total = mapped
	}
	steps := float32(r.timing.results[at])
	r.parts(len(total.F32), func(lo, hi int) {
		y := total.F32[lo:hi]
		if residual == nil {
			for i := range y {
				y[i] /= steps
			}
			return
		}
		for i, v := range residual.F32[lo:hi] {
			y[i] = (y[i] + v) / steps
		}
	})
	if err := r.addBias(total, r.analogValue(s.node.Input(3))); err != nil {
		return err
	}
	r.put(s.node.Output(0), total)
	return nil
}

// pixelMap is Conv(y) + vres of a CPM.
func (r *run) pixelMap(n *graph.Node, conv ops.Op, y *ops.Tensor) (*ops.Tensor, error) {
	out, err := r.compute(n, conv, []*ops.Tensor{y, r.analogValue(n.Input(2))})
	if err != nil {
		return nil, err
	}
	return out[0], r.addResidual(out[0], n)
}

// residualPotential is the one that a CPM reads, to be added to o.
func (r *run) residualPotential(n *graph.Node, o *ops.Tensor) (*ops.Tensor, error) {
	residual := r.analogValue(n.Input(1))
	if residual == nil || len(residual.F32) != len(o.F32) {
		return nil, fmt.Errorf("the residual potential and the convolution differ in size")
	}
	return residual, nil
}

// addResidual adds the residual potential of a CPM.
func (r *run) addResidual(o *ops.Tensor, n *graph.Node) error {
	residual, err := r.residualPotential(n, o)
	if err != nil {
		return err
	}
	r.parts(len(o.F32), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			o.F32[i] += residual.F32[i]
		}
	})
	return nil
}

// parts runs f on parts of [0, n) on all threads. What takes as long as a thread may take to
// wake up is one part.
func (r *run) parts(n int, f func(lo, hi int)) {
	const part = 1 << 16
	r.pool.Run((n+part-1)/part, func(_, lo, hi int) { f(lo*part, min(hi*part, n)) })
}

// addBias adds the bias [C] of a CPM, if any.
func (r *run) addBias(o, bias *ops.Tensor) error {
	if bias == nil {
		return nil
	}
	b := &ops.Tensor{DType: bias.DType, Dims: []int{len(bias.F32), 1, 1}, F32: bias.F32}
	return r.addBroadcast(o, o, b)
}

// sink binds a neuron or readout.
func (p *plan) sink(m *graph.Model, n *graph.Node) (layerSink, error) {
	switch n.Op().Type {
	case "Decode":
		return &readoutSink{node: n}, nil
	case "CPM":
		conv, err := bindCPM(m, n)
		p.weigh(n)
		return &readoutSink{n, conv}, err
	}
	k, err := op.NeuronOf(n)
	if err != nil {
		return nil, op.Wrap(n, err)
	}
	return &neuronSink{n, k.V0, k.Grade}, nil
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
