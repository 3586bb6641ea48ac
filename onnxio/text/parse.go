package text

import (
	"strconv"

	"spikingir/graph"
)

// Parse reads a model.
func Parse(src string) (m *graph.Model, err error) {
	p := &parser{lex: &lexer{src: src}}
	defer p.rescue(&err)
	p.advance()
	m = &graph.Model{}
	p.model(m)
	if p.tok.kind != end {
		p.expected("the end")
	}
	if err := m.Check(); err != nil {
		return nil, err
	}
	return m, nil
}

// maxDepth bounds the nesting of subgraphs and types.
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

func (p *parser) expected(what string) {
	p.lex.fail(p.tok.at, "found %v, want %s", p.tok, what)
}

func (p *parser) fail(format string, args ...any) { p.lex.fail(p.tok.at, format, args...) }

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

// enter guards a recursion.
func (p *parser) enter() func() {
	if p.depth++; p.depth > maxDepth {
		p.fail("nested deeper than %d levels", maxDepth)
	}
	return func() { p.depth-- }
}

// name reads an identifier, quoted or not.
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
	if p.tok.kind != number {
		p.expected(what)
	}
	n, err := strconv.ParseInt(p.tok.text, 10, 64)
	if err != nil {
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
			p.expect(",")
		}
	}
}

func (p *parser) model(m *graph.Model) {
	p.list("<", ">", func() { p.modelField(m) })
	m.Graph = p.graph(nil)
	for p.tok.kind != end {
		m.Functions = append(m.Functions, p.function())
	}
}

func (p *parser) modelField(m *graph.Model) {
	key := p.name("a field of the model")
	p.expect(":")
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
		p.fail("a model has no field %q", key)
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

// graph reads name (inputs) => (outputs) <values> { nodes }.
func (p *parser) graph(outer *graph.Graph) *graph.Graph {
	defer p.enter()()
	g := graph.New(p.name("a graph's name"), outer)
	p.list("(", ")", func() { p.input(g) })
	p.expect("=>")
	type out struct {
		name string
		t    graph.Type
		at   token
	}
	var outs []out
	p.list("(", ")", func() {
		at := p.tok
		t := p.optionalType()
		outs = append(outs, out{p.name("an output's name"), t, at})
	})
	infos := map[string]graph.Type{}
	var order []string
	if p.is("<") {
		p.list("<", ">", func() { p.valueInfo(g, infos, &order) })
	}
	p.nodes(g)
	for _, o := range outs {
		v := g.Value(o.name)
		if v == nil {
			p.lex.fail(o.at.at, "output %q is not a value of graph %q", o.name, g.Name)
		}
		if o.t.Kind != graph.NoType && (!v.IsInput() || v.Type.Kind == graph.NoType) && !v.IsInitializer() {
			v.Type = o.t
		}
		g.AddOutput(v)
	}
	for _, name := range order {
		if v := g.Value(name); v != nil {
			v.Type = infos[name]
			g.Declare(v)
		} else {
			p.fail("graph %q declares %q but does not define it", g.Name, name)
		}
	}
	return g
}

// input reads one input, with a default value when it has one.
func (p *parser) input(g *graph.Graph) {
	at := p.tok
	t := p.optionalType()
	name := p.name("an input's name")
	if g.Value(name) != nil {
		p.lex.fail(at.at, "two values are called %q", name)
	}
	v := g.AddInput(name, t)
	if p.accept("=") {
		g.SetInitializer(v, p.data(t), nil)
	}
}

// valueInfo reads one entry behind the signature: an initializer or a declared
// type.
func (p *parser) valueInfo(g *graph.Graph, infos map[string]graph.Type, order *[]string) {
	at := p.tok
	t := p.typ()
	name := p.name("a value's name")
	if p.accept("=") {
		if g.Value(name) != nil {
			p.lex.fail(at.at, "two values are called %q", name)
		}
		g.AddInitializer(name, p.data(t))
		return
	}
	infos[name] = t
	*order = append(*order, name)
}

// function reads <header> name <attributes> (inputs) => (outputs) { nodes }.
func (p *parser) function() *graph.Function {
	f := &graph.Function{Body: graph.New("", nil)}
	p.list("<", ">", func() { p.functionField(f) })
	f.Name = p.name("a function's name")
	f.Body.Name = f.Name
	if p.is("<") {
		p.list("<", ">", func() { p.functionAttr(f) })
	}
	p.list("(", ")", func() {
		name := p.name("an input's name")
		if f.Body.Value(name) != nil {
			p.fail("two inputs are called %q", name)
		}
		f.Body.AddInput(name, graph.Type{})
	})
	p.expect("=>")
	var outs []string
	p.list("(", ")", func() { outs = append(outs, p.name("an output's name")) })
	p.nodes(f.Body)
	for _, name := range outs {
		v := f.Body.Value(name)
		if v == nil {
			p.fail("output %q is not a value of function %q", name, f.Name)
		}
		f.Body.AddOutput(v)
	}
	return f
}

func (p *parser) functionField(f *graph.Function) {
	key := p.name("a field of the function")
	p.expect(":")
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
		p.fail("a function has no field %q", key)
	}
}

// functionAttr reads one attribute parameter, with a default when it has one.
func (p *parser) functionAttr(f *graph.Function) {
	name := p.name("an attribute's name")
	t := graph.AttrUndefined
	if p.accept(":") {
		t = p.attrType()
	}
	if p.accept("=") {
		f.Defaults = append(f.Defaults, graph.NamedAttr{Name: name, Value: p.attr(t, nil)})
		return
	}
	f.Attrs = append(f.Attrs, name)
}
