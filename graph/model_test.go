package graph

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var float2 = TensorOf(Float32, ShapeOf(2))

// sample is a model with a captured value, nested subgraphs, a function and an
// attribute of every type:
//
//	x, c -> add: a = x + w; if: y = If(c){then: t = a*k; If(c){u = t+a}; else: e = -a}; out = Relu(y)
func sample() *Model {
	g := New("main", nil)
	x := g.AddInput("x", float2)
	c := g.AddInput("c", TensorOf(Bool, Shape{}))
	w := g.AddInitializer("w", NewFloat32([]int64{2}, []float32{1, 2}))
	a := g.AddNode(Op{"", "Add"}, nil, []*Value{x, w}, "a").Output(0)
	a.Type = TensorOf(Float32, Shape{Symbol("N")})
	a.Metadata.Set("key", "value")
	g.Declare(a)

	then := New("then", g)
	k := then.AddInitializer("k", Scalar(3))
	t := then.AddNode(Op{"", "Mul"}, nil, []*Value{a, k}, "t").Output(0)
	inner := New("inner", then)
	inner.AddOutput(inner.AddNode(Op{"", "Add"}, nil, []*Value{t, a}, "u").Output(0))
	then.AddOutput(then.AddNode(Op{"", "If"}, Attrs{{Name: "then_branch", Value: inner}},
		[]*Value{c}, "v").Output(0))
	other := New("else", g)
	other.AddOutput(other.AddNode(Op{"", "Neg"}, nil, []*Value{a}, "e").Output(0))

	y := g.AddNode(Op{"", "If"}, Attrs{{Name: "then_branch", Value: then},
		{Name: "else_branch", Value: other}}, []*Value{c}, "y").Output(0)
	out := g.AddNode(Op{"", "Relu"}, everyAttr(g), []*Value{y}, "out", "", "extra").Output(0)
	out.Type = float2
	out.def.Name = "relu"
	out.def.Metadata.Set("k", "v")
	g.AddOutput(out)
	return &Model{IRVersion: 8, Opsets: []Opset{{Version: 17}}, Metadata: Metadata{{"m", "1"}},
		Graph: g, Functions: []*Function{sampleFunction()}, Source: &Source{Path: "p"}}
}

func sampleFunction() *Function {
	body := New("F", nil)
	p := body.AddInput("p", Type{})
	q := body.AddNode(Op{"", "Elu"}, Attrs{{Name: "alpha", Value: Ref{"a", AttrFloat}}},
		[]*Value{p}, "q").Output(0)
	body.AddOutput(q)
	held := New("default", body)
	held.AddOutput(held.AddNode(Op{"", "Neg"}, nil, []*Value{p}, "h").Output(0))
	return &Function{Domain: "my", Name: "F", Attrs: []string{"a"},
		Defaults: Attrs{{Name: "b", Value: Int(1)}, {Name: "g", Value: held}},
		Opsets:   []Opset{{Version: 17}}, Metadata: Metadata{{"f", "1"}}, Body: body}
}

// everyAttr has an attribute of every type.
func everyAttr(outer *Graph) Attrs {
	of := TensorOf(Int64, ShapeOf(1))
	sparse := &SparseTensor{Values: Scalar(1), Indices: NewInt64([]int64{1}, []int64{0}),
		Dims: []int64{4}}
	list := []Attr{Int(1), Float(0.5), String("s"), Ints{1, 2}, Floats{1, 2}, Strings{"a", "b"},
		Scalar(1), Tensors{Scalar(1), Scalar(2)}, New("empty", outer), Graphs{New("g0", outer)},
		Type{Kind: SequenceType, Of: &of}, Types{of}, sparse, SparseTensors{sparse},
		Ref{"r", AttrInt}}
	var as Attrs
	for _, a := range list {
		as.Set(TypeOf(a).String()+fmt.Sprintf("_%T", a), a)
	}
	return as
}

// dump writes all that a model holds, the order of uses included.
func dump(m *Model) string {
	var b strings.Builder
	fmt.Fprintln(&b, m.IRVersion, m.ProducerName, m.Opsets, m.Metadata, m.Doc)
	dumpGraph(&b, "", m.Graph)
	for _, f := range m.Functions {
		fmt.Fprintln(&b, f.Domain, f.Name, f.Attrs, f.Opsets, f.Metadata)
		dumpAttrs(&b, "", f.Defaults)
		dumpGraph(&b, "", f.Body)
	}
	return b.String()
}

func dumpGraph(b *strings.Builder, in string, g *Graph) {
	fmt.Fprintf(b, "%sgraph %s %q %v inputs %v outputs %v inits %v declared %v\n", in, g.Name,
		g.Doc, g.Metadata, names(g.inputs.all()), names(g.outputs), names(g.inits.all()), names(g.infos.all()))
	for _, v := range slices.SortedFunc(slices.Values(all(g)), func(v, w *Value) int {
		return strings.Compare(v.name, w.name)
	}) {
		fmt.Fprintf(b, "%s  %s %v %v %q %v", in, v.name, v.Type, v.Const, v.Doc, v.Metadata)
		for _, u := range v.uses.all() {
			fmt.Fprintf(b, " %s.%d", u.Node.Label(), u.Index)
		}
		fmt.Fprintln(b)
	}
	for _, n := range g.nodes.all() {
		fmt.Fprintf(b, "%s  %v = %v %q(%v) %v %v %v %q\n", in, names(n.outputs), n.op, n.Name,
			names(n.inputs), n.Metadata, n.Region, n.From, n.Doc)
		dumpAttrs(b, in+"    ", n.Attrs)
	}
}

