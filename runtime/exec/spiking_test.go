package exec_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/onnxio/text"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// model parses a model; %T and %P stand for timesteps and post step.
func model(t *testing.T, src string, steps, post int) *graph.Model {
	t.Helper()
	attrs := fmt.Sprintf("timesteps = %d, post = %d", steps, post)
	m, err := text.Parse(`<ir_version: 10, opset_import: ["" : 17, "ai.spikingir" : 1]>` + "\n" +
		strings.ReplaceAll(src, "@@", attrs))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// random is an input of uniform numbers in [lo, hi).
func random(seed uint64, lo, hi float32, dims ...int) *ops.Tensor {
	r := rand.New(rand.NewPCG(seed, 7))
	x := ops.NewTensor(graph.Float32, dims)
	for i := range x.F32 {
		x.F32[i] = lo + (hi-lo)*r.Float32()
	}
	return x
}

const readout = `g (float[N,2,H,W] x) => (float[N,2,H,W] o)
<float[2,1,1] theta = {0.5, 2}, float[2,2,3,3] dirac = {0,0,0, 0,1,0, 0,0,0,  0,0,0, 0,0,0, 0,0,0,
                                                        0,0,0, 0,0,0, 0,0,0,  0,0,0, 0,1,0, 0,0,0}>
{
  e = ai.spikingir.Encode <@@> (x)
  y, v = ai.spikingir.IF <@@> (e, , theta)
  o = ai.spikingir.CPM <@@, kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (y, v, dirac)
}`

// TestReadoutIsMeanCurrent holds the identity of the output stage: with v0 = 0
// and a Dirac kernel CPM gives the mean input current, for either sign and
// past saturation.
func TestReadoutIsMeanCurrent(t *testing.T) {
	for _, steps := range []int{1, 3, 10, 50} {
		for _, post := range []int{0, 1} {
			x := random(uint64(steps), -5, 5, 2, 2, 7, 9)
			got := runModel(t, model(t, readout, steps, post), x, exec.Options{})
			if d := distance(t, got, x); d > 5e-6 {
				t.Errorf("T = %d, post = %d: readout differs from the current by %g", steps, post, d)
			}
		}
	}
}

const chain = `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
<float[3,1,3,3] w1 = ["location": "seed:1", "scale": "0.4"], float[3] b1 = {0.1, 0.2, -0.1},
 float[1,3,3,3] w2 = ["location": "seed:2", "scale": "0.3"], float[1,1,1] b2 = {0.25},
 float[3,1,1] t1 = {1.5, 1, 0.75}, float t2 = {1}, float alpha = {0.75}, float[1,1,1,1] one = {1}>
{
  [first] c = Conv <pads = [1, 1, 1, 1]> (x, w1, b1) # region="analog-pre"
  e = ai.spikingir.Encode <@@> (c)
  [hidden] y = ai.spikingir.MPRN <@@> (e, , t1, alpha)
  [second] d = Conv <pads = [1, 1, 1, 1]> (y, w2)
  [out] z, v = ai.spikingir.IF <@@> (d, b2, t2)
  o = ai.spikingir.CPM <@@, kernel_shape = [1, 1]> (z, v, one)
}`

const ann = `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
<float[3,1,3,3] w1 = ["location": "seed:1", "scale": "0.4"], float[3] b1 = {0.1, 0.2, -0.1},
 float[1,3,3,3] w2 = ["location": "seed:2", "scale": "0.3"], float[1] b2 = {0.25},
 float[3,1,1] t1 = {1.5, 1, 0.75}, float zero = {0}>
{
  c = Conv <pads = [1, 1, 1, 1]> (x, w1, b1)
  p = Max(c, zero)
  r = Min(p, t1)
  o = Conv <pads = [1, 1, 1, 1]> (r, w2, b2)
}`

// TestErrorFallsWithT holds the conversion error of a small net to O(1/T):
// with thresholds above the activations it comes from the hidden layer alone,
// whose rates are off by at most 1/T.
func TestErrorFallsWithT(t *testing.T) {
	x := random(3, 0, 1, 1, 1, 24, 24)
	want := runModel(t, model(t, ann, 0, 0), x, exec.Options{})
	var first, last float64
	for steps := 8; steps <= 1024; steps *= 2 {
		got := runModel(t, model(t, chain, steps, 1), x, exec.Options{})
		scaled := distance(t, got, want) * float64(steps)
		if scaled > 8 {
			t.Errorf("T = %d: error times T is %g, want a constant", steps, scaled)
		}
		if steps == 8 {
			first = scaled
		}
		last = scaled
	}
	if last < first/8 {
		t.Errorf("error times T falls from %g to %g: the test sees no conversion error", first, last)
	}
}

// TestBiasIsAbsentInPostStep compares with a sum that a bias in the post step
// would change: the residual output must hold T biases, not T+1.
func TestBiasIsAbsentInPostStep(t *testing.T) {
	const src = `g (float[N,1,H,W] x) => (float[N,1,H,W] v, float[N,1,H,W] u)
<float[1,1,1] b = {0.25}, float theta = {1024}, float alpha = {0.75}>
{
  e = ai.spikingir.Encode <@@> (x)
  y, v = ai.spikingir.MPRN <@@> (e, b, theta, alpha)
  f = ai.spikingir.Bias <@@> (e, b)
  z, u = ai.spikingir.IF <@@> (f, , theta)
}`
	p, err := exec.Compile(model(t, src, 6, 1), exec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	x := ops.NewTensor(graph.Float32, []int{1, 1, 2, 2})
	for i := range x.F32 {
		x.F32[i] = 0.5
	}
	res, err := p.Run(context.Background(), map[string]*ops.Tensor{"x": x}, exec.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, out := range res.Outputs {
		if out.F32[0] != 6*0.75 {
			t.Errorf("output %d: potential %g after 6+1 steps, want %g", i, out.F32[0], 6*0.75)
		}
	}
}

// TestFirstConvolutionRunsOnce checks the plan by its own account, for an
// encoding before and behind the first convolution.
func TestFirstConvolutionRunsOnce(t *testing.T) {
	behind := model(t, chain, 10, 1)
	before := model(t, strings.NewReplacer("Encode <@@> (c)", "Encode <@@> (x)", "(x, w1, b1)", "(e, w1)",
		"MPRN <@@> (e, , t1", "MPRN <@@> (c, b, t1", "float alpha", "float[3,1,1] b = {0.1, 0.2, -0.1}, float alpha",
		`# region="analog-pre"`, "").Replace(moveEncode(chain)), 10, 1)
	x := random(5, 0, 1, 1, 1, 12, 12)
	var outs []*ops.Tensor
	for name, m := range map[string]*graph.Model{"behind": behind, "before": before} {
		p, err := exec.Compile(m, exec.Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		res, err := p.Run(context.Background(), map[string]*ops.Tensor{"x": x}, exec.RunOptions{Measure: true})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		outs = append(outs, res.Outputs[0])
		for _, w := range res.Work {
			switch w.Node {
			case "first":
				if w.Driven {
					t.Errorf("%s: the first convolution counts as driven by spikes", name)
				}
			case "second":
				if !w.Driven || w.SpikesIn == 0 {
					t.Errorf("%s: the second convolution is driven by %g spikes", name, w.SpikesIn)
				}
			}
		}
	}
	if d := distance(t, outs[0], outs[1]); d != 0 {
		t.Errorf("encoding before and behind the first convolution differ by %g", d)
	}
}

// moveEncode puts the Encode line in front of the first Conv.
func moveEncode(src string) string {
	lines := strings.Split(src, "\n")
	i := slices.IndexFunc(lines, func(s string) bool { return strings.Contains(s, "[first]") })
	lines[i], lines[i+1] = lines[i+1], lines[i]
	return strings.Join(lines, "\n")
}

// TestWork checks the counts of operations on a layer counted by hand: one
// spike at a corner reaches 4 of 9 taps.
func TestWork(t *testing.T) {
	const src = `g (float[N,1,H,W] x) => (float[N,2,H,W] o)
<float[2,1,3,3] w = ["location": "seed:1"], float theta = {1}, float[2,2,1,1] one = {1, 0, 0, 1}>
{
  e = ai.spikingir.Encode <@@> (x)
  [n] y = ai.spikingir.IF <@@> (e, , theta)
  [c] d = Conv <pads = [1, 1, 1, 1]> (y, w)
  z, v = ai.spikingir.IF <@@> (d, , theta)
  o = ai.spikingir.CPM <@@, kernel_shape = [1, 1]> (z, v, one)
}`
	p, err := exec.Compile(model(t, src, 4, 0), exec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	x := ops.NewTensor(graph.Float32, []int{1, 1, 5, 6})
	x.F32[0], x.F32[8] = 1, 0.5 // a corner fires 4 times, an inner one twice
	res, err := p.Run(context.Background(), map[string]*ops.Tensor{"x": x}, exec.RunOptions{Measure: true})
	if err != nil {
		t.Fatal(err)
	}
	var conv exec.WorkReport
	for _, w := range res.Work {
		if w.Node == "c" {
			conv = w
		}
	}
	if conv.MACs != 9*2*30 || conv.SpikesIn != 6 || conv.ExactOps != 2*(4*4+2*9) {
		t.Errorf("work %+v, want 540 MACs, 6 spikes, 68 synaptic operations", conv)
	}
	// Valid taps of a 3-wide kernel over n places: 3n-2.
	if conv.ExactMACs != 2*(3*5-2)*(3*6-2) {
		t.Errorf("exact MACs %g, want %d", conv.ExactMACs, 2*13*16)
	}
	if n := res.Neurons[0]; n.Spikes != 6 || n.Elements != 30 || math.Abs(n.FiringRate()-6.0/120) > 1e-12 {
		t.Errorf("neuron report %+v", n)
	}
}

// TestRefuses holds the errors of models that cannot be run.
func TestRefuses(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"mixed times", `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
<float theta = {1}>
{
  e = ai.spikingir.Encode <timesteps = 3> (x)
  y = ai.spikingir.IF <timesteps = 4> (e, , theta)
  o = ai.spikingir.Decode <timesteps = 3> (y)
}`, "runs 4+0 timesteps where others run 3+0"},
		{"nothing follows", `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
{
  e = ai.spikingir.Encode <timesteps = 3> (x)
  [late] o = Relu(e)
}`, `node "late" (Relu): reads time-major value "e"`},
		{"no such operator", `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
{
  [odd] o = ai.spikingir.Bursting <timesteps = 0> (x)
}`, `node "odd" (ai.spikingir.Bursting)`},
		{"unknown operator", `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
{
  [odd] o = custom.Thing(x)
}`, `node "odd" (custom.Thing)`},
		{"no threshold", `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
{
  e = ai.spikingir.Encode <timesteps = 3> (x)
  [bare] y = ai.spikingir.IF <timesteps = 3> (e)
  o = ai.spikingir.Decode <timesteps = 3> (y)
}`, `node "bare"`},
		{"no time", `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
<float theta = {1}>
{
  [early] y = ai.spikingir.IF <timesteps = 3> (x, , theta)
  o = ai.spikingir.Decode <timesteps = 3> (y)
}`, `node "early" (ai.spikingir.IF): input "x" has no time`},
		{"time twice", `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
{
  e = ai.spikingir.Encode <timesteps = 3> (x)
  [twice] f = ai.spikingir.Encode <timesteps = 3> (e)
  o = ai.spikingir.Decode <timesteps = 3> (f)
}`, `node "twice" (ai.spikingir.Encode): reads time-major value "e"`},
		{"across the time", `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
{
  e = ai.spikingir.Encode <timesteps = 3> (x)
  [cat] f = Concat <axis = 0> (e, e)
  o = ai.spikingir.Decode <timesteps = 3> (f)
}`, `node "cat" (Concat): the operator works along axis 0`},
		{"not linear", `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
{
  e = ai.spikingir.Encode <timesteps = 3> (x)
  [bend] f = Relu(e)
  o = ai.spikingir.Decode <timesteps = 3> (f)
}`, `node "bend" (Relu): the operator is not linear over time`},
		{"no residual", `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
<float[1,1,1,1] w = {1}>
{
  e = ai.spikingir.Encode <timesteps = 3> (x)
  [cpm] o = ai.spikingir.CPM <timesteps = 3> (e, , w)
}`, `node "cpm" (ai.spikingir.CPM)`},
		{"no bias, untimed", `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
{
  [none] o = ai.spikingir.Bias <timesteps = 0> (x)
}`, `node "none" (ai.spikingir.Bias)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := exec.Compile(model(t, c.src, 0, 0), exec.Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// TestCancel stops between two slices.
func TestCancel(t *testing.T) {
	p, err := exec.Compile(model(t, chain, 1000, 1), exec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	x := random(1, 0, 1, 1, 1, 64, 64)
	if _, err := p.Run(ctx, map[string]*ops.Tensor{"x": x}, exec.RunOptions{}); err != context.Canceled {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

// TestThreads demands the same bits at any number of threads, and from a second
// run of the same program, whose buffers are used.
func TestThreads(t *testing.T) {
	x := random(9, -1, 1, 2, 1, 33, 41)
	want := runModel(t, model(t, chain, 7, 1), x, exec.Options{})
	for _, n := range []int{1, 2, 5} {
		pool := machine.NewPool(n)
		p, err := exec.Compile(model(t, chain, 7, 1), exec.Options{Pool: pool})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			res, err := p.Run(context.Background(), map[string]*ops.Tensor{"x": x}, exec.RunOptions{Measure: true})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(res.Outputs[0].F32, want.F32) {
				t.Errorf("%d threads: output differs", n)
			}
		}
		pool.Close()
	}
}
