package text

import (
	"slices"
	"strings"

	"spikingir/graph"
)

// body prints (inputs) => (outputs) <values> { nodes } of a graph or function.
func (p *printer) body(g *graph.Graph, indent, note string, function bool) {
	described := map[*graph.Value]bool{}
	inline := !function && inlineDefaults(g)
	var in, out []entry
	for _, v := range g.Inputs() {
		e := p.mention(v, described, function)
		if inline && v.IsInitializer() {
			e.text += " = " + p.data(v.Const)
		}
		in = append(in, e)
	}
	for _, v := range g.Outputs() {
		out = append(out, p.mention(v, described, function))
	}
	p.list("(", ")", indent, in)
	p.print(" => ")
	p.list("(", ")", indent, out)
	values := p.values(g, described, inline)
	switch {
	case len(values) == 0 && indent == "":
		p.print("\n")
	case len(values) == 0:
		p.print(" ")
	case len(values) == 1 && values[0].note == "":
		p.print("\n", indent, "<", values[0].text, ">\n", indent)
	default:
		p.print("\n", indent)
		p.lines("<", ">", indent, values)
		p.print("\n", indent)
	}
	p.print("{", p.note(note), "\n")
	for n := range g.Nodes() {
		p.print(indent, "  ")
		p.node(n, indent+"  ")
		p.print("\n")
	}
	p.print(indent, "}")
}

func (p *printer) note(s string) string {
	if p.o.OmitNotes {
		return ""
	}
	return s
}

// mention is a value with its type in front, unless that is unknown or written
// elsewhere. Its note stands where the value is mentioned first.
func (p *printer) mention(v *graph.Value, described map[*graph.Value]bool, bare bool) entry {
	e := entry{text: name(v.Name())}
	if v.Type.Kind != graph.NoType && !bare {
		e.text = FormatType(v.Type) + " " + e.text
	}
	if !described[v] {
		e.note = p.note(valueNote(v.Doc, v.Metadata))
		described[v] = true
	}
	return e
}

func (p *printer) values(g *graph.Graph, described map[*graph.Value]bool, inline bool) []entry {
	var list []entry
	for _, v := range g.Initializers() {
		if inline && v.IsInput() {
			continue
		}
		e := p.mention(v, described, true)
		switch {
		case v.Const != nil:
			e.text = v.Const.DType.String() + dimsString(v.Const.Dims) + " " + e.text +
				" = " + p.data(v.Const)
		default:
			e.text = sparseType(v.Sparse) + " " + e.text + " = " + p.sparse(v.Sparse)
		}
		list = append(list, e)
	}
	for _, v := range g.Declared() {
		list = append(list, p.mention(v, described, false))
	}
	return list
}

// maxInline is the most elements of a default value that stands in a signature.
const maxInline = 16

// inlineDefaults reports whether the default values of inputs can be written in
// the signature: all are short, of the type that the input has, and come first
// among the initializers in the order of the inputs.
func inlineDefaults(g *graph.Graph) bool {
	var defaults []*graph.Value
	for _, v := range g.Inputs() {
		if !v.IsInitializer() {
			continue
		}
		if v.Const == nil || v.Type.Kind != graph.TensorType || v.Type.Elem != v.Const.DType {
			return false
		}
		dims, known := v.Type.Shape.Sizes()
		n, err := v.Const.Len()
		if !known || !slices.Equal(dims, v.Const.Dims) || err != nil ||
			n > maxInline && v.Const.Store != graph.ExternalData {
			return false
		}
		defaults = append(defaults, v)
	}
	inits := g.Initializers()
	return len(inits) >= len(defaults) && slices.Equal(inits[:len(defaults)], defaults)
}

// node prints [label] outputs = domain.Op:overload <attributes> (inputs), with
// its note. Attributes that hold graphs stand on lines of their own.
func (p *printer) node(n *graph.Node, indent string) {
	if n.Name != "" {
		p.print("[", name(n.Name), "] ")
	}
	if n.NumOutputs() > 0 {
		p.print(join(n.Outputs(), valueName), " ")
	}
	p.print("= ", opString(n))
	p.attrs(n, indent)
	p.print("(", join(n.Inputs(), valueName), ")", p.note(nodeNote(n)))
}