func dumpAttrs(b *strings.Builder, in string, as Attrs) {
	for _, a := range as {
		switch x := a.Value.(type) {
		case *Graph:
			fmt.Fprintf(b, "%s%s\n", in, a.Name)
			dumpGraph(b, in, x)
		case Graphs:
			for _, g := range x {
				dumpGraph(b, in, g)
			}
		case Type, Types, Ref, Int, Float, String, Ints, Floats, Strings:
			fmt.Fprintf(b, "%s%s %v %v\n", in, a.Name, TypeOf(a.Value), x)
		default: // tensors are shared between clones
			fmt.Fprintf(b, "%s%s %v %v\n", in, a.Name, TypeOf(a.Value), x)
		}
	}
}

func all(g *Graph) []*Value {
	var vs []*Value
	for _, v := range g.byName {
		vs = append(vs, v)
	}
	return vs
}

func names(vs []*Value) []string {
	list := []string{}
	for _, v := range vs {
		if v == nil {
			list = append(list, "-")
		} else {
			list = append(list, v.name)
		}
	}
	return list
}

func labels(g *Graph) []string {
	var list []string
	for n := range g.Nodes() {
		list = append(list, n.Label())
	}
	return list
}

func wantNames(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// wantError checks that err mentions want; "" wants none.
func wantError(t *testing.T, what string, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: %v", what, err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%s: the error is %v, want %q", what, err, want)
	}
}

// wantPanic runs f, which must panic with a text that contains want.
func wantPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if s := fmt.Sprint(recover()); !strings.Contains(s, want) {
			t.Errorf("the panic is %s, want %q", s, want)
		}
	}()
	f()
}

func TestSampleIsSound(t *testing.T) {
	m := sample()
	if err := m.Check(); err != nil {
		t.Error(err)
	}
	var got []string
	for g := range m.Graphs() {
		got = append(got, g.Name)
	}
	wantNames(t, "graphs", got, "main", "then", "inner", "else", "empty", "g0", "F")
	for g := range m.Graphs() { // stops when asked to
		if g.Name == "inner" {
			break
		}
	}
	for range m.Graphs() {
		break
	}
}

func TestOpsets(t *testing.T) {
	m := &Model{}
	if v := m.Opset(""); v != 0 {
		t.Errorf("no import gives version %d", v)
	}
	m.SetOpset("", 17)
	m.SetOpset("my", 2)
	m.SetOpset("ai.onnx", 18)
	if d := cmp.Diff([]Opset{{Version: 18}, {Domain: "my", Version: 2}}, m.Opsets); d != "" {
		t.Error(d)
	}
	if m.Opset("") != 18 || m.Opset("ai.onnx") != 18 || m.Opset("my") != 2 || m.Opset("none") != 0 {
		t.Error("Opset does not find what SetOpset set")
	}
}

func TestFunctions(t *testing.T) {
	m := sample()
	f := m.Functions[0]
	if m.Function(f.Op(), "") != f || m.Function(f.Op(), "o") != nil || f.Opset("") != 17 {
		t.Error("the function or its opset is not found")
	}
	m.Functions = append(m.Functions, &Function{Domain: "my", Name: "G"})
	wantError(t, "no body", m.Check(), "function my.G holds no body")
	if c := m.Clone(); c.Functions[1].Body != nil {
		t.Error("a clone made a body")
	}
	wantError(t, "no graph", (&Model{}).Check(), "no graph")
	if c := (&Model{}).Clone(); c.Graph != nil {
		t.Error("a clone made a graph")
	}
}

func TestMetadata(t *testing.T) {
	var m Metadata
	m.Set("a", "1")
	m.Set("b", "2")
	m.Set("a", "3")
	c := m.Clone()
	m.Delete("a")
	m.Delete("none")
	if d := cmp.Diff(Metadata{{"b", "2"}}, m); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(Metadata{{"a", "3"}, {"b", "2"}}, c); d != "" {
		t.Error(d)
	}
	if v, ok := c.Get("b"); v != "2" || !ok {
		t.Errorf("Get gives %q, %v", v, ok)
	}
	if _, ok := c.Get("none"); ok {
		t.Error("Get finds what is not there")
	}
}

func TestRegions(t *testing.T) {
	for _, r := range []Region{Unassigned, AnalogPre, SpikingRegion, AnalogPost} {
		if got, ok := ParseRegion(r.String()); !ok || got != r {
			t.Errorf("%q is read as %v, %v", r, got, ok)
		}
	}
	if _, ok := ParseRegion("none"); ok {
		t.Error("an unknown region is read")
	}
}
