// Package foldif holds the pass fold-if, which puts the branch that is always taken
// in the place of an If.
package foldif

import (
	"slices"

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
		nodes, err := fold(c, n, body)
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

// fold puts body in the place of n and gives its nodes.
func fold(c *passes.Context, n *graph.Node, body *graph.Graph) ([]*graph.Node, error) {
	g := n.Graph()
	var renamed [][2]string
	nodes, outs := g.Splice(n, body, graph.Splice{Name: func(original string) string {
		fresh := g.FreshName(original)
		renamed = append(renamed, [2]string{fresh, original})
		return fresh
	}})
	c.Model.IRVersion = max(c.Model.IRVersion, graph.MetadataIR)
	originals := slices.Collect(body.Nodes())
	for i, k := range nodes {
		k.From = graph.Origin{Node: originals[i].OriginLabel(), Pass: name}
		k.Region = n.Region
		if k.Name != "" {
			own := k.Name
			k.Name = ""
			k.Name = g.FreshNodeName(own)
		}
	}
	outs = outs[:n.NumOutputs()]
	for i, v := range outs {
		switch {
		case n.Output(i) == nil:
			outs[i] = nil
		case !slices.Contains(nodes, v.Producer()) || slices.Contains(outs[:i], v):
			id := c.Insert(n, n, "", graph.Op{Type: "Identity"}, nil, []*graph.Value{v}, g.FreshName(n.Output(i).Name()+"_copy"))
			outs[i] = id.Output(0)
		}
	}
	if err := c.SupersedeAll(n, outs); err != nil {
		return nil, err
	}
	for _, r := range renamed {
		v := g.Value(r[0])
		if v == nil || g.FreshName(r[1]) != r[1] {
			continue
		}
		if err := g.Rename(v, r[1]); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}
