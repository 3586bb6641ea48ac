package graph

import (
	"fmt"
	"strings"
)

// Sort brings the nodes into evaluation order. It is local: a producer that
// stands too late moves to just before its first consumer and nothing else
// moves, so that dumps before and after a pass stay alike. It names the nodes
// of a cycle.
func (g *Graph) Sort() error {
	const (
		unseen = iota
		open
		done
	)
	state := make(map[*Node]int, g.nodes.len())
	order := make([]*Node, 0, g.nodes.len())
	var path []*Node
	var visit func(n *Node) error
	visit = func(n *Node) error {
		switch state[n] {
		case done:
			return nil
		case open:
			return cycleError(append(path, n))
		}
		state[n] = open
		path = append(path, n)
		for _, v := range g.needs(n) {
			if err := visit(v); err != nil {
				return err
			}
		}
		path = path[:len(path)-1]
		state[n] = done
		order = append(order, n)
		return nil
	}
	for _, n := range g.nodes.all() {
		if err := visit(n); err != nil {
			return err
		}
	}
	g.nodes = sequence[*Node]{items: order}
	for _, n := range order {
		for _, sub := range n.Subgraphs() {
			if err := sub.Sort(); err != nil {
				return err
			}
		}
	}
	return nil
}

// needs is the nodes of g that must run before n, for its inputs and those of
// the nodes in its subgraphs, in order and possibly repeated.
func (g *Graph) needs(n *Node) []*Node {
	var list []*Node
	for _, v := range n.inputs {
		if v != nil && v.def != nil && v.graph == g {
			list = append(list, v.def)
		}
	}
	for _, sub := range n.Subgraphs() {
		for _, m := range sub.nodes.all() {
			list = append(list, g.needs(m)...)
		}
		for _, v := range sub.outputs {
			if v.def != nil && v.graph == g {
				list = append(list, v.def)
			}
		}
	}
	return list
}

func cycleError(path []*Node) error {
	last := path[len(path)-1]
	var names []string
	for i, n := range path {
		if n == last {
			for _, m := range path[i:] {
				names = append(names, m.Label())
			}
			break
		}
	}
	return fmt.Errorf("nodes form a cycle: %s", strings.Join(names, " -> "))
}
