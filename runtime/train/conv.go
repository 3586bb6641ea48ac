package train

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/ops"
	"spikingir/runtime/train/kernel"
)

// A convLayer is a convolution over two axes. Behind neurons it reads bits:
// one packing of the weights holds the amplitudes of the spikes and is for the
// forward pass, the other, plain, for the gradient by the input, which like all
// gradients here is by amplitudes. The weights' gradient by bits is summed apart
// and multiplied by the amplitudes once, in amplify.
type convLayer struct {
	unary
	w, b  *Param
	fixed []float32 // the weights where they are no parameter
	bias  []float32 // likewise
	unit  int       // place of the gradient by bits

	plain  *kernel.Conv
	scaled *kernel.Conv // nil unless x is spikes
}

// fastConv reports whether convLayer can do a Conv.
func (n *Net) fastConv(node *graph.Node) bool {
	c, err := op.ConvOf(node)
	x := n.values[node.Input(0)]
	return err == nil && x != nil && len(c.Kernel) == 2 && len(x.dims) == 4 && n.floats(node.Input(1)) &&
		(node.Input(2) == nil || n.floats(node.Input(2)))
}

// floats reports whether a value is a constant of floating point.
func (n *Net) floats(v *graph.Value) bool {
	t := n.consts[v]
	return v != nil && t != nil && t.DType.IsFloat()
}

func (n *Net) bindConv(node *graph.Node) (layer, error) {
	c, err := op.ConvOf(node)
	if err != nil {
		return nil, err
	}
	x, err := n.of(node, 0)
	if err != nil {
		return nil, err
	}
	l := &convLayer{unary: unary{x: x}, w: n.param(node, 1, Weight), b: n.param(node, 2, Bias)}
	w := n.consts[node.Input(1)]
	if len(w.Dims) != 4 {
		return nil, op.Errorf(node, "weights have dimensions %v, want [M, C/group, kH, kW]", w.Dims)
	}
	l.fixed = w.F32
	if b := n.consts[node.Input(2)]; b != nil {
		l.bias = b.F32
	}
	pads := c.PadsFor([]int64{int64(x.height()), int64(x.width())})
	s, err := kernel.NewShape(ops.ConvShape(c.Window, w.Dims, int(c.Group), pads), x.height(), x.width())
	if err != nil {
		return nil, op.Errorf(node, "%v", err)
	}
	if s.InC != x.channels() {
		return nil, op.Errorf(node, "weights have dimensions %v at group %d, the input has %d channels", w.Dims, s.Group, x.channels())
	}
	if l.plain, err = kernel.NewConv(s); err != nil {
		return nil, op.Errorf(node, "%v", err)
	}
	if x.neuron != nil && !x.dense {
		if l.scaled, err = kernel.NewConv(s); err != nil {
			return nil, op.Errorf(node, "%v", err)
		}
	}
	l.y = n.add(node.Output(0), []int{x.dims[0], s.OutC, s.OutH, s.OutW}, x.timed)
	l.y.grad = x.grad || l.w != nil || l.b != nil
	return l, nil
}

func (l *convLayer) refresh() {
	l.plain.SetWeights(elems(l.w, l.fixed), nil)
	l.plain.Prepare()
	if l.scaled != nil {
		l.scaled.SetWeights(elems(l.w, l.fixed), l.x.neuron.emits)
		l.scaled.Prepare()
	}
}

func (l *convLayer) forward(w *Worker) error {
	y, s := w.set(l.y), &w.slots[l.x.id]
	if s.x != nil {
		l.plain.Forward(&w.scratch, y, s.x, w.slices(l.x))
	} else {
		l.scaled.ForwardSpikes(&w.scratch, y, s.bits, w.slices(l.x))
	}
	if b := elems(l.b, l.bias); b != nil {
		addChannels(y, y, b, l.y.channels())
	}
	return nil
}

func (l *convLayer) backward(w *Worker) error {
	s, slices := &w.slots[l.x.id], w.slices(l.x)
	b := kernel.Gradients{GY: w.gradient(l.y), X: s.x, Slices: slices}
	if l.w != nil {
		b.GW = w.grads[l.w.grad]
		if s.x == nil {
			b.GW, b.Spikes = w.units[l.unit], s.bits
		}
	}
	if l.x.grad {
		b.GX = w.floats(w.size(l.x))
	}
	l.plain.Backward(&w.scratch, &b)
	if l.b != nil {
		sumChannels(w.grads[l.b.grad], b.GY, l.y.channels())
	}
	if l.x.grad {
		w.give(l.x, b.GX)
	}
	return nil
}

// amplify adds the parts' gradients by bits, times the amplitudes, to those of
// the weights.
func (l *convLayer) amplify(dst []float32, unit int, parts []*accumulated) {
	s := l.plain.Shape()
	in, taps := s.InC/s.Group, s.KernelH*s.KernelW
	theta := l.x.neuron.emits
	for o := range s.OutC {
		first := o / (s.OutC / s.Group) * in
		for i := range in {
			at := (o*in + i) * taps
			for t := at; t < at+taps; t++ {
				var sum float32
				for _, w := range parts {
					sum += w.units[unit][t]
				}
				dst[t] += sum * theta[first+i]
			}
		}
	}
}
