package recipes_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/onnxio/text"
	"spikingir/passes"
	"spikingir/passes/normalizethresholds"
	"spikingir/passes/recipes"
	"spikingir/runtime/ops"
)

// network is a small net with everything that a region may hold between
// neurons: a Concat and an Add of branches with different thresholds, biases, a
// leaky activation, pooling, and a signed result.
const network = `<ir_version: 8, opset_import: ["" : 17]>
g (float[N,2,H,W] x) => (float[N,2,H,W] y)
<float[4,2,3,3] w1 = ["location": "seed:1", "scale": "0.3"], float[4] b1 = {0.2, -0.1, 0.3, 0},
 float[4,4,3,3] w2 = ["location": "seed:2", "scale": "0.2"], float[4] b2 = {0.1, 0.2, -0.2, 0.4},
 float[4,8,1,1] w3 = ["location": "seed:3", "scale": "0.5"], float[4] b3 = {-0.1, 0.1, 0, 0.2}, float[4,1,1] a = {0.25, 0.1, 0, 0.5},
 float[2,4,3,3] w4 = ["location": "seed:4", "scale": "0.2"], float[2] b4 = {0.1, -0.3}>
{
  [conv1] c1 = Conv <pads = [1, 1, 1, 1]> (x, w1, b1)
  [relu1] r1 = Relu(c1)
  [conv2] c2 = Conv <pads = [1, 1, 1, 1]> (r1, w2, b2)
  [relu2] r2 = Relu(c2)
  [concat] both = Concat <axis = 1> (r1, r2)
  [conv3] c3 = Conv(both, w3, b3)
  [skip] s3 = Add(c3, r1)
  [leaky] r3 = PRelu(s3, a)
  [pool] p3 = AveragePool <kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (r3)
  [conv4] y = Conv <pads = [1, 1, 1, 1]> (p3, w4, b4)
}`

// operators is a net of the other operators that a region may hold: those that
// move elements between channels and space, layers with groups and without space.
const operators = `<ir_version: 8, opset_import: ["" : 17]>
g (float[N,2,8,8] x) => (float[N,10] y, float[N,1,8,8] z)
<float[8,2,3,3] w1 = ["location": "seed:1", "scale": "0.3"], float[8] b1 = {0.2, -0.1, 0.3, 0, 0.1, 0.1, 0.1, 0.1},
 float[8,8,3,3] w2 = ["location": "seed:2", "scale": "0.2"], float[8] b2 = {0.1, 0.2, -0.2, 0.4, 0, 0, 0.1, 0.2},
 float zero = {0}, float one = {1}, float[4] scales = {1, 1, 2, 2}, float[2,1,1,1] wg = {0.7, -0.4}, float[2] bg = {0.2, 0.3},
 float[2,2,1,1] w3 = {1, -0.5, 0.5, 1}, float[2] b3 = {0.1, 0},
 float[10,64] wm = ["location": "seed:5", "scale": "0.2"],
 float[10] bm = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
 float[1,2,1,1] k = {0.5, 2}, int64[3] rs = {0, 2, 64}, int64[4] rb = {0, 2, 8, 8}, float two = {2},
 float[1,4,3,3] w4 = ["location": "seed:6", "scale": "0.3"]>
{
  c1 = Conv <pads = [1, 1, 1, 1]> (x, w1, b1)
  r1 = Relu(c1)
  c2 = Conv <pads = [1, 1, 1, 1]> (r1, w2, b2)
  d2 = DepthToSpace <blocksize = 2> (c2)
  r2 = Relu(d2)
  p2 = AveragePool <kernel_shape = [2, 2], strides = [2, 2]> (r2)
  q = Conv <group = 2> (p2, wg, bg)
  m = Mul(q, k)
  t = Sub(two, m)
  r3 = Clip(t, zero, one)
  e3 = Resize <mode = "nearest"> (r3, , scales)
  s3 = Add(e3, r2)
  c3 = Conv(s3, w3, b3)
  r4 = Relu(c3)
  a4, a5 = Split <axis = 1> (r4)
  l4 = Sub(a4, a5)
  sp = SpaceToDepth <blocksize = 2> (l4)
  z = Conv <pads = [1, 1, 1, 1]> (sp, w4)
  fl = Reshape(r3, rs)
  tr = Transpose <perm = [0, 2, 1]> (fl)
  tb = Transpose <perm = [0, 2, 1]> (tr)
  fb = Reshape(tb, rb)
  rm = ReduceMean <axes = [1], keepdims = 0> (fb)
  ff = Flatten <axis = 1> (rm)
  y = Gemm <transB = 1, beta = 0.5> (ff, wm, bm)
}`

