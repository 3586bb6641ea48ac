package inlinefunctions

import (
	"fmt"

	"spikingir/graph"
)

// maxNodes bounds how much a model can grow. Functions that call others several
// times, level by level, make exponentially many nodes of a few lines, and so do
// graphs that are handed down and read twice.
const maxNodes = 1 << 16

func tooLarge(n *graph.Node) error {
	return fmt.Errorf("node %q (%v): the functions' bodies make the model grow by more than %d"+
		" nodes, want fewer calls inside of functions", n.OriginLabel(), n.Op(), maxNodes)
}

// checkGrowth counts the nodes that the calls become, all but what graphs that
// calls give as attributes add; no function calls itself.
func (in *inliner) checkGrowth() error {
	sizes := map[*graph.Function]int{}
	var size func(n *graph.Node) int
	size = func(n *graph.Node) int {
		f := in.callee(n)
		if f == nil {
			return 0
		}
		if s, known := sizes[f]; known {
			return s
		}
		s := 0
		for _, k := range nodesOf(f) {
			s = min(s+1+size(k), maxNodes+1)
		}
		sizes[f] = s
		return s
	}
	total := 0
	for _, n := range nodesUnder(in.m.Graph) {
		if total += size(n); total > maxNodes {
			return tooLarge(n)
		}
	}
	return nil
}
