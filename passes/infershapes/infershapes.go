// Package infershapes holds the pass infer-shapes, which gives every value its
// type.
package infershapes

import (
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
// Conditions: declared types stay; one that contradicts the inferred type is an
// error that names the node. Operators that nobody knows are refused unless the
// model declares the type of their results.
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
	before := types(c.Model.Graph)
	if err := infer.Model(c.Model); err != nil {
		return false, err
	}
	if refuseUnknown(c); c.Refused() > 0 {
		return false, nil
	}
	g := c.Model.Graph
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

// refuseUnknown refuses, all at once, the nodes whose operator nobody knows and whose
// results have no declared type either.
func refuseUnknown(c *passes.Context) {
	for n := range c.Model.Graph.Nodes() {
		if op.Lookup(n.Op()) != nil || c.Model.Function(n.Op(), n.Overload) != nil {
			continue
		}
		for _, v := range n.Outputs() {
			if v != nil && v.Type.Kind == graph.NoType {
				c.Refuse(n, "the operator is not known, and the model declares no type for its result %q", v.Name())
				break
			}
		}
	}
}

// types is the type of every value that a node makes.
func types(g *graph.Graph) map[*graph.Value]graph.Type {
	m := map[*graph.Value]graph.Type{}
	for _, v := range g.Values() {
		m[v] = v.Type
	}
	return m
}
