package text

import (
	"math"
	"strconv"
	"strings"

	"spikingir/graph"
)

// namedAttr reads name = value, name: type = value or name: type = @ref.
func (p *parser) namedAttr(g *graph.Graph) graph.NamedAttr {
	a := graph.NamedAttr{Name: p.name("an attribute's name")}
	t := graph.AttrUndefined
	if p.accept(":") {
		t = p.attrType()
	}
	p.expect("=")
	a.Value = p.attr(t, g)
	return a
}

func (p *parser) attrType() graph.AttrType {
	at := p.tok
	t, ok := graph.ParseAttrType(p.name("an attribute type"))
	if !ok {
		p.lex.fail(at.at, "found %v, want an attribute type", at)
	}
	return t
}

// attr reads a value of type t, or of the type that it looks like.
func (p *parser) attr(t graph.AttrType, g *graph.Graph) graph.Attr {
	at := p.tok
	if p.accept("@") {
		if t == graph.AttrUndefined {
			p.fail("a reference needs its type: name: int = @other")
		}
		return graph.Ref{Name: p.name("an attribute of the function"), Type: t}
	}
	var a graph.Attr
	switch {
	case t == graph.AttrTypeProto:
		a = p.typ()
	case p.is("["):
		a = p.attrList(t, g)
	default:
		a = p.single(t, g)
	}
	if f, ok := a.(graph.Int); ok && t == graph.AttrFloat {
		a = graph.Float(f)
	}
	if t != graph.AttrUndefined && graph.TypeOf(a) != t {
		p.lex.fail(at.at, "found a value of type %v, want %v", graph.TypeOf(a), t)
	}
	return a
}

// single reads an int, float, string, tensor, sparse tensor or graph.
func (p *parser) single(t graph.AttrType, g *graph.Graph) graph.Attr {
	switch p.tok.kind {
	case quoted:
		if t != graph.AttrGraph {
			return graph.String(p.text("a string"))
		}
	case number:
		return p.scalar()
	case ident:
		if p.tok.text == "inf" || p.tok.text == "nan" {
			return p.scalar()
		}
		if _, ok := graph.ParseDType(p.tok.text); ok {
			typ := p.typ()
			name := ""
			if p.tok.kind == ident || p.tok.kind == quoted {
				name = p.name("a tensor's name")
			}
			p.accept("=")
			x := p.data(typ)
			x.Name = name
			return x
		}
	default:
		p.expected("an attribute's value")
	}
	return p.graph(g)
}

// scalar reads a number: an Int when it is written as one.
func (p *parser) scalar() graph.Attr {
	s := p.tok.text
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		p.advance()
		return graph.Int(n)
	}
	f, err := strconv.ParseFloat(s, 32)
	if err != nil && !math.IsInf(f, 0) {
		p.expected("a number")
	}
	p.advance()
	return graph.Float(f)
}

// attrList reads [ ... ]; without a type, its first element decides.
func (p *parser) attrList(t graph.AttrType, g *graph.Graph) graph.Attr {
	at := p.tok
	var items []graph.Attr
	element := map[graph.AttrType]graph.AttrType{graph.AttrGraphs: graph.AttrGraph, graph.AttrTypeProtos: graph.AttrTypeProto}[t]
	p.list("[", "]", func() { items = append(items, p.attr(element, g)) })
	if len(items) == 0 && t == graph.AttrUndefined {
		p.lex.fail(at.at, "an empty list needs its type: name: ints = []")
	}
	if t == graph.AttrUndefined {
		t = listType(items)
	}
	list, ok := gather(t, items)
	if !ok {
		p.lex.fail(at.at, "the elements of the list are not all of one type, want %v", t)
	}
	return list
}

// listType is the type of a list with these elements.
func listType(items []graph.Attr) graph.AttrType {
	for _, a := range items {
		if _, ok := a.(graph.Float); ok {
			return graph.AttrFloats
		}
	}
	switch items[0].(type) {
	case graph.Int:
		return graph.AttrInts
	case graph.String:
		return graph.AttrStrings
	case *graph.Tensor:
		return graph.AttrTensors
	case *graph.Graph:
		return graph.AttrGraphs
	}
	return graph.AttrUndefined
}

