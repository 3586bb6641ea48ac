// Package foldif holds the pass fold-if, which puts the branch that is always taken
// in the place of an If.
package foldif

import (
	"slices"
	"strconv"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/graph/op"
	"spikingir/passes"
)

// name is the pass's, for provenance.
const name = "fold-if"

// Pass replaces an If by the branch that its condition takes.
//
// Before: y = If(c) {then: nodes that give t} {else: nodes that give e}, c constant.
// After: the nodes of one branch, under their names where these are free, and y = t
// or e.
// Conditions: c is a constant, given as such or found by fold-constants; an If whose
// condition depends on the image stays. An If in a branch that is taken is folded too.
// Algebra: y = t where c is true, else y = e.
//
// An output of the branch that repeats another one, or is a value from outside of it,
// comes from an Identity: two public names must not merge.
var Pass = &passes.Pass{
	Name: name,
	Doc: "put the branch that is always taken in the place of an If\n\n" +
		"Exporters leave an If where the code of a network asked for a setting, or for\n" +
		"a size that is known now.",
	Drops: passes.NoConstants | passes.NoIdentity,
	Run:   run,
}

func run(c *passes.Context) (changed bool, err error) {
	typed := passes.Typed.Check(c.Model) == nil
	f := &folding{c: c}
	pending := slices.Collect(c.Model.Graph.Nodes())
	for len(pending) > 0 {
		n := pending[0]
		pending = pending[1:]
		body, err := taken(n)
		if err != nil {
			return changed, err
		}
		if body == nil {
			continue
		}
		nodes, err := f.fold(n, body)
		if err != nil {
			return changed, err
		}
		changed = true
		pending = append(pending, nodes...)
	}
	if changed && typed { // symbols of a subgraph's types were lost on the way
		return true, infer.Model(c.Model)
	}
	return changed, nil
}

// taken is the branch of n that runs, nil where n is no If or that is not known.
func taken(n *graph.Node) (*graph.Graph, error) {
	if !n.Is("If") {
		return nil, nil
	}
	t := op.Constant(n.Input(0))
	if t == nil {
		return nil, nil
	}
	condition, err := t.Int64s()
	if err != nil || t.DType != graph.Bool || len(condition) != 1 {
		return nil, op.Errorf(n, "its condition is %v%v, want one bool", t.DType, t.Dims)
	}
	branch := "then_branch"
	if condition[0] == 0 {
		branch = "else_branch"
	}
	a, _ := n.Attrs.Lookup(branch)
	body, ok := a.(*graph.Graph)
	switch {
	case !ok:
		return nil, op.Errorf(n, "attribute %q is missing or no graph, want a graph", branch)
	case len(body.Inputs()) > 0 || len(body.Outputs()) < n.NumOutputs():
		return nil, op.Errorf(n, "%s has %d inputs and %d outputs, want none and as many as the node, %d", branch,
			len(body.Inputs()), len(body.Outputs()), n.NumOutputs())
	}
	return body, nil
}

// folding is one run.
type folding struct {
	c      *passes.Context
	values map[string]int // how many values of the graph and its subgraphs have a name
	nodes  *graph.NodeNames
}

// names counts the names of g, once there is something to fold.
func (f *folding) names(g *graph.Graph) {
	if f.values != nil {
		return
	}
	f.values, f.nodes = map[string]int{}, g.NodeNames()
	f.count(g, 1)
}

func (f *folding) count(g *graph.Graph, by int) {
	for h := range (&graph.Model{Graph: g}).Graphs() {
		for _, v := range h.Values() {
			f.values[v.Name()] += by
		}
	}
}

// fresh is the name itself where nothing else has it, and takes it.
func (f *folding) fresh(base string) string {
	name := base
	for i := 1; f.values[name] > 0; i++ {
		name = base + "_" + strconv.Itoa(i)
	}
	f.values[name]++
	return name
}

// fold puts body in the place of n and gives its nodes.
func (f *folding) fold(n *graph.Node, body *graph.Graph) ([]*graph.Node, error) {
	g := n.Graph()
	f.names(g)
	for _, branch := range n.Subgraphs() { // which goes, and leaves its names
		f.count(branch, -1)
	}
	nodes, outs := g.Splice(n, body, graph.Splice{Name: f.fresh})
	originals := slices.Collect(body.Nodes())
	for i, k := range nodes {
		k.From = graph.Origin{Node: originals[i].OriginLabel(), Pass: name}
		k.Region = n.Region
		if k.Name != "" {
			k.Name = f.nodes.Fresh(k.Name)
		}
	}
	outs = outs[:n.NumOutputs()]
	for i, v := range outs {
		switch {
		case n.Output(i) == nil:
			outs[i] = nil
		case !slices.Contains(nodes, v.Producer()) || slices.Contains(outs[:i], v):
			id := f.c.Insert(n, n, "", graph.Op{Type: "Identity"}, nil, []*graph.Value{v}, f.fresh(n.Output(i).Name()+"_copy"))
			if n.Name != "" {
				id.Name = f.nodes.Fresh(n.Name)
			}
			outs[i] = id.Output(0)
		}
	}
	return nodes, f.c.SupersedeAll(n, outs)
}
