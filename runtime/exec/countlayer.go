package exec

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel/count"
	"spikingir/runtime/kernel/spike"
	"spikingir/runtime/neuron"
	"spikingir/runtime/ops"
)

// countCurrent is a convolution of counts whose sums are read as floats.
type countCurrent struct {
	alone
	countConv
	input *mix
}

func (u *countCurrent) reads() []*graph.Value { return u.sources }

func (u *countCurrent) run(r *run) error {
	in, dims, err := u.inputs(r)
	if err != nil {
		return op.Wrap(u.node, err)
	}
	y := r.arena.tensor(graph.Float32, dims)
	if r.areas == nil {
		if err := u.packed.Run(r.ctx, r.pool, count.Output{Currents: y.F32, Scale: u.scale}, in); err != nil {
			return err
		}
	}
	r.countConv(term{u.node, u.input, 1}, in[0], dims)
	r.put(u.node.Output(0), y)
	return nil
}

// inputs gives the counts that a convolution reads, and the dimensions of its output.
func (c *countConv) inputs(r *run) ([]*count.Tensor, []int, error) {
	var list []*count.Tensor
	for _, v := range c.sources {
		k := r.countsOf(v)
		if k == nil {
			return nil, nil, fmt.Errorf("input %q has dimensions other than [N,C,H,W]", v.Name())
		}
		list = append(list, k.Tensor)
		if k.N != list[0].N || k.H != list[0].H || k.W != list[0].W {
			return nil, nil, fmt.Errorf("reads %q of dimensions %v and %q of %v", c.sources[0].Name(),
				r.countsOf(c.sources[0]).dims(), v.Name(), k.dims())
		}
	}
	channels := 0
	for _, k := range list {
		channels += k.C
	}
	if want := c.packed.InChannels(); channels != want {
		return nil, nil, fmt.Errorf("input has %d channels, want %d", channels, want)
	}
	h, w := c.packed.OutSize(list[0].H, list[0].W)
	if h*w == 0 {
		return nil, nil, fmt.Errorf("the kernel does not fit in an image of %d x %d", list[0].H, list[0].W)
	}
	return list, []int{list[0].N, len(c.scale), h, w}, nil
}

// countConv counts the spikes that a convolution multiplies; dims is its output's.
func (r *run) countConv(t term, in *count.Tensor, dims []int) {
	k := r.counters[t.conv]
	if k == nil {
		return
	}
	source := t.input.parts[0].source
	x := r.extent(source, &ops.Tensor{DType: graph.Float32, Dims: []int{in.N, t.input.channels, in.H, in.W}})
	y := r.extent(t.conv.Output(0), &ops.Tensor{DType: graph.Float32, Dims: dims})
	k.shape(x, r.consts[t.conv.Input(1)], y)
	for _, v := range t.input.sources() {
		r.countSpikes(k, v)
	}
}

// countLayer is a neuron that integrates convolutions of counts: neuron([Bias](terms)).
type countLayer struct {
	countConv
	sink    *neuronSink
	terms   []term
	all     []*graph.Node // the neuron is the last
	theta   []float32
	neurons []count.Neurons // by result
}

func (u *countLayer) nodes() []*graph.Node  { return u.all }
func (u *countLayer) reads() []*graph.Value { return u.sources }

// layer binds such a layer; nil when the neuron has another form or loses too much.
func (c *counting) layer(s *neuronSink) *countLayer {
	u := &countLayer{sink: s}
	var biases []*graph.Value
	v := s.node.Input(op.NeuronX)
	for v.Producer().IsSpiking("Bias") && v.NumUses() == 1 && !v.IsOutput() {
		biases = append(biases, v.Producer().Input(1))
		u.all = append(u.all, v.Producer())
		v = v.Producer().Input(0)
	}
	terms, nodes, ok := c.terms(v, 1)
	if !ok {
		return nil
	}
	rows, ok := c.rowsOf(terms)
	if !ok {
		return nil
	}
	u.terms, u.all = terms, append(append(nodes, u.all...), s.node)
	channels := len(rows.rows)
	theta, t, ok := c.levelsOf(s, channels)
	if !ok {
		return nil
	}
	u.theta = theta
	bias := make([]float64, channels) // at each step
	for _, v := range append(biases, s.node.Input(op.NeuronBias)) {
		list, ok := constants(c.plan, v, channels, 0)
		if !ok {
			return nil
		}
		for i, x := range list {
			bias[i] += float64(x)
		}
	}
	n := &countNeurons{thresholds: t, bias: bias, mprn: op.IsMPRN(s.node), left: used(s.node.Output(op.NeuronVRes))}
	if u.countConv, ok = rows.pack(n, c.timing.steps); !ok {
		return nil
	}
	for _, steps := range c.timing.results {
		u.neurons = append(u.neurons, n.integers(u.scale, steps, c.timing.post))
	}
	return u
}

