package passes

import (
	"slices"

	"spikingir/graph"
)

// Replace puts a new node in the place of old, which it removes. The new node
// takes over old's name, documentation, metadata and region; its outputs take
// over old's one by one, as [Context.Supersede] does.
func (c *Context) Replace(old *graph.Node, op graph.Op, attrs graph.Attrs,
	inputs ...*graph.Value) (*graph.Node, error) {
	n := c.heir(old, old, op, attrs, inputs, old.Outputs())
	err := c.supersede(old.Outputs(), n.Outputs(), old)
	if err != nil {
		return nil, err
	}
	n.Name = old.Name
	return n, nil
}

// ReplaceByClip puts a Clip of x to 0 and high in the place of old, as the model's opset
// writes it: from 11 on its limits are inputs.
func (c *Context) ReplaceByClip(old *graph.Node, x *graph.Value, high float32) (*graph.Node, error) {
	clip := graph.Op{Type: "Clip"}
	if c.Model.Opset("") < 11 {
		return c.Replace(old, clip, graph.Attrs{{Name: "min", Value: graph.Float(0)}, {Name: "max", Value: graph.Float(high)}}, x)
	}
	g := old.Graph()
	low := g.AddInitializer(g.FreshName(old.Label()+".min"), graph.Scalar(0))
	most := g.AddInitializer(g.FreshName(old.Label()+".max"), graph.Scalar(high))
	return c.Replace(old, clip, nil, x, low, most)
}

// Fuse puts one new node in the place of several; the last makes the value that
// the new node's only output takes over. The new node descends from the node
// from, one of them, whose name, documentation and metadata it keeps.
func (c *Context) Fuse(from *graph.Node, op graph.Op, attrs graph.Attrs,
	inputs []*graph.Value, nodes ...*graph.Node) (*graph.Node, error) {
	last := nodes[len(nodes)-1]
	n := c.heir(last, from, op, attrs, inputs, last.Outputs()[:1])
	name := from.Name
	err := c.supersede(last.Outputs()[:1], n.Outputs(), nodes...)
	if err != nil {
		return nil, err
	}
	n.Name = name
	return n, nil
}

// heir inserts a node before mark with an output for each of outs.
func (c *Context) heir(mark, from *graph.Node, op graph.Op, attrs graph.Attrs,
	inputs []*graph.Value, outs []*graph.Value) *graph.Node {
	g := mark.Graph()
	names := make([]string, len(outs))
	for i, v := range outs {
		if v == nil {
			continue
		}
		base := v.Name() + "_new"
		for k := 0; names[i] == "" || slices.Contains(names[:i], names[i]); k++ {
			names[i] = g.FreshName(base)
			base += "_"
		}
	}
	n := c.Insert(mark, from, "", op, attrs, inputs, names...)
	n.Doc, n.Metadata, n.Overload = from.Doc, from.Metadata.Clone(), ""
	return n
}

// Supersede hands everything of the value old to v, an initializer or a node's
// output that computes the same: uses, place among the graph's outputs, name,
// type, documentation and value_info. Then it removes the nodes, old's producer
// among them.
func (c *Context) Supersede(old, v *graph.Value, nodes ...*graph.Node) error {
	return c.supersede([]*graph.Value{old}, []*graph.Value{v}, nodes...)
}

// SupersedeAll is Supersede for every output of n, which it removes. A value nil
// takes over nothing: nothing reads that output.
func (c *Context) SupersedeAll(n *graph.Node, values []*graph.Value) error {
	return c.supersede(n.Outputs(), values, n)
}

func (c *Context) supersede(olds, news []*graph.Value, nodes ...*graph.Node) error {
	type legacy struct {
		name     string
		declared bool
	}
	g := nodes[0].Graph()
	legacies := make([]legacy, len(olds))
	for i, old := range olds {
		if old == nil || news[i] == nil {
			continue
		}
		legacies[i] = legacy{old.Name(), old.IsDeclared()}
		if err := g.ReplaceUses(old, news[i]); err != nil {
			return err
		}
		inherit(news[i], old)
	}
	if err := g.Remove(nodes...); err != nil {
		return err
	}
	for i, l := range legacies {
		v := news[i]
		if l.name == "" {
			continue
		}
		if v.Name() != l.name {
			if err := g.Rename(v, l.name); err != nil {
				return err
			}
		}
		if l.declared && !v.IsInitializer() {
			g.Declare(v)
		}
	}
	return nil
}

// inherit gives v the documentation and, unless v is a constant, which knows
// its own, the type of old.
func inherit(v, old *graph.Value) {
	v.Doc, v.Metadata, v.Unknown = old.Doc, old.Metadata, old.Unknown
	if !v.IsInitializer() && old.Type.Kind != graph.NoType {
		v.Type = old.Type
	}
}

// StandardNodes is the nodes of standard operators in the main graph and its
// subgraphs, in order.
func StandardNodes(m *graph.Model) []*graph.Node {
	var list []*graph.Node
	functions := m.FunctionIndex()
	for top := range m.Graph.Nodes() {
		for n := range top.Within() {
			if n.Op().Domain == "" && functions.Of(n) == nil {
				list = append(list, n)
			}
		}
	}
	return list
}
