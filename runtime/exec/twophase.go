package exec

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel/count"
	"spikingir/runtime/neuron"
	"spikingir/runtime/ops"
)

// A network of the two-phase schedule has no time loop. Its neurons read the sum of all
// slices alone, and everything between them is linear over time: a time-major value is
// kept as the sum of its slices, and its operators are analog units on whole tensors.
// Encode gives T*x, Bias adds T*b, a neuron gives theta times its spikes, and Decode and
// CPM divide by T. With several results every value differs by result.

// inTime reports whether a node makes or reads time-major values.
func (p *plan) inTime(n *graph.Node) bool {
	for _, v := range present(append(n.Inputs(), n.Outputs()...)) {
		if p.timing.timed[v] {
			return true
		}
	}
	return false
}

// checkSums refuses a caller that wants slices.
func (p *plan) checkSums() error {
	for _, v := range p.graph.Outputs() {
		if p.timing.timed[v] {
			return op.Errorf(v.Producer(), "its time-major result %q is an output of the model, but a two-phase "+
				"network is computed on sums over time; want a readout behind it", v.Name())
		}
	}
	return nil
}

// summed binds a node that works on sums of slices.
func (p *plan) summed(m *graph.Model, n *graph.Node) (unit, error) {
	switch {
	case n.IsSpiking("Encode"):
		p.constant[n.Output(0)] = true
		return &encodeSum{alone{n}}, nil
	case sink(n):
		s, err := p.sink(m, n)
		if err != nil {
			return nil, err
		}
		if k, ok := s.(*neuronSink); ok {
			return &neuronSum{alone: alone{n}, sink: k}, nil
		}
		r := s.(*readoutSink)
		return &readoutSum{alone{n}, r, r.conv != nil && identity(p, n)}, nil
	}
	var u unit = &biasSum{alone{n}}
	if !n.IsSpiking("Bias") {
		var err error
		if u, err = p.linearSum(m, n); err != nil {
			return nil, err
		}
	}
	steady := true
	for _, v := range present(n.Inputs()) {
		steady = steady && (!p.timing.timed[v] || p.constant[v])
	}
	for _, v := range present(n.Outputs()) {
		p.constant[v] = steady
	}
	if w := p.weigh(n); w != nil {
		w.current, w.stepped, w.main = steady, !steady, n.IsSpiking("Bias")
	}
	return u, nil
}

// linearSum binds a standard operator. What it adds to every slice is lost in a sum.
func (p *plan) linearSum(m *graph.Model, n *graph.Node) (unit, error) {
	affine, err := op.LinearInTime(n, m.Opset(""), func(v *graph.Value) bool { return p.timing.timed[v] })
	if err != nil {
		return nil, err
	}
	if affine {
		return nil, op.Errorf(n, "it adds a constant to every slice of a two-phase network, want a Bias")
	}
	bound, err := p.bindExact(m, n)
	return &analog{alone{n}, bound, p.driven(n.Output(0))}, err
}

// result is the place of the result that is computed.
func (r *run) result() int { return max(r.at, 0) }

// steps is T of the result that is computed.
func (r *run) steps() float32 { return float32(r.timing.results[r.result()]) }

// encodeSum is Encode: T*x.
type encodeSum struct{ alone }

func (u *encodeSum) timed() {} // see run.unit