// valueName is "" in quotes for an omitted operand.
func valueName(v *graph.Value) string {
	if v == nil {
		return `""`
	}
	return name(v.Name())
}

func opString(n *graph.Node) string {
	op := n.Op()
	s := op.Type
	if !isIdentifier(s) {
		s = quote(s)
	}
	if op.Domain != "" {
		s = path(op.Domain) + "." + s
	}
	if n.Overload != "" {
		s += ":" + name(n.Overload)
	}
	return s
}

func (p *printer) attrs(n *graph.Node, indent string) {
	if len(n.Attrs) == 0 {
		return
	}
	broken := len(n.Subgraphs()) > 0
	inner := indent
	if broken {
		inner += "  "
	}
	var list []entry
	for _, a := range n.Attrs {
		list = append(list, entry{text: p.attr(a, false, inner)})
	}
	p.print(" ")
	if broken {
		p.lines("<", ">", indent, list)
	} else {
		p.print("<", join(list, func(e entry) string { return e.text }), ">")
	}
	p.print(" ")
}

// attr prints name = value, with the type where it is wanted or where the value
// does not tell it.
func (p *printer) attr(a graph.NamedAttr, typed bool, indent string) string {
	s := attrName(a.Name)
	if a.Value == nil {
		return s + ": undefined"
	}
	t := graph.TypeOf(a.Value)
	if (typed || !telling(a.Value)) && t != graph.AttrUndefined {
		s += ": " + t.String()
	}
	s += " = "
	return s + p.attrValue(a.Value, len(indent)+len(s), indent)
}

// attrName quotes what is no identifier; words of the grammar are fine here.
func attrName(s string) string {
	if isIdentifier(s) {
		return s
	}
	return quote(s)
}

// telling reports whether a value is read as what it is without its type.
func telling(a graph.Attr) bool {
	switch x := a.(type) {
	case graph.Int, graph.Float, graph.String, *graph.Tensor:
		return true
	case graph.Ints:
		return len(x) > 0
	case graph.Floats:
		return len(x) > 0
	case graph.Strings:
		return len(x) > 0
	case graph.Tensors:
		return len(x) > 0
	case *graph.Graph:
		return name(x.Name) == x.Name
	}
	return false
}

func (p *printer) attrValue(a graph.Attr, column int, indent string) string {
	switch x := a.(type) {
	case graph.Int:
		return formatInt(int64(x))
	case graph.Float:
		return formatAttrFloat(float32(x))
	case graph.String:
		return quote(string(x))
	case graph.Ints:
		return "[" + join(x, formatInt) + "]"
	case graph.Floats:
		return "[" + join(x, formatAttrFloat) + "]"
	case graph.Strings:
		return "[" + join(x, quote) + "]"
	case *graph.Tensor:
		return p.tensor(x)
	case graph.Tensors:
		return "[" + join(x, p.tensor) + "]"
	case *graph.Graph:
		return p.subgraph(x, column, indent)
	case graph.Graphs:
		return "[" + join(x, func(g *graph.Graph) string { return p.subgraph(g, column, indent) }) + "]"
	case *graph.SparseTensor:
		return sparseType(x) + " " + p.sparse(x)
	case graph.SparseTensors:
		return "[" + join(x, func(s *graph.SparseTensor) string {
			return sparseType(s) + " " + p.sparse(s)
		}) + "]"
	case graph.Type:
		return FormatType(x)
	case graph.Types:
		return "[" + join(x, FormatType) + "]"
	case graph.Ref:
		return "@" + attrName(x.Name)
	}
	panic("text: attribute of an unknown type")
}

// subgraph prints a graph that begins at a column of an indented line.
func (p *printer) subgraph(g *graph.Graph, column int, indent string) string {
	q := &printer{o: p.o, start: column}
	q.print(name(g.Name), " ")
	q.body(g, indent, valueNote(g.Doc, g.Metadata), false)
	return strings.TrimSuffix(q.b.String(), "\n")
}
