// Package weights reads and replaces the constant weights of layers, for the
// passes that put numbers into them.
package weights

import (
	"spikingir/graph"
	"spikingir/graph/op"
)

// IsLayer reports whether n is a layer of weights: Conv, ConvTranspose or Gemm.
func IsLayer(n *graph.Node) bool {
	return n.Is("Conv") || n.Is("ConvTranspose") || n.Is("Gemm")
}

// Floats reads input v of n, called what, which must be a constant.
func Floats(n *graph.Node, v *graph.Value, what string) (*graph.Tensor, []float32, error) {
	t := op.Constant(v)
	if t == nil {
		return nil, nil, op.Unsupportedf(n, "its %s %q %s, want a constant", what, v.Name(), op.Source(v))
	}
	xs, err := t.Float32s()
	if err != nil {
		return nil, nil, op.Unsupportedf(n, "%s %q: %v", what, v.Name(), err)
	}
	return t, xs, nil
}

// Renew gives a value of g with the contents t: v, when it is an initializer that
// one node uses at most, else a new initializer called name.
func Renew(g *graph.Graph, v *graph.Value, t *graph.Tensor, name string) *graph.Value {
	if v.Graph() != g || !v.IsConstant() || v.IsOutput() || v.NumUses() > 1 {
		return g.AddInitializer(g.FreshName(name), t)
	}
	v.Const = t
	v.Type = graph.TensorOf(t.DType, graph.ShapeOf(t.Dims...))
	return v
}