func (u *encodeSum) run(r *run) error {
	for at := range r.timing.results {
		err := r.forResult(at, nil, func() error {
			x := r.analogValue(u.node.Input(0))
			if x == nil || len(x.Dims) == 0 || x.DType != graph.Float32 {
				return op.Errorf(u.node, "wants a float tensor of rank 1 or more")
			}
			y, steps := r.arena.tensor(graph.Float32, x.Dims), r.steps()
			if r.areas == nil {
				r.parts(len(x.F32), func(lo, hi int) {
					for i := lo; i < hi; i++ {
						y.F32[i] = steps * x.F32[i]
					}
				})
			}
			r.put(u.node.Output(0), y)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// biasSum is Bias: x + T*b.
type biasSum struct{ alone }

func (u *biasSum) run(r *run) error {
	in := r.analogInputs(u.node)
	x, b := in[0], in[1]
	if x == nil || b == nil {
		return op.Errorf(u.node, "an input was not computed")
	}
	total := ops.NewTensor(b.DType, b.Dims)
	for i, v := range b.F32 {
		total.F32[i] = r.steps() * v
	}
	y := r.arena.tensor(graph.Float32, x.Dims)
	if err := r.addBroadcast(y, x, total); err != nil {
		return op.Wrap(u.node, err)
	}
	r.put(u.node.Output(0), y)
	r.countAnalog(u.node, in, y)
	if r.o.Measure {
		return r.biasSpikes(u.node, b)
	}
	return nil
}

// neuronSum is a neuron on floats.
type neuronSum struct {
	alone
	sink    *neuronSink
	counts  bool // something reads its counts
	encoded *encodedInput
}

func (u *neuronSum) reads() []*graph.Value {
	if u.encoded == nil {
		return u.alone.reads()
	}
	return append([]*graph.Value{u.encoded.from}, present(u.node.Inputs()[op.NeuronX+1:])...)
}

func (u *neuronSum) run(r *run) error {
	x := r.analogValue(u.node.Input(op.NeuronX))
	if u.encoded != nil {
		x = r.analogValue(u.encoded.from)
	}
	if x == nil || x.DType != graph.Float32 || len(x.Dims) < 2 {
		return op.Errorf(u.node, "input is %v, want sums of slices [N,C,...]", x)
	}
	p, err := u.sink.parameters(r, x.Dims)
	if err != nil {
		return op.Wrap(u.node, err)
	}
	t := neuron.TwoPhase{Params: p, Steps: int(r.steps()), Post: r.timing.post > 0, C: x.Dims[1], Plane: product(x.Dims[2:])}
	if r.areas == nil {
		t.Sum = x.F32
	}
	if u.encoded != nil {
		t.Gain = u.encoded.sign * r.steps()
	}
	if u.counts {
		return u.runCounts(r, &t, x)
	}
	y := r.arena.tensor(graph.Float32, x.Dims)
	left := r.arena.tensor(graph.Float32, x.Dims)
	var spikes, late *ops.Tensor
	if r.o.Measure {
		spikes, late = r.arena.tensor(graph.Float32, x.Dims), r.arena.tensor(graph.Float32, x.Dims)
		t.Spikes, t.Late = spikes.F32, late.F32
	}
	if r.areas == nil {
		t.Out, t.Residual = y.F32, left.F32
		if err := t.Run(r.pool); err != nil {
			return op.Wrap(u.node, err)
		}
	}
	if r.counters != nil {
		v, h, w := r.viewOf(u.node.Input(op.NeuronX), x)
		k := u.report(r, &t, x)
		eachRow(t.Spikes, h, w, v, func(_ int, row []float32) { k.Spikes += int64(sum(row)) })
		eachRow(t.Late, h, w, v, func(_ int, row []float32) { k.PostStep += int64(sum(row)) })
		r.neurons[r.result()] = append(r.neurons[r.result()], k)
	}
	r.put(u.node.Output(op.NeuronY), y)
	if spikes != nil {
		r.arena.discard(late)
		r.putSpikes(u.node.Output(op.NeuronY), spikes)
	}
	r.put(u.node.Output(op.NeuronVRes), left)
	return nil
}

// runCounts is run where counts are wanted.
func (u *neuronSum) runCounts(r *run, t *neuron.TwoPhase, x *ops.Tensor) error {
	if len(x.Dims) != 4 {
		return op.Errorf(u.node, "input has dimensions %v, want [N,C,H,W] for the convolution that reads its spikes", x.Dims)
	}
	out := r.newCounts(x.Dims, r.timing.steps+r.timing.post, t.Threshold)
	t.Counts = out.Tensor
	var left *ops.Tensor
	if r.o.Measure || used(u.node.Output(op.NeuronVRes)) {
		left = r.arena.tensor(graph.Float32, x.Dims)
	}
	if r.areas == nil {
		if left != nil {
			t.Residual = left.F32
		}
		if err := t.Run(r.pool); err != nil {
			return op.Wrap(u.node, err)
		}
	}
	if r.counters != nil {
		q := r.view(u.node.Input(op.NeuronX), out.H, out.W)
		k := u.report(r, t, x)
		k.Spikes, _ = out.spikes(q, count.Most)
		k.PostStep = t.PostSpikes(q.Part)
		r.neurons[r.result()] = append(r.neurons[r.result()], k)
	}
	r.putCounts(u.node.Output(op.NeuronY), out)
	if left != nil {
		r.put(u.node.Output(op.NeuronVRes), left)
	}
	return nil
}

// used reports whether anything reads v.
func used(v *graph.Value) bool { return v != nil && (v.NumUses() > 0 || v.IsOutput()) }

// report notes what the neurons did, but for their spikes.
func (u *neuronSum) report(r *run, t *neuron.TwoPhase, x *ops.Tensor) NeuronReport {
	v, h, w := r.viewOf(u.node.Input(op.NeuronX), x)
	k := r.neuronReport(u.node, x.Dims)
	left := neuron.ResidualOf(t.Residual, t.Threshold, t.C, h, w, v.Part)
	left.Elements = k.Elements
	k.Residual = left
	return k
}

// readoutSum is Decode or CPM.
type readoutSum struct {
	alone
	sink     *readoutSink
	identity bool // its convolution maps every pixel to itself
}

func (u *readoutSum) run(r *run) error {
	y, err := u.total(r)
	if err != nil {
		return err
	}
	if k := r.counters[u.node]; k != nil {
		if weights := r.analogValue(u.node.Input(2)); weights != nil {
			x := r.extent(u.node.Input(0), y)
			k.shape(x, weights, x)
			r.countSpikes(k, u.node.Input(0))
		}
	}
	if err := u.sink.read(r, r.result(), y, u.identity); err != nil {
		return op.Wrap(u.node, err)
	}
	return nil
}

// total is the sum of all slices: a tensor of its own where the readout divides in place.
func (u *readoutSum) total(r *run) (*ops.Tensor, error) {
	v, own := u.node.Input(0), u.sink.conv == nil || u.identity
	if c := r.countsOf(v); c != nil && own {
		return r.expand(c, c.amplitude), nil
	}
	y := r.analogValue(v)
	if y == nil {
		return nil, op.Errorf(u.node, "input %q was not computed", v.Name())
	}
	if !own {
		return y, nil
	}
	total := r.arena.tensor(graph.Float32, y.Dims)
	if r.areas == nil {
		r.parts(len(y.F32), func(lo, hi int) { copy(total.F32[lo:hi], y.F32[lo:hi]) })
	}
	return total, nil
}
