package train

import (
	"spikingir/graph"
	"spikingir/graph/op"
	base "spikingir/runtime/kernel"
	"spikingir/runtime/train/kernel"
)

// encodeLayer repeats an analog value at the main steps. Neurons that read it
// alone take the analog value itself, and the layer has no reader then.
type encodeLayer struct{ unary }

// unary is a layer of one input and one output.
type unary struct{ x, y *value }

func (l *unary) reads() []*value  { return []*value{l.x} }
func (l *unary) writes() []*value { return []*value{l.y} }
func (l *unary) refresh()         {}

func (n *Net) bindEncode(node *graph.Node) (layer, error) {
	u, err := n.unary(node, true)
	return &encodeLayer{u}, err
}

// unary finds the input of a layer and makes its output.
func (n *Net) unary(node *graph.Node, timed bool) (u unary, err error) {
	if u.x, err = n.of(node, 0); err != nil {
		return u, err
	}
	u.y = n.add(node.Output(0), u.x.dims, timed)
	u.y.grad = u.x.grad
	return u, nil
}

func (l *encodeLayer) forward(w *Worker) error {
	if l.y.reads == 0 {
		return nil
	}
	x, y := w.amplitudes(l.x), w.set(l.y)
	if w.mode != Spikes {
		copy(y, x)
		return nil
	}
	main := w.net.Timesteps * l.y.elems
	kernel.Repeat(y[:main], x)
	clear(y[main:])
	return nil
}

func (l *encodeLayer) backward(w *Worker) error {
	if l.x.grad {
		w.give(l.x, w.sumMain(w.gradient(l.y), l.y.elems))
	}
	return nil
}

// sumMain is the sum of a gradient over the main steps.
func (w *Worker) sumMain(g []float32, elems int) []float32 {
	sum := w.floats(elems)
	copy(sum, g[:elems])
	if w.mode == Spikes {
		for t := 1; t < w.net.Timesteps; t++ {
			base.Add(sum, sum, g[t*elems:(t+1)*elems])
		}
	}
	return sum
}

// biasLayer adds a current at the main steps.
type biasLayer struct {
	unary
	b     *Param
	fixed []float32
}

func (n *Net) bindBias(node *graph.Node) (layer, error) {
	x, err := n.of(node, 0)
	if err != nil {
		return nil, err
	}
	u, err := n.unary(node, x.timed)
	if err != nil {
		return nil, err
	}
	l := &biasLayer{unary: u}
	if l.fixed, err = n.constant(node, 1, x.channels()); err != nil {
		return nil, err
	}
	l.b = n.param(node, 1, Bias)
	l.y.grad = true
	return l, nil
}

func (l *biasLayer) main(w *Worker) int {
	if w.mode == Spikes && l.x.timed {
		return w.net.Timesteps * l.x.elems
	}
	return l.x.elems
}

func (l *biasLayer) forward(w *Worker) error {
	y := w.set(l.y)
	copy(y, w.amplitudes(l.x))
	addChannels(y[:l.main(w)], y[:l.main(w)], elems(l.b, l.fixed), l.x.channels())
	return nil
}

func (l *biasLayer) backward(w *Worker) error {
	g := w.gradient(l.y)
	if l.b != nil {
		sumChannels(w.grads[l.b.grad], g[:l.main(w)], l.x.channels())
	}
	if l.x.grad {
		gx := w.floats(len(g))
		copy(gx, g)
		w.give(l.x, gx)
	}
	return nil
}

// decodeLayer is the rate readout: the sum over all slices, divided by T.
type decodeLayer struct{ unary }

func (n *Net) bindDecode(node *graph.Node) (layer, error) {
	if _, err := op.DecodeOf(node); err != nil {
		return nil, err
	}
	u, err := n.unary(node, false)
	return &decodeLayer{u}, err
}

func (l *decodeLayer) forward(w *Worker) error {
	w.average(w.set(l.y), l.x)
	return nil
}

func (l *decodeLayer) backward(w *Worker) error {
	w.giveAverage(l.x, w.gradient(l.y))
	return nil
}

// average sets mean to the sum of the slices of v, divided by T.
func (w *Worker) average(mean []float32, v *value) {
	x := w.amplitudes(v)
	copy(mean, x[:v.elems])
	if w.mode != Spikes {
		return
	}
	for at := v.elems; at < len(x); at += v.elems {
		base.Add(mean, mean, x[at:at+v.elems])
	}
	base.MulScalar(mean, mean, 1/float32(w.net.Timesteps))
}

// giveAverage is the gradient by v of its average, whose own is g.
func (w *Worker) giveAverage(v *value, g []float32) {
	if !v.grad {
		return
	}
	gx := w.floats(w.size(v))
	kernel.Repeat(gx, g)
	if w.mode == Spikes {
		base.MulScalar(gx, gx, 1/float32(w.net.Timesteps))
	}
	w.give(v, gx)
}
