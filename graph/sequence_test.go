package graph

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSequence makes random edits of a sequence and of a plain slice.
func TestSequence(t *testing.T) {
	long, pending := 0, 0
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 3))
		var s sequence[int]
		var want []int
		next := 0
		for range 400 {
			switch k := r.IntN(10); {
			case k < 4 || len(want) == 0:
				s.add(next, next+1)
				want = append(want, next, next+1)
				next += 2
			case k < 7:
				at := r.IntN(len(want))
				s.insert(want[at], next, next+1)
				want = slices.Insert(want, at, next, next+1)
				next += 2
			case k < 9:
				at := r.IntN(len(want))
				x := want[at]
				s.remove(x)
				want = slices.Delete(want, at, at+1)
				if r.IntN(3) == 0 { // taken out, and back at another place
					s.add(x)
					want = append(want, x)
				}
			default:
				at := r.IntN(len(want))
				x := want[at]
				s.remove(x)
				want = slices.Delete(want, at, at+1)
				if len(want) > 0 {
					at = r.IntN(len(want))
					s.insert(want[at], x)
					want = slices.Insert(want, at, x)
				} else {
					s.add(x)
					want = append(want, x)
				}
			}
			if s.len() != len(want) || !slices.Equal(s.all(), want) {
				t.Fatalf("seed %d: %d members %v, want %v", seed, s.len(), s.all(), want)
			}
			if len(want) > shortSequence {
				long++
			}
			if s.edits > 0 {
				pending++
			}
		}
	}
	if long < 1000 || pending < 1000 {
		t.Errorf("%d long lists and %d edits kept: the test misses what it is for", long, pending)
	}
}

// TestManyEdits makes edits of a graph that would take hours if each walked through
// what is there: 100,000 nodes that read one value, each with another put before it, and
// half of them taken out again; as many inputs, initializers and declared values.
func TestManyEdits(t *testing.T) {
	const count = 100_000
	g := New("many", nil)
	x := g.AddInput("x", float2)
	relu := Op{"", "Relu"}
	var nodes []*Node
	var inputs, inits []*Value
	for range count {
		n := g.AddNode(relu, nil, []*Value{x}, g.FreshName("y"))
		g.Declare(n.Output(0))
		inputs = append(inputs, g.AddInput(g.FreshName("in"), float2))
		inits = append(inits, g.AddInitializer(g.FreshName("w"), Scalar(1)))
		g.AddOutput(n.Output(0))
		nodes = append(nodes, n)
	}
	for i, n := range nodes {
		before := g.InsertBefore(n, relu, nil, []*Value{x}, g.FreshName("z"))
		n.SetInput(0, before.Output(0))
		if i%2 == 0 {
			g.SetOutput(i, x)
			if err := g.Remove(n); err != nil {
				t.Fatal(err)
			}
			if err := g.RemoveInput(inputs[i]); err != nil {
				t.Fatal(err)
			}
			if err := g.RemoveInitializer(inits[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := g.Check(); err != nil {
		t.Fatal(err)
	}
	if g.NumNodes() != count/2*3 || x.NumUses() != count || len(g.Declared()) != count/2 {
		t.Errorf("%d nodes, %d uses, %d declared values", g.NumNodes(), x.NumUses(), len(g.Declared()))
	}
	if name := g.FreshName("y"); name != "y" {
		t.Errorf("the name y is not free again: %s", name)
	}
}
