package text

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"spikingir/graph"
)

// Options choose how a model is printed. The zero value prints everything.
type Options struct {
	// MaxElements leaves out the elements of longer tensors: a digest stands in
	// their place, so that dumps differ when weights do. 0 prints all. What is
	// left out cannot be parsed back.
	MaxElements int64
}

// Format prints a whole model; [Parse] reads it back.
func Format(m *graph.Model) string { return Print(m, Options{}) }

// Print prints a model.
func Print(m *graph.Model, o Options) string {
	p := &printer{o: o}
	p.model(m)
	return p.b.String()
}

type printer struct {
	o Options
	b strings.Builder
}

func (p *printer) printf(format string, args ...any) { fmt.Fprintf(&p.b, format, args...) }

func (p *printer) model(m *graph.Model) {
	fields := []string{fmt.Sprintf("ir_version: %d", m.IRVersion), "opset_import: " + opsets(m.Opsets)}
	text := func(key, s string) {
		if s != "" {
			fields = append(fields, key+": "+strconv.Quote(s))
		}
	}
	text("producer_name", m.ProducerName)
	text("producer_version", m.ProducerVersion)
	text("domain", m.Domain)
	if m.ModelVersion != 0 {
		fields = append(fields, fmt.Sprintf("model_version: %d", m.ModelVersion))
	}
	text("doc_string", m.Doc)
	if len(m.Metadata) > 0 {
		fields = append(fields, "metadata_props: "+metadata(m.Metadata))
	}
	p.printf("<%s>\n", strings.Join(fields, ", "))
	p.graph(m.Graph, "")
	p.printf("\n")
	for _, f := range m.Functions {
		p.function(f)
	}
}

