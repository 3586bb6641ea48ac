package graph

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReplaceUses(t *testing.T) {
	m := sample()
	p := partsOf(m)
	b := p.g.InsertBefore(p.branch, Op{"", "Neg"}, nil, []*Value{p.x}, "b").Output(0)
	if err := p.g.ReplaceUses(p.a, b); err != nil {
		t.Fatal(err)
	}
	wantError(t, "check", m.Check(), "")
	if p.a.NumUses() != 0 || b.NumUses() != 3 {
		t.Errorf("a has %d uses, b %d, want 0 and 3: the captures move, too", p.a.NumUses(), b.NumUses())
	}
	if b.Type.String() != "float[N]" {
		t.Errorf("b has type %v, want that of a", b.Type)
	}
	if b.Type.Shape[0] = Known(1); p.a.Type.String() != "float[N]" {
		t.Error("the two values share a shape")
	}
	if err := p.g.ReplaceUses(b, b); err != nil {
		t.Error(err)
	}
}

func TestReplaceUsesOfAnOutput(t *testing.T) {
	m := sample()
	p := partsOf(m)
	out := p.g.outputs[0]
	out.Doc, out.Metadata, out.Unknown = "public", Metadata{{"k", "v"}}, []byte{1}
	p.g.AddOutput(out)
	v := p.g.AddNode(Op{"", "Neg"}, nil, []*Value{out}, "neg").Output(0)
	v.Type = TensorOf(Float32, nil)
	if err := p.g.ReplaceUses(out, v); err != nil {
		t.Fatal(err)
	}
	wantNames(t, "outputs", names(p.g.outputs), "out", "out")
	if p.g.Value("out") != v || p.g.Value("neg") != out {
		t.Error("the names were not swapped")
	}
	if v.Doc != "public" || !v.Type.Equal(float2) || string(v.Unknown) != "\x01" {
		t.Errorf("the public value has doc %q, type %v", v.Doc, v.Type)
	}
	if v.Metadata.Set("k", "w"); out.Metadata[0].Value != "v" {
		t.Error("the two values share metadata")
	}
	v.def.SetInput(0, out) // the use moved to v itself, as that of any node
	wantError(t, "check", m.Check(), "")
	if err := p.g.Remove(v.def); err == nil {
		t.Error("the producer of the output was removed")
	}
}

// TestReplaceUsesTypes: a known type stays, an unknown one is taken over.
func TestReplaceUsesTypes(t *testing.T) {
	of := float2
	seq := Type{Kind: SequenceType, Of: &of}
	ranked := TensorOf(Float32, Shape{Symbol("N")})
	for _, c := range []struct {
		name         string
		old, v, want Type
	}{
		{"unknown takes", ranked, Type{}, ranked},
		{"no rank takes", ranked, TensorOf(Float32, nil), ranked},
		{"another element stays", ranked, TensorOf(Int64, nil), TensorOf(Int64, nil)},
		{"known stays", ranked, float2, float2},
		{"sequence stays", Type{}, seq, seq},
		{"sequence over map stays", Type{Kind: MapType, Elem: Undefined, Of: &of}, seq, seq},
	} {
		g := New("g", nil)
		old, v := g.AddInput("old", c.old), g.AddInput("v", c.v)
		if err := g.ReplaceUses(old, v); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if !v.Type.Equal(c.want) {
			t.Errorf("%s: the type is %v, want %v", c.name, v.Type, c.want)
		}
	}
}

// TestReplaceUsesRefuses wants an error and no change.
func TestReplaceUsesRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		call func(p parts) error
		want string
	}{
		{"output by input", func(p parts) error { return p.g.ReplaceUses(p.g.outputs[0], p.x) },
			`output "out" cannot be replaced by "x": both names are public`},
		{"output by initializer", func(p parts) error { return p.g.ReplaceUses(p.g.outputs[0], p.w) },
			"both names are public"},
		{"output by output", func(p parts) error {
			p.g.AddOutput(p.y)
			return p.g.ReplaceUses(p.g.outputs[0], p.y)
		}, "both names are public"},
		{"input that is an output", func(p parts) error {
			p.g.AddOutput(p.x)
			return p.g.ReplaceUses(p.x, p.a)
		}, `output "x" cannot be replaced by "a"`},
		{"output of a subgraph", func(p parts) error {
			return p.then.ReplaceUses(p.then.outputs[0], p.a)
		}, `output "v" cannot be replaced by "a"`},
		{"out of sight", func(p parts) error { return p.g.ReplaceUses(p.y, p.then.Value("t")) },
			`value "y" cannot be replaced by "t", which node "relu" does not see`},
		{"another graph", func(p parts) error { return p.g.ReplaceUses(p.then.Value("t"), p.a) },
			`value "t", to be replaced, belongs to another graph than "main"`},
	} {
		m := sample()
		before := dump(m)
		n := len(m.Graph.outputs)
		wantError(t, c.name, c.call(partsOf(m)), c.want)
		m.Graph.outputs = m.Graph.outputs[:n]
		if d := cmp.Diff(before, dump(m)); d != "" {
			t.Errorf("%s: the graph changed (-before +after):\n%s", c.name, d)
		}
	}
}

