package inlinefunctions

import (
	"strconv"

	"spikingir/graph"
)

// names is the names taken anywhere in the main graph and its subgraphs.
type names struct{ values, nodes map[string]bool }

func takenNames(g *graph.Graph) *names {
	ns := &names{values: map[string]bool{}, nodes: map[string]bool{}}
	ns.take(g)
	return ns
}

func (ns *names) take(g *graph.Graph) {
	for _, v := range append(g.Inputs(), g.Initializers()...) {
		ns.values[v.Name()] = true
	}
	for n := range g.Nodes() {
		ns.nodes[n.Name] = true
		for _, v := range n.Outputs() {
			if v != nil {
				ns.values[v.Name()] = true
			}
		}
		for _, sub := range n.Subgraphs() {
			ns.take(sub)
		}
	}
}

func (ns *names) freshValue(base string) string { return fresh(ns.values, base) }

func (ns *names) freshNode(base string) string { return fresh(ns.nodes, base) }

// fresh is base, or base with the smallest number behind it, unlike every name
// taken, and takes it.
func fresh(taken map[string]bool, base string) string {
	name := base
	for i := 1; taken[name]; i++ {
		name = base + "_" + strconv.Itoa(i)
	}
	taken[name] = true
	return name
}
