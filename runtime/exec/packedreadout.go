package exec

import (
	"fmt"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/ops"
)

// packedReadout is a layer of one Decode or CPM that reads a spike train itself:
// it counts spikes instead of adding up slices. Where its convolution maps every
// pixel to itself there is nothing to convolve.
type packedReadout struct {
	*layer
	sink     *readoutSink
	identity bool
}

// readout binds such a layer; nil when it has another form.
func (p *Program) readout(l *layer) *packedReadout {
	if len(l.sinks) != 1 || len(l.steps) > 0 {
		return nil
	}
	s, ok := l.sinks[0].(*readoutSink)
	if !ok || !op.IsNeuron(s.source().Producer()) {
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
func identity(p *Program, n *graph.Node) bool {
	w := p.consts[n.Input(2)]
	win, group, err := (&work{node: n}).window()
	if w == nil || err != nil || group != 1 || len(w.Dims) != 4 || w.Dims[0] != w.Dims[1] || len(win.Kernel) != 2 {
		return false
	}
	if win.AutoPad != op.NotSet {
		return false
	}
	for i, k := range win.Kernel {
		if k%2 == 0 || win.Stride[i] != 1 || win.Pads[i] != win.Dilation[i]*(k/2) || win.Pads[i] != win.Pads[i+2] {
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
	s := r.slots[u.sink.source()]
	if s == nil || s.packed == nil {
		return u.layer.run(r)
	}
	p := s.packed
	if r.o.Measure && u.sink.work != nil {
		u.measure(r, p)
	}
	for at := range r.timing.marks {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		total := r.arena.tensor(graph.Float32, p.dims)
		slices := make([]int, 0, r.timing.marks[at]+1)
		for t := range r.timing.marks[at] {
			slices = append(slices, t)
		}
		if r.timing.post > 0 {
			slices = append(slices, r.timing.steps+at)
		}
		size := p.C * p.H * p.W
		for n := range p.N {
			p.Sum(r.pool, total.F32[n*size:(n+1)*size], n, slices, p.amplitude)
		}
		r.at = r.place(at)
		err := u.sink.read(r, at, total, u.identity)
		r.at = everywhere
		if err != nil {
			return nodeError(u.sink.node, err)
		}
	}
	return nil
}

// measure counts the spikes that a CPM's convolution multiplies.
func (u *packedReadout) measure(r *run, p *packed) {
	w, weights := u.sink.work, r.analogValue(u.sink.node.Input(2))
	if weights == nil {
		return
	}
	source := u.sink.source()
	x, q := r.extent(source, &ops.Tensor{DType: graph.Float32, Dims: p.dims}), r.view(source, p.H, p.W)
	w.shape([]*ops.Tensor{x, weights}, x)
	for t := range r.timing.steps {
		w.countPacked(p, q, t, x, x)
		if at := r.timing.mark(t); at >= 0 {
			w.begin()
			if r.timing.post > 0 {
				w.countPacked(p, q, r.timing.steps+at, x, x)
			}
			w.end(at)
		}
	}
}

// read is Eq. 7-9: o = Conv(total)/T + vres/T, or total/T.
func (s *readoutSink) read(r *run, at int, total *ops.Tensor, identity bool) error {
	switch {
	case s.conv != nil && identity:
		residual := r.analogValue(s.node.Input(1))
		if residual == nil || len(residual.F32) != len(total.F32) {
			return fmt.Errorf("the residual potential and the convolution differ in size")
		}
		r.add(total.F32, residual.F32)
	case s.conv != nil:
		mapped, err := pixelMap(r, s.node, s.conv, total)
		if err != nil {
			return err
		}
		r.arena.hold(total)
		r.arena.release(total)
		total = mapped
	}
	steps := float32(r.timing.marks[at])
	r.span(len(total.F32), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			total.F32[i] /= steps
		}
	})
	if err := addBias(total, r.analogValue(s.node.Input(3))); err != nil {
		return err
	}
	r.put(s.node.Output(0), total)
	return nil
}

// add adds y to x.
func (r *run) add(x, y []float32) {
	r.span(len(x), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			x[i] += y[i]
		}
	})
}

// span runs f on parts of [0, n) on all threads.
func (r *run) span(n int, f func(lo, hi int)) {
	const part = 1 << 14
	r.pool.Run((n+part-1)/part, func(_, lo, hi int) { f(lo*part, min(hi*part, n)) })
}
