package exec

import (
	"cmp"
	"slices"

	"spikingir/graph"
)

// group is a layer before it is bound: its sinks and the linear nodes that
// lead to them, each in evaluation order. Sinks that share a linear node at
// the same depth share a group.
type group struct {
	sinks, cone []*graph.Node
	keep        map[*graph.Value]bool // outputs of cone nodes that later layers read
}

// grouper partitions the timed nodes of a graph into groups.
type grouper struct {
	t      *timing
	place  map[*graph.Node]int
	first  map[*graph.Node]int // of a linear node: the lowest depth of a sink that needs it
	leader map[*graph.Node]*graph.Node
}

// groups gives the layers of a graph, those of lower depth first.
func groups(g *graph.Graph, t *timing) []*group {
	r := &grouper{t, map[*graph.Node]int{}, map[*graph.Node]int{}, map[*graph.Node]*graph.Node{}}
	var sinks []*graph.Node
	if t.sums() {
		return nil
	}
	for n := range g.Nodes() {
		r.place[n] = len(r.place)
		if sink(n) && t.ownSteps(n) {
			sinks = append(sinks, n)
		}
	}
	slices.SortStableFunc(sinks, func(a, b *graph.Node) int {
		return cmp.Compare(r.depth(a), r.depth(b))
	})
	cones := map[*graph.Node][]*graph.Node{}
	for _, s := range sinks {
		r.leader[s] = s
		r.collect(s, s, cones)
	}
	return r.assemble(sinks, cones)
}

func (r *grouper) depth(s *graph.Node) int {
	if out := present(s.Outputs()); len(out) > 0 {
		return r.t.depth[out[0]]
	}
	return 0
}

// collect adds the linear nodes before n to the cone of s. It stops at spikes,
// encoded inputs, analog values and at nodes of an earlier layer. A node
// shared with another sink of the same depth joins the two.
func (r *grouper) collect(s, n *graph.Node, cones map[*graph.Node][]*graph.Node) {
	for _, v := range present(n.Inputs()) {
		if !r.t.timed[v] {
			continue
		}
		p := v.Producer()
		if sink(p) || p.IsSpiking("Encode") {
			continue
		}
		owner, seen := r.leader[p]
		switch {
		case !seen:
			r.leader[p] = s
			r.first[p] = r.depth(s)
			r.collect(s, p, cones)
			cones[s] = append(cones[s], p)
		case r.first[p] == r.depth(s):
			r.join(s, owner)
		}
	}
}

func (r *grouper) root(n *graph.Node) *graph.Node {
	for r.leader[n] != n {
		n = r.leader[n]
	}
	return n
}

func (r *grouper) join(a, b *graph.Node) {
	a, b = r.root(a), r.root(b)
	if r.place[a] > r.place[b] {
		a, b = b, a
	}
	r.leader[b] = a
}

func (r *grouper) assemble(sinks []*graph.Node, cones map[*graph.Node][]*graph.Node) []*group {
	byRoot := map[*graph.Node]*group{}
	var list []*group
	member := map[*graph.Node]*group{}
	for _, s := range sinks {
		root := r.root(s)
		g := byRoot[root]
		if g == nil {
			g = &group{keep: map[*graph.Value]bool{}}
			byRoot[root] = g
			list = append(list, g)
		}
		g.sinks = append(g.sinks, s)
		g.cone = append(g.cone, cones[s]...)
		member[s] = g
		for _, n := range cones[s] {
			member[n] = g
		}
	}
	for _, g := range list {
		slices.SortFunc(g.cone, func(a, b *graph.Node) int {
			return cmp.Compare(r.place[a], r.place[b])
		})
		for _, n := range g.cone {
			for _, v := range present(n.Outputs()) {
				if outlives(v, g, member) {
					g.keep[v] = true
				}
			}
		}
	}
	return list
}

// outlives reports whether something outside of g reads v.
func outlives(v *graph.Value, g *group, member map[*graph.Node]*group) bool {
	return v.IsOutput() || slices.ContainsFunc(v.Uses(), func(u graph.Use) bool {
		h := member[u.Node]
		return h != nil && h != g
	})
}
