package graph

import (
	"fmt"
	"slices"
)

// Rename gives v another name, which must be new in g, the graphs around it and
// its subgraphs.
func (g *Graph) Rename(v *Value, name string) error {
	if v.graph != g {
		return fmt.Errorf("value %q belongs to another graph", v.name)
	}
	if name == "" {
		return fmt.Errorf("cannot rename %q: the new name is empty", v.name)
	}
	if g.taken(name) {
		return fmt.Errorf("cannot rename %q to %q: the name is taken", v.name, name)
	}
	g.release(v.name)
	v.name = name
	g.byName[name] = v
	return nil
}

// ReplaceUses moves every use of old, a value of g, to v, and if old is a graph
// output, v becomes that output under old's name (the two swap names), so that
// public names survive, with their declared type and documentation. It changes
// nothing and fails where v is out of sight of a use, and where two public names
// would merge: old an output, and v or old an input, or v an initializer or an
// output itself. Where v's type is unknown it takes old's.
func (g *Graph) ReplaceUses(old, v *Value) error {
	if old == v {
		return nil
	}
	if err := g.replaceable(old, v); err != nil {
		return err
	}
	if v.Type.Kind == NoType || (v.Type.Shape == nil && v.Type.Kind == old.Type.Kind &&
		v.Type.Elem == old.Type.Elem) {
		v.Type = old.Type.clone()
	}
	for _, u := range old.Uses() {
		u.Node.SetInput(u.Index, v)
	}
	if !old.IsOutput() {
		return nil
	}
	for i, o := range g.outputs {
		if o == old {
			g.SetOutput(i, v)
		}
	}
	old.name, v.name = v.name, old.name
	g.byName[old.name], g.byName[v.name] = old, v
	if old.Type.Shape != nil {
		v.Type = old.Type.clone()
	}
	v.Doc, v.Metadata, v.Unknown = old.Doc, old.Metadata.Clone(), old.Unknown
	return nil
}

// replaceable says why ReplaceUses cannot put v in old's place.
func (g *Graph) replaceable(old, v *Value) error {
	if old.graph != g {
		return fmt.Errorf("value %q, to be replaced, belongs to another graph than %q",
			old.name, g.Name)
	}
	if old.IsOutput() && (v.graph != g || old.IsInput() || v.IsInput() || v.IsInitializer() ||
		v.IsOutput()) {
		return fmt.Errorf("output %q cannot be replaced by %q: both names are public",
			old.name, v.name)
	}
	for _, u := range old.uses.all() {
		if !u.Node.graph.sees(v) {
			return fmt.Errorf("value %q cannot be replaced by %q, which node %q does not see",
				old.name, v.name, u.Node.Label())
		}
	}
	return nil
}

// Remove deletes nodes, all or none: it fails when an output of one is used
// outside of them or is a graph output.
func (g *Graph) Remove(nodes ...*Node) error {
	gone := make(map[*Node]bool, len(nodes))
	for _, n := range nodes {
		gone[n] = true
	}
	for _, n := range nodes {
		if n.graph != g {
			return fmt.Errorf("node %q belongs to another graph", n.Label())
		}
		for _, v := range n.outputs {
			if v == nil {
				continue
			}
			if v.IsOutput() {
				return fmt.Errorf("node %q makes the graph output %q", n.Label(), v.name)
			}
			for _, u := range v.uses.all() {
				if !gone[u.Node] && !inside(u.Node, gone) {
					return fmt.Errorf("node %q is used by node %q", n.Label(), u.Node.Label())
				}
			}
		}
	}
	for _, n := range nodes {
		if n.graph != nil { // nodes may name it twice
			n.detach()
		}
	}
	g.nodes.remove(nodes...)
	return nil
}

func inside(n *Node, nodes map[*Node]bool) bool {
	for o := range nodes {
		for _, sub := range o.Subgraphs() {
			for h := n.graph; h != nil; h = h.outer {
				if h == sub {
					return true
				}
			}
		}
	}
	return false
}

// detach drops the node's uses, subgraphs' included, and its outputs.
func (n *Node) detach() {
	for _, sub := range n.Subgraphs() {
		for _, m := range sub.nodes.all() {
			m.detach()
		}
		n.graph.subs = slices.DeleteFunc(n.graph.subs, func(h *Graph) bool { return h == sub })
	}
	for i, v := range n.inputs {
		if v != nil {
			v.dropUse(n, i)
			n.inputs[i] = nil
		}
	}
	for _, v := range n.outputs {
		if v != nil {
			n.graph.forget(v)
		}
	}
	n.graph = nil
}
