package exec_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/onnxio"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// tileable holds models whose images may be cut: o is an output, C its number
// of channels.
var tileable = map[string]string{
	"chain": `g (float[N,1,H,W] x) => (float[N,C,H2,W2] o)
<float[4,1,3,3] w1 = ["location": "seed:1"], float[4] b1 = {0.1, 0.2, -0.1, 0},
 float[4,4,5,3] w2 = ["location": "seed:2"], float[2,4,2,2] w3 = ["location": "seed:3"]>
{
  a = Conv <pads = [1, 1, 1, 1]> (x, w1, b1)
  r = Relu(a)
  b = Conv <pads = [4, 2, 4, 2], dilations = [2, 2]> (r, w2)
  s = Sigmoid(b)
  o = Conv <pads = [0, 1, 1, 0]> (s, w3)
}`,
	"valid": `g (float[N,1,H,W] x) => (float[N,C,H2,W2] o)
<float[3,1,3,3] w1 = ["location": "seed:1"], float[1,3,4,4] w2 = ["location": "seed:2"]>
{
  a = Conv(x, w1)
  r = Relu(a)
  o = Conv <pads = [3, 0, 0, 3]> (r, w2)
}`,
	"strided": `g (float[N,1,H,W] x) => (float[N,C,H2,W2] o)
<float[3,1,3,3] w1 = ["location": "seed:1"], float[4,3,5,5] w2 = ["location": "seed:2"]>
{
  a = Conv <pads = [1, 1, 1, 1], strides = [2, 3]> (x, w1)
  r = Relu(a)
  o = Conv <pads = [2, 1, 0, 2], strides = [3, 2]> (r, w2)
}`,
	"same": `g (float[N,1,H,W] x) => (float[N,C,H2,W2] o)
<float[3,1,4,3] w1 = ["location": "seed:1"], float[2,3,3,3] w2 = ["location": "seed:2"]>
{
  a = Conv <auto_pad = "SAME_UPPER", strides = [2, 2]> (x, w1)
  r = Relu(a)
  o = Conv <auto_pad = "SAME_LOWER", strides = [1, 3]> (r, w2)
}`,
	"encoder and decoder": `g (float[N,1,H,W] x) => (float[N,C,H2,W2] o, float[N,C2,H3,W3] mid, float[N,C3,H4,W4] p)
<float[3,1,3,3] w1 = ["location": "seed:1"], float[4,3,3,3] w2 = ["location": "seed:2"],
 float[4,3,3,3] u2 = ["location": "seed:3"], float[3,1,2,2] u1 = ["location": "seed:4"], float[3,1,1] slope = {0.1, 0.2, 0.3}>
{
  a = Conv <pads = [1, 1, 1, 1], strides = [2, 2]> (x, w1)
  r = PRelu(a, slope)
  mid = Conv <pads = [1, 1, 1, 1], strides = [2, 2]> (r, w2)
  u = ConvTranspose <pads = [1, 1, 1, 1], output_padding = [1, 1], strides = [2, 2]> (mid, u2)
  v = ConvTranspose <strides = [2, 2]> (u, u1)
  o = Tanh(v)
  p = AveragePool <kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1], ceil_mode = 1> (r)
}`,
	"upscaling": `g (float[N,1,H,W] x) => (float[N,C,H2,W2] o)
<float[4,1,5,5] w1 = ["location": "seed:1"], float[4,4,3,3] w2 = ["location": "seed:2"],
 float[4,1,9,9] up = ["location": "seed:3"], float[1] b = {0.5}, float[4,1,1] slope = {0.1, 0.2, 0.3, -0.4}>
{
  a = Conv <pads = [2, 2, 2, 2]> (x, w1)
  r = PRelu(a, slope)
  c = Conv <pads = [1, 1, 1, 1]> (r, w2)
  d = PRelu(c, slope)
  o = ConvTranspose <pads = [4, 4, 4, 4], output_padding = [1, 1], strides = [2, 2]> (d, up, b)
}`,
	"transposed": `g (float[N,1,H,W] x) => (float[N,C,H2,W2] o)
<float[1,2,5,4] u = ["location": "seed:3"], float[2,1,2,2] v = ["location": "seed:4"]>
{
  a = ConvTranspose <pads = [1, 2, 0, 1], strides = [3, 2], dilations = [1, 2], output_padding = [2, 1]> (x, u)
  b = Relu(a)
  o = ConvTranspose <auto_pad = "SAME_UPPER", strides = [2, 1]> (b, v)
}`,
	"pixel shuffle": `g (float[N,1,H,W] x) => (float[N,C,H2,W2] o)
<float[9,1,3,3] w1 = ["location": "seed:1"], float[1,4,3,3] w2 = ["location": "seed:2"]>
{
  a = Conv <pads = [1, 1, 1, 1]> (x, w1)
  s = DepthToSpace <blocksize = 3, mode = "CRD"> (a)
  t = MaxPool <kernel_shape = [4, 4], strides = [1, 1], pads = [2, 1, 1, 2]> (s)
  d = Concat <axis = 1> (s, t, t, s)
  o = Conv <pads = [1, 1, 1, 1]> (d, w2)
}`,
	"dehazing": `g (float[N,3,H,W] x) => (float[N,3,H,W] o)
<float[3,3,1,1] w1 = ["location": "seed:1"], float[3,3,3,3] w2 = ["location": "seed:2"],
 float[3,6,5,5] w3 = ["location": "seed:3"], float[3,9,3,3] w4 = ["location": "seed:4"], float one = {1}>
{
  a = Conv(x, w1)
  b = Relu(a)
  c = Conv <pads = [1, 1, 1, 1]> (b, w2)
  d = Relu(c)
  e = Concat <axis = 1> (b, d)
  f = Conv <pads = [2, 2, 2, 2]> (e, w3)
  g = Concat <axis = -3> (b, f, d)
  k = Conv <pads = [1, 1, 1, 1]> (g, w4)
  m = Mul(k, x)
  n = Sub(m, k)
  p = Add(n, one)
  o = Relu(p)
}`,
	"resized": `g (float[N,2,H,W] x) => (float[N,C,H2,W2] o, float[N,C,H2,W2] p)
<float[4] two = {1, 1, 2, 3}, float[4] three = {1, 1, 3, 2}, float[4] four = {1, 1, 4, 1}, float[2,2,3,3] w = ["location": "seed:2"]>
{
  a = Resize <mode = "cubic", coordinate_transformation_mode = "half_pixel"> (x, , two)
  b = Conv <pads = [1, 1, 1, 1]> (a, w)
  o = Resize <mode = "linear", coordinate_transformation_mode = "pytorch_half_pixel"> (b, , three)
  c = Resize <mode = "nearest", coordinate_transformation_mode = "asymmetric", nearest_mode = "floor"> (a, , three)
  p = Add(o, c)
}`,
	"padded and cut": `g (float[N,2,H,W] x) => (float[N,C,H2,W2] o)
<int64[8] pads = {0, 1, 3, 2, 0, 0, 1, 2}, int64[8] rim = {0, 0, 2, 2, 0, 0, 2, 2}, float five = {5}, float[2,3,3,3] w = ["location": "seed:2"],
 int64[3] starts = {0, 1, 2}, int64[3] ends = {1, -1, 9223372036854775807}, int64[3] axes = {1, 2, 3}, int64[3] steps = {1, 1, 2},
 int64[2] first = {1, -3}, int64[2] end = {9223372036854775807, -1}, int64[2] back = {2, 1}>
{
  a = Pad <mode = "reflect"> (x, pads)
  b = Conv(a, w)
  c = Pad(b, rim, five)
  d = Pad <mode = "edge"> (c, rim)
  e = Slice(d, starts, ends, axes, steps)
  f = Pad(e, rim)
  g, h = Split <axis = 1> (b)
  k = ReduceMean <axes = [1]> (f)
  o = Softmax <axis = 1> (k)
}`,
	"spiking": `g (float[N,1,H,W] x) => (float[N,1,H,W] o, float[N,3,H,W] rate)
<float[3,1,3,3] w1 = ["location": "seed:1", "scale": "0.4"], float[3] b1 = {0.1, 0.2, -0.1},
 float[3,3,3,3] w2 = ["location": "seed:2", "scale": "0.6"], float[3,1,1] b2 = {0.25, 0.1, 0}, float[1,3,3,3] w3 = ["location": "seed:3", "scale": "0.5"],
 float[3,1,1] t1 = {1.5, 1, 0.75}, float t2 = {0.6}, float alpha = {0.75}, float[1,1,3,3] map = ["location": "seed:4"], float[1] bias = {0.1}>
{
  c = Conv <pads = [1, 1, 1, 1]> (x, w1, b1)
  e = ai.spikingir.Encode <@@> (c)
  y = ai.spikingir.MPRN <@@> (e, , t1, alpha)
  d = Conv <pads = [1, 1, 1, 1]> (y, w2)
  z, zv = ai.spikingir.MPRN <@@, v0 = 0.25> (d, b2, t2, alpha)
  s = Add(z, d)
  k = Conv <pads = [1, 1, 1, 1]> (s, w3)
  u, v = ai.spikingir.IF <@@> (k, , t2)
  q = ai.spikingir.CPM <@@, kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (u, v, map, bias)
  o = Sub(x, q)
  r = ai.spikingir.Decode <@@> (z)
  rate = Add(r, zv)
}`,
	"spiking upscaling": `g (float[N,1,H,W] x) => (float[N,1,H2,W2] o)
<float[3,1,3,3] w1 = ["location": "seed:1", "scale": "0.8"], float[3,1,4,4] u = ["location": "seed:2", "scale": "0.6"],
 float t1 = {0.5}, float t2 = {0.6}, float alpha = {0.75}, float[1,1,1] b = {0.25}, float[1,1,1,1] map = {1}>
{
  e = ai.spikingir.Encode <@@> (x)
  c = Conv <pads = [1, 1, 1, 1], strides = [2, 1]> (e, w1)
  y = ai.spikingir.MPRN <@@> (c, , t1, alpha)
  d = ConvTranspose <strides = [4, 2], pads = [1, 1, 1, 1]> (y, u)
  f = ai.spikingir.Bias <@@> (d, b)
  z, v = ai.spikingir.IF <@@> (f, , t2)
  o = ai.spikingir.CPM <@@, kernel_shape = [1, 1]> (z, v, map)
}`,
}

