package graph

import "slices"

// Clone is a deep copy that shares only what is immutable: tensors, wire bytes
// of fields not modelled, and the source. Uses keep their order.
func (m *Model) Clone() *Model {
	c := *m
	c.Opsets = slices.Clone(m.Opsets)
	c.Metadata = m.Metadata.Clone()
	if m.Graph != nil {
		c.Graph, _ = m.Graph.clone(nil)
	}
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
	if f.Body != nil {
		h.Body, h.Defaults = f.Body.clone(f.Defaults)
	}
	return &h
}

// clone copies g and attributes whose subgraphs lie in g. Uses keep the order of the
// originals, which rewrites follow.
func (g *Graph) clone(as Attrs) (*Graph, Attrs) {
	p := newSplicer()
	p.nodesOf = map[*Node]*Node{}
	h := p.graph(g, nil)
	bs := p.attrs(as, h)
	for old, v := range p.values {
		for _, u := range old.uses.all() {
			if n := p.nodesOf[u.Node]; n != nil {
				v.addUse(n, u.Index)
			}
		}
	}
	return h, bs
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
	body, _ := f.Body.clone(nil)
	walkGraphs(body, func(g *Graph) bool {
		for _, n := range g.nodes.all() {
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
