// Package deadnode holds the pass dead-node, which removes what no output of
// the model depends on.
package deadnode

import (
	"spikingir/graph"
	"spikingir/passes"
)

// Pass removes nodes none of whose outputs leads to a graph output, and
// initializers without a use.
//
// Before: a graph with nodes or initializers that no output depends on.
// After: the same graph without them.
// Conditions: a value that a subgraph of a living node reads is alive.
// Initializers that are graph inputs at the same time are the model's public
// interface and stay, as do subgraphs and functions.
// Algebra: none; every output is computed from the same nodes as before.
var Pass = &passes.Pass{
	Name: "dead-node",
	Doc: "remove nodes and initializers that no output depends on\n\n" +
		"Nodes are removed when no path leads from them to a graph output;\n" +
		"initializers when nothing uses them and they are no graph inputs.",
	Run: run,
}

func run(c *passes.Context) (changed bool, err error) {
	g := c.Model.Graph
	alive := living(g)
	var dead []*graph.Node
	for n := range g.Nodes() {
		if !alive[n] {
			dead = append(dead, n)
		}
	}
	if err := g.Remove(dead...); err != nil {
		return false, err
	}
	changed = len(dead) > 0
	for _, v := range g.Initializers() {
		if v.NumUses() > 0 || v.IsInput() || v.IsOutput() {
			continue
		}
		if err := g.RemoveInitializer(v); err != nil {
			return false, err
		}
		changed = true
	}
	return changed, nil
}

func living(g *graph.Graph) map[*graph.Node]bool {
	alive := map[*graph.Node]bool{}
	var reach func(v *graph.Value)
	reach = func(v *graph.Value) {
		if v == nil || v.Producer() == nil || v.Graph() != g || alive[v.Producer()] {
			return
		}
		alive[v.Producer()] = true
		for n := range v.Producer().Within() {
			for _, w := range n.Inputs() {
				reach(w)
			}
		}
	}
	for _, v := range g.Outputs() {
		reach(v)
	}
	return alive
}
