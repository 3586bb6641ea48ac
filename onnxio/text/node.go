package text

import (
	"strconv"
	"strings"

	"spikingir/graph"
)

// nodes reads { node node ... }.
func (p *parser) nodes(g *graph.Graph) {
	if !p.is("{") {
		p.expected(`"{"`)
	}
	p.lex.note = ""
	p.advance()
	for !p.is("}") {
		p.node(g)
	}
	p.advance()
}

// node reads [label] outputs = domain.Op:overload <attributes> (inputs).
func (p *parser) node(g *graph.Graph) {
	start := p.tok
	label := ""
	if p.accept("[") {
		label = p.name("a node's name")
		p.expect("]")
	}
	var outputs []string
	for !p.accept("=") {
		outputs = append(outputs, p.output(g, outputs))
		if !p.is("=") {
			p.expect(",")
		}
	}
	op, overload := p.op()
	var attrs graph.Attrs
	read := func() {
		if p.is("<") {
			p.list("<", ">", func() { attrs = append(attrs, p.namedAttr(g)) })
		}
	}
	read()
	var inputs []*graph.Value
	p.expect("(")
	for !p.is(")") {
		inputs = append(inputs, p.operand(g))
		if !p.is(")") {
			p.expect(",")
			if p.is(")") {
				inputs = append(inputs, nil)
			}
		}
	}
	p.lex.note = ""
	p.advance()
	if attrs == nil {
		read()
	}
	for _, name := range outputs {
		if name != "" && g.Outer() != nil && g.Outer().Resolve(name) != nil {
			p.lex.fail(start.at, "value %q hides one of an outer graph", name)
		}
	}
	n := g.AddNode(op, attrs, inputs, outputs...)
	n.Name, n.Overload = label, overload
	p.note(n, start)
}

// output reads one output's name; an empty one omits it.
func (p *parser) output(g *graph.Graph, before []string) string {
	if p.is(",") || p.is("=") {
		return ""
	}
	name := p.name("an output's name")
	if name == "" {
		return ""
	}
	v := g.Value(name)
	taken := v != nil && (v.Producer() != nil || v.IsInput() || v.IsInitializer())
	for _, b := range before {
		taken = taken || b == name
	}
	if taken {
		p.fail("two values are called %q", name)
	}
	return name
}

// operand reads one input; an empty one omits it.
func (p *parser) operand(g *graph.Graph) *graph.Value {
	if p.is(",") {
		return nil
	}
	at := p.tok
	name := p.name("an input's name")
	if name == "" {
		return nil
	}
	v := g.Resolve(name)
	if v == nil {
		p.lex.fail(at.at, "value %q is used before it is defined", name)
	}
	return v
}

func (p *parser) op() (graph.Op, string) {
	parts := []string{p.name("an operator")}
	for p.accept(".") {
		parts = append(parts, p.name("an operator"))
	}
	last := len(parts) - 1
	op := graph.Op{Domain: strings.Join(parts[:last], "."), Type: parts[last]}
	if op.Domain == "ai.onnx" {
		op.Domain = ""
	}
	if p.accept(":") {
		return op, p.name("an overload")
	}
	return op, ""
}

// note reads the comment behind a node into its provenance and metadata.
// Comments that do not begin with key= are for people and are skipped.
func (p *parser) note(n *graph.Node, start token) {
	note := strings.TrimSpace(p.lex.note)
	p.lex.note = ""
	for note != "" {
		key, rest, ok := noteKey(note)
		if !ok {
			return
		}
		quote, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return
		}
		value, err := strconv.Unquote(quote)
		if err != nil {
			return
		}
		switch key {
		case "origin":
			n.From.Node = value
		case "pass":
			n.From.Pass = value
		case "region":
			if n.Region, ok = graph.ParseRegion(value); !ok {
				p.lex.fail(start.at, "no region is called %q", value)
			}
		case "doc":
			n.Doc = value
		default:
			n.Metadata.Set(key, value)
		}
		note = strings.TrimSpace(rest[len(quote):])
	}
}

// noteKey cuts key= off a comment.
func noteKey(note string) (key, rest string, ok bool) {
	if note[0] == '"' {
		q, err := strconv.QuotedPrefix(note)
		if err != nil {
			return "", "", false
		}
		key, _ = strconv.Unquote(q)
		rest = note[len(q):]
	} else {
		at := strings.IndexByte(note, '=')
		if at <= 0 {
			return "", "", false
		}
		key, rest = note[:at], note[at:]
	}
	rest, ok = strings.CutPrefix(rest, "=")
	return key, rest, ok
}
