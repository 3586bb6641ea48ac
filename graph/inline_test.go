package graph

import (
	"slices"
	"testing"
)

// spliceBody is u, w -> p = Neg(u); q = If(p) with a subgraph s = Sub(p, w, k), k an
// initializer; v = Clip(q, u, w) -> v, u, w.
func spliceBody() *Graph {
	b := New("body", nil)
	u, w := b.AddInput("u", Type{}), b.AddInput("w", Type{})
	k := b.AddInitializer("k", Scalar(2))
	p := b.AddNode(Op{Type: "Neg"}, nil, []*Value{u}, "p").Output(0)
	p.Type = TensorOf(Float32, Shape{Symbol("N"), Known(3)})
	sub := New("sub", b)
	sub.AddInitializer("c", Scalar(1))
	s := sub.AddNode(Op{Type: "Sub"}, Attrs{{Name: "lost", Value: Ref{"none", AttrInt}}},
		[]*Value{p, w, k, sub.Value("c")}, "s")
	sub.AddOutput(s.Output(0))
	attrs := Attrs{{Name: "then", Value: sub}, {Name: "given", Value: Ref{"graph", AttrGraph}}}
	q := b.AddNode(Op{Type: "If"}, attrs, []*Value{p}, "q").Output(0)
	v := b.AddNode(Op{Type: "Clip"}, nil, []*Value{q, u, w}, "v").Output(0)
	for _, out := range []*Value{v, u, w} {
		b.AddOutput(out)
	}
	return b
}

// TestSplice copies a body twice, with and without its second input, beside a
// graph attribute that reads the caller's values.
func TestSplice(t *testing.T) {
	body := spliceBody()
	g := New("g", nil)
	x := g.AddInput("x", Type{})
	call := g.AddNode(Op{Type: "Call"}, nil, []*Value{x}, "y")
	g.AddOutput(call.Output(0))
	given := New("given", g)
	given.AddOutput(given.AddNode(Op{Type: "Abs"}, nil, []*Value{x}, "a").Output(0))
	call.Attrs.Set("graph", given)
	splice := func(prefix string, inputs ...*Value) ([]*Node, []*Value) {
		return g.Splice(call, body, Splice{
			Inputs: inputs,
			Attr: func(r Ref) Attr {
				a, _ := call.Attrs.Lookup(r.Name)
				return a
			},
			Name: func(base string) string { return prefix + base },
		})
	}
	nodes, outs := splice("1", x, x)
	if want := []*Value{nodes[2].Output(0), x, x}; !slices.Equal(outs, want) {
		t.Errorf("outputs are %v, want %v", outs, want)
	}
	if got := nodes[0].Output(0).Type; !got.Equal(TensorOf(Float32, Shape{{}, Known(3)})) {
		t.Errorf("the type of p is %v, want its symbol forgotten", got)
	}
	nodes, outs = splice("2", x)
	if outs[2] != nil || nodes[2].NumInputs() != 2 {
		t.Errorf("the omitted input: output %v, %d inputs of Clip, want none and 2",
			outs[2], nodes[2].NumInputs())
	}
	subs := nodes[1].Subgraphs()
	inner := slices.Collect(subs[0].Nodes())[0]
	want := []*Value{g.Value("2p"), nil, g.Value("2k"), subs[0].Value("2c")}
	if !slices.Equal(inner.Inputs(), want) || len(inner.Attrs) != 0 {
		t.Errorf("the subgraph reads %v with %d attributes, want %v and none",
			inner.Inputs(), len(inner.Attrs), want)
	}
	if len(subs) != 2 || subs[1] == given || subs[1].Outer() != g ||
		slices.Collect(subs[1].Nodes())[0].Input(0) != x {
		t.Error("the graph given is not copied with what it reads of the caller's")
	}
	for _, h := range []*Graph{g, subs[0], subs[1], body} {
		if err := h.Check(); err != nil {
			t.Error(err)
		}
	}
	if n := len(slices.Collect(g.Nodes())); n != 7 || slices.Collect(g.Nodes())[6] != call {
		t.Errorf("%d nodes, want 7 with the call behind the copies", n)
	}
	if body.NumNodes() != 3 || body.Value("u").NumUses() != 2 {
		t.Error("the body changed")
	}
}
