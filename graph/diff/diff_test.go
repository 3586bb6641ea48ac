package diff

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/graph"
)

var float2 = graph.TensorOf(graph.Float32, graph.ShapeOf(2))

func operator(typ string) graph.Op { return graph.Op{Type: typ} }

func floats(xs ...float32) *graph.Tensor {
	return graph.NewFloat32([]int64{int64(len(xs))}, xs)
}

// model has a part of every kind: h = Add(x, w), y = If(c){t = Mul(h, k)}{e = Neg(h)}
// and a function.
func model() *graph.Model {
	g := graph.New("main", nil)
	x := g.AddInput("x", float2)
	c := g.AddInput("c", graph.TensorOf(graph.Bool, graph.Shape{}))
	w := g.AddInitializer("w", floats(1, 2))
	add := g.AddNode(operator("Add"), nil, []*graph.Value{x, w}, "h")
	add.Name = "add"
	h := add.Output(0)
	h.Type = float2
	then, other := graph.New("then", g), graph.New("else", g)
	k := then.AddInitializer("k", graph.Scalar(3))
	then.AddOutput(then.AddNode(operator("Mul"), nil, []*graph.Value{h, k}, "t").Output(0))
	other.AddOutput(other.AddNode(operator("Neg"), nil, []*graph.Value{h}, "e").Output(0))
	branch := g.AddNode(operator("If"), graph.Attrs{{Name: "then_branch", Value: then},
		{Name: "else_branch", Value: other}}, []*graph.Value{c}, "y")
	branch.Name = "if"
	branch.Output(0).Type = float2
	g.AddOutput(branch.Output(0))

	body := graph.New("F", nil)
	p := body.AddInput("p", graph.Type{})
	body.AddOutput(body.AddNode(operator("Elu"), graph.Attrs{{Name: "alpha", Value: graph.Float(1)}},
		[]*graph.Value{p}, "q").Output(0))
	return &graph.Model{IRVersion: 8, ProducerName: "pytorch", ProducerVersion: "1.13",
		Opsets: []graph.Opset{{Version: 17}}, Graph: g,
		Functions: []*graph.Function{{Domain: "my", Name: "F", Attrs: []string{"a"}, Body: body,
			Defaults: graph.Attrs{{Name: "b", Value: graph.Int(1)}}}}}
}

func producer(m *graph.Model, name string) *graph.Node { return m.Graph.Value(name).Producer() }

func branch(m *graph.Model, i int) *graph.Graph { return producer(m, "y").Subgraphs()[i] }

