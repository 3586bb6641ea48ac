package nir

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/onnxio/hdf5"
)

// convolution is the fields of a Conv2d but for the bias.
func convolution(in, dims []int64, w []float32, stride, padding, dilation []int64) map[string]dataset {
	return map[string]dataset{"input_shape": ints(in...), "weight": hdf5.Floats(dims, w), "stride": ints(stride...),
		"padding": ints(padding...), "dilation": ints(dilation...), "groups": hdf5.Ints(nil, 1)}
}

// constant is the numbers of input i of n, which must be known.
func constant(n *graph.Node, i int, what string) ([]float32, []int64, error) {
	v := n.Input(i)
	if v == nil {
		return nil, nil, nil
	}
	t := op.Constant(v)
	if t == nil {
		return nil, nil, op.Unsupportedf(n, "%s %q %s, want constants", what, v.Name(), op.Source(v))
	}
	xs, err := t.Float32s()
	if err != nil {
		return nil, nil, op.Unsupportedf(n, "%s %q: %v", what, v.Name(), err)
	}
	return xs, t.Dims, nil
}

// perChannel is input i of n as one number for each channel of a value of a shape.
func perChannel(n *graph.Node, i int, what string, shape []int64) ([]float32, error) {
	xs, dims, err := constant(n, i, what)
	if err != nil || xs == nil {
		return nil, err
	}
	if len(xs) == 1 {
		return slices.Repeat(xs, int(shape[0])), nil
	}
	for k, d := range dims { // counted from the end, where shapes are aligned
		channel := len(dims)-k == len(shape)
		if d != 1 && !(channel && d == shape[0]) {
			return nil, op.Unsupportedf(n, "%s %q has dimensions %v, want one number for each of %d channels, as NIR has",
				what, n.Input(i).Name(), dims, shape[0])
		}
	}
	return xs, nil
}

// conv says a Conv: one Conv2d, or one for each part of a concatenation that it reads, with the
// weights for that part, whose sum is the same.
func (e *exporter) conv(n *graph.Node) error {
	v, err := op.ConvOf(n)
	if err != nil {
		return err
	}
	x, err := e.signal(n, v.X)
	if err != nil {
		return err
	}
	w, dims, err := constant(n, 1, "weights")
	if err != nil {
		return err
	}
	shape, err := shapeOf(n, n.Output(0))
	if err != nil {
		return err
	}
	if len(dims) != 4 || len(x.shape) != 3 {
		return op.Unsupportedf(n, "it is of %d dimensions, and NIR has images [C,H,W]", len(x.shape))
	}
	bias, err := perChannel(n, 2, "bias", shape[:1])
	if err != nil {
		return err
	}
	k := kernel{dims: dims, w: w, stride: v.Stride, dilation: v.Dilation, pads: v.PadsFor(x.shape[1:])}
	if v.Group > 1 {
		k = k.dense(v.Group)
		e.reworded.note("groups", "a convolution of groups is one of all channels with zeros: NIR's reader counts the channels of its input by the weights", n.OriginLabel())
	}
	k, changed, err := k.square(n)
	if err != nil {
		return err
	}
	if changed {
		e.reworded.note("padding", "a kernel that is not square, or padded more at one side, has zeros at its border: NIR has one padding for both sides", n.OriginLabel())
	}
	s := e.layers(n, x, shape, func(label string, part signal, at int64, sign float32) *Node {
		p := k.part(at, part.shape[0], sign)
		return e.node(label, "Conv2d", convolution(x.shape[1:], p.dims, p.w, k.stride, k.pads[:2], k.dilation))
	})
	s, err = e.biased(n, s, bias)
	e.signals[n.Output(0)] = s
	return err
}

// layers makes a layer for all terms of a signal that are the same channels of it, with the same
// sign, and gives the sum of the layers.
func (e *exporter) layers(n *graph.Node, x signal, shape []int64, layer func(label string, part signal, at int64, sign float32) *Node) signal {
	type place struct {
		at, channels int64
		negative     bool
	}
	var places []place
	parts := map[place]signal{}
	for _, t := range x.terms {
		p := place{t.at, t.channels, t.negative}
		part, ok := parts[p]
		if !ok {
			places = append(places, p)
			part.shape = slices.Clone(x.shape)
			part.shape[0] = t.channels
		}
		part.terms = append(slices.Clone(part.terms), term{node: t.node, channels: t.channels})
		parts[p] = part
	}
	s := signal{shape: shape}
	for _, p := range places {
		sign := float32(1)
		if p.negative {
			sign = -1
		}
		k := layer(n.OriginLabel(), parts[p], p.at, sign)
		e.link(parts[p], k)
		s.terms = append(s.terms, made(k, shape).terms...)
	}
	return s
}