func gather(t graph.AttrType, items []graph.Attr) (graph.Attr, bool) {
	switch t {
	case graph.AttrInts:
		xs, ok := collect(items, func(x graph.Int) int64 { return int64(x) })
		return graph.Ints(xs), ok
	case graph.AttrFloats:
		for i, a := range items {
			if n, ok := a.(graph.Int); ok {
				items[i] = graph.Float(n)
			}
		}
		xs, ok := collect(items, func(x graph.Float) float32 { return float32(x) })
		return graph.Floats(xs), ok
	case graph.AttrStrings:
		xs, ok := collect(items, func(x graph.String) string { return string(x) })
		return graph.Strings(xs), ok
	case graph.AttrTensors:
		xs, ok := collect(items, func(x *graph.Tensor) *graph.Tensor { return x })
		return graph.Tensors(xs), ok
	case graph.AttrGraphs:
		xs, ok := collect(items, func(x *graph.Graph) *graph.Graph { return x })
		return graph.Graphs(xs), ok
	case graph.AttrTypeProtos:
		xs, ok := collect(items, func(x graph.Type) graph.Type { return x })
		return graph.Types(xs), ok
	}
	return nil, false
}

func collect[T graph.Attr, U any](items []graph.Attr, f func(T) U) ([]U, bool) {
	xs := make([]U, 0, len(items))
	for _, a := range items {
		x, ok := a.(T)
		if !ok {
			return nil, false
		}
		xs = append(xs, f(x))
	}
	return xs, true
}

// optionalType reads a type where a bare name may stand too.
func (p *parser) optionalType() graph.Type {
	if p.tok.kind == ident {
		switch p.tok.text {
		case "seq", "map", "optional", "sparse_tensor", "opaque", "undefined":
			return p.typ()
		}
		if _, ok := graph.ParseDType(p.tok.text); ok {
			return p.typ()
		}
	}
	return graph.Type{}
}

// typ reads a type.
func (p *parser) typ() graph.Type {
	defer p.enter()()
	at := p.tok
	word := p.name("a type")
	switch word {
	case "seq", "optional", "sparse_tensor":
		p.expect("(")
		of := p.typ()
		p.expect(")")
		return wrap(word, of)
	case "map":
		p.expect("(")
		key := p.typ()
		p.expect(",")
		of := p.typ()
		p.expect(")")
		return graph.Type{Kind: graph.MapType, Elem: key.Elem, Of: &of}
	case "opaque":
		p.expect("(")
		t := graph.Type{Kind: graph.OpaqueType, Domain: p.text("a domain")}
		p.expect(",")
		t.Name = p.text("a name")
		p.expect(")")
		return t
	}
	d, ok := graph.ParseDType(word)
	if !ok && word != "undefined" {
		p.lex.fail(at.at, "found %v, want a type", at)
	}
	return graph.TensorOf(d, p.shape())
}

func wrap(word string, of graph.Type) graph.Type {
	switch word {
	case "seq":
		return graph.Type{Kind: graph.SequenceType, Of: &of}
	case "optional":
		return graph.Type{Kind: graph.OptionalType, Of: &of}
	}
	of.Kind = graph.SparseTensorType
	return of
}

// shape reads nothing (a scalar), [] (rank unknown) or [dimensions].
func (p *parser) shape() graph.Shape {
	if !p.is("[") {
		return graph.Shape{}
	}
	var s graph.Shape
	p.list("[", "]", func() {
		switch {
		case p.accept("?"):
			s = append(s, graph.Dim{})
		case p.tok.kind == number:
			n := p.int("a dimension")
			s = append(s, graph.Known(n))
		default:
			s = append(s, graph.Symbol(strings.TrimSpace(p.name("a dimension"))))
		}
	})
	return s
}
