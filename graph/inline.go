package graph

// Splice says how the copy of a function's body differs from the body; see
// [Graph.Splice].
type Splice struct {
	// Inputs stand for the body's inputs, one by one. A nil one, or one past the
	// end, is omitted by every node that would read it.
	Inputs []*Value
	// Attr gives what stands for a reference to the function's attribute; nil
	// leaves the attribute that refers to it out.
	Attr func(Ref) Attr
	// Name makes the name of the copy of a value; it must be new in the graph,
	// those around it and all their subgraphs.
	Name func(original string) string
}

// Splice inserts copies of a body's nodes and initializers before mark, a node
// of g; the body stays. Subgraphs are copied too: what they read of the body
// becomes what stands for it, what they read of graphs around g stays. Symbols
// of the body's types mean nothing outside of it and become unknown dimensions.
//
// It gives the copies of the nodes in order and what stands for the body's
// outputs: a copy, one of s.Inputs, or nil for an omitted input.
func (g *Graph) Splice(mark *Node, body *Graph, s Splice) (nodes []*Node, outputs []*Value) {
	if mark.graph != g {
		panic("graph: Splice before a node of another graph")
	}
	p := newSplicer()
	p.Splice, p.own = s, true
	for i, v := range body.inputs.all() {
		p.values[v] = nil
		if i < len(s.Inputs) && s.Inputs[i] != nil {
			g.mustSee(s.Inputs[i])
			p.values[v] = s.Inputs[i]
		}
	}
	for _, v := range body.inits.all() {
		if !v.input {
			g.inits.add(p.define(v, g))
		}
	}
	nodes = p.nodes(body, g)
	g.nodes.insert(mark, nodes...)
	return nodes, p.list(body.outputs)
}

// splicer is one run of Splice, or a copy of a whole graph under the same names.
type splicer struct {
	Splice
	values  map[*Value]*Value // what stands for a value of the body; nil: omitted
	own     bool              // what is copied belongs to the body, not to an argument
	nodesOf map[*Node]*Node   // copies of a whole graph's nodes, which get their uses later
}

func newSplicer() *splicer { return &splicer{values: map[*Value]*Value{}} }

// define makes the copy of v in h. Splice may copy a subgraph several times, where an
// argument is read as often.
func (p *splicer) define(v *Value, h *Graph) *Value {
	if w := p.values[v]; w != nil && p.Name == nil {
		return w
	}
	w := *v
	if p.Name != nil {
		w.name = h.mustValue(p.Name(v.name)).name
	}
	w.graph, w.def, w.uses, w.outs, w.declared = h, nil, sequence[Use]{}, 0, false
	w.Type, w.Metadata = v.Type.clone(), v.Metadata.Clone()
	if p.own {
		w.Type.forgetSymbols()
	}
	h.byName[w.name] = &w
	p.values[v] = &w
	return &w
}

// forgetSymbols makes symbolic dimensions unknown ones.
func (t *Type) forgetSymbols() {
	for i, d := range t.Shape {
		if d.param != "" {
			t.Shape[i].param = ""
		}
	}
	if t.Of != nil {
		t.Of.forgetSymbols()
	}
}

// value is what stands for v: its copy, or v itself when it was not copied.
func (p *splicer) value(v *Value) *Value {
	if w, ok := p.values[v]; ok {
		return w
	}
	return v
}

func (p *splicer) list(vs []*Value) []*Value {
	var list []*Value
	for _, v := range vs {
		list = append(list, p.value(v))
	}
	return list
}

// nodes makes the copies of g's nodes, which belong to h but stand in no list
// yet. The values come first: no order among the nodes is asked for.
func (p *splicer) nodes(g, h *Graph) []*Node {
	own := g.nodes.all()
	for _, n := range own {
		for _, v := range n.outputs {
			if v != nil {
				p.define(v, h)
			}
		}
	}
	list := make([]*Node, len(own))
	for i, n := range own {
		list[i] = p.node(n, h)
	}
	return list
}

func (p *splicer) node(n *Node, h *Graph) *Node {
	m := new(Node)
	*m = *n
	m.graph, m.Metadata = h, n.Metadata.Clone()
	m.inputs, m.outputs = p.list(n.inputs), p.list(n.outputs)
	for i, w := range m.outputs {
		if w != nil {
			w.def, w.index = m, i
		}
	}
	for k := len(n.inputs); k > 0 && m.inputs[k-1] == nil && n.inputs[k-1] != nil; k-- {
		m.inputs = m.inputs[:k-1] // omitted at the end: none at all
	}
	for i, w := range m.inputs {
		if w != nil && p.nodesOf == nil {
			h.mustSee(w)
			w.addUse(m, i)
		}
	}
	if p.nodesOf != nil {
		p.nodesOf[n] = m
	}
	m.Attrs = p.attrs(n.Attrs, h)
	return m
}

// attrs copies attributes and puts values in the place of references.
func (p *splicer) attrs(as Attrs, h *Graph) Attrs {
	var list Attrs
	for _, a := range as {
		ref, isRef := a.Value.(Ref)
		if !isRef || !p.own {
			a.Value = p.attr(a.Value, h)
			list = append(list, a)
			continue
		}
		value := p.Attr(ref)
		if value == nil {
			continue
		}
		p.own = false
		a.Value = p.attr(value, h)
		p.own = true
		list = append(list, a)
	}
	return list
}

// attr copies one attribute's value; subgraphs come under h.
func (p *splicer) attr(a Attr, h *Graph) Attr {
	switch x := a.(type) {
	case *Graph:
		return p.graph(x, h)
	case Graphs:
		gs := make(Graphs, len(x))
		for i, g := range x {
			gs[i] = p.graph(g, h)
		}
		return gs
	case Type:
		return x.clone()
	case Types:
		ts := make(Types, len(x))
		for i, t := range x {
			ts[i] = t.clone()
		}
		return ts
	}
	return cloneList(a)
}

func (p *splicer) graph(g, outer *Graph) *Graph {
	h := New(g.Name, outer)
	h.Doc, h.Metadata, h.Unknown = g.Doc, g.Metadata.Clone(), g.Unknown
	if p.Name == nil { // some may be named by nodes alone, so far
		for _, v := range g.byName {
			p.define(v, h)
		}
	}
	for _, v := range g.inputs.all() {
		h.inputs.add(p.define(v, h))
	}
	for _, v := range g.inits.all() {
		w := p.values[v]
		if !v.input {
			w = p.define(v, h)
		}
		h.inits.add(w)
	}
	h.nodes.add(p.nodes(g, h)...)
	h.outputs = p.list(g.outputs)
	for _, v := range h.outputs {
		if v != nil {
			v.outs++
		}
	}
	h.infos.add(p.list(g.infos.all())...)
	for _, v := range h.infos.items {
		v.declared = true
	}
	return h
}
