package grad

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/ops"
)

// Every operator that package ops runs has a gradient or a reason why not.
func TestTable(t *testing.T) {
	runs := map[string]bool{}
	for _, s := range op.All() {
		if !ops.Supported(s.Op) {
			if Reason(s.Op) == "" {
				t.Errorf("operator %v has a gradient but cannot be run", s.Op)
			}
			continue
		}
		runs[s.Op.Type] = true
		if binder, reason := binders[s.Op.Type] != nil, without[s.Op.Type]; binder == (reason != "") {
			t.Errorf("operator %v: has a gradient %t, reason against it %q", s.Op, binder, reason)
		}
	}
	for _, name := range slices.Concat(keys(binders), keys(without), keys(differentiable)) {
		if !runs[name] {
			t.Errorf("operator %s is listed but package ops does not run it", name)
		}
	}
	if o := (graph.Op{Domain: graph.Spiking, Type: "Conv"}); Reason(o) == "" {
		t.Errorf("operator %v is supported, want standard ones only", o)
	}
}

func keys[V any](m map[string]V) (list []string) {
	for k := range m {
		list = append(list, k)
	}
	return list
}

// Where a function has no derivative, and others that differences do not show.
func TestValues(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, c := range []struct {
		text string
		gout []float32
		want [][]float32 // of each input; nil: not asked for
	}{
		{"(float[3] x = {-1, 0, 2}) => (float y) { y = Relu (x) }", []float32{1, 1, 1}, [][]float32{{0, 0, 1}}},
		{"(float[3] x = {-1, 0, 2}) => (float y) { y = LeakyRelu <alpha = 0.5> (x) }",
			[]float32{1, 1, 1}, [][]float32{{0.5, 0.5, 1}}},
		{"(float[3] x = {-1, 0, 2}, float[1] s = {0.25}) => (float y) { y = PRelu (x, s) }",
			[]float32{2, 1, 1}, [][]float32{{0.5, 0.25, 1}, {-2}}},
		{"(float[2] x = {0, -2}) => (float y) { y = Elu <alpha = 2.0> (x) }",
			[]float32{1, 0}, [][]float32{{2, 0}}},
		{"(float[2] x = {0, -2}) => (float y) { y = Abs (x) }", []float32{1, 1}, [][]float32{{0, -1}}},
		{"(float[4] x = {-1, 0, 1, 2}, float l = {0}, float h = {1}) => (float y) { y = Clip (x, l, h) }",
			[]float32{1, 2, 3, 4}, [][]float32{{0, 2, 3, 0}, {1}, {4}}},
		{"(float[2] x = {-1, 4}, float l = {2}, float h = {1}) => (float y) { y = Clip (x, l, h) }",
			[]float32{1, 2}, [][]float32{{0, 0}, {0}, {3}}},
		{"(float[2] x = {1, 1}) => (float y) { y = ThresholdedRelu (x) }", []float32{1, 1}, [][]float32{{0, 0}}},
		{"(float[2] x = {1, 3}, float[2] y = {1, 2}, float[2] z = {0, 3}) => (float s) { s = Max (x, y, z) }",
			[]float32{5, 7}, [][]float32{{0, 0}, {5, 0}, {0, 7}}},
		{"(float[1,1,4] x = {2, 3, 3, 1}) => (float y) { y = MaxPool <kernel_shape = [2]> (x) }",
			[]float32{1, 2, 4}, [][]float32{{0, 3, 4, 0}}},
		{"(float[4] x = {2, 3, 3, 1}) => (float y) { y = ReduceMax (x) }", []float32{5}, [][]float32{{0, 5, 0, 0}}},
		{"(float[3] x = {0, 0, 0}) => (float y) { y = ReduceL2 (x) }", []float32{5}, [][]float32{{0, 0, 0}}},
		{"(float[1,1,2] x = {0, 0}) => (float y) { y = LpPool <kernel_shape = [2]> (x) }",
			[]float32{5}, [][]float32{{0, 0}}},
		{"(float[3] x = {-2, 0, 0}, float[3] y = {2, 0, 1}) => (float z) { z = Pow (x, y) }",
			[]float32{1, 1, 1}, [][]float32{{-4, 0, 1}, {0, 0, 0}}},
		{"(float[2] x = {0, 4}) => (float y) { y = Sqrt (x) }", []float32{0, 1}, [][]float32{{0, 0.25}}},
		{"(float[2] x = {0, 4}) => (float y) { y = Sqrt (x) }", []float32{1, 0}, [][]float32{{inf, 0}}},
		{"(float[2] x = {200, -200}) => (float y) { y = Sigmoid (x) }", []float32{1, 1}, [][]float32{{0, 0}}},
		{"(float[2] x = {200, -200}) => (float y) { y = Softplus (x) }", []float32{1, 1}, [][]float32{{1, 0}}},
		{"(float[2] x = {200, -200}) => (float y) { y = Mish (x) }", []float32{1, 1}, [][]float32{{1, 0}}},
		{"(float[2] x = {1.5, 2.5}) => (float y) { y = Round (x) }", []float32{1, 1}, [][]float32{{0, 0}}},
		{"(float x = {1}, float d = {2}) => (float y) <float l = {6}> { y = Range (x, l, d) }",
			[]float32{1, 2, 4}, [][]float32{{7}, nil, {10}}},
	} {
		m := testCase{18, smooth, c.text}.build(t, 1)
		out := m.forward(t, 0, nil)
		gout := []*ops.Tensor{ops.Floats(c.gout, out[0].Dims...)}
		gin := m.gradients(t, out, gout, 0, m.wanted()...)
		for i, w := range c.want {
			if w == nil {
				continue
			}
			for k, v := range w {
				if g := gin[i].F32[k]; !(math.Abs(float64(g-v)) < 1e-6 || g == v) {
					t.Errorf("%s: gradient of input %d is %v, want %v", c.text, i, gin[i].F32, w)
					break
				}
			}
		}
	}
}

