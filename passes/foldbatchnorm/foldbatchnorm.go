// Package foldbatchnorm holds the pass fold-batchnorm, which moves
// BatchNormalization into the layer beside it.
package foldbatchnorm

import (
	"slices"

	"spikingir/passes/weights"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

// Pass folds BatchNormalization into the weights of a Conv, ConvTranspose or
// Gemm; what cannot be folded becomes a Mul and an Add by constants.
//
// Before: y = BN(L(x)), or y = L(BN(x)), where L is Conv, ConvTranspose or Gemm.
// After: y = L'(x) with other weights and bias; or y = Add(Mul(x, s), t).
// Conditions: the parameters of BN and the weights are constant; BN does not
// train; nothing else reads the value between the two. BN in front of L folds
// only where that is exact at the borders: L pads nothing, or t = 0, and a
// ConvTranspose only when t = 0. Weights that another node uses are copied.
// Algebra: s = gamma / sqrt(var + epsilon), t = beta - mean*s, so that
// BN(z) = s*z + t. Behind L: W' = s*W per output channel, b' = s*b + t. In front
// of it: W' = s*W per input channel, b' = b + sum W*t. All of it is computed in
// float64 and rounded once.
var Pass = &passes.Pass{
	Name: "fold-batchnorm",
	Doc: "move BatchNormalization into the layer beside it\n\n" +
		"Weights and bias of a Conv, ConvTranspose or Gemm take up the scale and the\n" +
		"shift. What cannot be folded becomes a Mul and an Add by constants.",
	Options: []passes.Option{Lower},
	Needs:   passes.Typed,
	Gives:   passes.NoBatchNorm,
	Run:     run,
}

// Lower says what becomes of a BatchNormalization that cannot be folded.
var Lower = passes.Switch("lower", true, "rewrite what cannot be folded as Mul and Add (on or off)")

func run(c *passes.Context) (changed bool, err error) {
	return c.Each(func(n *graph.Node) (bool, error) {
		if !n.Is("BatchNormalization") {
			return false, nil
		}
		return fold(c, n)
	})
}

// fold removes one BatchNormalization, or says in a note why it stays.
func fold(c *passes.Context, n *graph.Node) (bool, error) {
	b, err := op.BatchNormOf(n, c.Model.Opset(""))
	if err != nil {
		return false, err
	}
	switch {
	case b.Training:
		c.Notef(n, "stays: it normalises by the statistics of the batch; export the model for inference")
		return false, nil
	case b.PerElement:
		c.Notef(n, "stays: it normalises each element by itself (spatial=0), want one scale per channel")
		return false, nil
	}
	a, dynamic, err := affineOf(n, b)
	if err != nil {
		return false, err
	}
	if dynamic != nil {
		c.Notef(n, "stays: its parameter %q %s, want a constant", dynamic.Name(), op.Source(dynamic))
		return false, nil
	}
	why, err := foldBehind(c, n, b, a)
	if err != nil || why == "" {
		return err == nil, err
	}
	ahead, err := foldAhead(c, n, a)
	if err != nil || ahead == "" {
		return err == nil, err
	}
	if why == noLayerBefore {
		why = ahead
	}
	return lower(c, n, b, a, why)
}

const (
	noLayerBefore = "no Conv, ConvTranspose or Gemm stands in front of it"
	noLayerAfter  = "no Conv, ConvTranspose or Gemm stands beside it"
)

// foldBehind folds n into the layer that makes its input. A reason that is not
// empty says why it cannot.
func foldBehind(c *passes.Context, n *graph.Node, b op.BatchNorm, a affine) (string, error) {
	p := b.X.Producer()
	if p == nil || !weights.IsLayer(p) {
		return noLayerBefore, nil
	}
	if !onlyUse(b.X) {
		return "the result of " + p.OriginLabel() + " in front of it is also used elsewhere", nil
	}
	l, why, err := layerOf(p)
	if err != nil || why != "" {
		return why, err
	}
	if l.Out != len(a.scale) {
		return "", op.Errorf(n, "it has %d channels, want %d as its input has", len(a.scale), l.Out)
	}
	l.scaleOutputs(a)
	return "", l.rebuild(c, p, n)
}

func foldAhead(c *passes.Context, n *graph.Node, a affine) (string, error) {
	y := n.Output(0)
	if !onlyUse(y) {
		return noLayerAfter, nil
	}
	use := y.Uses()[0]
	p := use.Node
	if !weights.IsLayer(p) || use.Index != 0 || p.Graph() != n.Graph() {
		return noLayerAfter, nil
	}
	l, why, err := layerOf(p)
	if err != nil || why != "" {
		return why, err
	}
	if l.In != len(a.scale) {
		return "", op.Errorf(n, "it has %d channels, want %d as node %q behind it has inputs",
			len(a.scale), l.In, p.OriginLabel())
	}
	if l.borders && a.shifts() {
		return "the borders of " + p.OriginLabel() +
			" behind it see padding, which it must not shift", nil
	}
	l.scaleInputs(a)
	return "", l.rebuild(c, n, p)
}

// lower rewrites n as a Mul and an Add, if the option says so.
func lower(c *passes.Context, n *graph.Node, b op.BatchNorm, a affine, why string) (bool, error) {
	rank := len(b.X.Type.Shape)
	switch {
	case !Lower.Of(c):
		c.Notef(n, "stays: %s", why)
		return false, nil
	case rank < 2 || b.X.Type.Elem != graph.Float32:
		c.Notef(n, "stays: %s, and its input is %v, want a float tensor of rank 2 or more",
			why, b.X.Type)
		return false, nil
	}
	g := n.Graph()
	dims := slices.Repeat([]int64{1}, max(rank-1, 1))
	dims[0] = int64(len(a.scale))
	scale, err := round(n, dims, a.scale)
	if err != nil {
		return false, err
	}
	shift, err := round(n, dims, a.shift)
	if err != nil {
		return false, err
	}
	y := n.Output(0)
	s := g.AddInitializer(g.FreshName(y.Name()+"_scale"), scale)
	t := g.AddInitializer(g.FreshName(y.Name()+"_shift"), shift)
	name := n.Name
	if name != "" {
		name += "_scale"
	}
	mul := c.Insert(n, n, name, graph.Op{Type: "Mul"}, nil, []*graph.Value{b.X, s},
		g.FreshName(y.Name()+"_scaled"))
	mul.Output(0).Type = y.Type
	if _, err := c.Replace(n, graph.Op{Type: "Add"}, nil, mul.Output(0), t); err != nil {
		return false, err
	}
	c.Notef(mul, "becomes a Mul and an Add: %s", why)
	return true, nil
}

// onlyUse reports whether one node, in one place, reads v and nothing else does.
func onlyUse(v *graph.Value) bool { return v.NumUses() == 1 && !v.IsOutput() }
