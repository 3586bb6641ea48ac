package exec

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/ops"
)

// packedReadout is a layer of one Decode or CPM that reads spikes itself: it counts
// them instead of adding up slices. Where its convolution maps every
// pixel to itself there is nothing to convolve.
type packedReadout struct {
	*layer
	sink     *readoutSink
	identity bool
}

// readout binds such a layer; nil when it has another form.
func (p *plan) readout(l *layer) *packedReadout {
	if len(l.sinks) != 1 || len(l.steps) > 0 {
		return nil
	}
	s, ok := l.sinks[0].(*readoutSink)
	if !ok || !op.IsNeuron(s.node.Input(0).Producer()) {
		return nil
	}
	u := &packedReadout{layer: l, sink: s}
	if s.conv != nil {
		u.identity = identity(p, s.node)
	}
	return u
}

// identity reports whether a CPM's convolution is one of a Dirac kernel, at whose
// pads the sizes stay.
func identity(p *plan, n *graph.Node) bool {
	w := p.consts[n.Input(2)]
	c, err := op.CPMOf(n)
	if w == nil || err != nil || len(w.Dims) != 4 || w.Dims[0] != w.Dims[1] || len(c.Kernel) != 2 || c.AutoPad != op.NotSet {
		return false
	}
	for i, k := range c.Kernel {
		if k%2 == 0 || c.Pads[i] != c.Dilation[i]*(k/2) {
			return false
		}
	}
	area := w.Dims[2] * w.Dims[3]
	for i, x := range w.F32 {
		o, in, at := i/(w.Dims[1]*area), i/area%w.Dims[1], i%area
		want := float32(0)
		if o == in && at == area/2 {
			want = 1
		}
		if x != want {
			return false
		}
	}
	return true
}

func (u *packedReadout) run(r *run) error {
	s := r.slots[u.sink.node.Input(0)]
	if s == nil || s.packed == nil {
		return u.layer.run(r)
	}
	p := s.packed
	u.count(r, p)
	for at, steps := range r.timing.results {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		total := r.arena.tensor(graph.Float32, p.dims())
		if r.areas == nil {
			slices := make([]int, 0, steps+1)
			for t := range steps {
				slices = append(slices, t)
			}
			if r.timing.post > 0 {
				slices = append(slices, r.timing.steps+at)
			}
			p.sum(r.pool, total.F32, slices)
		}
		if err := r.forResult(at, nil, func() error { return u.sink.read(r, at, total, u.identity) }); err != nil {
			return op.Wrap(u.sink.node, err)
		}
	}
	return nil
}

// count counts the spikes that a CPM's convolution multiplies.
func (u *packedReadout) count(r *run, p *packed) {
	k, weights := r.counters[u.sink.node], r.analogValue(u.sink.node.Input(2))
	if k == nil || weights == nil {
		return
	}
	source := u.sink.node.Input(0)
	x, q := r.extent(source, &ops.Tensor{DType: graph.Float32, Dims: p.dims()}), r.view(source, p.H, p.W)
	k.shape(x, weights, x)
	r.eachSlice(u.all, func(t int) { k.countPacked(p, q, t) })
}
