package nir

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// express says one node of the model in NIR. What has no words there is an [op.Error] that is
// marked as unsupported.
func (e *exporter) express(n *graph.Node) error {
	switch {
	case op.IsNeuron(n):
		return e.neuron(n)
	case n.IsSpiking("Encode"):
		return e.encode(n)
	case n.IsSpiking("CPM"):
		return e.cpm(n)
	case n.IsSpiking("Decode"):
		return e.decode(n)
	case e.rounds(n), n.Is("Identity"):
		return e.pass(n)
	case n.IsSpiking("Bias"), n.Is("Add"), n.Is("Sub"), n.Is("Sum"):
		return e.sum(n)
	case n.Is("Neg"):
		return e.negate(n)
	case n.Is("Mul"), n.Is("Div"):
		return e.multiply(n)
	case n.Is("Conv"):
		return e.conv(n)
	case n.Is("Gemm"), n.Is("MatMul"):
		return e.product(n)
	case n.Is("AveragePool"), n.Is("GlobalAveragePool"):
		return e.pool(n)
	case n.Is("Flatten"), n.Is("Reshape"):
		return e.flatten(n)
	case n.Is("Concat"):
		return e.concat(n)
	case n.Is("Split"):
		return e.split(n)
	case n.Is("Slice"):
		return e.slice(n)
	case n.Is("Pad"):
		return e.pad(n)
	}
	return op.Unsupportedf(n, "NIR has no node for it; %s", remedy)
}

// remedy is what to do about an operator that NIR has no node for.
const remedy = "export the network without it: cut the model there, and compute that part where the file is run"

// pass says a node that leaves its first input as it is.
func (e *exporter) pass(n *graph.Node) error {
	x, err := e.signal(n, n.Input(0))
	if err != nil {
		return err
	}
	e.signals[n.Output(0)] = x
	return nil
}

// rounds reports whether a node rounds the image or its current to the grid of the exact form, which
// the file leaves out.
func (e *exporter) rounds(n *graph.Node) bool {
	if e.stages[n.Output(0)] != before || n.From.Pass != "snap-weights" {
		return false
	}
	switch {
	case n.Is("Clip"), n.Is("Mul"), n.Is("Add"), n.Is("Floor"):
		e.lost.note("rounding", "the image or the first current is not rounded to the grid of the exact form", n.OriginLabel())
		return true
	}
	return false
}

func (e *exporter) negate(n *graph.Node) error {
	x, err := e.signal(n, n.Input(0))
	if err != nil {
		return err
	}
	e.signals[n.Output(0)] = x.negated()
	return nil
}

// sum says an Add, Sub, Sum or Bias: a signal of all terms. A constant becomes a bias.
func (e *exporter) sum(n *graph.Node) error {
	shape, err := shapeOf(n, n.Output(0))
	if err != nil {
		return err
	}
	s := signal{shape: shape}
	var bias []float32
	for i, v := range n.Inputs() {
		minus := n.Is("Sub") && i == 1
		if op.Constant(v) != nil {
			b, err := perChannel(n, i, "the constant", shape)
			if err != nil {
				return err
			}
			if bias == nil {
				bias = make([]float32, shape[0])
			}
			for c, x := range b {
				if minus {
					x = -x
				}
				bias[c] += x
			}
			continue
		}
		x, err := e.signal(n, v)
		if err != nil {
			return err
		}
		if !slices.Equal(x.shape, shape) {
			return op.Unsupportedf(n, "it adds %v to %v, and NIR adds what has one shape", x.shape, shape)
		}
		if minus {
			x = x.negated()
		}
		s.terms = append(s.terms, x.terms...)
	}
	s, err = e.biased(n, s, bias)
	e.signals[n.Output(0)] = s
	return err
}

// multiply says a product with, or a quotient by, a constant.
func (e *exporter) multiply(n *graph.Node) error {
	v, err := op.BinaryOf(n)
	if err != nil {
		return err
	}
	x, _, left, ok := v.Const()
	if !ok || n.Is("Div") && left {
		return op.Unsupportedf(n, "it is no product of a signal and a constant, and NIR has no other; %s", remedy)
	}
	s, err := e.signal(n, x)
	if err != nil {
		return err
	}
	at := 1
	if left {
		at = 0
	}
	shape, err := shapeOf(n, n.Output(0))
	if err != nil {
		return err
	}
	if !slices.Equal(shape, s.shape) {
		return op.Unsupportedf(n, "it makes %v of %v, and NIR's Scale keeps the shape", shape, s.shape)
	}
	factors, err := perChannel(n, at, "the constant", s.shape)
	if err != nil {
		return err
	}
	factors = slices.Clone(factors)
	for i, f := range factors {
		if n.Is("Div") {
			factors[i] = 1 / f
		}
	}
	e.signals[n.Output(0)] = made(e.scale(n.OriginLabel(), s, factors), s.shape)
	return nil
}

