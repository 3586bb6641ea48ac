package foldbatchnorm

import (
	"fmt"
	"slices"

	"spikingir/passes/weights"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

// layer is a Conv, ConvTranspose or Gemm with constant weights, which the
// methods edit in float64.
type layer struct {
	op.Layout
	node    *graph.Node
	x, w, b *graph.Value // b is nil when there is no bias
	dims    []int64      // of the weights
	weights []float64
	bias    []float64 // one per output, zeros when there is no bias
	gain    float64   // of the weights in the result: Gemm's alpha, else 1

	// borders says that some results see only a part of the weights.
	borders bool
}

// layerOf reads a layer. A reason that is not empty says why its weights cannot
// be changed.
func layerOf(n *graph.Node) (*layer, string, error) {
	l := &layer{node: n, x: n.Input(0), w: n.Input(1), b: n.Input(2), gain: 1}
	rank := 3
	var err error
	switch {
	case n.Is("Conv"):
		var v op.Conv
		v, err = op.ConvOf(n)
		l.borders = v.AutoPad == op.SameUpper || v.AutoPad == op.SameLower ||
			slices.ContainsFunc(v.Pads, func(p int64) bool { return p != 0 })
	case n.Is("ConvTranspose"):
		_, err = op.ConvTransposeOf(n)
		l.borders = true
	default:
		var v op.Gemm
		v, err = op.GemmOf(n)
		l.gain, l.borders, rank = float64(v.Alpha), v.TransA, 2
	}
	if err != nil {
		return nil, "", err
	}
	t := op.Constant(l.w)
	if t == nil || t.DType != graph.Float32 || len(t.Dims) < rank {
		return nil, "the weights of " + n.OriginLabel() + " are not constant floats", nil
	}
	_, ws, err := weights.Floats(n, l.w, "weights")
	if err != nil {
		return nil, "", err
	}
	for _, w := range ws {
		l.weights = append(l.weights, float64(w))
	}
	l.dims = t.Dims
	if l.Layout, err = op.LayoutOf(n, l.dims); err != nil {
		return nil, "", err
	}
	why, err := l.readBias()
	return l, why, err
}

// readBias spreads the bias over the output channels; Gemm's beta goes into it.
func (l *layer) readBias() (string, error) {
	l.bias = make([]float64, l.Out)
	if l.b == nil {
		return "", nil
	}
	t := op.Constant(l.b)
	if t == nil || t.DType != graph.Float32 {
		return "the bias of " + l.node.OriginLabel() + " is no constant float tensor", nil
	}
	bs, err := t.Float32s()
	if err != nil {
		return "", op.Errorf(l.node, "bias %q: %v", l.b.Name(), err)
	}
	beta, err := graph.Get(l.node.Attrs, "beta", graph.Float(1))
	if err != nil {
		return "", op.Errorf(l.node, "%v", err)
	}
	perOutput := len(t.Dims) == 0 || t.Dims[len(t.Dims)-1] == int64(len(bs))
	if !perOutput || (len(bs) != l.Out && len(bs) != 1) {
		return fmt.Sprintf("the bias of %s has dimensions %v, want one number per output",
			l.node.OriginLabel(), t.Dims), nil
	}
	for o := range l.bias {
		l.bias[o] = float64(beta) * float64(bs[o%len(bs)])
	}
	return "", nil
}

func (l *layer) scaleOutputs(a affine) {
	for i := range l.weights {
		_, out := l.Channel(i)
		l.weights[i] *= a.scale[out]
	}
	for o := range l.bias {
		l.bias[o] = float64(l.bias[o]*a.scale[o]) + a.shift[o]
	}
}

func (l *layer) scaleInputs(a affine) {
	for i := range l.weights {
		in, out := l.Channel(i)
		l.bias[out] += float64(l.gain * float64(l.weights[i]*a.shift[in]))
		l.weights[i] *= a.scale[in]
	}
}

// rebuild puts the layer, with its new weights, in the place of first and
// last: the layer and the BatchNormalization in their order.
func (l *layer) rebuild(c *passes.Context, first, last *graph.Node) error {
	bn := last
	x := l.x
	if last == l.node {
		bn, x = first, first.Input(0)
	}
	ws, err := round(bn, l.dims, l.weights)
	if err != nil {
		return err
	}
	bias, err := round(bn, []int64{int64(l.Out)}, l.bias)
	if err != nil {
		return err
	}
	attrs := slices.Clone(l.node.Attrs)
	attrs.Delete("beta")
	biasValue := l.b
	if biasValue == nil {
		biasValue = l.node.Graph().AddInitializer(
			l.node.Graph().FreshName(l.w.Name()+"_bias"), bias)
	}
	inputs := []*graph.Value{x, l.renew(l.w, ws), l.renew(biasValue, bias)}
	_, err = c.Fuse(l.node, l.node.Op(), attrs, inputs, first, last)
	return err
}

func (l *layer) renew(v *graph.Value, t *graph.Tensor) *graph.Value {
	return weights.Renew(l.node.Graph(), v, t, v.Name()+"_folded")
}
