package exec_test

import (
	"fmt"
	"testing"

	"spikingir/graph"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// plainly computes a Conv by its definition's sums.
func plainly(t *testing.T, n *graph.Node, in ...*ops.Tensor) *ops.Tensor {
	t.Helper()
	op, err := ops.Bind(n, 17)
	if err != nil {
		t.Fatal(err)
	}
	out, err := op.Run(&ops.Env{}, in)
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

// TestFastConvolutions holds which convolutions are computed by Winograd: those
// of networks without thresholds, on images that are not small. It shows in the last
// bits.
func TestFastConvolutions(t *testing.T) {
	for _, c := range []struct {
		name, attributes, after string
		h, w                    int
		fast                    bool
	}{
		{"analog", "pads = [1, 1, 1, 1]", "", 17, 21, true},
		{"small", "pads = [1, 1, 1, 1]", "", 15, 21, false},
		{"narrow", "pads = [1, 1, 0, 0]", "", 21, 16, false},
		{"strided", "strides = [2, 1]", "", 40, 40, false},
		{"auto_pad", `auto_pad = "SAME_UPPER"`, "", 20, 20, false},
		{"comparison", "pads = [1, 1, 1, 1]", "q = GreaterOrEqual(x, theta)", 17, 21, false},
		{"neuron", "pads = [1, 1, 1, 1]", `e = ai.spikingir.Encode <@@> (x)
  y = ai.spikingir.IF <@@> (e, , theta)
  q = ai.spikingir.Decode <@@> (y)`, 17, 21, false},
	} {
		outputs, steps := "float[N,16,H2,W2] o", 0
		if c.after != "" {
			outputs += ", float[N,16,H,W] q"
		}
		if c.name == "neuron" {
			steps = 2
		}
		m := model(t, fmt.Sprintf(`g (float[N,16,H,W] x) => (%s)
<float[16,16,3,3] w = ["location": "seed:1"], float[16] b = ["location": "seed:2"], float theta = {0.5}>
{
  o = Conv <%s> (x, w, b)
  %s
}`, outputs, c.attributes, c.after), steps, 0)
		x := random(3, -1, 1, 2, 16, c.h, c.w)
		var conv *graph.Node
		for n := range m.Graph.Nodes() {
			if n.Is("Conv") {
				conv = n
			}
		}
		weights, err := ops.FromGraph(conv.Input(1).Const)
		if err != nil {
			t.Fatal(err)
		}
		bias, err := ops.FromGraph(conv.Input(2).Const)
		if err != nil {
			t.Fatal(err)
		}
		got, want := runModel(t, m, x, exec.Options{}), plainly(t, conv, x, weights, bias)
		d := distance(t, got, want)
		if fast := firstDifference(got.F32, want.F32) >= 0; fast != c.fast || d > 1e-4 {
			t.Errorf("%s: differs by %g, by Winograd: %v, want %v", c.name, d, fast, c.fast)
		}
	}
}

// TestFastThreads holds that threads and kernels do not show in the bits.
func TestFastThreads(t *testing.T) {
	m := model(t, winogradModels["winograd"], 0, 0)
	x := random(7, -1, 1, 1, 1, 45, 61)
	want := runModel(t, m, x, exec.Options{})
	for _, threads := range []int{2, 3, 8} {
		pool := machine.NewPool(threads)
		if i := firstDifference(runModel(t, m, x, exec.Options{Pool: pool}).F32, want.F32); i >= 0 {
			t.Errorf("%d threads: output %d differs", threads, i)
		}
		pool.Close()
	}
}

// winogradModels have convolutions by Winograd at several scales and offsets.
var winogradModels = map[string]string{
	"winograd": `g (float[N,1,H,W] x) => (float[N,C,H2,W2] o)
<float[16,1,3,3] w1 = ["location": "seed:1"], float[16] b1 = ["location": "seed:4"], float[17,16,3,3] w2 = ["location": "seed:2", "scale": "0.2"],
 float[16,17,3,3] w3 = ["location": "seed:3", "scale": "0.2"], float[17,1,1] slope = ["location": "seed:5"]>
{
  a = Conv <pads = [1, 1, 1, 1]> (x, w1, b1)
  r = Relu(a)
  b = Conv <pads = [1, 1, 1, 1]> (r, w2)
  p = PRelu(b, slope)
  o = Conv <pads = [0, 2, 1, 0]> (p, w3)
}`,
	"winograd at two scales": `g (float[N,1,H,W] x) => (float[N,C,H2,W2] o, float[N,C2,H3,W3] mid)
<float[16,1,3,3] w1 = ["location": "seed:1"], float[16,16,3,3] w2 = ["location": "seed:2", "scale": "0.2"],
 float[16,16,2,2] u = ["location": "seed:3", "scale": "0.2"], float[16,16,3,3] w3 = ["location": "seed:4", "scale": "0.2"]>
{
  a = Conv <pads = [1, 1, 1, 1], strides = [2, 2]> (x, w1)
  r = Relu(a)
  mid = Conv <pads = [1, 1, 1, 1]> (r, w2)
  s = ConvTranspose <strides = [2, 2]> (mid, u)
  o = Conv <pads = [1, 1, 1, 1]> (s, w3)
}`,
	"winograd and enlarged": `g (float[N,2,H,W] x) => (float[N,C,H2,W2] o)
<float[32,2,5,5] w1 = ["location": "seed:1", "scale": "0.2"], float[16,16,3,3] w3 = ["location": "seed:4", "scale": "0.2"],
 float[4] three = {1, 1, 1, 3}, float[16,8,1,1] w2 = ["location": "seed:2"]>
{
  a = Conv <pads = [2, 2, 2, 2]> (x, w1)
  d = DepthToSpace <blocksize = 2> (a)
  e = Conv(d, w2)
  b = Conv <pads = [1, 1, 1, 1]> (e, w3)
  o = Resize <mode = "linear", coordinate_transformation_mode = "half_pixel"> (b, , three)
}`,
}

// TestWinogradTilesAreExact holds that tiles keep the grid of Winograd: they
// give the bits of the whole image.
func TestWinogradTilesAreExact(t *testing.T) {
	for name, src := range winogradModels {
		t.Run(name, func(t *testing.T) {
			m := model(t, src, 0, 0)
			c, _ := m.Graph.Inputs()[0].Type.Shape[1].Size()
			rows, columns := 0, 0
			sizes := [][2]int{{61, 67}, {94, 48}, {83, 105}, {120, 17}}
			if slow() {
				sizes = sizes[:1]
			}
			for i, size := range sizes {
				x := random(uint64(i), -1, 1.5, 1+i%2, int(c), size[0], size[1])
				r, c := compareTiled(t, m, x, exec.Options{}, true)
				rows, columns = max(rows, r), max(columns, c)
			}
			if rows < 2 || columns < 2 {
				t.Errorf("%d x %d tiles at most, want several of both", rows, columns)
			}
		})
	}
}