// differences is a table of single edits of b and the entries they cause.
var differences = []struct {
	name string
	edit func(m *graph.Model)
	want []Entry
}{
	{"ir version", func(m *graph.Model) { m.IRVersion = 9 },
		[]Entry{{Header, "ir_version", Changed, "8", "9"}}},
	{"producer", func(m *graph.Model) { m.ProducerName, m.ProducerVersion = "", "" },
		[]Entry{{Header, "producer", Removed, "pytorch 1.13", ""}}},
	{"domain, doc, version", func(m *graph.Model) { m.Domain, m.Doc, m.ModelVersion = "d", "text", 2 },
		[]Entry{{Header, "model_version", Changed, "0", "2"}, {Header, "domain", Added, "", "d"},
			{Header, "doc", Added, "", "text"}}},
	{"opsets", func(m *graph.Model) { m.SetOpset("", 18); m.SetOpset("my", 1) },
		[]Entry{{Header, "opset ai.onnx", Changed, "17", "18"}, {Header, "opset my", Added, "", "1"}}},
	{"metadata", func(m *graph.Model) { m.Metadata.Set("k", "") },
		[]Entry{{Header, "metadata k", Added, "", `""`}}},
	{"graph", func(m *graph.Model) {
		m.Graph.Name, m.Graph.Doc = "other", "d"
		m.Graph.Metadata.Set("k", "v")
	}, []Entry{{Header, "graph", Changed, "main", "other"}, {Header, "graph doc", Added, "", "d"},
		{Header, "graph metadata k", Added, "", `"v"`}}},
	{"input's type", func(m *graph.Model) { m.Graph.Value("x").Type.Shape = graph.Shape{graph.Symbol("N")} },
		[]Entry{{Interface, "input 0", Changed, "x float[2]", "x float[N]"}}},
	{"new input and output", func(m *graph.Model) { m.Graph.AddOutput(m.Graph.AddInput("z", float2)) },
		[]Entry{{Interface, "input 2", Added, "", "z float[2]"},
			{Interface, "output 1", Added, "", "z float[2]"}}},
	{"output's doc", func(m *graph.Model) { m.Graph.Value("y").Doc = "d" },
		[]Entry{{Interface, "output 0.doc", Added, "", "d"}}},
	{"renamed node", func(m *graph.Model) { producer(m, "h").Name = "sum" },
		[]Entry{{NodeKind, "add", Removed, "h = Add(x, w)", ""}, {NodeKind, "sum", Added, "", "h = Add(x, w)"}}},
	{"rewired node", func(m *graph.Model) { producer(m, "h").SetInput(3, m.Graph.Value("x")) },
		[]Entry{{NodeKind, "add", Changed, "h = Add(x, w)", "h = Add(x, w, , x)"}}},
	{"overload", func(m *graph.Model) { producer(m, "h").Overload = "o" },
		[]Entry{{NodeKind, "add", Changed, "h = Add(x, w)", "h = Add:o(x, w)"}}},
	{"another operator", func(m *graph.Model) {
		n := branch(m, 1).Value("e").Producer()
		b := n.Graph().AddNode(graph.Op{Domain: "my", Type: "F"}, nil, n.Inputs(), "f")
		if err := n.Graph().ReplaceUses(n.Output(0), b.Output(0)); err != nil {
			panic(err)
		}
		if err := n.Graph().Remove(n); err != nil {
			panic(err)
		}
	}, []Entry{{NodeKind, "if/else_branch/e", Changed, "e = Neg(h)", "e = my.F(h)"}}},
	{"node without name", func(m *graph.Model) {
		m.Graph.AddNode(operator("Abs"), nil, []*graph.Value{m.Graph.Value("x")}, "z").Name = "add"
	}, []Entry{{NodeKind, "add#2", Added, "", "z = Abs(x)"}}},
	{"attributes", func(m *graph.Model) {
		n := producer(m, "h")
		n.Attrs.Set("axis", graph.Int(1))
		n.Region, n.Doc = graph.SpikingRegion, "d"
		n.Metadata.Set("k", "v")
	}, []Entry{{Attribute, "add.axis", Added, "", "int 1"}, {Attribute, "add.region", Added, "", "spiking"},
		{Attribute, "add.doc", Added, "", "d"}, {Attribute, "add.metadata k", Added, "", `"v"`}}},
	{"value", func(m *graph.Model) { v := m.Graph.Value("h"); v.Type, v.Doc = graph.Type{}, "d" },
		[]Entry{{ValueKind, "h", Removed, "float[2]", ""}, {ValueKind, "h.doc", Added, "", "d"}}},
	{"new initializer", func(m *graph.Model) { m.Graph.AddInitializer("n", graph.NewInt64(nil, []int64{4})) },
		[]Entry{{Initializer, "n", Added, "", "int64[] [4]"}}},
	{"removed initializer", func(m *graph.Model) {
		producer(m, "h").SetInput(1, m.Graph.Value("x"))
		if err := m.Graph.RemoveInitializer(m.Graph.Value("w")); err != nil {
			panic(err)
		}
	}, []Entry{{NodeKind, "add", Changed, "h = Add(x, w)", "h = Add(x, x)"},
		{Initializer, "w", Removed, "float[2] [1, 2]", ""}}},
	{"initializer of a subgraph", func(m *graph.Model) {
		branch(m, 0).SetInitializer(branch(m, 0).Value("k"), graph.Scalar(2.5), nil)
	}, []Entry{{Initializer, "if/then_branch/k", Changed, "float[] [3]", "float[] [2.5], largest difference 0.5"}}},
	{"output of a subgraph", func(m *graph.Model) {
		b := branch(m, 0)
		b.SetOutput(0, b.Value("k"))
	}, []Entry{{Interface, "if/then_branch/output 0", Changed, "t ?", "k float"}}},
	{"subgraph gone", func(m *graph.Model) { producer(m, "y").Attrs.Delete("else_branch") },
		[]Entry{{Attribute, "if.else_branch", Removed, "graph", ""}}},
	{"order of attributes", func(m *graph.Model) {
		as := producer(m, "y").Attrs
		as[0], as[1] = as[1], as[0]
	}, nil},
	{"function gone", func(m *graph.Model) { m.Functions = nil },
		[]Entry{{Function, "my.F", Removed, "1 nodes", ""}}},
	{"function without body", func(m *graph.Model) {
		m.Functions = append(m.Functions, &graph.Function{Domain: "my", Name: "F", Overload: "o"})
	}, []Entry{{Function, "my.F:o", Added, "", "0 nodes"}}},
	{"function's declaration", func(m *graph.Model) {
		f := m.Functions[0]
		f.Attrs, f.Doc = []string{"a", "c"}, "d"
		f.Defaults.Set("b", graph.Int(2))
		f.Opsets = []graph.Opset{{Domain: "my", Version: 1}}
	}, []Entry{{Function, "my.F.attributes", Changed, "a", "a, c"},
		{Function, "my.F.default b", Changed, "int 1", "int 2"},
		{Function, "my.F.doc", Added, "", "d"}, {Function, "my.F.opset my", Added, "", "1"}}},
	{"function's body", func(m *graph.Model) {
		m.Functions[0].Body.Value("q").Producer().Attrs.Set("alpha", graph.Float(0.1))
	}, []Entry{{Attribute, "my.F/q.alpha", Changed, "float 1", "float 0.1"}}},
	{"function's input", func(m *graph.Model) {
		if err := m.Functions[0].Body.Rename(m.Functions[0].Body.Value("p"), "r"); err != nil {
			panic(err)
		}
	}, []Entry{{Interface, "my.F/input 0", Changed, "p ?", "r ?"},
		{NodeKind, "my.F/q", Changed, "q = Elu(p)", "q = Elu(r)"}}},
	{"kinds in order", func(m *graph.Model) {
		m.Graph.SetInitializer(m.Graph.Value("w"), floats(1, 9), nil)
		branch(m, 0).Value("t").Producer().Attrs.Set("axis", graph.Int(1))
		m.Functions[0].Doc, m.IRVersion = "d", 9
		producer(m, "h").TruncateInputs(1)
	}, []Entry{{Header, "ir_version", Changed, "8", "9"},
		{NodeKind, "add", Changed, "h = Add(x, w)", "h = Add(x)"},
		{Attribute, "if/then_branch/t.axis", Added, "", "int 1"},
		{Initializer, "w", Changed, "float[2] [1, 2]", "float[2] [1, 9], largest difference 7"},
		{Function, "my.F.doc", Added, "", "d"}}},
}

