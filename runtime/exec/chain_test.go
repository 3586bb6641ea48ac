package exec_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/onnxio/text"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// chained is a model with a convolution and what @@ says on its result c.
const chained = `<ir_version: 10, opset_import: ["" : 17]>
g (float[N,2,H,W] x) => (float[N,C,H,W] y)
<float[5,2,3,3] w = ["location": "seed:1"], float[5] b = ["location": "seed:2"], float[5,1,1] s = ["location": "seed:3"],
 float[5] scale = ["location": "seed:4"], float[5] mean = ["location": "seed:5"], float[5] var = {0.5, 1, 2, 3, 4},
 float[1] one = {0.25}, float low = {-0.5}, float high = {0.75}, float[1,1,1,70] wide = ["location": "seed:6"]>
{
  c = Conv <pads = [1, 1, 1, 1]> (x, w, b)
@@
}`

// TestChains compares what runs as one with the operators one by one, which an
// observed run makes, and looks at the number of units.
func TestChains(t *testing.T) {
	for _, c := range []struct {
		body  string
		units int
	}{
		{"y = Relu(c)", 1},
		{"y = LeakyRelu <alpha = 0.1> (c)", 1},
		{"y = PRelu(c, s)", 1},
		{"y = PRelu(c, one)", 1},
		{"y = PRelu(c, wide)", 1}, // declined when it runs
		{"y = Clip(c, low, high)", 1},
		{"y = Clip(c, , high)", 1},
		{"k = Constant <value_float = -0.25> ()\n y = Clip(c, k)", 2},
		{"y = BatchNormalization(c, scale, b, mean, var)", 1},
		{"n = BatchNormalization(c, scale, b, mean, var)\n y = Relu(n)", 1},
		{"n = BatchNormalization(c, scale, b, mean, var)\n m = PRelu(n, s)\n y = Clip(m, low, high)", 1},
		{"y = Sigmoid(c)", 2},
		{"r = Relu(c)\n y = Add(r, c)", 3},              // c is read twice
		{"r = Relu(c)\n p = Abs(r)\n y = Add(r, p)", 3}, // r is, c is not
		{"k = ReduceMax <keepdims = 0> (x)\n y = Clip(c, low, k)", 3},
	} {
		m, err := text.Parse(strings.ReplaceAll(chained, "@@", c.body))
		if err != nil {
			t.Fatalf("%s: %v", c.body, err)
		}
		for _, threads := range []int{1, 3} {
			pool := machine.NewPool(threads)
			defer pool.Close()
			p := compile(t, m, exec.Options{Pool: pool})
			if n := len(p.Units()); n != c.units {
				t.Errorf("%s: %d units, want %d", c.body, n, c.units)
			}
			checkChain(t, c.body, p, random(7, -1, 1, 2, 2, 9, 70))
		}
	}
}

// checkChain compares runs with and without observer, and what they report.
func checkChain(t *testing.T, what string, p *exec.Program, x *ops.Tensor) {
	t.Helper()
	in := map[string]*ops.Tensor{"x": x}
	seen := 0
	apart, err := p.Run(t.Context(), in, exec.RunOptions{Measure: true,
		Observe: func(*graph.Value, *ops.Tensor) { seen++ }})
	if err != nil {
		t.Fatal(err)
	}
	joint, err := p.Run(t.Context(), in, exec.RunOptions{Measure: true})
	if err != nil {
		t.Fatal(err)
	}
	if d := firstDifference(joint.Outputs[0].F32, apart.Outputs[0].F32); d >= 0 {
		t.Errorf("%s: output %d is %v at once, %v one by one", what, d,
			joint.Outputs[0].F32[d], apart.Outputs[0].F32[d])
	}
	if got, want := fmt.Sprintf("%+v", joint.Work), fmt.Sprintf("%+v", apart.Work); got != want {
		t.Errorf("%s: work at once is %s, one by one %s", what, got, want)
	}
	nodes := 1 // the input
	for _, u := range p.Units() {
		nodes += len(u.Nodes)
	}
	if seen != nodes {
		t.Errorf("%s: %d values observed, want %d", what, seen, nodes)
	}
}

// firstDifference is the first place where a and b have other bits; -1 where none.
func firstDifference(a, b []float32) int {
	if len(a) != len(b) {
		return min(len(a), len(b))
	}
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			return i
		}
	}
	return -1
}

// TestChainKeepsOutputs: a value between that is an output of the graph is
// computed.
func TestChainKeepsOutputs(t *testing.T) {
	src := strings.ReplaceAll(chained, "=> (float[N,C,H,W] y)", "=> (float[N,C,H,W] c, float[N,C,H,W] y)")
	m, err := text.Parse(strings.ReplaceAll(src, "@@", "y = Relu(c)"))
	if err != nil {
		t.Fatal(err)
	}
	res := execute(t, compile(t, m, exec.Options{}), random(7, -1, 1, 1, 2, 9, 70))
	if c := res.Outputs[0].F32; slices.Max(c) <= 0 || slices.Min(c) >= 0 {
		t.Errorf("output c lies in [%v, %v], want both signs", slices.Min(c), slices.Max(c))
	}
	if y := res.Outputs[1].F32; slices.Min(y) != 0 {
		t.Errorf("the least of output y is %v, want 0", slices.Min(y))
	}
}
