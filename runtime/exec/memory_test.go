package exec

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/onnxio"
	"spikingir/onnxio/text"
	"spikingir/runtime/ops"
)

// taken is the bytes that a program's arenas hold.
func (p *Program) taken() int64 {
	n := 0
	for _, a := range p.arenas.free {
		for length, list := range a.floats.free {
			n += 4 * length * len(list)
		}
		for length, list := range a.words.free {
			n += 8 * length * len(list)
		}
		for length, list := range a.masks.free {
			n += 2 * length * len(list)
		}
		for length, list := range a.counts.free {
			n += length * len(list)
		}
		for length, list := range a.values.free {
			n += length * len(list)
		}
	}
	return int64(n)
}

// checkNeed compares what is foretold with what a run takes, measured or not.
func checkNeed(t *testing.T, m *graph.Model, o Options, dims ...int) {
	t.Helper()
	for _, measured := range []bool{false, true} {
		checkRun(t, m, o, measured, dims)
	}
}

func checkRun(t *testing.T, m *graph.Model, o Options, measured bool, dims []int) {
	t.Helper()
	o.MemoryLimit = -1
	p, err := Compile(m, o)
	if err != nil {
		t.Fatal(err)
	}
	x := ops.NewTensor(graph.Float32, dims)
	if _, err := p.Run(context.Background(), map[string]*ops.Tensor{p.Inputs()[0].Name(): x}, RunOptions{Measure: measured}); err != nil {
		t.Fatal(err)
	}
	if why := p.Whole(); why != nil {
		t.Fatal(why)
	}
	plan := p.planTiles(dims, measured)
	if plan.failed != nil {
		t.Fatal(plan.failed)
	}
	got, want := plan.size, p.taken()
	if float64(got) < 0.98*float64(want) || float64(got) > 1.02*float64(want) {
		t.Errorf("%v, %v, measured %v: %d bytes foretold, %d taken, want them within 2 per cent", dims, o.Timesteps, measured, got, want)
	}
}

const branches = `<ir_version: 10, opset_import: ["" : 17, "ai.spikingir" : 1]>
g (float[N,2,H,W] x) => (float[N,2,H,W] r, float[N,2,H2,W2] up)
<float[4,2,3,3] w = ["location": "seed:1"], float[2,4,3,3] u = ["location": "seed:2"], float[2,2,3,3] s = ["location": "seed:3"],
 float theta = {0.5}, float alpha = {0.75}, float[4,1,1] b = ["location": "seed:4"], float[4,2,2,2] t = ["location": "seed:5"]>
{
  a = Abs(x)
  view = Identity(a)
  c = Conv <pads = [1, 1, 1, 1]> (view, w)
  e = ai.spikingir.Encode <@@> (c)
  f = ai.spikingir.Bias <@@> (e, b)
  y = ai.spikingir.MPRN <@@> (f, , theta, alpha)
  d = Conv <pads = [1, 1, 1, 1]> (y, u)
  z, v = ai.spikingir.MPRN <@@> (d, , theta, alpha)
  k = Conv <pads = [1, 1, 1, 1]> (z, s)
  sum = Add(d, k)
  q, qv = ai.spikingir.IF <@@> (sum, , theta)
  o = ai.spikingir.CPM <@@, kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (q, qv, s)
  r = Sub(x, o)
  g = ConvTranspose <strides = [2, 2]> (c, t)
  up = Relu(g)
}`

