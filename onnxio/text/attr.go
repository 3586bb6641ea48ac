package text

import (
	"strconv"

	"spikingir/graph"
)

// single gives the type of the elements of each list type.
var single = map[graph.AttrType]graph.AttrType{
	graph.AttrInts: graph.AttrInt, graph.AttrFloats: graph.AttrFloat,
	graph.AttrStrings: graph.AttrString, graph.AttrTensors: graph.AttrTensor,
	graph.AttrGraphs: graph.AttrGraph, graph.AttrTypeProtos: graph.AttrTypeProto,
	graph.AttrSparseTensors: graph.AttrSparseTensor,
}

// attrValue reads = value, : type = value, : type = @ref or : undefined.
func (p *parser) attrValue(g *graph.Graph) graph.Attr {
	t := graph.AttrUndefined
	if p.accept(":") {
		at := p.tok
		name := p.name("an attribute type")
		if name == "undefined" && !p.is("=") {
			return nil
		}
		var ok bool
		if t, ok = graph.ParseAttrType(name); !ok {
			p.failAt(at, "found %v, want an attribute type such as int or floats", at)
		}
	}
	p.expect("=")
	at := p.tok
	if p.accept("@") {
		return graph.Ref{Name: p.name("an attribute of the function"), Type: t}
	}
	element, plural := single[t]
	if p.is("[") && (plural || t == graph.AttrUndefined) {
		return p.attrList(t, element, g)
	}
	if plural {
		p.expected("a list of type " + t.String())
	}
	a := p.attr(t, g)
	if got := graph.TypeOf(a); t != graph.AttrUndefined && got != t {
		p.failAt(at, "found a value of type %v, want %v", got, t)
	}
	return a
}

// attr reads one value: of type t, or of the type that it looks like.
func (p *parser) attr(t graph.AttrType, g *graph.Graph) graph.Attr {
	if p.atNumber() {
		return p.scalar(t)
	}
	switch {
	case t == graph.AttrTypeProto && p.accept("?"):
		return graph.Type{}
	case p.tok.kind == quoted && t != graph.AttrGraph:
		return graph.String(p.text("a string"))
	case isTypeWord(p.tok):
		return p.typed(t)
	case p.tok.kind == ident || p.tok.kind == quoted:
		return p.graph(g)
	}
	p.expected("an attribute's value")
	return nil
}

// scalar reads a number: an Int when it is written as one and no float is wanted.
func (p *parser) scalar(t graph.AttrType) graph.Attr {
	if t != graph.AttrFloat {
		if n, err := strconv.ParseInt(p.tok.text, 10, 64); err == nil {
			p.advance()
			return graph.Int(n)
		}
	}
	f, ok := parseFloat32(p.tok.text)
	if !ok {
		p.expected("an int or a float")
	}
	p.advance()
	return graph.Float(f)
}

func (p *parser) typed(t graph.AttrType) graph.Attr {
	at := p.tok
	typ := p.typ()
	if t == graph.AttrTypeProto {
		return typ
	}
	if typ.Kind == graph.SparseTensorType && (p.is("{") || p.is("=")) {
		p.accept("=")
		return p.sparse(at, typ)
	}
	if p.is("{") || p.is("=") || p.tok.kind == ident || p.tok.kind == quoted {
		return p.tensor(at, typ)
	}
	return typ
}

func (p *parser) tensor(at token, typ graph.Type) *graph.Tensor {
	name := ""
	if p.tok.kind == ident || p.tok.kind == quoted {
		name = p.name("a tensor's name")
	}
	p.accept("=")
	x := p.data(at, typ)
	x.Name = name
	return x
}

// attrList reads [ value, ... ]. Without a type the first value decides; ints
// among floats are floats.
func (p *parser) attrList(t, element graph.AttrType, g *graph.Graph) graph.Attr {
	defer p.enter()()
	at := p.tok
	var items []graph.Attr
	var words []token // the first of each item
	p.list("[", "]", func() {
		words = append(words, p.tok)
		items = append(items, p.attr(element, g))
	})
	if t == graph.AttrUndefined {
		t = p.listType(at, items)
		element = single[t]
	}
	for i, a := range items {
		if _, ok := a.(graph.Int); ok && element == graph.AttrFloat {
			f, _ := parseFloat32(words[i].text)
			items[i] = graph.Float(f)
		}
		if got := graph.TypeOf(items[i]); got != element {
			p.failAt(words[i], "found a value of type %v in a list of %v", got, t)
		}
	}
	return gather(t, items)
}

func (p *parser) listType(at token, items []graph.Attr) graph.AttrType {
	if len(items) == 0 {
		p.failAt(at, "an empty list needs its type, as in name: ints = []")
	}
	first := graph.TypeOf(items[0])
	for _, a := range items {
		if _, ok := a.(graph.Float); ok && first == graph.AttrInt {
			first = graph.AttrFloat
		}
	}
	for list, element := range single {
		if element == first {
			return list
		}
	}
	panic("text: no list of " + first.String())
}

func gather(t graph.AttrType, items []graph.Attr) graph.Attr {
	switch t {
	case graph.AttrInts:
		return graph.Ints(collect(items, func(x graph.Int) int64 { return int64(x) }))
	case graph.AttrFloats:
		return graph.Floats(collect(items, func(x graph.Float) float32 { return float32(x) }))
	case graph.AttrStrings:
		return graph.Strings(collect(items, func(x graph.String) string { return string(x) }))
	case graph.AttrTensors:
		return graph.Tensors(collect(items, func(x *graph.Tensor) *graph.Tensor { return x }))
	case graph.AttrGraphs:
		return graph.Graphs(collect(items, func(x *graph.Graph) *graph.Graph { return x }))
	case graph.AttrSparseTensors:
		return graph.SparseTensors(collect(items,
			func(x *graph.SparseTensor) *graph.SparseTensor { return x }))
	}
	return graph.Types(collect(items, func(x graph.Type) graph.Type { return x }))
}

func collect[T graph.Attr, U any](items []graph.Attr, f func(T) U) []U {
	xs := make([]U, len(items))
	for i, a := range items {
		xs[i] = f(a.(T))
	}
	return xs
}
