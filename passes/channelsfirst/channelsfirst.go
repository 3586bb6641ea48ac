// Package channelsfirst holds the pass channels-first, which moves Transposes to
// channels-last layouts behind the operators that read them.
package channelsfirst

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

// Pass brings a network in which channels lie last to the layout [N, C, ...] of
// convolutions.
//
// Before: y = F(T(x)), where T is a Transpose from [N, C, ...] to [N, ..., C].
// After: y = T(F'(x)). F' is F for elementwise operators, whose constants take the
// other layout; Concat and Pad along the axis that it was; a convolution of 1 by 1
// for a MatMul with constant weights. T then meets the Transpose back, and
// fold-identity removes both. An input of the model [N, H, W, C] that a Transpose to
// [N, C, H, W] reads becomes [N, C, H, W] itself, and so does the output [N, H, W, C];
// both are noted.
// Conditions: all operands that are not constant come from such a Transpose; constants
// are of one number, or of one number along one axis.
// Algebra: F(T(x)) = T(F'(x)): each element of F's result depends on elements at its
// place, in both layouts; a product over the last axis is one over channels.
var Pass = &passes.Pass{
	Name: "channels-first",
	Doc: "bring channels-last parts to the layout of convolutions\n\n" +
		"Transposes to [N, H, W, C] are moved behind the operators that read them, where\n" +
		"those back undo them; a linear layer over the last axis becomes a convolution of\n" +
		"1 by 1. A model whose image is [N, H, W, C] takes and gives [N, C, H, W].",
	Needs: passes.Typed,
	Run:   run,
}

func run(c *passes.Context) (changed bool, err error) {
	changed, err = inputs(c)
	if err != nil {
		return changed, err
	}
	sunk, err := c.Each(func(n *graph.Node) (bool, error) { return sink(c, n) })
	if err != nil || !changed {
		return changed || sunk, err
	}
	return true, outputs(c)
}

// lastOf is the order of axes that puts channels last, for a rank of 3 or 4.
func lastOf(rank int) graph.Ints {
	switch rank {
	case 3:
		return graph.Ints{0, 2, 1}
	case 4:
		return graph.Ints{0, 2, 3, 1}
	}
	return nil
}

// toLast gives what n transposes to channels last, nil where it does anything else.
func toLast(v *graph.Value) *graph.Value {
	if v == nil || v.Producer() == nil || !v.Producer().Is("Transpose") {
		return nil
	}
	t, err := op.TransposeOf(v.Producer())
	if err != nil || t.X == nil || t.Perm == nil || !slices.Equal(t.Perm, []int64(lastOf(len(t.Perm)))) {
		return nil
	}
	if len(t.X.Type.Shape) != len(t.Perm) {
		return nil
	}
	return t.X
}

// sink moves the Transposes in front of n behind it.
func sink(c *passes.Context, n *graph.Node) (bool, error) {
	y := n.Output(0)
	if y == nil || n.NumOutputs() != 1 || n.Is("Transpose") {
		return false, nil
	}
	rank := len(y.Type.Shape)
	perm := lastOf(rank)
	if perm == nil {
		return false, nil
	}
	f := first(n, perm)
	if f == nil {
		return false, nil
	}
	g, name := n.Graph(), n.Name
	m := c.Insert(n, n, "", f.op, f.attrs, f.inputs(c, n), g.FreshName(y.Name()+"_first"))
	m.Doc, m.Metadata = n.Doc, n.Metadata.Clone()
	m.Output(0).Type = graph.TensorOf(y.Type.Elem, firstShape(y.Type.Shape))
	back, err := c.Replace(n, graph.Op{Type: "Transpose"}, graph.Attrs{{Name: "perm", Value: perm}}, m.Output(0))
	if err != nil {
		return false, err
	}
	if name != "" {
		back.Name = c.NodeName(g, name+"_last")
		m.Name = name
	}
	return true, nil
}

// firstShape is a channels-last shape as [N, C, ...].
func firstShape(shape graph.Shape) graph.Shape {
	last := len(shape) - 1
	return append(graph.Shape{shape[0], shape[last]}, shape[1:last]...)
}
