package graph

import "slices"

// Clone is a deep copy that shares only tensors, which are immutable, and the
// source.
func (m *Model) Clone() *Model {
	c := *m
	c.Opsets = slices.Clone(m.Opsets)
	c.Metadata = m.Metadata.Clone()
	if m.Graph != nil {
		c.Graph = m.Graph.clone(nil, map[*Value]*Value{})
	}
	c.Functions = nil
	for _, f := range m.Functions {
		h := *f
		h.Attrs = slices.Clone(f.Attrs)
		h.Opsets = slices.Clone(f.Opsets)
		h.Metadata = f.Metadata.Clone()
		h.Defaults = cloneAttrs(f.Defaults, nil, map[*Value]*Value{})
		h.Body = f.Body.clone(nil, map[*Value]*Value{})
		c.Functions = append(c.Functions, &h)
	}
	return &c
}

// clone copies g under the new outer graph; to maps old values to new ones.
func (g *Graph) clone(outer *Graph, to map[*Value]*Value) *Graph {
	c := New(g.Name, outer)
	c.Doc, c.Metadata, c.Unknown = g.Doc, g.Metadata.Clone(), g.Unknown
	copyValue := func(v *Value) *Value {
		if v == nil {
			return nil
		}
		if w := to[v]; w != nil {
			return w
		}
		w := *v
		w.Metadata, w.graph, w.def, w.uses = v.Metadata.Clone(), c, nil, nil
		w.Type = v.Type.clone()
		to[v] = &w
		c.byName[w.name] = &w
		return &w
	}
	each := func(vs []*Value) (list []*Value) {
		for _, v := range vs {
			list = append(list, copyValue(v))
		}
		return list
	}
	c.inputs, c.inits = each(g.inputs), each(g.inits)
	for _, n := range g.nodes {
		each(n.outputs)
	}
	for _, n := range g.nodes {
		m := *n
		m.graph, m.Metadata = c, n.Metadata.Clone()
		m.inputs, m.outputs = nil, each(n.outputs)
		for _, w := range m.outputs {
			if w != nil {
				w.def = &m
			}
		}
		for i, v := range n.inputs {
			w := to[v]
			m.inputs = append(m.inputs, w)
			if w != nil {
				w.addUse(&m, i)
			}
		}
		c.nodes = append(c.nodes, &m)
		m.Attrs = cloneAttrs(n.Attrs, c, to)
	}
	c.outputs, c.infos = each(g.outputs), each(g.infos)
	return c
}

func cloneAttrs(as Attrs, in *Graph, to map[*Value]*Value) Attrs {
	c := slices.Clone(as)
	for i := range c {
		switch x := c[i].Value.(type) {
		case *Graph:
			c[i].Value = x.clone(in, to)
		case Graphs:
			gs := make(Graphs, len(x))
			for j, g := range x {
				gs[j] = g.clone(in, to)
			}
			c[i].Value = gs
		case Ints:
			c[i].Value = slices.Clone(x)
		case Floats:
			c[i].Value = slices.Clone(x)
		case Strings:
			c[i].Value = slices.Clone(x)
		}
	}
	return c
}

func (t Type) clone() Type {
	t.Shape = slices.Clone(t.Shape)
	if t.Of != nil {
		of := t.Of.clone()
		t.Of = &of
	}
	return t
}