// concat says a Concat of channels: terms at their places.
func (e *exporter) concat(n *graph.Node) error {
	v, err := op.ConcatOf(n)
	if err != nil {
		return err
	}
	shape, err := shapeOf(n, n.Output(0))
	if err != nil {
		return err
	}
	if axis, ok := op.Axis(v.Axis, len(shape)+1); !ok || axis != 1 {
		return op.Unsupportedf(n, "it joins axis %d, and NIR has words for channels, axis 1", v.Axis)
	}
	s, at := signal{shape: shape}, int64(0)
	for _, x := range v.Xs {
		part, err := e.signal(n, x)
		if err != nil {
			return err
		}
		for _, t := range part.terms {
			t.at += at
			t.free = false
			s.terms = append(s.terms, t)
		}
		at += part.shape[0]
	}
	e.reworded.note("concatenation", "channels that are joined are summed behind layers that read some of them each, or put them at their places", n.OriginLabel())
	e.signals[n.Output(0)] = s
	return nil
}

// split says a Split of channels.
func (e *exporter) split(n *graph.Node) error {
	v, err := op.SplitOf(n, e.opset)
	if err != nil {
		return err
	}
	x, err := e.signal(n, v.X)
	if err != nil {
		return err
	}
	if axis, ok := op.Axis(v.Axis, len(x.shape)+1); !ok || axis != 1 {
		return op.Unsupportedf(n, "it splits axis %d, and NIR has words for channels, axis 1", v.Axis)
	}
	at := int64(0)
	for _, y := range n.Outputs() {
		if y == nil {
			return op.Unsupportedf(n, "one of its outputs has no name")
		}
		shape, err := shapeOf(n, y)
		if err != nil {
			return err
		}
		e.signals[y] = e.some(n, x, at, shape[0])
		at += shape[0]
	}
	return nil
}

// slice says a Slice of channels that takes each of a range.
func (e *exporter) slice(n *graph.Node) error {
	v, err := op.SliceOf(n, e.opset)
	if err != nil {
		return err
	}
	x, err := e.signal(n, v.X)
	if err != nil {
		return err
	}
	shape, err := shapeOf(n, n.Output(0))
	if err != nil {
		return err
	}
	starts, err := v.Starts.Constant()
	if err != nil {
		return err
	}
	axes, err := v.Axes.Constant()
	if err != nil {
		return err
	}
	steps, err := v.Steps.Constant()
	if err != nil {
		return err
	}
	axis, known := 0, len(starts) == 1
	if known && v.Axes.Given {
		axis, known = op.Axis(axes[0], len(x.shape)+1)
	}
	if !known || axis != 1 || v.Steps.Given && steps[0] != 1 {
		return op.Unsupportedf(n, "it cuts more than a range of channels, and NIR has words for that alone; %s", remedy)
	}
	from := starts[0]
	if from < 0 {
		from += x.shape[0]
	}
	e.signals[n.Output(0)] = e.some(n, x, min(max(from, 0), x.shape[0]-shape[0]), shape[0])
	return nil
}

// some is a range of the channels of a signal: the terms in it, and of those that are in it in part a layer
// that takes that part.
func (e *exporter) some(n *graph.Node, s signal, from, count int64) signal {
	part := signal{shape: slices.Clone(s.shape)}
	part.shape[0] = count
	for _, t := range s.terms {
		low, high := max(t.at, from), min(t.at+t.channels, from+count)
		if low >= high {
			continue
		}
		if width := high - low; width < t.channels {
			w := make([]float32, width*t.channels)
			for c := range width {
				w[c*t.channels+low-t.at+c] = 1
			}
			own := signal{[]term{{node: t.node, channels: t.channels}}, slices.Clone(s.shape)}
			own.shape[0] = t.channels
			t.node = e.pointwise(n.OriginLabel(), own, width, w)
			t.channels = width
		}
		t.at, t.free = low-from, false
		part.terms = append(part.terms, t)
	}
	e.reworded.note("channels", "a part of the channels is what layers of one pixel take", n.OriginLabel())
	return part
}

// pad says zeros around an image, by the padding of a layer of one pixel that changes nothing else.
func (e *exporter) pad(n *graph.Node) error {
	v, err := op.PadOf(n, e.opset)
	if err != nil {
		return err
	}
	x, err := e.signal(n, v.X)
	if err != nil {
		return err
	}
	shape, err := shapeOf(n, n.Output(0))
	if err != nil {
		return err
	}
	value, err := v.Value.Constant()
	if err != nil {
		return err
	}
	if v.Mode != "constant" || value != 0 || len(x.shape) != 3 {
		return op.Unsupportedf(n, "it pads in mode %s with %g, and NIR has words for zeros around images; %s", v.Mode, value, remedy)
	}
	pads, err := v.For(4)
	if err != nil {
		return err
	}
	if slices.Min(pads) < 0 || pads[0]+pads[1]+pads[4]+pads[5] > 0 {
		return op.Unsupportedf(n, "its pads are %v, and NIR has words for more rows and columns", pads)
	}
	c := x.shape[0]
	k := kernel{dims: []int64{c, c, 1, 1}, w: make([]float32, c*c), stride: []int64{1, 1}, dilation: []int64{1, 1},
		pads: []int64{pads[2], pads[3], pads[6], pads[7]}}
	for i := range c {
		k.w[i*c+i] = 1
	}
	if k, _, err = k.square(n); err != nil {
		return err
	}
	l := e.node(n.OriginLabel(), "Conv2d", convolution(x.shape[1:], k.dims, k.w, k.stride, k.pads[:2], k.dilation))
	e.link(x, l)
	e.signals[n.Output(0)] = made(l, shape)
	return nil
}
