package infer_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/graph/op"
)

// TestNoPanic feeds every operator nonsense: inference may refuse it, but must
// not panic.
func TestNoPanic(t *testing.T) {
	rounds := 400
	if testing.Short() {
		rounds = 50
	}
	refused, passed := 0, 0
	for _, s := range op.All() {
		r := rand.New(rand.NewPCG(5, 6))
		for i := range rounds {
			m := nonsense(r, s)
			func() {
				defer func() {
					if p := recover(); p != nil {
						t.Errorf("%v, round %d: panic: %v", s.Op, i, p)
					}
				}()
				if infer.Model(m) != nil {
					refused++
				} else {
					passed++
				}
			}()
		}
	}
	if refused < rounds || passed < rounds {
		t.Errorf("%d models refused, %d passed: the test shows little", refused, passed)
	}
}

// nonsense is a model of one node with random inputs and attributes, the
// results of which other operators use.
func nonsense(r *rand.Rand, s *op.Spec) *graph.Model {
	g := graph.New("g", nil)
	opset := s.Since + r.Int64N(s.Until-s.Since+1)
	m := &graph.Model{IRVersion: 8, Graph: g, Opsets: []graph.Opset{{Version: opset}}}
	if s.Op.Domain != "" {
		m.Opsets = append(m.Opsets, graph.Opset{Domain: s.Op.Domain, Version: opset})
	}
	form := s.Form(opset)
	arity := func(a op.Arity) int {
		if a.Max < 0 {
			return a.Min + r.IntN(3)
		}
		return a.Min + r.IntN(a.Max-a.Min+1)
	}
	var in []*graph.Value
	for range arity(form.In) {
		in = append(in, anyInput(r, g))
	}
	var attrs graph.Attrs
	for _, a := range form.Attrs {
		if a.Required || r.IntN(2) == 0 {
			if v := anyAttr(r, a.Type, g); v != nil {
				attrs = append(attrs, graph.NamedAttr{Name: a.Name, Value: v})
			}
		}
	}
	var out []string
	for i := range arity(form.Out) {
		out = append(out, fmt.Sprintf("y%d", i))
	}
	n := g.AddNode(s.Op, attrs, in, out...)
	y := n.Output(0)
	shape := g.AddNode(graph.Op{Type: "Shape"}, nil, []*graph.Value{y}, "shape").Output(0)
	g.AddNode(graph.Op{Type: "Concat"}, graph.Attrs{{Name: "axis", Value: graph.Int(0)}},
		[]*graph.Value{y, shape}, "joined")
	g.AddNode(graph.Op{Type: "Reshape"}, nil, []*graph.Value{y, y}, "viewed")
	return m
}

func anyNumber(r *rand.Rand) int64 {
	return []int64{0, 1, 2, 3, 4, -1, -2, 7, math.MaxInt64, math.MinInt64,
		math.MaxInt32, 1 << 40}[r.IntN(12)]
}

func small(r *rand.Rand) int64 { return []int64{1, 1, 2, 3, 4, 0, -1, -4}[r.IntN(8)] }

func anyInput(r *rand.Rand, g *graph.Graph) *graph.Value {
	name := g.FreshName("x")
	switch r.IntN(8) {
	case 0:
		return nil
	case 1, 2:
		list := make([]int64, r.IntN(5))
		for i := range list {
			list[i] = small(r)
			if r.IntN(4) == 0 {
				list[i] = anyNumber(r)
			}
		}
		if len(list) == 1 && r.IntN(2) == 0 {
			return g.AddInitializer(name, graph.NewInt64([]int64{}, list))
		}
		return g.AddInitializer(name, graph.NewInt64([]int64{int64(len(list))}, list))
	case 3:
		list := []float32{1, 0.5, float32(math.NaN()), float32(math.Inf(1)), 3e38}[:r.IntN(6)]
		return g.AddInitializer(name, graph.NewFloat32([]int64{int64(len(list))}, list))
	case 4:
		return g.AddInput(name, graph.Type{})
	}
	elem := []graph.DType{graph.Float32, graph.Float32, graph.Int64, graph.Bool}[r.IntN(4)]
	if r.IntN(8) == 0 {
		return g.AddInput(name, graph.TensorOf(elem, nil))
	}
	shape := make(graph.Shape, []int{4, 4, 4, 0, 1, 2, 3, 5}[r.IntN(8)])
	for i := range shape {
		shape[i] = []graph.Dim{graph.Known(small(r)), graph.Known(anyNumber(r)), graph.Symbol("H"),
			graph.Symbol("2*W+1"), graph.Symbol("floor(H/2)"), {}, graph.Known(8), graph.Known(8)}[r.IntN(8)]
	}
	return g.AddInput(name, graph.TensorOf(elem, shape))
}

func anyAttr(r *rand.Rand, kind graph.AttrType, g *graph.Graph) graph.Attr {
	switch kind {
	case graph.AttrInt:
		return graph.Int([]int64{0, 1, 2, -1, anyNumber(r)}[r.IntN(5)])
	case graph.AttrInts:
		list := make(graph.Ints, r.IntN(6))
		for i := range list {
			list[i] = small(r)
			if r.IntN(8) == 0 {
				list[i] = anyNumber(r)
			}
		}
		return list
	case graph.AttrFloat:
		return graph.Float([]float32{0, 1, -1, float32(math.NaN())}[r.IntN(4)])
	case graph.AttrFloats:
		return graph.Floats{1, 1, 2, float32(r.IntN(3))}
	case graph.AttrString:
		return graph.String([]string{"SAME_UPPER", "VALID", "linear", "constant", "?",
			"align_corners"}[r.IntN(6)])
	case graph.AttrTensor:
		return []graph.Attr{graph.Scalar(1), graph.NewInt64([]int64{2}, []int64{3, -1}),
			graph.NewFloat32([]int64{0}, nil)}[r.IntN(3)]
	case graph.AttrGraph:
		body := graph.New("body", g)
		var v *graph.Value
		for i := range r.IntN(4) {
			v = body.AddInput(g.FreshName(fmt.Sprintf("in%d", i)), graph.Type{})
		}
		for i := range r.IntN(4) {
			c := body.AddNode(graph.Op{Type: "Concat"}, graph.Attrs{{Name: "axis", Value: graph.Int(0)}},
				[]*graph.Value{v, v}, g.FreshName(fmt.Sprintf("out%d", i)))
			body.AddOutput(c.Output(0))
		}
		return body
	}
	return nil
}
