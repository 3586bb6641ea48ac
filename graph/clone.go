package graph

import "slices"

// Clone is a deep copy that shares only what is immutable: tensors, wire bytes
// of fields not modelled, and the source. Uses keep their order.
func (m *Model) Clone() *Model {
	c := *m
	c.Opsets = slices.Clone(m.Opsets)
	c.Metadata = m.Metadata.Clone()
	gs := newCloner()
	c.Graph = gs.graph(m.Graph, nil)
	gs.uses()
	c.Functions = nil
	for _, f := range m.Functions {
		c.Functions = append(c.Functions, f.clone())
	}
	return &c
}

func (f *Function) clone() *Function {
	h := *f
	h.Attrs = slices.Clone(f.Attrs)
	h.Opsets = slices.Clone(f.Opsets)
	h.Metadata = f.Metadata.Clone()
	c := newCloner()
	h.Body = c.graph(f.Body, nil)
	h.Defaults = c.attrs(f.Defaults, h.Body)
	c.uses()
	return &h
}

// Argument is the value of f's attribute called name at the node call, nil when
// there is none.
func (f *Function) Argument(call *Node, name string) Attr {
	if value, ok := call.Attrs.Lookup(name); ok {
		return value
	}
	value, _ := f.Defaults.Lookup(name)
	return value
}

// Instantiate is a copy of f's body in which attributes that refer to f's have the
// values of the node call, or are left out.
func (f *Function) Instantiate(call *Node) *Graph {
	c := newCloner()
	body := c.graph(f.Body, nil)
	c.uses()
	walkGraphs(body, func(g *Graph) bool {
		for _, n := range g.nodes {
			for _, a := range slices.Clone(n.Attrs) {
				ref, ok := a.Value.(Ref)
				if !ok {
					continue
				}
				if v := f.Argument(call, ref.Name); v != nil {
					n.Attrs.Set(a.Name, v)
				} else {
					n.Attrs.Delete(a.Name)
				}
			}
		}
		return true
	})
	return body
}

// cloner maps the values and nodes of a graph and its subgraphs to their copies.
type cloner struct {
	values map[*Value]*Value
	nodes  map[*Node]*Node
}

func newCloner() *cloner {
	return &cloner{map[*Value]*Value{}, map[*Node]*Node{}}
}

// graph copies g, all but the uses of its values, under the new outer graph.
func (c *cloner) graph(g, outer *Graph) *Graph {
	if g == nil {
		return nil
	}
	h := New(g.Name, outer)
	h.Doc, h.Metadata, h.Unknown = g.Doc, g.Metadata.Clone(), g.Unknown
	for _, v := range g.byName { // before any subgraph that may capture one
		c.value(v, h)
	}
	h.inputs, h.inits = c.list(g.inputs, h), c.list(g.inits, h)
	h.outputs, h.infos = c.list(g.outputs, h), c.list(g.infos, h)
	for _, n := range g.nodes {
		h.nodes = append(h.nodes, c.node(n, h))
	}
	return h
}

// uses gives the copied values their uses, in the order of the originals, which
// rewrites follow.
func (c *cloner) uses() {
	for old, v := range c.values {
		for _, u := range old.uses {
			if n := c.nodes[u.Node]; n != nil {
				v.addUse(n, u.Index)
			}
		}
	}
}

// value is the copy of v, made in h when there is none yet.
func (c *cloner) value(v *Value, h *Graph) *Value {
	if v == nil || c.values[v] != nil {
		return c.values[v]
	}
	w := *v
	w.Type, w.Metadata = v.Type.clone(), v.Metadata.Clone()
	w.graph, w.def, w.uses = h, nil, nil
	c.values[v] = &w
	h.byName[w.name] = &w
	return &w
}

func (c *cloner) list(vs []*Value, h *Graph) (list []*Value) {
	for _, v := range vs {
		list = append(list, c.value(v, h))
	}
	return list
}

func (c *cloner) node(n *Node, h *Graph) *Node {
	m := *n
	c.nodes[n] = &m
	m.graph, m.Metadata = h, n.Metadata.Clone()
	m.inputs, m.outputs = c.list(n.inputs, h), c.list(n.outputs, h)
	for _, w := range m.outputs {
		if w != nil {
			w.def = &m
		}
	}
	m.Attrs = c.attrs(n.Attrs, h)
	return &m
}

// attrs copies attributes; subgraphs come under the graph outer.
func (c *cloner) attrs(as Attrs, outer *Graph) Attrs {
	bs := slices.Clone(as)
	for i := range bs {
		switch x := bs[i].Value.(type) {
		case *Graph:
			bs[i].Value = c.graph(x, outer)
		case Graphs:
			gs := make(Graphs, len(x))
			for j, g := range x {
				gs[j] = c.graph(g, outer)
			}
			bs[i].Value = gs
		case Type:
			bs[i].Value = x.clone()
		case Types:
			ts := make(Types, len(x))
			for j, t := range x {
				ts[j] = t.clone()
			}
			bs[i].Value = ts
		default:
			bs[i].Value = cloneList(x)
		}
	}
	return bs
}

// cloneList copies the attributes that are slices of immutable elements.
func cloneList(a Attr) Attr {
	switch x := a.(type) {
	case Ints:
		return slices.Clone(x)
	case Floats:
		return slices.Clone(x)
	case Strings:
		return slices.Clone(x)
	case Tensors:
		return slices.Clone(x)
	case SparseTensors:
		return slices.Clone(x)
	}
	return a
}

func (t Type) clone() Type {
	t.Shape = slices.Clone(t.Shape)
	if t.Of != nil {
		of := t.Of.clone()
		t.Of = &of
	}
	return t
}
