package reference_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/onnxio"
	"spikingir/onnxio/text"
	"spikingir/passes"
	"spikingir/passes/passtest"
	"spikingir/passes/recipes"
	"spikingir/runtime/calib"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
	"spikingir/runtime/reference"
)

// images is a calibration set of model inputs.
type images []*ops.Tensor

func (s images) Len() int                         { return len(s) }
func (s images) Input(i int) (*ops.Tensor, error) { return s[i], nil }
func (s images) SHA256() string                   { return "" }

// fixture is an embedded network, converted by a recipe ("": as it is) that is
// calibrated on the network's first vector, and the input of the second one.
func fixture(t *testing.T, name, recipe string, timesteps int) (*graph.Model, *ops.Tensor) {
	t.Helper()
	data, err := fixtures.Model(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnxio.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	vectors, err := fixtures.Vectors(name)
	if err != nil {
		t.Fatal(err)
	}
	tensor := func(a fixtures.Array) *ops.Tensor {
		return &ops.Tensor{DType: graph.Float32, Dims: a.Shape, F32: a.Data}
	}
	if recipe != "" {
		s := recipes.Defaults()
		s.Timesteps, s.V0 = timesteps, recipes.NoV0
		p, err := recipes.New(recipe, s)
		if err != nil {
			t.Fatal(err)
		}
		pool := machine.NewPool(1)
		defer pool.Close()
		if _, err := p.Run(m, passes.Options{
			Evaluate: passtest.Evaluate,
			Calibrate: func(m *graph.Model, values []string) (*graph.Stats, error) {
				return calib.Collect(context.Background(), m, values, images{tensor(vectors[0].In)}, pool, nil)
			},
		}); err != nil {
			t.Fatal(err)
		}
	}
	return m, tensor(vectors[1].In)
}

// cut is the upper left h x w pixels of x.
func cut(x *ops.Tensor, h, w int) *ops.Tensor {
	y := &ops.Tensor{DType: graph.Float32, Dims: []int{x.Dims[0], x.Dims[1], h, w}}
	for i := range x.Dims[0] * x.Dims[1] * h {
		at := (i/h*x.Dims[2] + i%h) * x.Dims[3]
		y.F32 = append(y.F32, x.F32[at:at+w]...)
	}
	return y
}

// executed is the output of package exec in float32.
func executed(t *testing.T, m *graph.Model, x *ops.Tensor) *ops.Tensor {
	t.Helper()
	p, err := exec.Compile(m, exec.Options{Precision: exec.Float32})
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Run(context.Background(), map[string]*ops.Tensor{p.Inputs()[0].Name(): x}, exec.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r.Outputs[0]
}

// build makes the reference of m, or fails the test.
func build(t *testing.T, m *graph.Model, dims []int, o reference.Options) *reference.Net {
	t.Helper()
	net, err := reference.Build(m, dims, o)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// agree demands that exec and the reference give the same output to within tol.
func agree(t *testing.T, m *graph.Model, x *ops.Tensor, tol float64) *reference.Net {
	t.Helper()
	want := executed(t, m, x)
	net := build(t, m, x.Dims, reference.Options{})
	got, err := net.Forward(x.F32)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(net.OutputShape(), want.Dims) {
		t.Fatalf("output %v, exec has %v", net.OutputShape(), want.Dims)
	}
	for i := range got {
		if d := math.Abs(float64(got[i]) - float64(want.F32[i])); !(d <= tol) {
			t.Fatalf("output %d is %v, exec has %v: %.2g apart, want %.2g; nearest potential %.2g from its level",
				i, got[i], want.F32[i], d, tol, net.Distance())
		}
	}
	return net
}

// TestFixtures compares the embedded networks, as they are and as each recipe
// converts them. In float32 a potential within some 1e-7 of its level may fall on
// the other side; the inputs and calibration images are such that none does.
func TestFixtures(t *testing.T) {
	for _, name := range fixtures.Names() {
		for _, recipe := range []string{"", "spikingir", "rueckauer"} {
			t.Run(name+"/"+recipe, func(t *testing.T) {
				m, x := fixture(t, name, recipe, 4)
				if name == "prelunet" {
					x = cut(x, 9, 7) // its 9x9 kernel on an enlarged image takes long
				}
				net := agree(t, m, x, 1e-6)
				if spiking := recipe != ""; math.IsInf(net.Distance(), 0) == spiking {
					t.Errorf("nearest potential %v from its level", net.Distance())
				}
			})
		}
	}
}

// dyadic is a network in which float32 is exact: numbers are multiples of powers of
// two, and thresholds that are no powers of two are only added and compared. The
// potentials meet their levels exactly, again and again.
const dyadic = `<ir_version: 10, opset_import: ["" : 17, "ai.spikingir" : 1]>
g (float[N,2,H,W] x) => (float[N,2,H,W] y)
<float[3,2,1,1] w1 = {1, 0.5, -0.5, 1, 0.25, 0.75}, float[3,1,1] b1 = {0.25, -0.125, 0},
 float[3,1,1] t1 = {0.75, 0.5, 0.375}, float[3,1,1] a1 = {0.75, 0.5, 0.625},
 float[2,3,3,3] w2 = {0.5, -0.5, 1, 0.25, 1, -0.25, 0.5, 0, 0.5, 1, -1, 0.25, 0.5, 0.5, -0.5, 0.25, 0, -1,
  -0.25, 0.5, 0.5, 1, 0.5, 0, 0.25, -0.5, 1, 1, 0.5, -1, 0.25, 0.5, 0.25, -0.25, 0, 1,
  0.5, 0.25, -0.5, 1, 0.5, 0.5, 0, -0.25, 0.25, 0.5, -1, 1, 0.25, 0.5, 0, 0.5, -0.25, 1},
 float[2,1,1] b2x = {0.125, -0.25}, float t2 = {1.25}, float a2 = {0.75},
 float[2,2,3,3] k = {0, 0.25, 0, 0, 1, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0.25, 0, 0, 0, 0, 0, 0, 0.5, 0, 1, 0, 0, 0, 0}, float[2] kb = {0.5, -0.5},
 float t3 = {0.5}>
{
  xe = ai.spikingir.Encode <timesteps = 4, post = 1> (x)
  c1 = Conv(xe, w1)
  s1, v1 = ai.spikingir.MPRN <timesteps = 4, post = 1, v0 = 0.5> (c1, b1, t1, a1)
  c2 = Conv <pads = [1, 1, 1, 1]> (s1, w2)
  b = ai.spikingir.Bias <timesteps = 4, post = 1> (c2, b2x)
  s2 = ai.spikingir.MPRN <timesteps = 4, post = 1, v0 = 0.0> (b, "", t2, a2)
  s3, v3 = ai.spikingir.IF <timesteps = 4, post = 1, v0 = 0.25> (s2, "", t3)
  o = ai.spikingir.CPM <timesteps = 4, post = 1, kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (s3, v3, k, kb)
  r = ai.spikingir.Decode <timesteps = 4, post = 1> (s2)
  d = Sub(o, r)
  y = Add(d, x)
}`

func parse(t *testing.T, src string) *graph.Model {
	t.Helper()
	m, err := text.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestGradedExact does so for neurons whose spikes have several values, which the reference
// computes without a division: a spike for each whole number of units.
func TestGradedExact(t *testing.T) {
	const src = `<ir_version: 10, opset_import: ["" : 17, "ai.spikingir" : 3]>
g (float[N,2,H,W] x) => (float[N,2,H,W] y)
<float[3,2,1,1] w1 = {1, 0.5, -0.5, 1, 0.25, 0.75}, float[3,1,1] b1 = {0.25, -0.125, 0}, float[3,1,1] t1 = {0.25, 0.5, 0.125},
 float[2,3,1,1] w2 = {0.5, -0.5, 1, 0.25, 1, -0.25}, float[2,1,1] b2 = {0.125, -0.25}, float t2 = {0.5}, float t3 = {1},
 float[2,2,1,1] w3 = {1, -0.75, -0.5, 1}>
{
  xe = ai.spikingir.Encode <timesteps = 4, post = 1> (x)
  c1 = Conv(xe, w1)
  s1, v1 = ai.spikingir.BurstIF <timesteps = 4, post = 1, v0 = 0.5, burst = 3> (c1, b1, t1)
  c2 = Conv(s1, w2)
  s2, v2 = ai.spikingir.MultiThresholdIF <timesteps = 4, post = 1, v0 = 0.0, finest = 0.25> (c2, b2, t2)
  c3 = Conv(s2, w3)
  s3, v3 = ai.spikingir.SignedIF <timesteps = 4, post = 1, v0 = 0.0> (c3, "", t3)
  r3 = ai.spikingir.Decode <timesteps = 4, post = 1> (s3)
  d = Add(v2, v3)
  y = Sub(r3, d)
}`
	m := parse(t, src)
	r := rand.New(rand.NewPCG(3, 2))
	for range 3 {
		x := &ops.Tensor{DType: graph.Float32, Dims: []int{1, 2, 5, 6}, F32: make([]float32, 60)}
		for i := range x.F32 {
			x.F32[i] = float32(r.IntN(33)-8) / 16
		}
		agree(t, m, x, 0)
	}
}

// TestExact compares bit for bit where float32 rounds nothing.
func TestExact(t *testing.T) {
	m := parse(t, dyadic)
	r := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		x := &ops.Tensor{DType: graph.Float32, Dims: []int{1, 2, 5, 6}, F32: make([]float32, 60)}
		for i := range x.F32 {
			x.F32[i] = float32(r.IntN(17)-4) / 16
		}
		net := agree(t, m, x, 0)
		if net.Distance() != 0 {
			t.Errorf("nearest potential %v from its level, want one on it", net.Distance())
		}
	}
}
