package exec

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel/spike"
	"spikingir/runtime/neuron"
	"spikingir/runtime/ops"
)

// graded is what is known of spikes of several values.
type graded struct {
	dims []int // of a slice; others than of images lie in one row of pixels
	// number is how many spikes each value goes out as, by its lowest byte.
	number [256]uint8
}

// count is the number of spikes that values go out as.
func (g *graded) count(values []int8) int {
	n := 0
	for _, v := range values {
		n += int(g.number[uint8(v)])
	}
	return n
}

// gradeOf is the grade of the spikes of a neuron.
func gradeOf(n *graph.Node) op.Grade {
	k, err := op.NeuronOf(n)
	if err != nil {
		return op.Single // an error, which what binds it words
	}
	return k.Grade
}

// gradeFor is a grade in the terms of package neuron.
func gradeFor(g op.Grade) neuron.Grade {
	return neuron.Grade{Unit: g.Unit, Most: g.Most, Signed: g.Signed()}
}

// newSpikes makes room for the spikes of neurons of a grade, in slices of dims [N,C,H,W].
func (r *run) newSpikes(dims []int, theta []float32, g op.Grade) *packed {
	if g == op.Single {
		return r.newPacked(dims, theta)
	}
	return r.newGraded(dims, theta, g)
}

// newGraded makes room for spikes of several values, in slices of dims [N,C,...].
func (r *run) newGraded(dims []int, theta []float32, g op.Grade) *packed {
	t := &spike.Tensor{Steps: r.timing.slices(), N: dims[0], C: dims[1], H: 1, W: product(dims[2:])}
	if len(dims) == 4 {
		t.H, t.W = dims[2], dims[3]
	}
	p := &packed{Tensor: t, graded: &graded{dims: dims}}
	for _, x := range theta {
		p.amplitude = append(p.amplitude, x*g.Unit)
	}
	for v := range 256 {
		p.graded.number[v] = uint8(g.Spikes(int(int8(v))))
	}
	t.Values = lend(r.arena, &r.arena.values, p.elements())
	return p
}

// countGraded notes the spikes of a slice of v where it is, or Concat, Add, Sub, Sum and Neg make it of
// nothing but, spikes at hand of which some have several values; false where it is not.
func (c *clock) countGraded(k *counter, v *graph.Value, t int) bool {
	list, some := c.sent(v)
	if !some {
		return false
	}
	for _, s := range list {
		if s.packed != nil {
			k.countPacked(s.packed, c.view(v, s.packed.H, s.packed.W), t)
		} else {
			k.countPlanar(s.planar, t)
		}
	}
	return true
}

// sent lists the spikes that v is made of, nil where it is made of others too, and reports
// whether there are some of several values among them.
func (c *clock) sent(v *graph.Value) (list []*slot, some bool) {
	if s := c.slots[v]; s != nil && (s.packed != nil || s.planar != nil) {
		return []*slot{s}, s.packed != nil && s.packed.graded != nil
	}
	n := v.Producer()
	if n == nil || !(n.Is("Add") || n.Is("Sub") || n.Is("Sum") || n.Is("Neg") || n.Is("Concat")) {
		return nil, false
	}
	for _, u := range present(n.Inputs()) {
		if !c.timing.timed[u] {
			continue
		}
		more, found := c.sent(u)
		if more == nil {
			return nil, false
		}
		list, some = append(list, more...), some || found
	}
	return list, some
}

// elements is the number of values in all slices.
func (p *packed) elements() int { return p.Steps * p.N * p.C * p.H * p.W }

// countEach writes the number of spikes of each neuron in some slices.
func (p *packed) countEach(dst []float32, steps []int) {
	clear(dst)
	plane := p.H * p.W
	for n := range p.N {
		for _, t := range steps {
			for i, v := range p.Slots(t, n) {
				dst[(n*p.C+i%p.C)*plane+i/p.C] += float32(p.graded.number[uint8(v)])
			}
		}
	}
}

// inUnits makes the levels of a neuron those of a grade, whose units are parts of the threshold.
func (t *thresholds) inUnits(g op.Grade) {
	for i := range t.theta {
		t.theta[i] *= float64(g.Unit)
	}
	t.v0 /= float64(g.Unit)
	t.grade = spike.Grade{Least: int32(g.Least), Most: int32(g.Most)}
}

// reach is the largest amount of the spikes that a layer reads, in units.
func (f *fixedLayer) reach() int {
	most := 1
	for _, v := range f.sources {
		most = max(most, gradeOf(v.Producer()).Reach())
	}
	return most
}