// TestBindErrors wants the node's name and the reason.
func TestBindErrors(t *testing.T) {
	for _, c := range []struct {
		o     graph.Op
		attrs graph.Attrs
		in    int
		opset int64
		want  string
	}{
		{graph.Op{Type: "ArgMax"}, nil, 1, 17, "has no gradient: its result is an index"},
		{graph.Op{Type: "Less"}, nil, 2, 17, "has no gradient: its result is bool"},
		{graph.Op{Type: "Frobnicate"}, nil, 1, 17, "has no gradient: it is not supported"},
		{graph.Op{Domain: graph.Spiking, Type: "IF"}, nil, 3, 17, "no standard operator"},
		{graph.Op{Type: "Cast"}, attributes("to", graph.Int(graph.Int64)), 1, 17, "int64 has no gradient"},
		{graph.Op{Type: "BatchNormalization"}, attributes("training_mode", graph.Int(1)), 5, 17,
			"training mode has no gradient"},
		{graph.Op{Type: "BatchNormalization"}, attributes("spatial", graph.Int(0)), 5, 8, "spatial"},
		{graph.Op{Type: "Conv"}, attributes("group", graph.Int(0)), 2, 17, "group"},
		{graph.Op{Type: "Add"}, nil, 2, 5, "opset 5"},
	} {
		g := graph.New("test", nil)
		var in []*graph.Value
		for i := range c.in {
			in = append(in, g.AddInput(fmt.Sprintf("in%d", i), graph.TensorOf(graph.Float32, nil)))
		}
		n := g.AddNode(c.o, c.attrs, in, "out")
		n.Name = "the_node"
		_, err := Bind(n, c.opset)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "the_node") {
			t.Errorf("%v: error %v, want the node and %q", c.o, err, c.want)
		}
	}
}

func attributes(name string, value graph.Attr) (as graph.Attrs) {
	as.Set(name, value)
	return as
}

// TestBackwardErrors passes tensors that do not fit.
func TestBackwardErrors(t *testing.T) {
	f := func(dims ...int) *ops.Tensor { return ops.NewTensor(graph.Float32, dims) }
	const add = "(float[2,3] x, float[3] y) => (float z) { [the_node] z = Add (x, y) }"
	const gather = "(float[2,3] x, int64[2] i) => (float z) { [the_node] z = Gather (x, i) }"
	const resize = "(float[2,3] x, float[2] s = {2, 2}) => (float z) { [the_node] z = Resize (x, , s) }"
	ints := ops.NewTensor(graph.Int64, []int{2})
	type list = []*ops.Tensor
	for _, c := range []struct {
		text               string
		in, out, gout, gin list
		want               string
	}{
		{add, list{f(2, 3)}, list{f(2, 3)}, list{nil}, list{nil}, "found 1 inputs"},
		{add, list{f(2, 3), f(3)}, list{}, list{nil}, list{nil, nil}, "found 0 outputs"},
		{add, list{f(2, 3), nil}, list{f(2, 3)}, list{nil}, list{nil, nil}, "input 1: found <nil>"},
		{add, list{f(2, 3), f(3)}, list{nil}, list{nil}, list{nil, nil}, "output 0: found none"},
		{add, list{f(2, 3), f(3)}, list{f(2, 3)}, list{f(3, 2)}, list{nil, nil}, "gradient of output 0"},
		{add, list{f(2, 3), f(3)}, list{f(2, 3)}, list{nil}, list{nil, f(1)}, "gradient of input 1"},
		{add, list{f(2, 3), f(4)}, list{f(2, 3)}, list{f(2, 3)}, list{nil, f(4)}, "do not broadcast"},
		{gather, list{f(2, 3), ints}, list{f(2, 3)}, list{f(2, 3)}, list{nil, f(2)}, "has no gradient"},
		{gather, list{f(2, 3), ints}, list{f(2)}, list{f(2)}, list{f(2, 3), nil}, "want 6 elements"},
		{resize, list{f(2, 3), nil, f(2)}, list{f(4, 6)}, list{f(4, 6)}, list{nil, nil, f(2)}, "input 2 has no gradient"},
		{resize, list{f(2, 3), nil, ops.Floats([]float32{2, 2}, 2)}, list{f(4, 5)}, list{f(4, 5)}, list{f(2, 3), nil, nil}, "want 6 elements of axis 1"},
	} {
		m := testCase{17, smooth, c.text}.build(t, 1)
		err := m.back.Backward(c.in, c.out, c.gout, c.gin)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "the_node") {
			t.Errorf("%s: error %v, want the node and %q", m.name, err, c.want)
		}
	}
}

