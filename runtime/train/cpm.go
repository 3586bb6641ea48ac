package train

import (
	"spikingir/graph"
	"spikingir/graph/op"
	base "spikingir/runtime/kernel"
	"spikingir/runtime/train/kernel"
)

// cpmLayer is the Convolutional Pixel Mapper: the convolution of the mean amplitude
// plus the residual potential over T (Eq. 7-9).
type cpmLayer struct {
	y, vres, out *value
	w, b         *Param
	fixed        []float32
	bias         []float32
	conv         *kernel.Conv
}

func (n *Net) bindCPM(node *graph.Node) (layer, error) {
	c, err := op.CPMOf(node)
	if err != nil {
		return nil, err
	}
	l := &cpmLayer{}
	if l.y, err = n.of(node, 0); err != nil {
		return nil, err
	}
	if l.vres, err = n.of(node, 1); err != nil {
		return nil, err
	}
	t := n.consts[node.Input(2)]
	if t == nil || len(t.Dims) != 4 || len(l.y.dims) != 4 {
		return nil, op.Errorf(node, "weights are computed or not of two axes, want a constant [C, C, kH, kW]")
	}
	l.fixed = t.F32
	l.w, l.b = n.param(node, 2, CPM), n.param(node, 3, CPM)
	if b := n.consts[node.Input(3)]; b != nil {
		l.bias = b.F32
	}
	h, w := l.y.height(), l.y.width()
	pads := c.PadsFor([]int64{int64(h), int64(w)})
	l.conv, err = kernel.NewConv(kernel.Shape{InH: h, InW: w, InC: l.y.channels(), OutH: h, OutW: w,
		OutC: t.Dims[0], KernelH: t.Dims[2], KernelW: t.Dims[3], StrideH: 1, StrideW: 1,
		DilationH: int(c.Dilation[0]), DilationW: int(c.Dilation[1]), PadT: int(pads[0]), PadL: int(pads[1]), Group: 1})
	if err != nil {
		return nil, op.Errorf(node, "%v", err)
	}
	l.out = n.add(node.Output(0), l.y.dims, false)
	l.out.grad = true
	return l, nil
}

func (l *cpmLayer) reads() []*value  { return []*value{l.y, l.vres} }
func (l *cpmLayer) writes() []*value { return []*value{l.out} }
func (l *cpmLayer) refresh()         { l.conv.SetWeights(elems(l.w, l.fixed), nil) }

func (l *cpmLayer) forward(w *Worker) error {
	mean, out := w.floats(l.y.elems), w.set(l.out)
	w.average(mean, l.y)
	l.conv.Forward(&w.scratch, out, mean, 1)
	base.Axpy(out, w.amplitudes(l.vres), 1/float32(w.net.Timesteps))
	if b := elems(l.b, l.bias); b != nil {
		addChannels(out, out, b, l.out.channels())
	}
	w.put(mean)
	return nil
}

func (l *cpmLayer) backward(w *Worker) error {
	g := w.gradient(l.out)
	if l.b != nil {
		sumChannels(w.grads[l.b.grad], g, l.out.channels())
	}
	mean := w.floats(l.y.elems)
	if l.w != nil {
		w.average(mean, l.y)
		l.conv.BackwardWeights(&w.scratch, w.grads[l.w.grad], mean, g, 1)
	}
	l.conv.BackwardInput(&w.scratch, mean, g, 1)
	w.giveAverage(l.y, mean)
	w.put(mean)
	if l.vres.grad {
		res := w.floats(l.vres.elems)
		copy(res, g)
		base.MulScalar(res, res, 1/float32(w.net.Timesteps))
		w.give(l.vres, res)
	}
	return nil
}