// gradedNeurons is a neuronSink of a grade in a run.
type gradedNeurons struct {
	node    *graph.Node
	pop     *neuron.Graded
	v, sent *ops.Tensor // the state; sent is nil where no spike is taken back
	out     *packed
}

// startGraded is start for neurons of a grade.
func (s *neuronSink) startGraded(c *clock, x *ops.Tensor, p neuron.Params) (integrator, error) {
	k := &gradedNeurons{node: s.node, v: c.arena.tensor(graph.Float32, x.Dims), out: c.newGraded(x.Dims, p.Threshold, s.grade)}
	var sent []float32
	if s.grade.Signed() {
		k.sent = c.arena.tensor(graph.Float32, x.Dims)
		sent = k.sent.F32
	}
	if c.areas != nil {
		return k, nil
	}
	pop, err := neuron.New(p, k.out.N, k.out.C, k.out.H*k.out.W, k.v.F32)
	if err == nil {
		k.pop, err = pop.Graded(gradeFor(s.grade), sent)
	}
	return k, err
}

func (k *gradedNeurons) step(c *clock, x *ops.Tensor, t int) error {
	if c.areas == nil {
		k.pop.Step(c.pool, x.F32, k.out.Tensor, t, t >= c.timing.steps)
	}
	return nil
}

// result is that of neurons: see there.
func (k *gradedNeurons) result(c *clock, at int, x *ops.Tensor) error {
	keep, last := k.v, at == len(c.timing.results)-1
	var sent []float32
	if !last {
		keep = c.arena.tensor(graph.Float32, k.v.Dims)
		copy(keep.F32, k.v.F32)
		if k.sent != nil {
			sent = append(sent, k.sent.F32...)
		}
	}
	if x != nil {
		if err := k.step(c, x, c.timing.steps+at); err != nil {
			return err
		}
	}
	if c.counters != nil {
		c.reportNeurons(k.node, at, k.pop.Residual(), func(step int) int64 {
			return int64(k.out.graded.count(k.out.slice(step)))
		})
	}
	if !last {
		for i, before := range keep.F32 {
			keep.F32[i], k.v.F32[i] = k.v.F32[i], before
		}
		if k.sent != nil {
			copy(k.sent.F32, sent)
		}
	}
	c.put(k.node.Output(op.NeuronVRes), keep)
	return nil
}

// slice is the values of a slice of all images.
func (p *packed) slice(step int) []int8 {
	size := p.elements() / p.Steps
	return p.Values[step*size : (step+1)*size]
}

func (k *gradedNeurons) finish(c *clock) {
	if k.sent != nil {
		c.arena.discard(k.sent)
	}
	if y := k.node.Output(op.NeuronY); y != nil {
		c.slots[y] = &slot{packed: k.out}
	} else {
		c.freePacked(k.out)
	}
}

// integrateGraded is integrate for neurons of a grade.
func (s *steadyLayer) integrateGraded(c *clock, x *ops.Tensor, p neuron.Params) error {
	n := s.sink.node
	out := c.newGraded(x.Dims, p.Threshold, s.sink.grade)
	var residuals []*ops.Tensor
	if n.Output(op.NeuronVRes) != nil || c.o.Measure {
		residuals = c.potentials(x.Dims)
	}
	v := c.arena.tensor(graph.Float32, x.Dims)
	var sent *ops.Tensor
	if s.sink.grade.Signed() {
		sent = c.arena.tensor(graph.Float32, x.Dims)
	}
	if c.areas == nil {
		if err := s.runGraded(c, x, p, out, v, sent, residuals); err != nil {
			return op.Wrap(n, err)
		}
	}
	c.arena.discard(v)
	if sent != nil {
		c.arena.discard(sent)
	}
	s.report(c, p.Threshold, out, residuals)
	return nil
}

func (s *steadyLayer) runGraded(c *clock, x *ops.Tensor, p neuron.Params, out *packed, v, sent *ops.Tensor, residuals []*ops.Tensor) error {
	pop, err := neuron.New(p, out.N, out.C, out.H*out.W, v.F32)
	if err != nil {
		return err
	}
	var before []float32
	if sent != nil {
		before = sent.F32
	}
	k, err := pop.Graded(gradeFor(s.sink.grade), before)
	if err != nil {
		return err
	}
	j := &neuron.SteadyGraded{Graded: k, Current: x.F32, Out: out.Tensor, Steps: c.timing.spikeSteps()}
	if s.post {
		j.Post = c.now[s.sink.node.Input(op.NeuronX)].F32
	}
	for _, t := range residuals {
		j.Residuals = append(j.Residuals, t.F32)
	}
	j.Run(c.pool)
	return c.ctx.Err()
}
