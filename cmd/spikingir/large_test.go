package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/onnxio"
)

// large is models with count pieces of one kind each, or of layers, which run on images, a share of that.
// Whatever takes time with the square of that takes hours.
var large = map[string]func(m *graph.Model, count int){
	"functions": func(m *graph.Model, count int) {
		g := m.Graph
		v := g.Value("x")
		for i := range count {
			body := graph.New("", nil)
			x := body.AddInput("a", graph.Type{})
			body.AddOutput(body.AddNode(graph.Op{Type: "Relu"}, nil, []*graph.Value{x}, "b").Output(0))
			m.Functions = append(m.Functions, &graph.Function{Domain: "my", Name: fmt.Sprint("f", i), Body: body,
				Opsets: []graph.Opset{{Version: 17}}})
			v = g.AddNode(graph.Op{Domain: "my", Type: fmt.Sprint("f", i)}, nil, []*graph.Value{v}, fmt.Sprint("v", i)).Output(0)
		}
		m.SetOpset("my", 1)
		g.SetOutput(0, v)
	},
	"attributes": func(m *graph.Model, count int) {
		n := m.Graph.Value("y").Producer()
		for i := range count {
			n.Attrs = append(n.Attrs, graph.NamedAttr{Name: fmt.Sprint("a", i), Value: graph.Int(i)})
		}
	},
	"inputs of a node": func(m *graph.Model, count int) {
		g := m.Graph
		xs := make([]*graph.Value, count)
		for i := range xs {
			xs[i] = g.Value("x")
		}
		g.SetOutput(0, g.AddNode(graph.Op{Type: "Sum"}, nil, xs, "s").Output(0))
	},
	"inputs": func(m *graph.Model, count int) {
		for i := range count {
			m.Graph.AddInput(fmt.Sprint("in", i), graph.TensorOf(graph.Float32, graph.ShapeOf(1)))
		}
	},
	"inputs with a stored value": func(m *graph.Model, count int) {
		for i := range count {
			v := m.Graph.AddInput(fmt.Sprint("in", i), graph.TensorOf(graph.Float16, graph.ShapeOf()))
			m.Graph.SetInitializer(v, half, nil)
		}
	},
	"branches": func(m *graph.Model, count int) {
		g := m.Graph
		v := g.Value("y")
		yes, err := graph.NewTensor(graph.Bool, []int64{}, []byte{1})
		if err != nil {
			panic(err)
		}
		c := g.AddInitializer("c", yes)
		for i := range count / 40 {
			var branches [2]*graph.Graph
			for k := range branches {
				branches[k] = graph.New("", g)
				branches[k].AddOutput(branches[k].AddNode(graph.Op{Type: "Relu"}, nil, []*graph.Value{v}, fmt.Sprint("b", i, "_", k)).Output(0))
			}
			attrs := graph.Attrs{{Name: "then_branch", Value: branches[0]}, {Name: "else_branch", Value: branches[1]}}
			v = g.AddNode(graph.Op{Type: "If"}, attrs, []*graph.Value{c}, fmt.Sprint("v", i)).Output(0)
		}
		g.SetOutput(0, v)
	},
	"outputs": func(m *graph.Model, count int) {
		for range count {
			m.Graph.AddOutput(m.Graph.Value("y"))
		}
	},
	"initializers": func(m *graph.Model, count int) {
		for i := range count {
			m.Graph.AddInitializer(fmt.Sprint("w", i), graph.Scalar(1))
		}
	},
	"layers": func(m *graph.Model, count int) {
		g := m.Graph
		v := g.Value("y")
		w := g.AddInitializer("w", graph.NewFloat32([]int64{1, 1, 1, 1}, []float32{1}))
		for i := range count / 100 {
			v = g.AddNode(graph.Op{Type: "Conv"}, nil, []*graph.Value{v, w}, fmt.Sprint("c", i)).Output(0)
			v = g.AddNode(graph.Op{Type: "Relu"}, nil, []*graph.Value{v}, fmt.Sprint("r", i)).Output(0)
			g.Declare(v)
		}
		g.SetOutput(0, v)
	},
	"layers of channels last": func(m *graph.Model, count int) {
		g := m.Graph
		v := g.AddNode(graph.Op{Type: "Transpose"}, graph.Attrs{{Name: "perm", Value: graph.Ints{0, 2, 3, 1}}}, []*graph.Value{g.Value("y")}, "t").Output(0)
		w := g.AddInitializer("w", graph.NewFloat32([]int64{1, 1}, []float32{1}))
		for i := range count / 100 {
			v = g.AddNode(graph.Op{Type: "MatMul"}, nil, []*graph.Value{v, w}, fmt.Sprint("c", i)).Output(0)
			v = g.AddNode(graph.Op{Type: "Relu"}, nil, []*graph.Value{v}, fmt.Sprint("r", i)).Output(0)
		}
		back := graph.Attrs{{Name: "perm", Value: graph.Ints{0, 3, 1, 2}}}
		g.SetOutput(0, g.AddNode(graph.Op{Type: "Transpose"}, back, []*graph.Value{v}, "back").Output(0))
	},
	"identities": func(m *graph.Model, count int) {
		g := m.Graph
		v := g.Value("y")
		for i := range count {
			n := g.AddNode(graph.Op{Type: "Identity"}, nil, []*graph.Value{v}, fmt.Sprint("i", i))
			n.Name = "identity" + fmt.Sprint(i)
			v = n.Output(0)
		}
		g.SetOutput(0, v)
	},
	"nodes that nothing reads": func(m *graph.Model, count int) {
		g := m.Graph
		for i := range count {
			g.AddNode(graph.Op{Type: "Relu"}, nil, []*graph.Value{g.Value("x")}, fmt.Sprint("d", i))
		}
	},
	"operators": func(m *graph.Model, count int) {
		g := m.Graph
		for i := range count {
			g.AddNode(graph.Op{Domain: "my", Type: fmt.Sprint("Op", i)}, nil, []*graph.Value{g.Value("x")}, fmt.Sprint("d", i))
		}
		m.SetOpset("my", 1)
	},
}

// half is a number of 16 bits.
var half = func() *graph.Tensor {
	t, err := graph.NewTensor(graph.Float16, []int64{}, []byte{0, 0x3c})
	if err != nil {
		panic(err)
	}
	return t
}()

// TestLargeModels inspects and converts models of 100,000 pieces.
func TestLargeModels(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	for name, add := range large {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &graph.Model{IRVersion: 8, Graph: graph.New("g", nil)}
			m.SetOpset("", 17)
			image := graph.TensorOf(graph.Float32, graph.ShapeOf(1, 1, 8, 8))
			x := m.Graph.AddInput("x", image)
			y := m.Graph.AddNode(graph.Op{Type: "Relu"}, nil, []*graph.Value{x}, "y").Output(0)
			y.Type = image
			m.Graph.AddOutput(y)
			add(m, 100_000)
			path := filepath.Join(t.TempDir(), "large.onnx")
			if err := onnxio.WriteFile(path, m); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"inspect", path}, {"convert", path, "-T", "4", "-o", path + ".out.onnx"}} {
				var errs strings.Builder
				if code := run(args, nil, io.Discard, &errs); code > 3 {
					t.Errorf("%s: exit code %d: %s", args[0], code, errs.String())
				}
			}
		})
	}
}
