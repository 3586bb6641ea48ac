package text

import (
	"strings"

	"spikingir/graph"
)

func isTypeWord(t token) bool { return t.kind == ident && typeWord(t.text) }

func typeWord(s string) bool {
	switch s {
	case "seq", "map", "optional", "sparse_tensor", "opaque", "undefined":
		return true
	}
	_, ok := graph.ParseDType(s)
	return ok
}

// atType reports whether a type stands before the next name. A type's word with
// nothing behind it is a name.
func (p *parser) atType() bool {
	if !isTypeWord(p.tok) {
		return false
	}
	next := p.peek()
	return next.kind != punct || next.text == "[" || next.text == "("
}

func (p *parser) typ() graph.Type {
	defer p.enter()()
	at := p.tok
	if p.tok.kind != ident {
		p.expected("a type")
	}
	word := p.name("a type")
	t := graph.Type{}
	switch word {
	case "seq":
		t.Kind, t.Of = graph.SequenceType, p.inner()
	case "optional":
		t.Kind, t.Of = graph.OptionalType, p.inner()
	case "map":
		p.expect("(")
		t.Kind, t.Elem = graph.MapType, p.dtype()
		p.expect(",")
		t.Of = p.element()
		p.expect(")")
	case "sparse_tensor":
		p.expect("(")
		t.Kind, t.Elem, t.Shape = graph.SparseTensorType, p.dtype(), p.shape()
		p.expect(")")
	case "opaque":
		t.Kind = graph.OpaqueType
		t.Domain, t.Name = p.opaque()
	default:
		d, ok := graph.ParseDType(word)
		if !ok && word != "undefined" {
			p.failAt(at, "found %v, want a type", at)
		}
		return graph.TensorOf(d, p.shape())
	}
	return t
}

func (p *parser) inner() *graph.Type {
	p.expect("(")
	t := p.element()
	p.expect(")")
	return t
}

func (p *parser) element() *graph.Type {
	if p.accept("?") {
		return &graph.Type{}
	}
	t := p.typ()
	return &t
}

func (p *parser) dtype() graph.DType {
	at := p.tok
	word := p.name("an element type")
	d, ok := graph.ParseDType(word)
	if !ok && word != "undefined" {
		p.failAt(at, "found %v, want an element type", at)
	}
	return d
}

// opaque reads (), (name) or (domain, name).
func (p *parser) opaque() (domain, name string) {
	p.expect("(")
	if p.accept(")") {
		return "", ""
	}
	name = strings.Join(p.path("an opaque type's name"), ".")
	if p.accept(",") {
		domain = name
		name = ""
		if !p.is(")") {
			name = strings.Join(p.path("an opaque type's name"), ".")
		}
	}
	p.expect(")")
	return domain, name
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
			s = append(s, graph.Known(p.int("a dimension")))
		default:
			s = append(s, graph.Symbol(p.name("a dimension")))
		}
	})
	return s
}

// FormatType prints a type; "?" when it is unknown.
func FormatType(t graph.Type) string {
	switch t.Kind {
	case graph.TensorType:
		return t.Elem.String() + shapeString(t.Shape)
	case graph.SparseTensorType:
		return "sparse_tensor(" + t.Elem.String() + shapeString(t.Shape) + ")"
	case graph.SequenceType:
		return "seq(" + elementString(t.Of) + ")"
	case graph.OptionalType:
		return "optional(" + elementString(t.Of) + ")"
	case graph.MapType:
		return "map(" + t.Elem.String() + ", " + elementString(t.Of) + ")"
	case graph.OpaqueType:
		return "opaque(" + opaqueString(t.Domain, t.Name) + ")"
	}
	return "?"
}

func elementString(t *graph.Type) string {
	if t == nil {
		return "?"
	}
	return FormatType(*t)
}

func opaqueString(domain, name string) string {
	switch {
	case domain != "":
		return path(domain) + ", " + path(name)
	case name != "":
		return path(name)
	}
	return ""
}

func shapeString(s graph.Shape) string {
	if s == nil {
		return "[]"
	}
	if len(s) == 0 {
		return ""
	}
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = d.String()
		if param := d.Param(); param != "" {
			parts[i] = name(param)
		}
	}
	return "[" + strings.Join(parts, ",") + "]"
}
