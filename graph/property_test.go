package graph

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// editor applies random edits to a model .
type editor struct {
	m *Model
	r *rand.Rand
}

// graph picks a graph or subgraph to edit.
func (e *editor) graph() *Graph {
	var gs []*Graph
	for g := range e.m.Graphs() {
		gs = append(gs, g)
	}
	return gs[e.r.IntN(len(gs))]
}

// inSight gives a random value that a node of g at place at may use.
func (e *editor) inSight(g *Graph, at int) *Value {
	var vs []*Value
	for h := g; h != nil; h = h.outer {
		vs = append(vs, h.inputs.all()...)
		vs = append(vs, h.inits.all()...)
		for _, n := range h.nodes.all()[:at] {
			for _, v := range n.outputs {
				if v != nil {
					vs = append(vs, v)
				}
			}
		}
		at = holder(h)
	}
	if len(vs) == 0 {
		return nil
	}
	return vs[e.r.IntN(len(vs))]
}

// holder is the place of the node that holds the subgraph sub; the last node
// when none does yet.
func holder(sub *Graph) int {
	if sub.outer == nil {
		return 0
	}
	for i, n := range sub.outer.nodes.all() {
		if slices.Contains(n.Subgraphs(), sub) {
			return i
		}
	}
	return len(sub.outer.nodes.all()) - 1
}

func (e *editor) node(g *Graph) (*Node, int) {
	if len(g.nodes.all()) == 0 {
		return nil, 0
	}
	at := e.r.IntN(len(g.nodes.all()))
	return g.nodes.all()[at], at
}

func (e *editor) value(g *Graph) *Value {
	var vs []*Value
	vs = append(append(vs, g.inputs.all()...), g.inits.all()...)
	for _, n := range g.nodes.all() {
		for _, v := range n.outputs {
			if v != nil {
				vs = append(vs, v)
			}
		}
	}
	if len(vs) == 0 {
		return nil
	}
	return vs[e.r.IntN(len(vs))]
}

// step makes one edit; it reports the kind of edit, "" when none was possible.
func (e *editor) step() string {
	g := e.graph()
	switch k := e.r.IntN(10); k {
	case 0, 1:
		return e.add(g)
	case 2:
		return e.insert(g)
	case 3:
		return e.replace(g)
	case 4:
		return e.remove(g)
	case 5:
		return e.rename(g)
	case 6:
		return e.setInput(g)
	case 7:
		return e.roles(g)
	case 8:
		if g.Sort() == nil {
			return "sort"
		}
	case 9:
		e.m = e.m.Clone()
		return "clone"
	}
	return ""
}

func (e *editor) add(g *Graph) string {
	name := g.FreshName("v")
	if e.r.IntN(3) > 0 {
		n := g.AddNode(Op{"", "Op"}, nil, []*Value{e.inSight(g, len(g.nodes.all())), nil,
			e.inSight(g, len(g.nodes.all()))}, name)
		if e.r.IntN(4) == 0 && g.outer == nil {
			sub := New("sub", g)
			sub.AddOutput(sub.AddNode(Op{"", "Op"}, nil, []*Value{e.inSight(sub, 0)},
				sub.FreshName("s")).Output(0))
			n.Attrs.Set("body", sub)
		}
		return "add node"
	}
	if e.r.IntN(2) == 0 {
		g.AddInitializer(name, Scalar(1))
	} else {
		g.AddInput(name, float2)
	}
	return "add value"
}

func (e *editor) insert(g *Graph) string {
	mark, at := e.node(g)
	if mark == nil {
		return ""
	}
	n := g.InsertBefore(mark, Op{"", "Op"}, nil, []*Value{e.inSight(g, at)}, g.FreshName("i"))
	mark.SetInput(e.r.IntN(3), n.Output(0))
	if e.r.IntN(2) == 0 {
		g.Declare(n.Output(0))
	}
	return "insert"
}

// replace moves uses to a value made before the old one, so that the order
// stays right.
func (e *editor) replace(g *Graph) string {
	n, at := e.node(g)
	if n == nil || n.Output(0) == nil {
		return ""
	}
	v := e.inSight(g, at)
	if v == nil || g.ReplaceUses(n.Output(0), v) != nil {
		return ""
	}
	return "replace"
}

func (e *editor) remove(g *Graph) string {
	n, _ := e.node(g)
	if n == nil || g.Remove(n) != nil {
		return ""
	}
	return "remove"
}

func (e *editor) rename(g *Graph) string {
	v := e.value(g)
	if v == nil || g.Rename(v, fmt.Sprintf("r%d", e.r.IntN(30))) != nil {
		return ""
	}
	return "rename"
}

func (e *editor) setInput(g *Graph) string {
	n, at := e.node(g)
	if n == nil {
		return ""
	}
	if e.r.IntN(4) == 0 {
		n.TruncateInputs(e.r.IntN(3))
		return "truncate"
	}
	n.SetInput(e.r.IntN(4), e.inSight(g, at))
	return "set input"
}

// roles changes what is an input, an initializer or an output.
func (e *editor) roles(g *Graph) string {
	v := e.value(g)
	if v == nil {
		return ""
	}
	switch e.r.IntN(4) {
	case 0:
		if g.RemoveInput(v) == nil {
			return "remove input"
		}
	case 1:
		if g.RemoveInitializer(v) == nil {
			return "remove initializer"
		}
	case 2:
		if v.IsInput() {
			g.SetInitializer(v, NewFloat32([]int64{2}, []float32{1, 2}), nil)
			v.Type = float2
			return "default"
		}
	case 3:
		if len(g.outputs) < 4 {
			g.AddOutput(v)
		} else {
			g.SetOutput(e.r.IntN(4), v)
		}
		return "output"
	}
	return ""
}

// TestRandomEditsKeepTheInvariants checks the model after every edit, and that
// edits of a clone leave the model it was made of alone.
func TestRandomEditsKeepTheInvariants(t *testing.T) {
	done := map[string]int{}
	for seed := range uint64(120) {
		e := &editor{m: sample(), r: rand.New(rand.NewPCG(seed, 2))}
		var original *Model
		var before string
		for i := range 60 {
			if i%20 == 0 {
				original, before = e.m, dump(e.m)
				e.m = e.m.Clone()
				if d := cmp.Diff(before, dump(e.m)); d != "" {
					t.Fatalf("seed %d: the clone differs (-original +clone):\n%s", seed, d)
				}
			}
			what := e.step()
			done[what]++
			if err := e.m.Check(); err != nil {
				t.Fatalf("seed %d, edit %d, %s: %v", seed, i, what, err)
			}
		}
		if d := cmp.Diff(before, dump(original)); d != "" {
			t.Fatalf("seed %d: the original changed (-before +after):\n%s", seed, d)
		}
	}
	for _, what := range []string{"add node", "add value", "insert", "replace", "remove", "rename",
		"set input", "truncate", "sort", "clone", "default", "output", "remove input",
		"remove initializer"} {
		if done[what] < 5 {
			t.Errorf("only %d edits of the kind %q", done[what], what)
		}
	}
}