// product says a Gemm or MatMul of a vector and a constant matrix.
func (e *exporter) product(n *graph.Node) error {
	g := op.Gemm{Alpha: 1, Beta: 1}
	if n.Is("Gemm") {
		var err error
		if g, err = op.GemmOf(n); err != nil {
			return err
		}
	}
	x, err := e.signal(n, n.Input(0))
	if err != nil {
		return err
	}
	w, dims, err := constant(n, 1, "weights")
	if err != nil {
		return err
	}
	shape, err := shapeOf(n, n.Output(0))
	if err != nil {
		return err
	}
	if len(dims) != 2 || len(x.shape) != 1 || g.TransA {
		return op.Unsupportedf(n, "it multiplies matrices of which the first has a batch and more, and NIR has vectors")
	}
	bias, err := perChannel(n, 2, "bias", shape)
	if err != nil {
		return err
	}
	bias = slices.Clone(bias)
	for i := range bias {
		bias[i] *= g.Beta
	}
	at := func(out, in int64) float32 {
		if g.TransB {
			return w[out*dims[1]+in]
		}
		return w[in*dims[1]+out]
	}
	s := e.layers(n, x, shape, func(label string, part signal, from int64, sign float32) *Node {
		var list []float32
		for out := range shape[0] {
			for in := range part.shape[0] {
				list = append(list, sign*g.Alpha*at(out, from+in))
			}
		}
		return e.node(label, "Linear", map[string]dataset{"weight": hdf5.Floats([]int64{shape[0], part.shape[0]}, list)})
	})
	s, err = e.biased(n, s, bias)
	e.signals[n.Output(0)] = s
	return err
}

// pool says an AveragePool, and one of the whole image.
func (e *exporter) pool(n *graph.Node) error {
	x, err := e.signal(n, n.Input(0))
	if err != nil {
		return err
	}
	shape, err := shapeOf(n, n.Output(0))
	if err != nil {
		return err
	}
	if len(x.shape) != 3 {
		return op.Unsupportedf(n, "it is of %d dimensions, and NIR has images [C,H,W]", len(x.shape))
	}
	size, stride, pads := x.shape[1:], x.shape[1:], []int64{0, 0, 0, 0}
	if n.Is("AveragePool") {
		v, err := op.PoolOf(n)
		if err != nil {
			return err
		}
		size, stride, pads = v.Kernel, v.Stride, v.PadsFor(x.shape[1:])
		padded := slices.ContainsFunc(pads, func(p int64) bool { return p != 0 })
		odd := slices.ContainsFunc(v.Dilation, func(d int64) bool { return d != 1 })
		if odd || v.CeilMode || padded && (!v.CountPad || !slices.Equal(pads[:2], pads[2:])) {
			return op.Unsupportedf(n, "it has pads %v that do not count, a ceil mode or dilations, and NIR's AvgPool2d has not", pads)
		}
	}
	k := e.node(n.OriginLabel(), "AvgPool2d", map[string]dataset{"kernel_size": ints(size...), "stride": ints(stride...), "padding": ints(pads[:2]...)})
	e.link(x, k)
	e.signals[n.Output(0)] = made(k, shape)
	return nil
}

// flatten says what makes a vector of an image, or leaves it as it is.
func (e *exporter) flatten(n *graph.Node) error {
	x, err := e.signal(n, n.Input(0))
	if err != nil {
		return err
	}
	shape, err := shapeOf(n, n.Output(0))
	switch {
	case err != nil:
		return err
	case slices.Equal(shape, x.shape):
		e.signals[n.Output(0)] = x
		return nil
	case len(shape) != 1:
		return op.Unsupportedf(n, "it makes %v of %v, and NIR flattens to a vector alone", shape, x.shape)
	}
	k := e.node(n.OriginLabel(), "Flatten", map[string]dataset{"start_dim": hdf5.Ints(nil, 0), "end_dim": hdf5.Ints(nil, -1), "input_type": ints(x.shape...)})
	e.link(x, k)
	e.signals[n.Output(0)] = made(k, shape)
	return nil
}
