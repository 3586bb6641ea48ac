package ops

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"spikingir/graph"
)

// flow is a model of one node with subgraphs, built by make.
type flow struct {
	g  *graph.Graph
	in []*Tensor
}

func (f *flow) input(name string, x *Tensor) *graph.Value {
	f.in = append(f.in, x)
	return f.g.AddInput(name, graph.TensorOf(x.DType, nil))
}

// inner is a subgraph whose inputs are floats, ints or bools by the first letter of their names.
func (f *flow) inner(inputs ...string) (*graph.Graph, map[string]*graph.Value) {
	g, values := graph.New("body", f.g), map[string]*graph.Value{}
	for _, name := range inputs {
		elem := map[byte]graph.DType{'f': graph.Float32, 'i': graph.Int64, 'b': graph.Bool}[name[0]]
		values[name] = g.AddInput(name, graph.TensorOf(elem, nil))
	}
	return g, values
}

func node(g *graph.Graph, typ, out string, in ...*graph.Value) *graph.Value {
	return g.AddNode(graph.Op{Type: typ}, nil, in, out).Output(0)
}

func outputs(g *graph.Graph, vs ...*graph.Value) *graph.Graph {
	for _, v := range vs {
		g.AddOutput(v)
	}
	return g
}

// run binds and runs a node whose tensors are those of the graph's inputs by value.
func (f *flow) run(n *graph.Node, env *Env) ([]*Tensor, error) {
	o, err := Bind(n, 17)
	if err != nil {
		return nil, err
	}
	var in []*Tensor
	for _, v := range Reads(n) {
		if v == nil {
			in = append(in, nil)
			continue
		}
		in = append(in, f.in[slices.Index(f.g.Inputs(), v)])
	}
	return o.Run(env, in)
}

func wantTensor(t *testing.T, what string, got, want *Tensor) {
	t.Helper()
	if !sameBits(got, want) {
		t.Errorf("%s: found %v %v %v, want %v %v %v", what, got, got.F32, got.I64, want, want.F32, want.I64)
	}
}

// An If runs the branch of its condition on values of the outer graph; a branch that only
// passes one on gives a tensor of its own.
func TestIf(t *testing.T) {
	for _, c := range []struct {
		cond int64
		want []float32
	}{{1, []float32{4, 6}}, {0, []float32{1, 2}}} {
		f := &flow{g: graph.New("g", nil)}
		cond := f.input("cond", scalarOf(graph.Bool, c.cond))
		x, y := f.input("x", floats(1, 2)), f.input("y", floats(3, 4))
		then, _ := f.inner()
		outputs(then, node(then, "Add", "sum", x, y))
		other, _ := f.inner()
		outputs(other, node(other, "Identity", "same", x))
		n := f.g.AddNode(graph.Op{Type: "If"}, attrs("then_branch", then, "else_branch", other), []*graph.Value{cond}, "z")
		if got := Reads(n); !slices.Equal(got, []*graph.Value{cond, x, y}) {
			t.Fatalf("reads %v, want cond, x and y", got)
		}
		out, err := f.run(n, &Env{Alloc: dirty})
		if err != nil {
			t.Fatal(err)
		}
		wantTensor(t, "If", out[0], floats(c.want...))
		if &out[0].F32[0] == &f.in[1].F32[0] {
			t.Error("the result shares the elements of x")
		}
	}
}

// counting is a Loop that adds y to its state and stacks it, as long as the state is
// below limit.
func counting(f *flow, trips, cond *graph.Value, limit float32) *graph.Node {
	start, y := f.input("start", Floats([]float32{0})), f.input("y", Floats([]float32{3}))
	top := f.input("top", Floats([]float32{limit}))
	body, v := f.inner("i", "b", "f")
	sum := node(body, "Add", "sum", v["f"], y)
	outputs(body, node(body, "Less", "again", sum, top), sum, node(body, "Identity", "copy", sum))
	return f.g.AddNode(graph.Op{Type: "Loop"}, attrs("body", body), []*graph.Value{trips, cond, start}, "last", "all")
}

func TestLoop(t *testing.T) {
	for _, c := range []struct {
		name  string
		trips []int64 // nil: omitted
		limit float32
		all   []float32
	}{
		{"by its condition", nil, 8, []float32{3, 6, 9}},
		{"by its trips", []int64{2}, 100, []float32{3, 6}},
		{"never", []int64{0}, 100, nil},
		{"fewer than none", []int64{-3}, 100, nil},
	} {
		f := &flow{g: graph.New("g", nil)}
		var trips *graph.Value
		if c.trips != nil {
			trips = f.input("trips", scalarOf(graph.Int64, c.trips[0]))
		}
		out, err := f.run(counting(f, trips, nil, c.limit), &Env{})
		if err != nil {
			t.Fatal(err)
		}
		last := float32(0)
		if len(c.all) > 0 {
			last = c.all[len(c.all)-1]
		}
		wantTensor(t, c.name, out[0], Floats([]float32{last}))
		wantTensor(t, c.name, out[1], &Tensor{DType: graph.Float32, Dims: []int{len(c.all)}, F32: append([]float32{}, c.all...)})
	}
}

func TestLoopStops(t *testing.T) {
	f := &flow{g: graph.New("g", nil)}
	n, stop := counting(f, nil, nil, 1e30), errors.New("stopped")
	rounds := 0
	_, err := f.run(n, &Env{Stop: func() error {
		if rounds++; rounds > 10 {
			return stop
		}
		return nil
	}})
	if err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Errorf("error %v, want %v", err, stop)
	}
}

// A Scan with state, slices along the second axis that go backwards, and results stacked
// along their last axis.
func TestScan(t *testing.T) {
	f := &flow{g: graph.New("g", nil)}
	state := f.input("state", floats(10, 20))
	x := f.input("x", Floats([]float32{1, 2, 3, 4, 5, 6}, 2, 3))
	body, v := f.inner("f0", "f1")
	sum := node(body, "Add", "sum", v["f0"], v["f1"])
	outputs(body, sum, node(body, "Neg", "negative", sum))
	n := f.g.AddNode(graph.Op{Type: "Scan"}, attrs("body", body, "num_scan_inputs", graph.Int(1),
		"scan_input_axes", graph.Ints{1}, "scan_input_directions", graph.Ints{1}, "scan_output_axes", graph.Ints{-1}),
		[]*graph.Value{state, x}, "last", "all")
	out, err := f.run(n, &Env{Alloc: dirty})
	if err != nil {
		t.Fatal(err)
	}
	wantTensor(t, "state", out[0], floats(16, 35))
	wantTensor(t, "stacked", out[1], Floats([]float32{-13, -15, -16, -26, -31, -35}, 2, 3))
}

func TestControlErrors(t *testing.T) {
	f := &flow{g: graph.New("g", nil)}
	cond := f.input("cond", floats(1))
	then, _ := f.inner()
	outputs(then, node(then, "Identity", "same", cond))
	bad, _ := f.inner()
	outputs(bad, node(bad, "Frobnicate", "f", cond))
	for _, c := range []struct {
		other *graph.Graph
		want  string
	}{{then, "the condition is float[1], want one bool"}, {bad, "Frobnicate"}} {
		n := f.g.AddNode(graph.Op{Type: "If"}, attrs("then_branch", then, "else_branch", c.other), []*graph.Value{cond}, "z"+c.want[:5])
		if _, err := f.run(n, &Env{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}
