package text

import (
	"strconv"

	"spikingir/graph"
)

// Parse reads a model and checks the invariants of its graphs. A fault in the
// source is an [*Error].
//
// A tensor of float or double at the external location "seed:7" gets random
// elements: draws of Go's PCG(7, 0) in the order of the elements, by default
// standard normal. The entries "dist" ("normal" or "uniform", which is [-1,1)),
// "scale" (a factor, default 1) and "shift" (added last, default 0) change them.
// It prints by these entries again. Other external data is not loaded.
func Parse(src string) (m *graph.Model, err error) {
	p := &parser{lex: &lexer{src: src}}
	defer p.rescue(&err)
	p.advance()
	m = &graph.Model{}
	p.model(m)
	if err := m.Check(); err != nil {
		return nil, err
	}
	return m, nil
}

// maxDepth bounds the nesting of subgraphs, types and lists.
const maxDepth = 64

// parser is a recursive descent; errors travel as panics of *Error and end in
// rescue.
type parser struct {
	lex   *lexer
	tok   token
	depth int
}

func (p *parser) rescue(err *error) {
	switch r := recover().(type) {
	case nil:
	case *Error:
		*err = r
	default:
		panic(r)
	}
}

func (p *parser) advance() { p.tok = p.lex.next() }

func (p *parser) peek() token {
	l := *p.lex
	return l.next()
}

func (p *parser) expected(what string) { p.failAt(p.tok, "found %v, want %s", p.tok, what) }

func (p *parser) failAt(t token, format string, args ...any) { p.lex.fail(t.at, format, args...) }

func (p *parser) is(s string) bool { return p.tok.kind == punct && p.tok.text == s }

func (p *parser) accept(s string) bool {
	if !p.is(s) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(s string) {
	if !p.accept(s) {
		p.expected(strconv.Quote(s))
	}
}

func (p *parser) enter() func() {
	if p.depth++; p.depth > maxDepth {
		p.failAt(p.tok, "nested deeper than %d levels", maxDepth)
	}
	return func() { p.depth-- }
}

func (p *parser) name(what string) string {
	if p.tok.kind != ident && p.tok.kind != quoted {
		p.expected(what)
	}
	s := p.tok.text
	p.advance()
	return s
}

func (p *parser) text(what string) string {
	if p.tok.kind != quoted {
		p.expected(what + " in quotes")
	}
	s := p.tok.text
	p.advance()
	return s
}

func (p *parser) int(what string) int64 {
	n, err := strconv.ParseInt(p.tok.text, 10, 64)
	if p.tok.kind != number || err != nil {
		p.expected(what)
	}
	p.advance()
	return n
}

// list reads items between two brackets, separated by commas.
func (p *parser) list(open, close string, item func()) {
	p.expect(open)
	for !p.accept(close) {
		item()
		if !p.is(close) {
			p.separator(close)
		}
	}
}

func (p *parser) separator(close string) {
	if !p.accept(",") {
		p.expected(strconv.Quote(",") + " or " + strconv.Quote(close))
	}
}

// fields reads < key: value, ... > with each key at most once.
func (p *parser) fields(of string, field func(key string, at token)) {
	seen := map[string]bool{}
	p.list("<", ">", func() {
		at := p.tok
		key := p.name("a field of the " + of)
		if seen[key] {
			p.failAt(at, "field %q is given twice", key)
		}
		seen[key] = true
		p.expect(":")
		field(key, at)
	})
}

func (p *parser) model(m *graph.Model) {
	if p.is("<") {
		p.fields("model", func(key string, at token) { p.modelField(m, key, at) })
	}
	m.Graph = p.graph(nil)
	index := m.FunctionIndex()
	for p.tok.kind != end {
		at := p.tok
		f := p.function()
		if !index.Add(f) {
			p.failAt(at, "two functions define %v", f.Op())
		}
		m.Functions = append(m.Functions, f)
	}
}

func (p *parser) modelField(m *graph.Model, key string, at token) {
	switch key {
	case "ir_version":
		m.IRVersion = p.int("a version")
	case "opset_import":
		m.Opsets = p.opsets()
	case "producer_name":
		m.ProducerName = p.text("a name")
	case "producer_version":
		m.ProducerVersion = p.text("a version")
	case "domain":
		m.Domain = p.text("a domain")
	case "model_version":
		m.ModelVersion = p.int("a version")
	case "doc_string":
		m.Doc = p.text("documentation")
	case "metadata_props":
		m.Metadata = p.metadata()
	default:
		p.failAt(at, "found %v, want ir_version, opset_import, producer_name, producer_version, "+
			"domain, model_version, doc_string or metadata_props", at)
	}
}

func (p *parser) opsets() (list []graph.Opset) {
	p.list("[", "]", func() {
		o := graph.Opset{Domain: p.text("a domain")}
		p.expect(":")
		o.Version = p.int("a version")
		list = append(list, o)
	})
	return list
}

func (p *parser) metadata() (list graph.Metadata) {
	p.list("[", "]", func() {
		kv := graph.KV{Key: p.text("a key")}
		p.expect(":")
		kv.Value = p.text("a value")
		list = append(list, kv)
	})
	return list
}

// function reads <header> name <attributes> (inputs) => (outputs) { nodes }.
func (p *parser) function() *graph.Function {
	f := &graph.Function{}
	if p.is("<") {
		p.fields("function", func(key string, at token) { p.functionField(f, key, at) })
	}
	f.Name = p.name("a function's name")
	f.Body = graph.New(f.Name, nil)
	if p.is("<") {
		p.functionAttrs(f)
	}
	(&scope{parser: p, g: f.Body, function: true}).read()
	f.Metadata = append(f.Metadata, f.Body.Metadata...)
	f.Body.Metadata = nil
	return f
}

func (p *parser) functionField(f *graph.Function, key string, at token) {
	switch key {
	case "domain":
		f.Domain = p.text("a domain")
	case "overload":
		f.Overload = p.text("an overload")
	case "opset_import":
		f.Opsets = p.opsets()
	case "doc_string":
		f.Doc = p.text("documentation")
	case "metadata_props":
		f.Metadata = p.metadata()
	default:
		p.failAt(at, "found %v, want domain, overload, opset_import, doc_string or metadata_props", at)
	}
}

// functionAttrs reads the attribute parameters, with defaults where they have one.
func (p *parser) functionAttrs(f *graph.Function) {
	seen := map[string]bool{}
	p.list("<", ">", func() {
		at := p.tok
		name := p.name("an attribute's name")
		if seen[name] {
			p.failAt(at, "attribute %q is given twice", name)
		}
		seen[name] = true
		if !p.is(":") && !p.is("=") {
			f.Attrs = append(f.Attrs, name)
			return
		}
		f.Defaults = append(f.Defaults, graph.NamedAttr{Name: name, Value: p.attrValue(nil)})
	})
}