// No tensors make an operator panic: they fit or are refused.
func TestNoPanic(t *testing.T) {
	odd := [][]int{{}, {0}, {1}, {3}, {2, 3}, {1, 1, 1, 1}, {2, 0, 3}, {1, 2, 3, 4}, {2, 2, 2}}
	for i, c := range cases {
		m := c.build(t, uint64(i))
		out := m.forward(t, 0, nil)
		for _, dims := range odd {
			for k := range m.in {
				if m.in[k] != nil {
					m.try(t, k, -1, ops.NewTensor(m.in[k].DType, dims), out)
				}
			}
			for j := range out {
				m.try(t, -1, j, ops.NewTensor(out[j].DType, dims), out)
			}
		}
	}
}

// try runs Backward with another tensor as input k or output j.
func (m *model) try(t *testing.T, k, j int, x *ops.Tensor, out []*ops.Tensor) {
	t.Helper()
	in, out := slices.Clone(m.in), slices.Clone(out)
	if k >= 0 {
		in[k] = x
	} else {
		out[j] = x
	}
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("%s: input %d or output %d as %v panics: %v", m.name, k, j, x, r)
		}
	}()
	if k >= 0 { // with what the operator makes of it, where it takes it
		if y, err := m.run.Run(&ops.Env{}, in); err == nil {
			m.attempt(in, y)
		}
	}
	m.attempt(in, out)
}

func (m *model) attempt(in, out []*ops.Tensor) {
	gin := make([]*ops.Tensor, len(in))
	for i := range m.in {
		if !m.fixed[i] && in[i].DType.IsFloat() {
			gin[i] = ops.NewTensor(graph.Float32, in[i].Dims)
		}
	}
	m.back.Backward(in, out, cotangents(rand.New(rand.NewPCG(1, 1)), smooth, out), gin)
}

// A mover that sees shapes and indices come and go in several goroutines gives
// what a new one gives.
func TestMoverRemembers(t *testing.T) {
	m := testCase{17, linear, "(float[2,3] x, int64[2] i) => (float z) { z = Gather <axis = 1> (x, i) }"}.build(t, 1)
	var group sync.WaitGroup
	for w := range 3 {
		group.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 4))
			for range 60 {
				rows, cols := 1+rng.IntN(3), 2+rng.IntN(2)
				in := []*ops.Tensor{ops.NewTensor(graph.Float32, []int{rows, cols}),
					ops.Ints([]int64{rng.Int64N(2), rng.Int64N(2)}, 2)}
				out := ops.NewTensor(graph.Float32, []int{rows, 2})
				g, gin := out.Clone(), in[0].Clone()
				for i := range g.F32 {
					g.F32[i] = float32(i + 1)
				}
				err := m.back.Backward(in, []*ops.Tensor{out}, []*ops.Tensor{g}, []*ops.Tensor{gin, nil})
				if err != nil {
					t.Error(err)
					return
				}
				want := in[0].Clone()
				for i, v := range g.F32 {
					want.F32[i/2*cols+int(in[1].I64[i%2])] += v
				}
				if !slices.Equal(gin.F32, want.F32) {
					t.Errorf("indices %v of %v: gradient %v, want %v", in[1].I64, in[0], gin.F32, want.F32)
				}
			}
		})
	}
	group.Wait()
}
