package infer

import (
	"slices"

	"spikingir/graph"
)

// Forget drops the type of every value that a node of the main graph or a
// subgraph computes, outputs of the main graph excepted, so that [Model] finds
// them afresh after an edit that changes shapes.
func Forget(m *graph.Model) {
	forget(m.Graph, true)
}

// forget is Forget for one graph and those in its nodes.
func forget(g *graph.Graph, keepOutputs bool) {
	outputs := g.Outputs()
	for n := range g.Nodes() {
		for _, v := range n.Outputs() {
			if v != nil && !(keepOutputs && slices.Contains(outputs, v)) {
				v.Type = graph.Type{}
			}
		}
		for _, sub := range n.Subgraphs() {
			forget(sub, false)
		}
	}
}
