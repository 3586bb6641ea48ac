package exec_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/graph"
	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
)

// compile compiles a model that must be good.
func compile(t *testing.T, m *graph.Model, o exec.Options) *exec.Program {
	t.Helper()
	p, err := exec.Compile(m, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// execute runs a program on input x, measuring.
func execute(t *testing.T, p *exec.Program, x *ops.Tensor) *exec.Result {
	t.Helper()
	res, err := p.Run(t.Context(), map[string]*ops.Tensor{"x": x}, exec.RunOptions{Measure: true})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// TestAliases runs a model of views: outputs that share elements with an input,
// a constant and each other, beside values that die and are reused.
func TestAliases(t *testing.T) {
	p := compile(t, model(t, `g (float[N,1,H,W] x) => (float[N,1,H,W] same, float[K] flat, float[N,1,H,W] x,
  float[2] c, float[N,1,H,W] last, float[K] flat)
<float[2] c = {3, 4}, int64[1] all = {-1}, float one = {1}>
{
  same = Identity(x)
  a = Add(x, one)
  flat = Reshape(a, all)
  dead = Neg(a)
  b = Abs(dead)
  view = Identity(b)
  again = Add(view, one)
  last = Add(again, view)
}`, 0, 0), exec.Options{})
	x := random(1, 0, 1, 1, 1, 3, 4)
	before := x.Clone()
	first, second := execute(t, p, x), execute(t, p, x)
	if d := cmp.Diff(first.Outputs, second.Outputs); d != "" {
		t.Errorf("a second run differs (-first +second):\n%s", d)
	}
	for i, v := range before.F32 {
		a := v + 1
		got := []float32{first.Outputs[0].F32[i], first.Outputs[1].F32[i], first.Outputs[2].F32[i],
			first.Outputs[4].F32[i], first.Outputs[5].F32[i]}
		if want := []float32{v, a, v, (a + 1) + a, a}; !slices.Equal(got, want) {
			t.Fatalf("element %d: outputs %v, want %v", i, got, want)
		}
	}
	for _, y := range first.Outputs {
		clear(y.F32) // a caller owns its outputs
	}
	third := execute(t, p, x)
	if d := cmp.Diff(second.Outputs, third.Outputs); d != "" || !slices.Equal(x.F32, before.F32) {
		t.Errorf("outputs share memory with the program or its input:\n%s", d)
	}
}

// TestComputedParameters runs neurons whose threshold, bias and alpha are
// computed by nodes: their buffers are reused after the layer, the spikes keep
// the amplitude.
func TestComputedParameters(t *testing.T) {
	const src = `g (float[N,2,H,W] x) => (float[N,2,H,W] r)
<float[2,1,1] half = {0.5, 0.75}, float[2,1,1] b = {0.1, -0.1}, float alpha = {0.75}, float[2,1,1] big = {9, 9}>
{
  e = ai.spikingir.Encode <@@> (x)
  theta = Add(half, half)
  bias = Add(b, b)
  y = ai.spikingir.MPRN <@@> (e, bias, theta, alpha)
  other = Add(big, big)
  z = ai.spikingir.MPRN <@@> (y, other, other, alpha)
  more = Add(z, y)
  w = ai.spikingir.MPRN <@@> (more, , big, alpha)
  sum = Add(y, w)
  r = ai.spikingir.Decode <@@> (sum)
}`
	m := model(t, src, 5, 1)
	x := random(4, 0, 2, 1, 2, 1, 1) // slices of two elements, as the parameters have
	want := simulate(t, m, x, 5, 1)
	p := compile(t, m, exec.Options{})
	for range 2 {
		if d := distance(t, execute(t, p, x).Outputs[0], want[0]); d != 0 {
			t.Errorf("differs from the simulator by %g", d)
		}
	}
}

// TestBatch demands of a batch what its images give alone.
func TestBatch(t *testing.T) {
	for name, src := range nets {
		m := model(t, src, 6, 1)
		c, _ := m.Graph.Inputs()[0].Type.Shape[1].Size()
		batch := random(8, -1, 1.5, 3, int(c), 6, 10)
		all := execute(t, compile(t, m, exec.Options{}), batch)
		size := len(batch.F32) / 3
		single := compile(t, m, exec.Options{})
		var spikes int64
		for i := range 3 {
			x := ops.Floats(batch.F32[i*size:(i+1)*size], 1, int(c), 6, 10)
			res := execute(t, single, x)
			for k, y := range res.Outputs {
				n := len(y.F32)
				if !slices.Equal(y.F32, all.Outputs[k].F32[i*n:(i+1)*n]) {
					t.Errorf("%s: image %d of the batch, output %d differs", name, i, k)
				}
			}
			spikes += res.Neurons[0].Spikes
		}
		if spikes != all.Neurons[0].Spikes {
			t.Errorf("%s: %d spikes in a batch, %d alone", name, all.Neurons[0].Spikes, spikes)
		}
	}
}

const dense = `g (float[N,2] x) => (float[N,2] r, float[N,2] v)
<float[2,3] w = {1, 0, 2, 0, 1, 1}, float[3,2] u = {1, 0, 0, 1, 0, 0}, float[3] b = {0, 0, -1}, float theta = {1}>
{
  e = ai.spikingir.Encode <@@> (x)
  [d1] c = MatMul(e, w)
  y = ai.spikingir.IF <@@> (c, b, theta)
  [d2] d = Gemm(y, u)
  z, v = ai.spikingir.IF <@@> (d, , theta)
  r = ai.spikingir.Decode <@@> (z)
}`

// TestRankTwo runs vectors: dense layers with a bias per channel. Dyadic
// currents below the threshold keep the rates exact at T = 4.
func TestRankTwo(t *testing.T) {
	p := compile(t, model(t, dense, 4, 0), exec.Options{})
	res := execute(t, p, ops.Floats([]float32{0.25, 0.5, 0.75, 1}, 2, 2))
	if d := cmp.Diff([]float32{0.25, 0.5, 0.75, 1}, res.Outputs[0].F32); d != "" {
		t.Errorf("rates (-want +got):\n%s", d)
	}
	d2 := workOf(t, res, "d2")
	// Neuron 3 of the images: 2*0.25+0.5-1 = 0 and 2*0.75+1-1 = 1.5, 4 spikes.
	if d2.MACs != 2*3*2 || d2.SpikesIn != 1+2+3+4+4 || d2.ExactOps != 2*d2.SpikesIn {
		t.Errorf("work %+v, want 12 MACs, 14 spikes, 28 operations", d2)
	}
	d1 := workOf(t, res, "d1")
	if d1.Driven || !d1.Current || d1.MACs != 2*2*3 || d1.Runs != 1 {
		t.Errorf("work %+v, want a constant current of 12 MACs", d1)
	}
}

// TestEmpty runs batches of no image.
func TestEmpty(t *testing.T) {
	for name, src := range map[string]string{"spiking": chain, "analog": ann, "dense": dense} {
		p := compile(t, model(t, src, 3, strings.Count(src, "MPRN")), exec.Options{})
		x := ops.NewTensor(graph.Float32, []int{0, 1, 6, 6})
		if name == "dense" {
			x = ops.NewTensor(graph.Float32, []int{0, 2})
		}
		res := execute(t, p, x)
		if y := res.Outputs[0]; y.Dims[0] != 0 || len(y.F32) != 0 {
			t.Errorf("%s: output of dimensions %v from no image", name, y.Dims)
		}
	}
}

// TestOmittedOutputs runs nodes that omit outputs, the first one too.
func TestOmittedOutputs(t *testing.T) {
	p := compile(t, model(t, `g (float[N,2,H,W] x) => (float[N,2,H,W] v, float[N,1,H,W] r)
<float theta = {8}>
{
  e = ai.spikingir.Encode <@@> (x)
  "", v = ai.spikingir.IF <@@> (e, , theta)
  "", b = Split <axis = 1> (e)
  y = ai.spikingir.IF <@@> (b, , theta)
  r = ai.spikingir.Decode <@@> (y)
}`, 3, 0), exec.Options{})
	x := random(1, 0, 1, 1, 2, 2, 2)
	res := execute(t, p, x)
	for i, v := range x.F32 {
		if want := v + v + v; res.Outputs[0].F32[i] != want {
			t.Errorf("potential %d is %g, want %g", i, res.Outputs[0].F32[i], want)
		}
	}
}

// TestTwoRegions runs a spiking region behind the readout of another; only at
// one number of timesteps is that one run.
func TestTwoRegions(t *testing.T) {
	m := model(t, `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
<float theta = {1}, float half = {0.5}>
{
  e = ai.spikingir.Encode <@@> (x)
  y = ai.spikingir.IF <@@> (e, , theta)
  r = ai.spikingir.Decode <@@> (y)
  [mid] s = Mul(r, half)
  f = ai.spikingir.Encode <@@> (s)
  z = ai.spikingir.IF <@@> (f, , theta)
  o = ai.spikingir.Decode <@@> (z)
}`, 8, 0)
	x := ops.Floats([]float32{0, 0.25, 0.5, 1}, 1, 1, 2, 2)
	res := execute(t, compile(t, m, exec.Options{}), x)
	if d := cmp.Diff([]float32{0, 0.125, 0.25, 0.5}, res.Outputs[0].F32); d != "" {
		t.Errorf("rates (-want +got):\n%s", d)
	}
	if w := workOf(t, res, "mid"); w.Muls != 4 || !w.Current {
		t.Errorf("work between the regions %+v, want 4 multiplications for a current", w)
	}
	p := compile(t, m, exec.Options{Timesteps: []int{4, 8}})
	_, err := p.Run(t.Context(), map[string]*ops.Tensor{"x": x}, exec.RunOptions{})
	if err == nil || !strings.Contains(err.Error(), "one number of timesteps") {
		t.Errorf("for several T: error %v, want one that asks for one number of timesteps", err)
	}
}

// TestBiasFromReadout feeds a neuron's bias from a readout, which differs by
// number of timesteps: never silently no bias.
func TestBiasFromReadout(t *testing.T) {
	m := model(t, `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
<float theta = {1}, int64[1] all = {-1}>
{
  e = ai.spikingir.Encode <@@> (x)
  y = ai.spikingir.IF <@@> (e, , theta)
  r = ai.spikingir.Decode <@@> (y)
  [late] z = ai.spikingir.IF <@@> (e, r, theta)
  o = ai.spikingir.Decode <@@> (z)
}`, 8, 0)
	x := ops.Floats([]float32{0.25}, 1, 1, 1, 1)
	if o := execute(t, compile(t, m, exec.Options{}), x).Outputs[0]; o.F32[0] != 0.5 {
		t.Errorf("rate %g, want 0.25 + 0.25", o.F32[0])
	}
	p := compile(t, m, exec.Options{Timesteps: []int{4, 8}})
	_, err := p.Run(t.Context(), map[string]*ops.Tensor{"x": x}, exec.RunOptions{})
	if err == nil || !strings.Contains(err.Error(), `node "late"`) {
		t.Errorf("for several T: error %v, want one that names the neuron", err)
	}
}

// TestRefusesInput holds the errors of inputs that do not fit.
func TestRefusesInput(t *testing.T) {
	p := compile(t, model(t, ann, 0, 0), exec.Options{})
	good := random(1, 0, 1, 1, 1, 4, 4)
	for _, c := range []struct {
		in   map[string]*ops.Tensor
		want string
	}{
		{nil, `input "x" is missing`},
		{map[string]*ops.Tensor{"x": good, "z": good}, `the model has no input "z"`},
		{map[string]*ops.Tensor{"x": random(1, 0, 1, 1, 2, 4, 4)}, `input "x" has dimensions [1 2 4 4]`},
		{map[string]*ops.Tensor{"x": ops.NewTensor(graph.Int64, []int{1, 1, 4, 4})}, `input "x" is int64`},
		{map[string]*ops.Tensor{"x": {DType: graph.Float32, Dims: []int{1, 1, 4, 4}, F32: good.F32[:9]}},
			"9 elements, want 16"},
	} {
		_, err := p.Run(t.Context(), c.in, exec.RunOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}

// TestRunsAtOnce runs one program several times at once: whole, in tiles, measured, on
// images of two sizes. Each run gives what it gives alone.
func TestRunsAtOnce(t *testing.T) {
	for _, precision := range []exec.Precision{exec.FixedPoint, exec.Float32} {
		p := compile(t, model(t, chain, 4, 1), exec.Options{Timesteps: []int{2, 4}, Precision: precision, MemoryLimit: 40 << 10})
		images := []*ops.Tensor{random(1, 0, 1, 1, 1, 30, 40), random(2, 0, 1, 1, 1, 12, 12)}
		if n := p.Tiling(images[0].Dims).Tiles(); n < 2 {
			t.Errorf("%d tiles, want several", n)
		}
		run := func(i int) ([]*exec.Result, error) {
			return p.RunAll(t.Context(), map[string]*ops.Tensor{"x": images[i%2]}, exec.RunOptions{Measure: i%4 < 2})
		}
		var want [4][]*exec.Result
		for i := range want {
			var err error
			if want[i], err = run(i); err != nil {
				t.Fatal(err)
			}
		}
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				got, err := run(i)
				if d := cmp.Diff(want[i%4], got); d != "" || err != nil {
					t.Errorf("run %d at the same time as others: %v, differs (-alone +now):\n%s", i, err, d)
				}
			})
		}
		all.Wait()
	}
}
