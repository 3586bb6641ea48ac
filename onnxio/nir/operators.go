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
	case n.IsSpiking("Bias"), n.Is("Add"), n.Is("Sub"), n.Is("Sum"):
		return e.sum(n)
	case e.rounds(n), n.Is("Identity"):
		return e.pass(n)
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
