package text

import (
	"slices"
	"strings"

	"spikingir/graph"
)

// nodes reads { node node ... }, with the graph's note behind the brace.
func (p *parser) nodes(g *graph.Graph) {
	p.expect("{")
	p.note().describe(p, &g.Doc, &g.Metadata)
	for !p.is("}") {
		p.node(g)
	}
	p.advance()
}

// node reads [label] outputs = domain.Op:overload <attributes> (inputs); the
// attributes may stand behind the inputs instead.
func (p *parser) node(g *graph.Graph) {
	label := ""
	if p.accept("[") {
		label = p.name("a node's name")
		p.expect("]")
	}
	var names []string
	p.operands("=", func() {
		if p.is(",") {
			names = append(names, "")
			return
		}
		at := p.tok
		name := p.name("an output's name")
		if name != "" {
			p.checkFresh(g, at, name)
		}
		if name != "" && slices.Contains(names, name) {
			p.failAt(at, "two values are called %q", name)
		}
		names = append(names, name)
	})
	op, overload := p.op()
	attrs := p.attrs(g)
	p.expect("(")
	var inputs []*graph.Value
	p.operands(")", func() { inputs = append(inputs, p.operand(g)) })
	if attrs == nil {
		attrs = p.attrs(g)
	}
	n := g.AddNode(op, attrs, inputs, names...)
	n.Name, n.Overload = label, overload
	p.note().describeNode(p, n)
}

// operands reads names separated by commas up to the token close. As in the
// standard, a comma without a name before it stands for an omitted operand, and
// a comma before the close for nothing.
func (p *parser) operands(close string, item func()) {
	for !p.accept(close) {
		item()
		if !p.is(close) {
			p.separator(close)
		}
	}
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
		p.failAt(at, "value %q is used before it is defined", name)
	}
	return v
}

// op reads domain.Type:overload.
func (p *parser) op() (op graph.Op, overload string) {
	path := p.path("an operator")
	last := len(path) - 1
	op = graph.Op{Domain: strings.Join(path[:last], "."), Type: path[last]}
	if op.Domain == "ai.onnx" {
		op.Domain = "" // as every reader of ours has it
	}
	if p.accept(":") {
		overload = p.name("an overload")
	}
	return op, overload
}

func (p *parser) path(what string) []string {
	path := []string{p.name(what)}
	for p.accept(".") {
		path = append(path, p.name(what))
	}
	return path
}

// attrs reads < attribute, ... >, nothing when there is none.
func (p *parser) attrs(g *graph.Graph) graph.Attrs {
	if !p.is("<") {
		return nil
	}
	as := graph.Attrs{}
	p.list("<", ">", func() {
		at := p.tok
		a := graph.NamedAttr{Name: p.name("an attribute's name")}
		if _, twice := as.Lookup(a.Name); twice {
			p.failAt(at, "attribute %q is given twice", a.Name)
		}
		a.Value = p.attrValue(g)
		as = append(as, a)
	})
	return as
}
