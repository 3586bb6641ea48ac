package text

import "spikingir/graph"

// graph reads name (inputs) => (outputs) <values> { nodes }.
func (p *parser) graph(outer *graph.Graph) *graph.Graph {
	defer p.enter()()
	g := graph.New(p.name("a graph's name"), outer)
	(&scope{parser: p, g: g}).read()
	return g
}

// scope is a graph or a function's body while its values are read.
type scope struct {
	*parser
	g        *graph.Graph
	function bool
	mentions []*mention
}

// mention is a value named in a list, with its type when that was written.
type mention struct {
	at    token
	typ   graph.Type
	typed bool
	name  string
	note  *note
	list  list
}

// list says what it means for a value to be mentioned.
type list uint8

const (
	inputs list = iota
	outputs
	initializers
	declared
)

// read reads (inputs) => (outputs) <values> { nodes }.
func (s *scope) read() {
	s.values("(", ")", s.input)
	s.expect("=>")
	s.values("(", ")", func() *mention { return s.mention(outputs, "an output's name") })
	if s.is("<") {
		s.values("<", ">", s.listed)
	}
	s.nodes(s.g)
	typed := map[*graph.Value]bool{}
	for _, d := range s.mentions {
		v := s.g.Value(d.name)
		if v == nil {
			s.failAt(d.at, "graph %q does not define %q", s.g.Name, d.name)
		}
		if d.typed && typed[v] && !v.Type.Equal(d.typ) {
			s.failAt(d.at, "value %q is declared %s here, %s before", d.name,
				FormatType(d.typ), FormatType(v.Type))
		}
		if d.typed {
			v.Type, typed[v] = d.typ, true
		}
		d.note.describe(s.parser, &v.Doc, &v.Metadata)
		switch {
		case d.list == outputs:
			s.g.AddOutput(v)
		case d.list == declared:
			s.g.Declare(v)
		}
		if s.function && d.typed {
			s.g.Declare(v)
		}
	}
}

// values reads a list of mentions with their notes, which stand behind an entry
// or behind the comma after it.
func (s *scope) values(open, close string, item func() *mention) {
	s.expect(open)
	for !s.is(close) {
		d := item()
		s.mentions = append(s.mentions, d)
		d.note = s.note()
		if s.is(close) {
			break
		}
		s.separator(close)
		if d.note == nil {
			d.note = s.note()
		}
	}
	s.advance()
}

func (s *scope) mention(of list, what string) *mention {
	d := &mention{at: s.tok, list: of, typed: s.atType()}
	if d.typed {
		d.typ = s.typ()
	}
	d.name = s.name(what)
	return d
}

// input reads one input, with a default value when it has one.
func (s *scope) input() *mention {
	d := s.mention(inputs, "an input's name")
	s.fresh(d)
	v := s.g.AddInput(d.name, d.typ)
	if !s.function && s.accept("=") {
		s.g.SetInitializer(v, s.data(d.at, d.typ), nil)
	}
	return d
}

// listed reads one entry behind the signature: an initializer, which may be the
// default value of an input, or a declared type.
func (s *scope) listed() *mention {
	d := s.mention(declared, "a value's name")
	if s.function || !s.accept("=") {
		return d
	}
	d.list = initializers
	v := s.g.Value(d.name)
	if v == nil || !v.IsInput() || v.IsInitializer() {
		s.fresh(d)
		v, _ = s.g.NewValue(d.name)
		v.Type = d.typ
	}
	d.typed = false // an initializer's type may be declared as well, with symbols
	if d.typ.Kind == graph.SparseTensorType {
		s.g.SetInitializer(v, nil, s.sparse(d.at, d.typ))
	} else {
		s.g.SetInitializer(v, s.data(d.at, d.typ), nil)
	}
	return d
}

// fresh checks that the name can be given to a new value.
func (s *scope) fresh(d *mention) { s.checkFresh(s.g, d.at, d.name) }

func (p *parser) checkFresh(g *graph.Graph, at token, name string) {
	v := g.Resolve(name)
	switch {
	case name == "":
		p.failAt(at, "found a value without a name")
	case v != nil && v.Graph() != g:
		p.failAt(at, "value %q hides one of an outer graph", name)
	case v != nil:
		p.failAt(at, "two values are called %q", name)
	}
}