func (u *countLayer) run(r *run) error {
	in, dims, err := u.inputs(r)
	if err != nil {
		return op.Wrap(u.sink.node, err)
	}
	n := u.sink.node
	out := r.newCounts(dims, r.timing.steps+r.timing.post, u.theta)
	var left *ops.Tensor
	if used(n.Output(op.NeuronVRes)) {
		left = r.arena.tensor(graph.Float32, dims)
	}
	if r.areas == nil {
		if err := u.compute(r, out, left, in); err != nil {
			return err
		}
	}
	r.putCounts(n.Output(op.NeuronY), out)
	if left != nil {
		r.put(n.Output(op.NeuronVRes), left)
	}
	return nil
}

// compute runs the kernels, and counts.
func (u *countLayer) compute(r *run, out *counted, left *ops.Tensor, in []*count.Tensor) error {
	n, at := u.sink.node, r.result()
	o := count.Output{Neurons: &u.neurons[at], Counts: out.Tensor}
	if left != nil {
		o.Potential.Data, o.Potential.Scale = left.F32, u.scale
	}
	q := r.view(n.Input(op.NeuronX), out.H, out.W)
	if r.counters != nil {
		o.Potential.Sums = r.potentialSums(n, out.H, out.W, u.levels)[at]
		if o.Neurons.Fire != nil {
			o.Late = &count.Late{Part: q.Part, Spikes: make([]int64, out.C)}
		}
	}
	if err := u.packed.Run(r.ctx, r.pool, o, in); err != nil || r.counters == nil {
		return err
	}
	u.count(r, in[0], out.dims())
	k := r.neuronReport(n, out.dims())
	var late int64
	k.Spikes, late = out.spikes(q, k.Steps)
	if o.Late != nil {
		late = 0
		for _, s := range o.Late.Spikes {
			late += s
		}
	}
	k.PostStep = late
	elements := k.Residual.Elements
	k.Residual = residualOf(o.Potential.Sums, u.scale, u.theta)
	k.Residual.Elements = elements
	if r.frame != nil {
		r.frame.summed[len(r.neurons[at])] = true
	}
	r.neurons[at] = append(r.neurons[at], k)
	return nil
}

// count counts the spikes that arrive, and the additions of the other nodes.
func (u *countLayer) count(r *run, in *count.Tensor, dims []int) {
	for _, t := range u.terms {
		if t.conv != nil && slices.Contains(u.all, t.conv) {
			r.countConv(t, in, dims)
		}
	}
	y := &ops.Tensor{DType: graph.Float32, Dims: dims}
	for _, n := range u.all {
		if !weighted(n) && !op.IsNeuron(n) {
			r.countAnalog(n, []*ops.Tensor{y}, y)
		}
	}
}

// levels are those of potentialSums.
func (u *countLayer) levels() (half, full []int32) { return levelsOf(u.scale, u.theta) }

// neuronReport begins the report of a neuron population of dims in a run.
func (r *run) neuronReport(n *graph.Node, dims []int) NeuronReport {
	elements := int64(r.extent(n.Input(op.NeuronX), &ops.Tensor{Dims: dims}).Len())
	return NeuronReport{Node: n.Name, Origin: n.OriginLabel(), Op: n.Op().Type, Elements: elements,
		Residual: neuron.Residual{Elements: elements}, Steps: r.timing.results[r.result()],
		Bias: n.Input(op.NeuronBias) != nil, Post: r.timing.post > 0}
}

// levelsOf are half of the threshold and the threshold in units of each channel: the least
// potentials that are no less once they are floats.
func levelsOf(scales []float64, theta []float32) (half, full []int32) {
	for c, scale := range scales {
		theta := theta[min(c, len(theta)-1)]
		half, full = append(half, level(theta/2, scale)), append(full, level(theta, scale))
	}
	return half, full
}

// residualOf summarises potentials, but for the number of neurons.
func residualOf(s *spike.PotentialSums, scales []float64, theta []float32) neuron.Residual {
	var r neuron.Residual
	for c, sum := range s.Abs {
		r.Sum += float64(float64(sum)*scales[c]) / float64(theta[min(c, len(theta)-1)])
		r.Half += s.AtHalf[c]
		r.Full += s.AtFull[c]
	}
	return r
}