// gaping is a model within which rows are cut away that tiles don't all compute: it may be
// measured whole.
const gaping = "padded and cut"

// runAll runs a program on image x.
func runAll(t *testing.T, p *exec.Program, x *ops.Tensor) []*exec.Result {
	t.Helper()
	all, err := p.RunAll(context.Background(), map[string]*ops.Tensor{p.Inputs()[0].Name(): x}, exec.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// sameResults demands the same bits.
func sameResults(t *testing.T, what string, got, want []*exec.Result) {
	t.Helper()
	for at := range want {
		if got[at].Timesteps != want[at].Timesteps {
			t.Errorf("%s: results of %d timesteps, want %d", what, got[at].Timesteps, want[at].Timesteps)
		}
		for k, y := range want[at].Outputs {
			if g := got[at].Outputs[k]; !slices.Equal(g.Dims, y.Dims) || !slices.Equal(g.F32, y.F32) {
				t.Errorf("%s: output %d of dimensions %v differs from that of the whole image, %v", what, k, g.Dims, y.Dims)
			}
		}
	}
}

// compareTiled runs a model on x whole and in tiles, for several limits, and gives the
// most tiles along each axis. measured tells whether it must be cut to be measured too,
// unless it runs step by step.
func compareTiled(t *testing.T, m *graph.Model, x *ops.Tensor, o exec.Options, measured bool) (rows, columns int) {
	t.Helper()
	o.MemoryLimit = -1
	whole := compile(t, m, o)
	want := runAll(t, whole, x)
	figures, _ := measureAll(t, whole, x)
	o.MemoryLimit = 1 << 40
	size := compile(t, m, o).Tiling(x.Dims).Bytes
	for _, share := range []int64{2, 5, 1 << 30} {
		o.MemoryLimit = max(1, size/share)
		p := compile(t, m, o)
		tiling := p.Tiling(x.Dims)
		if tiling.Whole != nil {
			t.Fatalf("limit %d: %v", o.MemoryLimit, tiling.Whole)
		}
		if tiling.Rows*tiling.Columns == 1 {
			t.Errorf("limit %d: an image that needs %d bytes is not cut", o.MemoryLimit, size)
		}
		rows, columns = max(rows, tiling.Rows), max(columns, tiling.Columns)
		for range 2 { // buffers are reused
			sameResults(t, fmt.Sprintf("%+v", tiling), runAll(t, p, x), want)
		}
		if share > 2 {
			continue // tiles are many
		}
		cut := compareMeasured(t, p, x, figures)
		if steps := stepByStep(whole); cut && steps || !cut && !steps && measured {
			t.Errorf("%+v: cut to be measured: %v", tiling, cut)
		}
	}
	return rows, columns
}

// TestTilesAreExact holds that tiles give the bits of the whole image, for
// sizes that leave every remainder; one odd size where tests are slow.
func TestTilesAreExact(t *testing.T) {
	for name, src := range tileable {
		t.Run(name, func(t *testing.T) {
			post := strings.Count(src, "MPRN(")
			m := model(t, src, 4, min(1, post+strings.Count(src, "MPRN <")))
			c, _ := m.Graph.Inputs()[0].Type.Shape[1].Size()
			rows, columns := 0, 0
			sizes := [][2]int{{61, 67}, {64, 48}, {83, 49}}
			if slow() {
				sizes = sizes[:1]
			}
			for i, size := range sizes {
				if strings.Contains(src, "[4, 2]") { // rows come and go by 2
					size[0] &^= 1
				}
				x := random(uint64(i), -1, 1.5, 1+i%2, int(c), size[0], size[1])
				r, c := compareTiled(t, m, x, exec.Options{}, name != gaping)
				rows, columns = max(rows, r), max(columns, c)
			}
			if rows < 2 || columns < 2 {
				t.Errorf("%d x %d tiles at most, want several of both", rows, columns)
			}
		})
	}
}

// TestTilesOfTimesteps does the same for several numbers of timesteps in one
// run, and for several threads.
func TestTilesOfTimesteps(t *testing.T) {
	m := model(t, tileable["spiking"], 4, 1)
	x := random(5, -1, 1.5, 2, 1, 50, 43)
	for _, threads := range []int{1, 3, 5} { // more than a small machine has: they do not spin between small layers
		pool := machine.NewPool(threads)
		rows, columns := compareTiled(t, m, x, exec.Options{Pool: pool, Timesteps: []int{1, 3, 6}}, true)
		if rows < 2 || columns < 2 {
			t.Errorf("%d threads: %d x %d tiles at most, want several of both", threads, rows, columns)
		}
		pool.Close()
	}
}

// TestTilesOfFixtures cuts the embedded networks.
func TestTilesOfFixtures(t *testing.T) {
	for _, name := range fixtures.Names() {
		t.Run(name, func(t *testing.T) {
			b, err := fixtures.Model(name)
			if err != nil {
				t.Fatal(err)
			}
			m, err := onnxio.Decode(b)
			if err != nil {
				t.Fatal(err)
			}
			c, _ := m.Graph.Inputs()[0].Type.Shape[1].Size()
			h, w := 94, 91
			if slow() {
				h, w = 46, 43
			}
			compareTiled(t, m, random(1, 0, 1, 1, int(c), h, w), exec.Options{}, true)
		})
	}
}

// TestWhole holds which models run whole, and that the reason names the node.
func TestWhole(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"global pooling", `[pool] m = GlobalAveragePool(x)
  o = Mul(x, m)`, `"pool"`},
		{"instance normalisation", `[norm] o = InstanceNormalization(x, two, two)`, `"norm"`},
		{"shape", `[dims] s = Shape(x)
  o = Reshape(x, s)`, `"dims"`},
		{"transpose", `[turn] o = Transpose <perm = [0, 1, 3, 2]> (x)`, `"turn"`},
		{"mean over columns", `[mean] m = ReduceMean <axes = [3]> (x)
  o = Sub(x, m)`, "reduces axes [3]"},
		{"sizes", `[size] o = Resize(x, , , sizes)`, "not stated as constant scales"},
		{"corners", `[size] o = Resize <mode = "linear", coordinate_transformation_mode = "align_corners"> (x, , scales)`, "align_corners"},
		{"fraction", `[size] o = Resize(x, , odd)`, "integer factors"},
		{"own size", `[mask] o = Add(x, wide)`, "rows and columns of its own"},
		{"two scales", `a = DepthToSpace <blocksize = 1> (x)
  u = Resize(x, , scales)
  [join] o = Concat <axis = 1> (a, u)`, "different scales"},
		{"stacked rows", `[stack] o = Concat <axis = 2> (x, x)`, "axis 2"},
		{"last rows", `[last] o = Slice(x, minus, huge, axis)`, "start counted from the first"},
		{"constant output", `o = Identity(two)`, `output "o" does not depend on the image`},
		{"time-major output", `e = ai.spikingir.Encode <@@> (x)
  o = ai.spikingir.IF <@@> (e, , one)`, `output "o" is time-major`},
	} {
		m := model(t, `g (float[N,2,H,W] x) => (float[N2,C,H2,W2] o)
<float[2] two = {1, 2}, float one = {1}, int64[4] sizes = {1, 2, 9, 9}, float[4] scales = {1, 1, 2, 2}, float[4] odd = {1, 1, 1.5, 1},
 float[1,1,1,2] wide = {1, 2}, int64[1] minus = {-2}, int64[1] huge = {9223372036854775807}, int64[1] axis = {2}>
{
  `+c.body+`
}`, 3, 0)
		p := compile(t, m, exec.Options{MemoryLimit: 1})
		tiling := p.Tiling([]int{1, 2, 64, 64})
		if tiling.Whole == nil || !strings.Contains(tiling.Whole.Error(), c.want) {
			t.Errorf("%s: %v, want a reason with %q", c.name, tiling.Whole, c.want)
		}
		if tiling.Rows != 1 || tiling.Columns != 1 {
			t.Errorf("%s: %d x %d tiles", c.name, tiling.Rows, tiling.Columns)
		}
	}
}

