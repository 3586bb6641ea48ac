// Package infershapes holds the pass infer-shapes, which gives every value its
// type.
package infershapes

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/graph/op"
	"spikingir/passes"
)

// Pass infers element type and shape of every value and declares them.
//
// Before: a graph whose inputs, initializers and outputs have types.
// After: each value between nodes has its type, with symbolic dimensions such as
// 2*H+1, and a value_info entry in the file.
// An input without a shape, which convolutions read, gets [N, C, ...] of their
// weights, with a note; sizes of 0 that an image is declared with are open.
// Conditions: declared types stay; one that contradicts the inferred type is an
// error that names the node, but for a number where sizes of the inputs are open: it is of
// another export and dropped, with a note. Sizes of inputs without a name get one. Operators that nobody knows are refused unless the
// model declares the type of their results, and so is what has no known rank.
// Algebra: none; no node changes.
var Pass = &passes.Pass{
	Name: "infer-shapes",
	Doc: "infer the type of every value\n\n" +
		"Element types and shapes, symbolic in the sizes the model leaves open, are\n" +
		"inferred for every value between nodes and declared in the file.",
	Gives: passes.Typed,
	Run:   run,
}

func run(c *passes.Context) (changed bool, err error) {
	if err := passes.CheckOpset(c.Model); err != nil {
		return false, err
	}
	g := c.Model.Graph
	before := types(g)
	open := unshaped(g)
	noteEmpty(c)
	changed = infer.NameSizes(g)
	changed = dropStale(c) || changed
	if err := infer.Model(c.Model); err != nil {
		return false, err
	}
	if refuseUntyped(c); c.Refused() > 0 {
		return false, nil
	}
	for _, v := range open {
		changed = true
		c.Notef(nil, "the input %q has no shape and is taken as %v, as the weights of %q want", v.Name(), v.Type,
			v.Uses()[0].Node.OriginLabel())
	}
	declared := map[*graph.Value]bool{}
	for _, v := range g.Declared() {
		declared[v] = true
	}
	for n := range g.Nodes() {
		for _, v := range n.Outputs() {
			if v == nil {
				continue
			}
			if !v.Type.Equal(before[v]) {
				changed = true
			}
			if declared[v] || v.IsOutput() || v.Type.Kind == graph.NoType {
				continue
			}
			g.Declare(v)
			changed = true
		}
	}
	return changed, nil
}

// noteEmpty tells of inputs whose sizes of 0 are taken as open.
func noteEmpty(c *passes.Context) {
	for _, v := range c.Model.Graph.Inputs() {
		if infer.Empty(v) {
			c.Notef(nil, "the input %q is declared %v; sizes of 0 are taken as open", v.Name(), v.Type)
		}
	}
}

// refuseUntyped refuses, all at once, the nodes that leave a value without a type: those of
// operators that nobody knows, and others whose inputs have one. What lies behind them
// only lacks it in turn.
func refuseUntyped(c *passes.Context) {
	g := c.Model.Graph
	for _, v := range unshaped(g) {
		c.Refuse(v.Uses()[0].Node, "it reads the input %q, which the model gives no shape; want one such as "+
			"float[N,C,H,W]: export the model again from an example input", v.Name())
	}
	functions := c.Model.FunctionIndex()
	for n := range g.Nodes() {
		i := slices.IndexFunc(n.Outputs(), func(v *graph.Value) bool {
			return v != nil && !typed(v) && (v.NumUses() > 0 || v.IsOutput())
		})
		switch {
		case i < 0:
			continue
		case op.Lookup(n.Op()) == nil && functions.Of(n) == nil:
			c.Refuse(n, "the operator is not known, and the model declares no type for its result %q%s", n.Output(i).Name(), wayOut(n.Op()))
			continue
		case slices.ContainsFunc(n.Inputs(), func(v *graph.Value) bool { return v != nil && !typed(v) }):
			continue
		}
		c.Refuse(n, "the rank of its result %q is not known before the model runs; want one that its inputs tell, "+
			"or a shape that the model declares for it", n.Output(i).Name())
	}
}

// wayOut tells who made an operator of a domain that is not ONNX's, and what to do, where that is known.
func wayOut(o graph.Op) string {
	switch o.Domain {
	case "com.microsoft", "com.microsoft.nchwc", "com.ms.internal.nhwc":
		return ": ONNX Runtime's optimiser made it; take the model as it was exported"
	case "org.pytorch.aten":
		return ": PyTorch's exporter left it as it was; export the model again with operator_export_type=ONNX"
	}
	return ""
}

// unshaped is the inputs without a shape that something reads.
func unshaped(g *graph.Graph) []*graph.Value {
	return slices.DeleteFunc(g.Inputs(), func(v *graph.Value) bool { return typed(v) || v.NumUses() == 0 })
}

// typed reports whether the type of v is known: of a tensor its rank, too, of a sequence that
// it is one.
func typed(v *graph.Value) bool {
	return v.Type.Kind != graph.NoType && (v.Type.Kind != graph.TensorType || v.Type.Shape != nil)
}

// types is the type of every value that a node makes.
func types(g *graph.Graph) map[*graph.Value]graph.Type {
	m := map[*graph.Value]graph.Type{}
	for _, v := range g.Values() {
		m[v] = v.Type
	}
	return m
}
