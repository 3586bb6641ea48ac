package foldconstants

import (
	"fmt"

	"spikingir/graph"
	"spikingir/passes"
)

// settle replaces the only output of n by a constant and removes n.
func settle(c *passes.Context, n *graph.Node, t *graph.Tensor, sparse *graph.SparseTensor) error {
	v, err := initializer(n.Graph(), n.Output(0), t, sparse)
	if err != nil {
		return err
	}
	return retire(c, n, []*graph.Value{v})
}

func settleAll(c *passes.Context, n *graph.Node, results []*graph.Tensor) error {
	values := make([]*graph.Value, n.NumOutputs())
	for i, old := range n.Outputs() {
		if old == nil {
			continue
		}
		if i >= len(results) || results[i] == nil {
			return fmt.Errorf("node %q: output %q was not computed", n.OriginLabel(), old.Name())
		}
		v, err := initializer(n.Graph(), old, results[i], nil)
		if err != nil {
			return err
		}
		values[i] = v
	}
	return retire(c, n, values)
}

// initializer makes the constant that takes old's place. Its type is its own.
func initializer(g *graph.Graph, old *graph.Value, t *graph.Tensor,
	sparse *graph.SparseTensor) (*graph.Value, error) {
	name := g.FreshName(old.Name() + "_const")
	if t != nil {
		return g.AddInitializer(name, t), nil
	}
	v, err := g.NewValue(name)
	if err != nil {
		return nil, err
	}
	v.Type = old.Type
	g.SetInitializer(v, nil, sparse)
	return v, nil
}

// retire hands the outputs of n over to the constants and removes n. A graph
// output comes from an Identity; nodes read the constant behind it.
func retire(c *passes.Context, n *graph.Node, values []*graph.Value) error {
	g := n.Graph()
	var copies []*graph.Node
	for i, old := range n.Outputs() {
		if old == nil || !old.IsOutput() {
			continue
		}
		for _, u := range old.Uses() {
			u.Node.SetInput(u.Index, values[i])
		}
		id := c.Insert(n, n, "", graph.Op{Type: "Identity"}, nil, values[i:i+1],
			g.FreshName(old.Name()+"_copy"))
		copies = append(copies, id)
		values[i] = id.Output(0)
	}
	if err := c.SupersedeAll(n, values); err != nil {
		return err
	}
	if len(copies) == 1 {
		copies[0].Name = n.Name
	}
	return nil
}
