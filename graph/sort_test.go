package graph

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// line is a graph of nodes, given in order; "c=a,b" makes c from a and b.
// Values may be used before they are made.
func line(t *testing.T, nodes ...[]string) *Graph {
	t.Helper()
	g := New("line", nil)
	in := g.AddInput("in", Type{})
	for _, n := range nodes {
		var inputs []*Value
		for _, name := range n[1:] {
			v := g.Value(name)
			if v == nil {
				v = g.mustValue(name)
			}
			inputs = append(inputs, v)
		}
		if len(inputs) == 0 {
			inputs = []*Value{in}
		}
		g.AddNode(Op{"", "Op"}, nil, inputs, n[0])
	}
	return g
}

func TestSortIsLocal(t *testing.T) {
	for _, c := range []struct {
		name  string
		nodes [][]string
		want  []string
	}{
		{"sorted", [][]string{{"a"}, {"b"}, {"c", "a"}, {"d", "b"}}, []string{"a", "b", "c", "d"}},
		{"one late", [][]string{{"a"}, {"c", "b"}, {"d"}, {"b", "a"}, {"e"}},
			[]string{"a", "b", "c", "d", "e"}},
		{"late chain", [][]string{{"d", "c"}, {"x"}, {"c", "b"}, {"y"}, {"b"}},
			[]string{"b", "c", "d", "x", "y"}},
		{"first consumer", [][]string{{"x"}, {"p", "late"}, {"q", "late"}, {"late"}},
			[]string{"x", "late", "p", "q"}},
		{"inputs in order", [][]string{{"c", "b", "a"}, {"a"}, {"b"}}, []string{"b", "a", "c"}},
		{"empty", nil, nil},
	} {
		g := line(t, c.nodes...)
		if err := g.Sort(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		wantNames(t, c.name, labels(g), c.want...)
		wantError(t, c.name, g.Check(), "")
	}
}

func TestSortNamesTheCycle(t *testing.T) {
	for _, c := range []struct {
		nodes [][]string
		want  string
	}{
		{[][]string{{"a", "a"}}, "nodes form a cycle: a -> a"},
		{[][]string{{"x"}, {"a", "c"}, {"b", "a"}, {"c", "b"}}, "nodes form a cycle: a -> c -> b -> a"},
		{[][]string{{"out", "x"}, {"x", "a"}, {"a", "b"}, {"b", "a"}}, "nodes form a cycle: a -> b -> a"},
	} {
		g := line(t, c.nodes...)
		before := labels(g)
		err := g.Sort()
		if err == nil || err.Error() != c.want {
			t.Errorf("the error is %v, want %q", err, c.want)
		}
		wantNames(t, "order after the error", labels(g), before...)
	}
}

// TestSortCaptures moves a producer before the node whose subgraph needs it, and
// sorts inside of subgraphs.
func TestSortCaptures(t *testing.T) {
	m := sample()
	p := partsOf(m)
	slices.Reverse(p.g.nodes.all())
	slices.Reverse(p.then.nodes.all())
	if err := p.g.Sort(); err != nil {
		t.Fatal(err)
	}
	wantNames(t, "main", labels(p.g), "a", "y", "relu")
	wantNames(t, "then", labels(p.then), "t", "v")
	wantError(t, "check", m.Check(), "")

	p.add.SetInput(1, p.y) // y's branch captures a
	if err := p.g.Sort(); err == nil || err.Error() != "nodes form a cycle: a -> y -> a" {
		t.Errorf("the error is %v", err)
	}
	inner := p.then.nodes.all()[1].Subgraphs()[0]
	p.add.SetInput(1, p.w)
	inner.nodes.all()[0].SetInput(0, inner.nodes.all()[0].Output(0))
	if err := p.g.Sort(); err == nil || err.Error() != "nodes form a cycle: u -> u" {
		t.Errorf("the error is %v", err)
	}
}

// TestSortShuffled sorts random orders of random graphs: the result is sound,
// sorting it again changes nothing.
func TestSortShuffled(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		g := New("random", nil)
		vs := []*Value{g.AddInput("in", Type{})}
		for range 1 + r.IntN(30) {
			var in []*Value
			for range 1 + r.IntN(3) {
				in = append(in, vs[r.IntN(len(vs))])
			}
			n := g.AddNode(Op{"", "Op"}, nil, in, g.FreshName("v"))
			vs = append(vs, n.Output(0))
		}
		r.Shuffle(len(g.nodes.all()), func(i, j int) { g.nodes.all()[i], g.nodes.all()[j] = g.nodes.all()[j], g.nodes.all()[i] })
		if err := g.Sort(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := g.Check(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		once := labels(g)
		if err := g.Sort(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		wantNames(t, "sorted again", labels(g), once...)
	}
}