// TestNeed holds the forecast of memory against what runs take.
func TestNeed(t *testing.T) {
	for _, timesteps := range [][]int{nil, {2, 5}, {1, 2, 7}} {
		for post, neurons := range [][2]string{{"IF", ", theta)"}, {"MPRN", ", theta, alpha)"}} {
			src := strings.ReplaceAll(branches, "MPRN", neurons[0])
			src = strings.ReplaceAll(src, ", theta, alpha)", neurons[1])
			m, err := text.Parse(strings.ReplaceAll(src, "@@", fmt.Sprintf("timesteps = 4, post = %d", post)))
			if err != nil {
				t.Fatal(err)
			}
			checkNeed(t, m, Options{Timesteps: timesteps}, 1, 2, 31, 45)
			checkNeed(t, m, Options{Timesteps: timesteps}, 2, 2, 16, 17)
		}
	}
	for _, timesteps := range [][]int{nil, {2, 5}} {
		src := strings.ReplaceAll(strings.ReplaceAll(branches, ", theta, alpha)", ", theta)"), ".MPRN", ".SignedIF")
		m, err := text.Parse(strings.ReplaceAll(strings.Replace(src, `"ai.spikingir" : 1`, `"ai.spikingir" : 3`, 1), "@@", "timesteps = 4, post = 1"))
		if err != nil {
			t.Fatal(err)
		}
		checkNeed(t, m, Options{Timesteps: timesteps}, 1, 2, 31, 45)
		checkNeed(t, m, Options{Timesteps: timesteps, Precision: Float32}, 2, 2, 16, 17)
	}
	for _, precision := range []Precision{FixedPoint, Float32} {
		for _, timesteps := range [][]int{nil, {2, 5}, {1, 2, 7}} {
			checkNeed(t, countedBranches(t), Options{Timesteps: timesteps, Precision: precision}, 1, 2, 32, 46)
			checkNeed(t, countedBranches(t), Options{Timesteps: timesteps, Precision: precision}, 2, 2, 16, 18)
		}
	}
	for _, name := range fixtures.Names() {
		b, err := fixtures.Model(name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := onnxio.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		c, _ := m.Graph.Inputs()[0].Type.Shape[1].Size()
		checkNeed(t, m, Options{}, 1, int(c), 33, 70)
	}
}

// countedBranches is a two-phase network with counts that are read as floats, added, pooled and
// joined, and currents that two read.
func countedBranches(t *testing.T) *graph.Model {
	t.Helper()
	m, err := text.Parse(`<ir_version: 10, opset_import: ["" : 17, "ai.spikingir" : 2]>
g (float[N,2,H,W] x) => (float[N,2,H,W] o, float[N,4,H2,W2] p)
<float[4,2,3,3] w = ["location": "seed:1"], float[4,4,3,3] u = ["location": "seed:2"], float[2,8,3,3] s = ["location": "seed:3"],
 float theta = {0.5}, float alpha = {0.75}, float[2,2,1,1] id = {1, 0, 0, 1}>
{
  c = Conv <pads = [1, 1, 1, 1]> (x, w)
  e = ai.spikingir.Encode <timesteps = 4, post = 1> (c)
  y = ai.spikingir.TwoPhaseMPRN <timesteps = 4, post = 1> (e, , theta, alpha)
  d = Conv <pads = [1, 1, 1, 1]> (y, u)
  z, v = ai.spikingir.TwoPhaseMPRN <timesteps = 4, post = 1> (d, , theta, alpha)
  f = Conv <pads = [1, 1, 1, 1]> (z, u)
  sum = Add(f, y)
  q, qv = ai.spikingir.TwoPhaseMPRN <timesteps = 4, post = 1> (sum, , theta, alpha)
  k = Concat <axis = 1> (q, z)
  g = Conv <pads = [1, 1, 1, 1]> (k, s)
  r, rv = ai.spikingir.TwoPhaseIF <timesteps = 4, post = 1> (g, , theta)
  o = ai.spikingir.CPM <timesteps = 4, post = 1, kernel_shape = [1, 1], pads = [0, 0, 0, 0]> (r, rv, id)
  a = AveragePool <kernel_shape = [2, 2], strides = [2, 2]> (z)
  h = Conv <pads = [1, 1, 1, 1]> (a, u)
  b = Abs(v)
  i = ai.spikingir.TwoPhaseIF <timesteps = 4, post = 1> (h, , theta)
  p = ai.spikingir.Decode <timesteps = 4, post = 1> (i)
}`)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestMeasuredTilesKeepNothing holds that a network leaves no buffers behind where an image
// was measured in tiles, which others are measured on too.
func TestMeasuredTilesKeepNothing(t *testing.T) {
	b, err := fixtures.Model("dncnn")
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnxio.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(m, Options{MemoryLimit: 1 << 19})
	if err != nil {
		t.Fatal(err)
	}
	x := ops.NewTensor(graph.Float32, []int{1, 1, 96, 80})
	for _, measured := range []bool{false, true} {
		if _, err := p.Run(context.Background(), map[string]*ops.Tensor{p.Inputs()[0].Name(): x}, RunOptions{Measure: measured}); err != nil {
			t.Fatal(err)
		}
		if kept := p.taken(); kept == 0 != measured || p.Tiling(x.Dims).Tiles() == 1 {
			t.Errorf("measured %v: %d bytes are kept of %d tiles", measured, kept, p.Tiling(x.Dims).Tiles())
		}
	}
}

// TestLimits holds what a tiling says of limits: the whole image within one, tiles
// of no more bytes than allowed, and the least tiles where a limit is too small.
func TestLimits(t *testing.T) {
	m, err := text.Parse(`<ir_version: 8, opset_import: ["" : 17]>
g (float[N,1,H,W] x) => (float[N,1,H,W] o)
<float[4,1,5,3] w = ["location": "seed:1"], float[1,4,3,3] u = ["location": "seed:2"]>
{
  c = Conv <pads = [2, 1, 2, 1]> (x, w)
  r = Relu(c)
  o = Conv <pads = [1, 1, 1, 1]> (r, u)
}`)
	if err != nil {
		t.Fatal(err)
	}
	dims := []int{1, 1, 200, 100}
	plan := func(limit int64) Tiling {
		p, err := Compile(m, Options{MemoryLimit: limit})
		if err != nil {
			t.Fatal(err)
		}
		return p.Tiling(dims)
	}
	whole := plan(0)
	if whole.Tiles() != 1 || !whole.Fits() || whole.Limit != DefaultMemoryLimit || whole.Bytes != whole.WholeBytes {
		t.Errorf("by default %+v, want the whole image", whole)
	}
	if free := plan(-1); free.Tiles() != 1 || !free.Fits() || free.Bytes != whole.Bytes {
		t.Errorf("without a limit %+v, want the whole image", free)
	}
	cut := plan(whole.Bytes / 2)
	if cut.Columns != 1 || cut.Rows < 2 || !cut.Fits() || cut.WholeBytes != whole.Bytes ||
		cut.OverlapRows != 6 || cut.OverlapColumns != 0 {
		t.Errorf("with half the memory %+v, want strips that overlap by 6 rows", cut)
	}
	least := plan(1)
	if least.Columns < 2 || least.Fits() || least.OverlapRows != 6 || least.OverlapColumns != 4 {
		t.Errorf("with a byte %+v, want the least tiles, which do not fit", least)
	}
	if again := plan(least.Bytes); !again.Fits() || again.Bytes > least.Bytes {
		t.Errorf("with the %d bytes of the least tiles %+v, want tiles that fit", least.Bytes, again)
	}
}
