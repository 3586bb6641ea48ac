// Package foldidentity holds the pass fold-identity, which removes operators
// that copy their input.
package foldidentity

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

// Pass hands the uses of a copying operator's output over to its input.
//
// Before: y = F(x), where F copies: Identity; Dropout outside training; Cast to
// the type x has; Transpose that keeps the order; Reshape to the shape x has;
// Concat of one tensor; Pad by nothing.
// After: every use of y reads x; a graph output y keeps its name.
// Conditions: the copy is certain from constants and known types. A copy that
// joins two public names (y a graph output; x a graph input, an initializer or
// another output) stays, as does one whose other outputs are in use.
// Algebra: y = x.
var Pass = &passes.Pass{
	Name: "fold-identity",
	Doc: "remove operators that copy their input\n\n" +
		"Identity, Dropout outside training, and Cast, Transpose, Reshape, Concat\n" +
		"and Pad where they change nothing. A copy between two names of the model's\n" +
		"interface stays.",
	Gives: passes.NoIdentity,
	Run:   run,
}

func run(c *passes.Context) (changed bool, err error) {
	g := c.Model.Graph
	return c.Each(func(n *graph.Node) (bool, error) {
		is := copies[n.Op()]
		if is == nil || n.Input(0) == nil || n.Output(0) == nil || otherOutputs(n) {
			return false, nil
		}
		same, err := is(n, c.Model.Opset(""))
		if err != nil || !same || joinsPublic(n.Input(0), n.Output(0)) {
			return false, err
		}
		if err := g.ReplaceUses(n.Output(0), n.Input(0)); err != nil {
			return true, err
		}
		return true, g.Remove(n)
	})
}

// joinsPublic reports whether removing y = x would merge two public names.
func joinsPublic(x, y *graph.Value) bool {
	return y.IsOutput() && (x.IsInput() || x.IsInitializer() || x.IsOutput())
}

// otherOutputs reports whether an output beside the first is needed.
func otherOutputs(n *graph.Node) bool {
	return slices.ContainsFunc(n.Outputs()[1:], func(v *graph.Value) bool {
		return v != nil && (v.NumUses() > 0 || v.IsOutput())
	})
}

// copies says for each operator whether a node certainly copies its input 0.
var copies = map[graph.Op]func(n *graph.Node, opset int64) (bool, error){
	{Type: "Identity"}:  always,
	{Type: "Dropout"}:   dropout,
	{Type: "Cast"}:      cast,
	{Type: "Transpose"}: transpose,
	{Type: "Reshape"}:   reshape,
	{Type: "Concat"}:    concat,
	{Type: "Pad"}:       pad,
}

func always(*graph.Node, int64) (bool, error) { return true, nil }

func dropout(n *graph.Node, opset int64) (bool, error) {
	d, err := op.DropoutOf(n, opset)
	return err == nil && d.Training.Known && !d.Training.Value, err
}

func cast(n *graph.Node, _ int64) (bool, error) {
	c, err := op.CastOf(n)
	return err == nil && c.X.Type.Kind == graph.TensorType && c.X.Type.Elem == c.To, err
}

func transpose(n *graph.Node, _ int64) (bool, error) {
	t, err := op.TransposeOf(n)
	if err != nil || t.Perm == nil {
		return false, err
	}
	for i, p := range t.Perm {
		if p != int64(i) {
			return false, nil
		}
	}
	return true, nil
}

// reshape compares the requested shape with x's: a 0 copies a dimension, a
// number must be x's, and one -1 is left to stand for what remains.
func reshape(n *graph.Node, _ int64) (bool, error) {
	r, err := op.ReshapeOf(n)
	if err != nil || !r.Shape.Known {
		return false, err
	}
	have, want := r.X.Type.Shape, r.Shape.Value
	if r.X.Type.Kind != graph.TensorType || have == nil || len(have) != len(want) {
		return false, nil
	}
	open := 0
	for i, w := range want {
		size, known := have[i].Size()
		switch {
		case w == 0 && !r.AllowZero, known && size == w:
		case w == -1:
			open++
		default:
			return false, nil
		}
	}
	return open <= 1, nil
}

func concat(n *graph.Node, _ int64) (bool, error) {
	return n.NumInputs() == 1, nil
}

func pad(n *graph.Node, opset int64) (bool, error) {
	p, err := op.PadOf(n, opset)
	if err != nil || !p.Pads.Known {
		return false, err
	}
	return !slices.ContainsFunc(p.Pads.Value, func(k int64) bool { return k != 0 }), nil
}