// flip is the entry seen from the other side.
func flip(e Entry) Entry {
	e.A, e.B = e.B, e.A
	switch e.Change {
	case Added:
		e.Change = Removed
	case Removed:
		e.Change = Added
	}
	return e
}

func TestDifferences(t *testing.T) {
	for _, c := range differences {
		a, b := model(), model()
		c.edit(b)
		r := Models(a, b)
		want := append([]Entry{}, c.want...)
		if d := cmp.Diff(want, r.Entries); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
		if r.Same != (len(want) == 0) {
			t.Errorf("%s: same is %v", c.name, r.Same)
		}
		back := Models(b, a)
		if len(back.Entries) != len(want) {
			t.Errorf("%s: %d differences one way, %d back", c.name, len(want), len(back.Entries))
		}
		for range 5 {
			if d := cmp.Diff(r, Models(a, b)); d != "" {
				t.Fatalf("%s: another time it is (-first +now):\n%s", c.name, d)
			}
		}
		if same := Models(b, b.Clone()); !same.Same {
			t.Errorf("%s: a model differs from its clone: %v", c.name, same.Entries)
		}
	}
}

// TestMirror: B against A is A against B with the sides exchanged.
func TestMirror(t *testing.T) {
	for _, c := range differences {
		a, b := model(), model()
		c.edit(b)
		mirrored := map[Entry]int{}
		for _, e := range Models(a, b).Entries {
			if e.Kind != Initializer || e.Change != Changed { // those tell the distance on side B
				mirrored[flip(e)]++
			}
		}
		for _, e := range Models(b, a).Entries {
			if e.Kind != Initializer || e.Change != Changed {
				mirrored[e]--
			}
		}
		for e, n := range mirrored {
			if n != 0 {
				t.Errorf("%s: %v is seen from one side only", c.name, e)
			}
		}
	}
}

// TestDuplicates: names that occur twice are compared one by one.
func TestDuplicates(t *testing.T) {
	twice := func(second string) *graph.Model {
		m := model()
		m.Metadata = graph.Metadata{{Key: "k", Value: "1"}, {Key: "k", Value: second}}
		return m
	}
	if r := Models(twice("2"), twice("2")); !r.Same {
		t.Errorf("the same model differs: %v", r.Entries)
	}
	want := []Entry{{Header, "metadata k#2", Changed, `"2"`, `"3"`}}
	if d := cmp.Diff(want, Models(twice("2"), twice("3")).Entries); d != "" {
		t.Error(d)
	}
}

func TestOperators(t *testing.T) {
	b := model()
	b.Graph.AddNode(graph.Op{Domain: graph.Spiking, Type: "IF"}, nil, nil, "s")
	want := []OpCount{{"Add", 1, 1}, {"If", 1, 1}, {"Mul", 1, 1}, {"Neg", 1, 1}, {"Elu", 1, 1},
		{"ai.spikingir.IF", 0, 1}}
	if d := cmp.Diff(want, Models(model(), b).Ops); d != "" {
		t.Error(d)
	}
	if r := Models(&graph.Model{}, &graph.Model{}); !r.Same {
		t.Errorf("models without graphs differ: %v", r.Entries)
	}
}

// TestJSON holds the JSON form; UPDATE=1 accepts a new one.
func TestJSON(t *testing.T) {
	b := model()
	b.IRVersion = 9
	producer(b, "h").Name = "sum"
	b.Graph.SetInitializer(b.Graph.Value("w"), floats(1, -2), nil)
	got, err := json.MarshalIndent([]*Report{Models(model(), b), Models(&graph.Model{}, &graph.Model{})},
		"", "  ")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "report.json")
	if os.Getenv("UPDATE") == "1" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)+"\n"); d != "" {
		t.Errorf("the JSON form changed; UPDATE=1 accepts it (-golden +got):\n%s", d)
	}
}
