package graph

import "testing"

func TestNames(t *testing.T) {
	p := partsOf(sample())
	for _, c := range []struct {
		g          *Graph
		base, want string
	}{
		{p.g, "new", "new"}, {p.g, "x", "x_1"}, {p.g, "u", "u_1"}, // u: two graphs further in
		{p.then, "x", "x_1"}, {p.then, "e", "e"}, {p.g, "", "_1"},
	} {
		if got := c.g.FreshName(c.base); got != c.want {
			t.Errorf("a fresh name for %q in %s is %q, want %q", c.base, c.g.Name, got, c.want)
		}
	}
	p.g.mustValue("x_1")
	if got := p.g.FreshName("x"); got != "x_2" {
		t.Errorf("the next fresh name is %q", got)
	}
	p.add.Name = "relu_1"
	if got := p.g.FreshNodeName("relu"); got != "relu_2" {
		t.Errorf("a fresh node name is %q", got)
	}
	if p.then.Resolve("x") != p.x || p.then.Value("x") != nil || p.g.Resolve("t") != nil {
		t.Error("names are resolved outward only")
	}
}

func TestNewValue(t *testing.T) {
	g := New("g", nil)
	for _, c := range []struct{ name, want string }{
		{"v", ""}, {"v", `two values are called "v"`}, {"", "a value without a name"},
	} {
		_, err := g.NewValue(c.name)
		wantError(t, c.name, err, c.want)
	}
	v := g.Value("v")
	n := g.AddNode(Op{"", "Neg"}, nil, []*Value{v}, "w")
	if m := g.AddNode(Op{"", "Abs"}, nil, nil, "v"); m.Output(0) != v || v.Producer() != m {
		t.Error("the node does not produce the value that waited for it")
	}
	if err := g.Sort(); err != nil {
		t.Error(err)
	}
	wantError(t, "check", g.Check(), "")
	wantNames(t, "nodes", labels(g), "v", "w")
	wantPanic(t, `two values are called "v"`, func() { g.AddNode(n.Op(), nil, nil, "v") })
	wantPanic(t, `two values are called "q"`, func() { g.AddNode(n.Op(), nil, nil, "q", "q") })
}

func TestRoles(t *testing.T) {
	m := sample()
	p := partsOf(m)
	one := NewFloat32([]int64{2}, []float32{1, 1})
	p.g.SetInitializer(p.x, one, nil)
	if !p.x.IsInput() || !p.x.IsInitializer() || p.x.IsConstant() || !p.w.IsConstant() {
		t.Error("an input with a default can be overridden, an initializer cannot")
	}
	p.g.SetInitializer(p.x, NewFloat32([]int64{2}, []float32{2, 2}), nil)
	wantError(t, "check", m.Check(), "")
	if err := p.g.RemoveInput(p.x); err != nil || !p.x.IsConstant() {
		t.Errorf("x is constant once it is no input: %v", err)
	}
	wantError(t, "twice", p.g.RemoveInput(p.x), `"x" is not an input of graph "main"`)
	wantError(t, "in use", p.g.RemoveInitializer(p.x), `initializer "x" is in use`)
	wantError(t, "no initializer", p.g.RemoveInitializer(p.a), `"a" is not an initializer`)
	wantError(t, "input in use", p.g.RemoveInput(p.g.Value("c")), `input "c" is in use`)
	p.add.SetInput(0, nil)
	if err := p.g.RemoveInitializer(p.x); err != nil || p.g.Value("x") != nil || p.x.Const != nil {
		t.Errorf("x stays: %v", err)
	}
	wantError(t, "check", m.Check(), "")
	wantNames(t, "inputs", names(p.g.Inputs()), "c")
	wantNames(t, "initializers", names(p.g.Initializers()), "w")

	d := p.g.AddInput("d", float2)
	p.g.AddOutput(d)
	wantError(t, "input that is an output", p.g.RemoveInput(d), `input "d" is in use`)
	p.g.SetInitializer(d, one, nil)
	if err := p.g.RemoveInitializer(d); err != nil || !d.IsInput() || d.IsInitializer() {
		t.Errorf("an input stays without its default: %v", err)
	}
	p.g.SetOutput(1, p.y)
	if err := p.g.RemoveInput(d); err != nil || d.Graph() != nil {
		t.Errorf("d stays: %v", err)
	}
	wantError(t, "check", m.Check(), "")
	for _, f := range []func(){
		func() { p.g.SetInitializer(p.a, one, nil) },
		func() { p.then.SetInitializer(p.w, one, nil) },
		func() { p.g.SetInitializer(p.w, nil, nil) },
	} {
		wantPanic(t, "cannot be an initializer here", f)
	}
}