func parse(t *testing.T, src string) *graph.Model {
	t.Helper()
	m, err := text.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// random draws a tensor from [lo, hi).
func random(seed uint64, lo, hi float32, dims ...int) *ops.Tensor {
	n := 1
	for _, d := range dims {
		n *= d
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	t := &ops.Tensor{DType: graph.Float32, Dims: dims, F32: make([]float32, n)}
	for i := range t.F32 {
		t.F32[i] = lo + (hi-lo)*rng.Float32()
	}
	return t
}

// plain is settings that keep the operators and saturate nowhere.
func plain(timesteps int) recipes.Settings {
	s := recipes.Defaults()
	s.Timesteps, s.Percentile, s.Lower = timesteps, 100, "none"
	return s
}

// expose makes values outputs of the model beside its own.
func expose(m *graph.Model, values ...*graph.Value) {
	for _, v := range values {
		if !v.IsOutput() {
			m.Graph.AddOutput(v)
		}
	}
}

// outputNeuron is the neuron that a CPM reads.
func outputNeuron(t *testing.T, m *graph.Model) *graph.Node {
	t.Helper()
	for n := range m.Graph.Nodes() {
		if n.IsSpiking("CPM") {
			return n.Input(0).Producer()
		}
	}
	t.Fatal("the model holds no CPM")
	return nil
}

// TestCompensation holds the CPM to its identity (docs/design.md, Output neuron and
// CPM): with a Dirac convolution it gives the mean input current, for either sign and past saturation.
func TestCompensation(t *testing.T) {
	calibration, x := random(1, -1, 1, 1, 2, 8, 8), random(2, -20, 20, 2, 2, 8, 8)
	for _, recipe := range first {
		for _, per := range []normalizethresholds.Granularity{"layer", "channel"} {
			t.Run(recipe+"/"+string(per), func(t *testing.T) {
				m := parse(t, network)
				s := plain(7)
				s.Per, s.Readout = per, "cpm"
				convert(t, m, recipe, s, calibration)
				out := outputNeuron(t, m)
				expose(m, overTime(m, out, out.Input(0)), overTime(m, out, out.Output(0)))
				res := run(t, m, x)
				if op.ScheduleOf(out) == op.TwoPhase {
					sums(t, out, res[1], res[2], 7)
				}
				checkMean(t, out, res[0], res[1], res[2], 7)
			})
		}
	}
}

// sums makes rates of a two-phase neuron's input and output what checkMean reads: one slice
// that is the sum of all, and spikes where it fired at every step.
func sums(t *testing.T, out *graph.Node, current, spikes *ops.Tensor, steps int) {
	t.Helper()
	theta, err := passes.Threshold(out)
	if err != nil {
		t.Fatal(err)
	}
	timing, err := op.TimingOf(out.Graph())
	if err != nil {
		t.Fatal(err)
	}
	plane := current.Dims[2] * current.Dims[3]
	for i := range current.F32 {
		current.F32[i] *= float32(steps)
		spikes.F32[i] = spikes.F32[i]*float32(steps)/theta[i/plane%len(theta)] - float32(timing.Slices()) + 0.5
	}
}

// checkMean compares o with the mean over time of the output neuron's current
// and bias. Both signs and saturation must occur, or the test shows nothing.
func checkMean(t *testing.T, out *graph.Node, o, current, spikes *ops.Tensor, steps int) {
	t.Helper()
	size := len(o.F32)
	slices := len(current.F32) / size
	bias, err := out.Input(1).Const.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	plane := o.Dims[2] * o.Dims[3]
	negative, saturated, worst := 0, 0, 0.0
	for i, got := range o.F32 {
		sum := float64(bias[i/plane%len(bias)]) * float64(steps)
		all := true
		for k := range slices {
			sum += float64(current.F32[k*size+i])
			all = all && spikes.F32[k*size+i] > 0
		}
		want := sum / float64(steps)
		worst = max(worst, math.Abs(float64(got)-want)/max(1, math.Abs(want)))
		if want < 0 {
			negative++
		}
		if all {
			saturated++
		}
	}
	if negative == 0 || saturated == 0 {
		t.Errorf("%d negative and %d saturated elements, want some of each", negative, saturated)
	}
	if !(worst <= 1e-5) {
		t.Errorf("CPM is off the mean current by %g, want at most 1e-5", worst)
	}
}

// TestBiasOnlyMainSteps drives a network by constants alone: with an MPRN, one
// that acted in the post step too would add a Tth of itself to the result.
func TestBiasOnlyMainSteps(t *testing.T) {
	tests := []struct{ name, body string }{
		{"layer", "z = Conv(r, w, b)"},
		{"Add", "y = Conv(r, w)\n z = Add(y, k)"},
		{"Sub", "y = Conv(r, w)\n z = Sub(k, y)"},
		{"merged", "y = Conv(r, w, b)\n n = Neg(y)\n u = Add(k, k)\n z = Add(n, u)"},
		{"Bias node", "y = Conv(r, w, b)\n" +
			" z = AveragePool <kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (y)"},
	}
	for _, test := range tests {
		m := parse(t, `<ir_version: 8, opset_import: ["" : 17]>
g (float[N,1,H,W] x) => (float[N,2,H,W] z)
<float[1,1,1,1] v = {1}, float[2,1,1,1] w = {0, 0}, float[2] b = {1.5, -3}, float[2,1,1] k = {1.5, -3}>
{
 q = Conv(x, v)
 r = Relu(q)
 `+test.body+`
}`)
		x := random(3, 0, 1, 1, 1, 2, 2)
		convert(t, m, "spikingir", plain(4), x)
		for i, got := range run(t, m, x)[0].F32 {
			if want := []float32{1.5, -3}[i/4]; got != want {
				t.Errorf("%s: element %d is %g, want %g", test.name, i, got, want)
			}
		}
	}
}

// TestConvergence checks that the conversion error falls as 1/T: error times T
// stays bounded from T = 8 to 1024.
func TestConvergence(t *testing.T) {
	x := random(4, -1, 1, 1, 2, 8, 8)
	for _, c := range settings {
		t.Run(c.name, func(t *testing.T) { checkConvergence(t, network, c.recipe, c.set, x, 20) })
	}
	for _, recipe := range first {
		t.Run("operators/"+recipe, func(t *testing.T) {
			rate := func(s *recipes.Settings) { s.Readout = "rate" }
			checkConvergence(t, operators, recipe, rate, x, 40)
		})
	}
}

func checkConvergence(t *testing.T, src, recipe string, set func(*recipes.Settings),
	x *ops.Tensor, bound float64) {
	t.Helper()
	want := run(t, parse(t, src), x)
	worst := 0.0
	for steps := 8; steps <= 1024; steps *= 2 {
		m := parse(t, src)
		s := plain(steps)
		set(&s)
		s.Lower = "none"
		convert(t, m, recipe, s, x)
		for i, got := range run(t, m, x) {
			worst = max(worst, distance(t, got, want[i])*float64(steps))
		}
	}
	if !(worst <= bound) {
		t.Errorf("error times T reaches %.3g, want at most %g", worst, bound)
	}
}
