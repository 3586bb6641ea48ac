package foldbatchnorm

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

// layer is a Conv, ConvTranspose or Gemm with constant weights, which the
// methods edit in float64.
type layer struct {
	node    *graph.Node
	x, w, b *graph.Value // b is nil when there is no bias
	dims    []int64      // of the weights
	weights []float64
	bias    []float64 // one per output, zeros when there is no bias
	gain    float64   // of the weights in the result: Gemm's alpha, else 1
	in, out int       // channels

	// channel gives the input and output channel of a weight.
	channel func(i int) (in, out int)
	// borders says that some results see only a part of the weights.
	borders bool
}

func isLayer(n *graph.Node) bool {
	return n.Is("Conv") || n.Is("ConvTranspose") || n.Is("Gemm")
}

// layerOf reads a layer. A reason that is not empty says why its weights cannot
// be changed.
func layerOf(n *graph.Node) (*layer, string, error) {
	var l *layer
	var err error
	switch {
	case n.Is("Conv"):
		l, err = convLayer(n)
	case n.Is("ConvTranspose"):
		l, err = transposedLayer(n)
	default:
		l, err = gemmLayer(n)
	}
	if err != nil {
		return nil, "", err
	}
	if l.channel == nil {
		return nil, "the weights of " + n.OriginLabel() + " are not constant floats", nil
	}
	why, err := l.readBias()
	return l, why, err
}

// open reads the weights into l. It reports false when they are no constant
// float tensor of at least the given rank.
func (l *layer) open(rank int) (bool, error) {
	l.gain = 1
	t := op.Constant(l.w)
	if t == nil || t.DType != graph.Float32 || len(t.Dims) < rank {
		return false, nil
	}
	ws, err := t.Float32s()
	if err != nil {
		return false, op.Errorf(l.node, "weights %q: %v", l.w.Name(), err)
	}
	l.dims = t.Dims
	l.weights = make([]float64, len(ws))
	for i, w := range ws {
		l.weights[i] = float64(w)
	}
	return true, nil
}

// convLayer reads a Conv; its weights are [M, C/group, kernel...].
func convLayer(n *graph.Node) (*layer, error) {
	v, err := op.ConvOf(n)
	if err != nil {
		return nil, err
	}
	l := &layer{node: n, x: v.X, w: v.W, b: v.B}
	if ok, err := l.open(3); err != nil || !ok {
		return l, err
	}
	cols, group := int(l.dims[1]), int(v.Group)
	l.out, l.in = int(l.dims[0]), cols*group
	if l.out%group != 0 {
		return nil, op.Errorf(n, "%d output channels in %d groups, want a multiple", l.out, group)
	}
	area := product(l.dims[2:])
	l.channel = func(i int) (in, out int) {
		out = i / (cols * area)
		return out/(l.out/group)*cols + i/area%cols, out
	}
	l.borders = v.AutoPad == op.SameUpper || v.AutoPad == op.SameLower ||
		slices.ContainsFunc(v.Pads, func(p int64) bool { return p != 0 })
	return l, nil
}

// transposedLayer reads a ConvTranspose; its weights are [C, M/group, kernel...].
func transposedLayer(n *graph.Node) (*layer, error) {
	v, err := op.ConvTransposeOf(n)
	if err != nil {
		return nil, err
	}
	l := &layer{node: n, x: v.X, w: v.W, b: v.B, borders: true}
	if ok, err := l.open(3); err != nil || !ok {
		return l, err
	}
	cols, group := int(l.dims[1]), int(v.Group)
	l.in, l.out = int(l.dims[0]), cols*group
	if l.in%group != 0 {
		return nil, op.Errorf(n, "%d input channels in %d groups, want a multiple", l.in, group)
	}
	area := product(l.dims[2:])
	l.channel = func(i int) (in, out int) {
		in = i / (cols * area)
		return in, in/(l.in/group)*cols + i/area%cols
	}
	return l, nil
}

// gemmLayer reads a Gemm whose input is A and whose weights are B: [in, out],
// or [out, in] when transB says so.
func gemmLayer(n *graph.Node) (*layer, error) {
	v, err := op.GemmOf(n)
	if err != nil {
		return nil, err
	}
	l := &layer{node: n, x: v.A, w: v.B, b: v.C, borders: v.TransA}
	if ok, err := l.open(2); err != nil || !ok {
		return l, err
	}
	l.gain = float64(v.Alpha)
	rows, cols := int(l.dims[0]), int(l.dims[1])
	l.in, l.out = rows, cols
	l.channel = func(i int) (in, out int) { return i / cols, i % cols }
	if v.TransB {
		l.in, l.out = cols, rows
		l.channel = func(i int) (in, out int) { return i % cols, i / cols }
	}
	return l, nil
}

// readBias spreads the bias over the output channels; Gemm's beta goes into it.
func (l *layer) readBias() (string, error) {
	l.bias = make([]float64, l.out)
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
	if !perOutput || (len(bs) != l.out && len(bs) != 1) {
		return fmt.Sprintf("the bias of %s has dimensions %v, want one number per output",
			l.node.OriginLabel(), t.Dims), nil
	}
	for o := range l.bias {
		l.bias[o] = float64(beta) * float64(bs[o%len(bs)])
	}
	return "", nil
}

// scaleOutputs puts a behind the layer.
func (l *layer) scaleOutputs(a affine) {
	for i := range l.weights {
		_, out := l.channel(i)
		l.weights[i] *= a.scale[out]
	}
	for o := range l.bias {
		l.bias[o] = float64(l.bias[o]*a.scale[o]) + a.shift[o]
	}
}

// scaleInputs puts a in front of the layer.
func (l *layer) scaleInputs(a affine) {
	for i := range l.weights {
		in, out := l.channel(i)
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
	weights, err := round(bn, l.dims, l.weights)
	if err != nil {
		return err
	}
	bias, err := round(bn, []int64{int64(l.out)}, l.bias)
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
	inputs := []*graph.Value{x, l.renew(l.w, weights), l.renew(biasValue, bias)}
	_, err = c.Fuse(l.node, l.node.Op(), attrs, inputs, first, last)
	return err
}

// renew gives an initializer that only the layer uses new contents; of any
// other constant it makes a copy.
func (l *layer) renew(v *graph.Value, t *graph.Tensor) *graph.Value {
	g := l.node.Graph()
	others := slices.ContainsFunc(v.Uses(), func(u graph.Use) bool { return u.Node != l.node })
	if v.Graph() != g || !v.IsConstant() || v.IsOutput() || others || v.NumUses() > 1 {
		return g.AddInitializer(g.FreshName(v.Name()+"_folded"), t)
	}
	v.Const = t
	v.Type = graph.TensorOf(t.DType, graph.ShapeOf(t.Dims...))
	return v
}

func product(dims []int64) int {
	n := 1
	for _, d := range dims {
		n *= int(d)
	}
	return n
}