func TestInputs(t *testing.T) {
	m := sample()
	p := partsOf(m)
	p.relu.SetInput(3, p.a)
	wantNames(t, "inputs", names(p.relu.Inputs()), "y", "-", "-", "a")
	if p.relu.Input(7) != nil || p.relu.Output(7) != nil || p.relu.NumInputs() != 4 || p.relu.NumOutputs() != 3 {
		t.Error("places past the end are not nil")
	}
	wantError(t, "check", m.Check(), "")
	p.relu.TruncateInputs(1)
	p.relu.TruncateInputs(5)
	wantNames(t, "truncated", names(p.relu.Inputs()), "y")
	wantError(t, "check", m.Check(), "")

	g := New("g", nil)
	v := g.AddInput("v", Type{})
	n := g.AddNode(Op{"", "Mul"}, nil, []*Value{v, v}, "w")
	n.SetInput(0, nil)
	if uses := v.Uses(); len(uses) != 1 || uses[0] != (Use{n, 1}) {
		t.Errorf("the uses are %v, want input 1", uses)
	}
	wantPanic(t, "not recorded", func() { v.dropUse(n, 0) })
	wantPanic(t, "not visible in graph main", func() { p.relu.SetInput(0, v) })
	wantPanic(t, "not visible in graph main", func() { p.g.AddNode(n.Op(), nil, []*Value{v}, "z") })
	wantPanic(t, "belongs to another graph", func() { p.g.AddOutput(v) })
	wantPanic(t, "belongs to another graph", func() { p.g.SetOutput(0, v) })
	wantPanic(t, "of another graph", func() { p.g.InsertBefore(n, n.Op(), nil, nil, "z") })
	wantError(t, "after the panics", m.Check(), "")
}

// TestSnapshots edits inside of iterations.
func TestSnapshots(t *testing.T) {
	g := New("g", nil)
	v := g.AddInput("v", Type{})
	for range 4 {
		g.AddNode(Op{"", "Neg"}, nil, []*Value{v}, g.FreshName("n"))
	}
	var seen []string
	for n := range g.Nodes() {
		seen = append(seen, n.Label())
		g.AddNode(Op{"", "Abs"}, nil, n.Inputs(), g.FreshName("m"))
		if err := g.Remove(n); err != nil {
			t.Fatal(err)
		}
		if n.Label() == "n" { // the next one is gone before its turn
			if err := g.Remove(g.Value("n_1").Producer()); err != nil {
				t.Fatal(err)
			}
		}
	}
	wantNames(t, "seen", seen, "n", "n_2", "n_3")
	wantNames(t, "left", labels(g), "m", "m_1", "m_2")
	if g.NumNodes() != 3 || v.NumUses() != 3 {
		t.Errorf("%d nodes, %d uses", g.NumNodes(), v.NumUses())
	}
	wantError(t, "check", g.Check(), "")
}

func TestDeclare(t *testing.T) {
	p := partsOf(sample())
	p.g.Declare(p.y)
	p.g.Declare(p.a)
	p.g.Declare(p.then.Value("t"))
	wantNames(t, "declared", names(p.g.Declared()), "a", "y")
	p.g.Undeclare()
	if left := p.g.Declared(); len(left) != 0 {
		t.Errorf("%v stay declared", names(left))
	}
}

func TestLabels(t *testing.T) {
	p := partsOf(sample())
	n := p.g.AddNode(Op{"my", "Sink"}, nil, nil, "")
	for _, c := range []struct {
		n    *Node
		want string
	}{{p.relu, "relu"}, {p.add, "a"}, {n, "my.Sink"}} {
		if got := c.n.Label(); got != c.want || c.n.OriginLabel() != c.want {
			t.Errorf("the label is %q, want %q", got, c.want)
		}
	}
	n.From.Node = "old"
	if n.OriginLabel() != "old" || n.Is("Sink") || !p.relu.Is("Relu") || n.IsSpiking("Sink") {
		t.Error("the origin or operator is wrong")
	}
	if !p.g.AddNode(Op{Spiking, "IF"}, nil, nil).IsSpiking("IF") || p.a.Index() != 0 {
		t.Error("a spiking operator is not recognized")
	}
}
