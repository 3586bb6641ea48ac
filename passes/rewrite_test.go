package passes_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/graph"
	"spikingir/passes"
)

// twoHeads is x -> Split -> a, b; y = Relu(a); b is an output too, with
// documentation and metadata; a is declared.
func twoHeads() *graph.Model {
	g := graph.New("g", nil)
	x := g.AddInput("x", graph.TensorOf(graph.Float32, graph.ShapeOf(1, 4)))
	half := graph.TensorOf(graph.Float32, graph.ShapeOf(1, 2))
	split := g.AddNode(graph.Op{Type: "Split"}, nil, []*graph.Value{x}, "a", "b")
	split.Name, split.Doc = "cut", "in two"
	split.Metadata.Set("k", "v")
	split.Region = graph.AnalogPre
	a, b := split.Output(0), split.Output(1)
	a.Type, b.Type = half, half
	b.Doc = "second half"
	b.Metadata.Set("unit", "mV")
	g.Declare(a)
	relu := g.AddNode(graph.Op{Type: "Relu"}, nil, []*graph.Value{a}, "y")
	relu.Output(0).Type = half
	g.AddOutput(b)
	g.AddOutput(relu.Output(0))
	return &graph.Model{IRVersion: 10, Opsets: []graph.Opset{{Version: 13}}, Graph: g}
}

// runOn runs one function as a pass.
func runOn(t *testing.T, m *graph.Model, f func(*passes.Context) error) {
	t.Helper()
	edit := pass("edit", func(c *passes.Context) (bool, error) { return true, f(c) })
	if _, err := (passes.Pipeline{edit.With()}).Run(m, passes.Options{}); err != nil {
		t.Fatal(err)
	}
}

// describe lists nodes, outputs and declared values.
func describe(g *graph.Graph) []string {
	names := func(vs []*graph.Value) string {
		var s []string
		for _, v := range vs {
			s = append(s, v.Name()+":"+v.Type.String())
		}
		return strings.Join(s, " ")
	}
	var lines []string
	for n := range g.Nodes() {
		lines = append(lines, fmt.Sprintf("%s(%s %q %v %v) %v <- %v", n.Name, n.Op(), n.Doc,
			n.From, n.Region, names(n.Outputs()), names(n.Inputs())))
	}
	return append(lines, "out "+names(g.Outputs()), "declared "+names(g.Declared()))
}

func TestReplace(t *testing.T) {
	m := twoHeads()
	runOn(t, m, func(c *passes.Context) error {
		cut := c.Model.Graph.Value("a").Producer()
		n, err := c.Replace(cut, graph.Op{Domain: "d", Type: "Cut"}, nil, cut.Inputs()...)
		if v, _ := n.Metadata.Get("k"); v != "v" {
			t.Errorf("metadata %v, want that of the node replaced", n.Metadata)
		}
		return err
	})
	want := []string{
		`cut(d.Cut "in two" {cut edit} analog-pre) a:float[1,2] b:float[1,2] <- x:float[1,4]`,
		`(Relu "" { } ) y:float[1,2] <- a:float[1,2]`,
		"out b:float[1,2] y:float[1,2]",
		"declared a:float[1,2]",
	}
	if d := cmp.Diff(want, describe(m.Graph)); d != "" {
		t.Errorf("after Replace (-want +got):\n%s", d)
	}
	b := m.Graph.Value("b")
	if unit, _ := b.Metadata.Get("unit"); unit != "mV" || b.Doc != "second half" {
		t.Errorf("output b lost its documentation: %q %v", b.Doc, b.Metadata)
	}
}

func TestFuse(t *testing.T) {
	m := model()
	runOn(t, m, func(c *passes.Context) error {
		g := c.Model.Graph
		act := g.Outputs()[0].Producer()
		neg := c.Insert(act, act, "neg", graph.Op{Type: "Neg"}, nil, g.Inputs(), "z")
		act.SetInput(0, neg.Output(0))
		_, err := c.Fuse(neg, graph.Op{Type: "NegRelu"}, nil, g.Inputs(), neg, act)
		return err
	})
	want := []string{
		`neg(NegRelu "" {act edit} ) y:float[1,2] <- x:float[1,2]`,
		"out y:float[1,2]", "declared ",
	}
	if d := cmp.Diff(want, describe(m.Graph)); d != "" {
		t.Errorf("after Fuse (-want +got):\n%s", d)
	}
}

// TestSupersede puts a constant in the place of a value between nodes, and
// demands that two public names are not merged.
func TestSupersede(t *testing.T) {
	m := twoHeads()
	runOn(t, m, func(c *passes.Context) error {
		g := c.Model.Graph
		n := c.Append(g.Value("y").Producer(), "", graph.Op{Type: "Neg"}, nil, g.Inputs(), "n")
		g.Value("y").Producer().SetInput(0, n.Output(0))
		w := g.AddInitializer("w", graph.NewFloat32([]int64{1, 2}, []float32{1, 2}))
		return c.Supersede(n.Output(0), w, n)
	})
	v := m.Graph.Value("n")
	if v == nil || !v.IsConstant() || v.NumUses() != 1 || m.Graph.Value("w") != nil {
		t.Errorf("n is not the constant that w was: %v", describe(m.Graph))
	}
	c := passes.Pipeline{pass("merge", func(c *passes.Context) (bool, error) {
		g := c.Model.Graph
		return true, c.Supersede(g.Value("y"), g.Value("x"), g.Value("y").Producer())
	}).With()}
	_, err := c.Run(model(), passes.Options{})
	if err == nil || !strings.Contains(err.Error(), "both names are public") {
		t.Errorf("error %v, want a refusal to merge public names", err)
	}
}

// TestFreshNames demands that a new value never shadows one of a subgraph.
func TestFreshNames(t *testing.T) {
	m := model()
	sub := graph.New("sub", m.Graph)
	sub.AddNode(graph.Op{Type: "Neg"}, nil, m.Graph.Inputs(), "w")
	m.Graph.AddNode(graph.Op{Type: "If"}, graph.Attrs{{Name: "then_branch", Value: sub}}, nil, "z")
	if got := m.Graph.FreshName("w"); got != "w_1" {
		t.Errorf("fresh name %q, want w_1: a subgraph has w", got)
	}
	if got := sub.FreshName("x"); got != "x_1" {
		t.Errorf("fresh name %q in the subgraph, want x_1: the graph around has x", got)
	}
}