// TestWholeInputs holds which inputs keep a model from being cut.
func TestWholeInputs(t *testing.T) {
	for src, want := range map[string]string{
		`g (float[1,1,64,64] x) => (float[1,1,64,64] o) { o = Relu(x) }`:                 "of a fixed size",
		`g (float[N,H,W] x) => (float[N,H,W] o) { o = Relu(x) }`:                         "want an image",
		`g (float[N,1,H,W] x, float[N,1,H,W] y) => (float[N,1,H,W] o) { o = Add(x, y) }`: "2 inputs",
	} {
		p := compile(t, model(t, src, 0, 0), exec.Options{MemoryLimit: 1})
		if w := p.Tiling([]int{1, 1, 64, 64}).Whole; w == nil || !strings.Contains(w.Error(), want) {
			t.Errorf("%s: %v, want a reason with %q", src, w, want)
		}
	}
}

// TestTilesProgress holds that progress covers all tiles, that measuring and
// observing see the whole image, and that a run stops between units.
func TestTilesProgress(t *testing.T) {
	m := model(t, tileable["spiking"], 4, 1)
	x := random(5, -1, 1.5, 1, 1, 70, 61)
	in := map[string]*ops.Tensor{"x": x}
	p := compile(t, m, exec.Options{MemoryLimit: 1 << 17})
	if n := p.Tiling(x.Dims); n.Rows*n.Columns < 2 {
		t.Fatalf("%+v, want several tiles", n)
	}
	last, total := 0, 0
	_, err := p.Run(t.Context(), in, exec.RunOptions{Progress: func(done, n int) {
		if done != last+1 || total != 0 && n != total {
			t.Errorf("progress %d of %d after %d of %d", done, n, last, total)
		}
		last, total = done, n
	}})
	if err != nil || last != total {
		t.Errorf("progress ends at %d of %d, %v", last, total, err)
	}
	want := execute(t, compile(t, m, exec.Options{MemoryLimit: -1}), x)
	got := execute(t, p, x)
	if got.Neurons[0].Elements != want.Neurons[0].Elements || len(got.Work) != len(want.Work) {
		t.Errorf("measured %+v, want %+v", got.Neurons[0], want.Neurons[0])
	}
	p.Run(t.Context(), in, exec.RunOptions{Observe: func(v *graph.Value, y *ops.Tensor) {
		if v.Name() == "c" && y.Dims[2] != 70 {
			t.Errorf("observed dimensions %v, want the whole image", y.Dims)
		}
	}})
	ctx, cancel := context.WithCancel(t.Context())
	_, err = p.Run(ctx, in, exec.RunOptions{Progress: func(done, n int) {
		if done > n/2+1 {
			t.Error("the run goes on after its context is cancelled")
		}
		if done == n/2 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that the run was cancelled", err)
	}
}
