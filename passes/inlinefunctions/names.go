package inlinefunctions

import (
	"strconv"

	"spikingir/graph"
)

// names is the names taken anywhere in the main graph and its subgraphs.
type names struct{ values, nodes map[string]bool }

func takenNames(g *graph.Graph) *names {
	ns := &names{values: map[string]bool{}, nodes: map[string]bool{}}
	for h := range (&graph.Model{Graph: g}).Graphs() {
		for _, v := range h.Values() {
			ns.values[v.Name()] = true
		}
		for n := range h.Nodes() {
			ns.nodes[n.Name] = true
		}
	}
	return ns
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