func TestReplaceUsesInSubgraph(t *testing.T) {
	m := sample()
	p := partsOf(m)
	if err := p.then.ReplaceUses(p.then.Value("t"), p.a); err != nil { // outward is in sight
		t.Fatal(err)
	}
	if err := p.then.Remove(p.then.nodes.all()[0]); err != nil {
		t.Fatal(err)
	}
	wantError(t, "check", m.Check(), "")
}

func TestRemove(t *testing.T) {
	for _, c := range []struct {
		name string
		pick func(p parts) (*Graph, []*Node)
		want string
	}{
		{"used", func(p parts) (*Graph, []*Node) { return p.g, []*Node{p.branch} },
			`node "y" is used by node "relu"`},
		{"output", func(p parts) (*Graph, []*Node) { return p.g, []*Node{p.branch, p.relu} },
			`node "relu" makes the graph output "out"`},
		{"captured", func(p parts) (*Graph, []*Node) { return p.g, []*Node{p.add} },
			`node "a" is used by node "t"`},
		{"one of two is foreign", func(p parts) (*Graph, []*Node) {
			return p.g, []*Node{p.g.Value("unused").def, p.then.nodes.all()[0]}
		}, `node "t" belongs to another graph`},
		{"of a subgraph", func(p parts) (*Graph, []*Node) { return p.g, []*Node{p.then.nodes.all()[0]} },
			`node "t" belongs to another graph`},
	} {
		m := sample()
		m.Graph.AddNode(Op{"", "Neg"}, nil, []*Value{m.Graph.Value("x")}, "unused")
		before := dump(m)
		g, nodes := c.pick(partsOf(m))
		wantError(t, c.name, g.Remove(nodes...), c.want)
		if d := cmp.Diff(before, dump(m)); d != "" {
			t.Errorf("%s: the graph changed (-before +after):\n%s", c.name, d)
		}
	}
}

func TestRemoveWithSubgraphs(t *testing.T) {
	m := sample()
	p := partsOf(m)
	p.relu.SetInput(0, p.x)
	if err := p.g.Remove(p.branch, p.add, p.branch); err != nil { // captures and twice
		t.Fatal(err)
	}
	wantError(t, "check", m.Check(), "")
	wantNames(t, "nodes", labels(p.g), "relu")
	if p.x.NumUses() != 1 || p.w.NumUses() != 0 || p.g.Value("c").NumUses() != 0 {
		t.Error("uses by the removed nodes stay")
	}
	if p.branch.Graph() != nil || p.a.Graph() != nil || p.g.Value("a") != nil || len(p.g.infos.all()) != 0 {
		t.Error("the removed parts stay in the graph")
	}
	if p.a.IsInput() || p.a.IsOutput() || p.a.IsConstant() {
		t.Error("a removed value claims a role")
	}
	wantError(t, "removed before", p.g.Remove(p.add), `node "a" belongs to another graph`)
	if err := p.g.Remove(); err != nil {
		t.Error(err)
	}
	wantPanic(t, "x cannot be an input of a removed node", func() { p.add.SetInput(0, p.x) })
}

func TestRename(t *testing.T) {
	for _, c := range []struct{ name, to, want string }{
		{"fresh", "b", ""},
		{"empty", "", `cannot rename "a": the new name is empty`},
		{"taken", "x", `cannot rename "a" to "x": the name is taken`},
		{"itself", "a", "the name is taken"},
		{"in a subgraph", "u", `cannot rename "a" to "u": the name is taken`},
	} {
		m := sample()
		v := m.Graph.Value("a")
		wantError(t, c.name, m.Graph.Rename(v, c.to), c.want)
		if c.want == "" && (v.Name() != c.to || m.Graph.Value("a") != nil) {
			t.Errorf("%s: the value is called %q", c.name, v.Name())
		}
		wantError(t, c.name, m.Check(), "")
	}
	p := partsOf(sample())
	wantError(t, "outer name", p.then.Rename(p.then.Value("t"), "x"), "the name is taken")
	wantError(t, "other graph", p.then.Rename(p.a, "fresh"), `value "a" belongs to another graph`)
}