func opsets(list []graph.Opset) string {
	parts := make([]string, len(list))
	for i, o := range list {
		parts[i] = fmt.Sprintf("%q : %d", o.Domain, o.Version)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func metadata(list graph.Metadata) string {
	parts := make([]string, len(list))
	for i, kv := range list {
		parts[i] = fmt.Sprintf("%q: %q", kv.Key, kv.Value)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// name quotes what is no C identifier.
func name(s string) string {
	for i := range len(s) {
		if !isLetter(s[i]) && (i == 0 || !isDigit(s[i])) {
			return strconv.Quote(s)
		}
	}
	if s == "" {
		return `""`
	}
	return s
}

func (p *printer) graph(g *graph.Graph, indent string) {
	var in, out []string
	for _, v := range g.Inputs() {
		s := typed(v)
		if v.Const != nil {
			s += " = " + p.data(v.Const)
		}
		in = append(in, s)
	}
	for _, v := range g.Outputs() {
		out = append(out, typed(v))
	}
	p.printf("%s (%s) => (%s)", name(g.Name), strings.Join(in, ", "), strings.Join(out, ", "))
	p.values(g, indent)
	p.nodes(g, indent)
}

// values prints the initializers, one a line, and the declared types.
func (p *printer) values(g *graph.Graph, indent string) {
	var list []string
	for _, v := range g.Initializers() {
		if v.Const != nil && !v.IsInput() {
			t := graph.TensorOf(v.Const.DType, graph.ShapeOf(v.Const.Dims...))
			list = append(list, typeString(t)+" "+name(v.Name())+" = "+p.data(v.Const))
		}
	}
	for _, v := range g.Declared() {
		if v.Type.Kind != graph.NoType && !v.IsInput() && !v.IsOutput() && !v.IsInitializer() {
			list = append(list, typed(v))
		}
	}
	switch {
	case len(list) == 0 && indent == "":
		p.printf("\n")
	case len(list) == 0:
		p.printf(" ")
	case len(list) == 1:
		p.printf("\n%s<%s>\n%s", indent, list[0], indent)
	default:
		p.printf("\n%s<\n", indent)
		for i, s := range list {
			comma := ","
			if i == len(list)-1 {
				comma = ""
			}
			p.printf("%s  %s%s\n", indent, s, comma)
		}
		p.printf("%s>\n%s", indent, indent)
	}
}

func (p *printer) nodes(g *graph.Graph, indent string) {
	p.printf("{\n")
	for n := range g.Nodes() {
		p.node(n, indent+"  ")
	}
	p.printf("%s}", indent)
}

func (p *printer) node(n *graph.Node, indent string) {
	p.printf("%s", indent)
	if n.Name != "" {
		p.printf("[%s] ", name(n.Name))
	}
	p.printf("%s = ", names(n.Outputs()))
	for _, part := range strings.Split(n.Op().Domain, ".") {
		if n.Op().Domain != "" {
			p.printf("%s.", name(part))
		}
	}
	p.printf("%s", name(n.Op().Type))
	if n.Overload != "" {
		p.printf(":%s", name(n.Overload))
	}
	if len(n.Attrs) > 0 {
		p.printf(" <")
		for i, a := range n.Attrs {
			if i > 0 {
				p.printf(", ")
			}
			p.printf("%s", name(a.Name))
			p.attr(a.Value, indent)
		}
		p.printf("> ")
	}
	p.printf("(%s)%s\n", names(n.Inputs()), note(n))
}

func names(vs []*graph.Value) string {
	parts := make([]string, len(vs))
	for i, v := range vs {
		if v != nil {
			parts[i] = name(v.Name())
		} else {
			parts[i] = `""`
		}
	}
	return strings.Join(parts, ", ")
}

// note is the comment that carries what a node knows beside its attributes.
func note(n *graph.Node) string {
	var parts []string
	add := func(key, value string) {
		if value != "" {
			parts = append(parts, key+"="+strconv.Quote(value))
		}
	}
	add("origin", n.From.Node)
	add("pass", n.From.Pass)
	add("region", n.Region.String())
	add("doc", n.Doc)
	for _, kv := range n.Metadata {
		key := kv.Key
		switch key {
		case "origin", "pass", "region", "doc":
			key = "node." + key
		}
		if strings.ContainsAny(key, "=\" \t\n") || key == "" {
			key = strconv.Quote(key)
		}
		parts = append(parts, key+"="+strconv.Quote(kv.Value))
	}
	if parts == nil {
		return ""
	}
	return " # " + strings.Join(parts, " ")
}

// attr prints " = value", with the type where the value does not tell it.
func (p *printer) attr(a graph.Attr, indent string) {
	typed := false
	switch x := a.(type) {
	case graph.Ref, graph.Type, graph.Types, graph.SparseTensors, *graph.SparseTensor:
		typed = true
	case graph.Ints:
		typed = len(x) == 0
	case graph.Floats:
		typed = len(x) == 0
	case graph.Strings:
		typed = len(x) == 0
	case graph.Tensors:
		typed = len(x) == 0
	case graph.Graphs:
		typed = len(x) == 0
	}
	if typed {
		p.printf(": %v", graph.TypeOf(a))
	}
	p.printf(" = ")
	p.attrValue(a, indent)
}

func (p *printer) attrValue(a graph.Attr, indent string) {
	switch x := a.(type) {
	case graph.Int:
		p.printf("%d", int64(x))
	case graph.Float:
		p.printf("%s", attrFloat(float64(x)))
	case graph.String:
		p.printf("%s", strconv.Quote(string(x)))
	case graph.Ints:
		p.printf("[%s]", join(x, func(n int64) string { return strconv.FormatInt(n, 10) }))
	case graph.Floats:
		p.printf("[%s]", join(x, func(f float32) string { return attrFloat(float64(f)) }))
	case graph.Strings:
		p.printf("[%s]", join(x, strconv.Quote))
	case *graph.Tensor:
		p.printf("%s", p.tensor(x))
	case graph.Tensors:
		p.printf("[%s]", join(x, p.tensor))
	case *graph.Graph:
		p.graph(x, indent)
	case graph.Graphs:
		p.printf("[")
		for i, g := range x {
			if i > 0 {
				p.printf(", ")
			}
			p.graph(g, indent)
		}
		p.printf("]")
	case graph.Type:
		p.printf("%s", typeString(x))
	case graph.Types:
		p.printf("[%s]", join(x, typeString))
	case graph.Ref:
		p.printf("@%s", name(x.Name))
	default:
		p.printf("[\"unprintable\": %q]", graph.TypeOf(a))
	}
}

func join[T any](xs []T, f func(T) string) string {
	parts := make([]string, len(xs))
	for i, x := range xs {
		parts[i] = f(x)
	}
	return strings.Join(parts, ", ")
}

// attrFloat writes a float so that it does not read back as an int.
func attrFloat(f float64) string {
	s := formatFloat(f, 32)
	if strings.Trim(s, "-0123456789") == "" {
		s += ".0"
	}
	return s
}

func (p *printer) tensor(t *graph.Tensor) string {
	s := typeString(graph.TensorOf(t.DType, graph.ShapeOf(t.Dims...)))
	if t.Name != "" {
		s += " " + name(t.Name)
	}
	return s + " " + p.data(t)
}

// data prints the elements of a tensor, or what stands for them.
func (p *printer) data(t *graph.Tensor) string {
	n, err := t.Len()
	switch {
	case err != nil:
		return `["invalid": "dimensions"]`
	case t.Store == graph.ExternalData:
		return metadata(t.External.Entries)
	case p.o.MaxElements > 0 && n > p.o.MaxElements:
		h := sha256.New()
		h.Write(t.Bytes())
		for _, s := range t.Strings() {
			fmt.Fprintf(h, "%d:%s", len(s), s)
		}
		return fmt.Sprintf(`["location": "left out", "digest": %q]`, digest(h.Sum(nil)))
	case t.DType == graph.StringType:
		return "{" + join(t.Strings(), func(b []byte) string { return strconv.Quote(string(b)) }) + "}"
	case !decimal(t.DType):
		return fmt.Sprintf(`["raw": %q]`, hex.EncodeToString(t.Bytes()))
	}
	parts := make([]string, n)
	for i := range parts {
		parts[i] = formatElement(t, i)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// typed is a value with its type in front, if it is known.
func typed(v *graph.Value) string {
	if v.Type.Kind == graph.NoType {
		return name(v.Name())
	}
	return typeString(v.Type) + " " + name(v.Name())
}

func typeString(t graph.Type) string {
	switch t.Kind {
	case graph.TensorType:
		return t.Elem.String() + shape(t.Shape)
	case graph.SparseTensorType:
		return "sparse_tensor(" + t.Elem.String() + shape(t.Shape) + ")"
	case graph.SequenceType:
		return "seq(" + typeString(*t.Of) + ")"
	case graph.OptionalType:
		return "optional(" + typeString(*t.Of) + ")"
	case graph.MapType:
		return "map(" + t.Elem.String() + ", " + typeString(*t.Of) + ")"
	case graph.OpaqueType:
		return fmt.Sprintf("opaque(%q, %q)", t.Domain, t.Name)
	}
	return "undefined"
}

func shape(s graph.Shape) string {
	if s == nil {
		return "[]"
	}
	if len(s) == 0 {
		return ""
	}
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = d.String()
		if d.Param() != "" {
			parts[i] = name(d.Param())
		}
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func (p *printer) function(f *graph.Function) {
	fields := []string{"domain: " + strconv.Quote(f.Domain), "opset_import: " + opsets(f.Opsets)}
	if f.Overload != "" {
		fields = append(fields, "overload: "+strconv.Quote(f.Overload))
	}
	if f.Doc != "" {
		fields = append(fields, "doc_string: "+strconv.Quote(f.Doc))
	}
	if len(f.Metadata) > 0 {
		fields = append(fields, "metadata_props: "+metadata(f.Metadata))
	}
	p.printf("\n<%s>\n%s ", strings.Join(fields, ", "), name(f.Name))
	if len(f.Attrs)+len(f.Defaults) > 0 {
		p.printf("<%s", join(f.Attrs, name))
		for i, a := range f.Defaults {
			if i > 0 || len(f.Attrs) > 0 {
				p.printf(", ")
			}
			p.printf("%s: %v = ", name(a.Name), graph.TypeOf(a.Value))
			p.attrValue(a.Value, "")
		}
		p.printf("> ")
	}
	p.printf("(%s) => (%s)\n", names(f.Body.Inputs()), names(f.Body.Outputs()))
	p.nodes(f.Body, "")
	p.printf("\n")
}
