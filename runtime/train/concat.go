package train

import (
	"spikingir/graph"
	"spikingir/graph/op"
)

// concatLayer joins images channel by channel.
type concatLayer struct {
	xs []*value
	y  *value
}

// fastConcat reports whether concatLayer can do a Concat: along the channels of
// values that all depend on the image and have the same time.
func (n *Net) fastConcat(node *graph.Node) bool {
	c, err := op.ConcatOf(node)
	if err != nil || c.Axis != 1 && c.Axis != -3 {
		return false
	}
	for _, in := range node.Inputs() {
		x := n.values[in]
		if x == nil || len(x.dims) != 4 || x.timed != n.values[node.Input(0)].timed {
			return false
		}
	}
	return true
}

func (n *Net) bindConcat(node *graph.Node) (layer, error) {
	l := &concatLayer{}
	grad, channels := false, 0
	for i := range node.Inputs() {
		x, err := n.of(node, i)
		if err != nil {
			return nil, err
		}
		l.xs = append(l.xs, x)
		grad, channels = grad || x.grad, channels+x.channels()
		if x.height() != l.xs[0].height() || x.width() != l.xs[0].width() {
			return nil, op.Errorf(node, "joins images of %dx%d and %dx%d", l.xs[0].height(), l.xs[0].width(), x.height(), x.width())
		}
	}
	x := l.xs[0]
	l.y = n.add(node.Output(0), []int{x.dims[0], channels, x.height(), x.width()}, x.timed)
	l.y.grad = grad
	return l, nil
}

func (l *concatLayer) reads() []*value  { return l.xs }
func (l *concatLayer) writes() []*value { return []*value{l.y} }
func (l *concatLayer) refresh()         {}

func (l *concatLayer) forward(w *Worker) error {
	y, at, c := w.set(l.y), 0, l.y.channels()
	for _, v := range l.xs {
		copyChannels(y, w.amplitudes(v), at, c, v.channels(), true)
		at += v.channels()
	}
	return nil
}

func (l *concatLayer) backward(w *Worker) error {
	g, at, c := w.gradient(l.y), 0, l.y.channels()
	for _, v := range l.xs {
		if v.grad {
			gx := w.floats(w.size(v))
			copyChannels(g, gx, at, c, v.channels(), false)
			w.give(v, gx)
		}
		at += v.channels()
	}
	return nil
}

// copyChannels copies the pixels of n channels to or from channel at on of pixels of
// c channels.
func copyChannels(wide, narrow []float32, at, c, n int, in bool) {
	if n == 3 { // of colour images: too few to call copy
		for from := 0; from < len(narrow); from, at = from+3, at+c {
			x, y := (*[3]float32)(wide[at:]), (*[3]float32)(narrow[from:])
			if !in {
				x, y = y, x
			}
			x[0], x[1], x[2] = y[0], y[1], y[2]
		}
		return
	}
	for from := 0; from < len(narrow); from, at = from+n, at+c {
		if in {
			copy(wide[at:at+n], narrow[from:from+n])
		} else {
			copy(narrow[from:from+n], wide[at:at+n])
		}
	}
}
