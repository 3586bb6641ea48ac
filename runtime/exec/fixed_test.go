package exec_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/kernel/spike"
	"spikingir/runtime/ops"
)

// dyadic are networks whose thresholds are powers of two; dyadicModel gives them
// weights and biases that are whole multiples of a channel's scale, so that fixed
// point loses nothing: float32 computes the same numbers without rounding.
var dyadic = map[string]string{
	"chain": `g (float[N,2,H,W] x) => (float[N,3,H,W] o)
<float[5,2,3,3] w1, float[18,5,3,3] w2, float[3,18,1,1] w3, float[18,1,1] b2, float[3] b3, float[3,3,1,1] one = {1,0,0, 0,1,0, 0,0,1},
 float theta = {1}, float alpha = {0.75}, float half = {0.5}>
{
  c = Conv <pads = [1, 1, 1, 1]> (x, w1)
  e = ai.spikingir.Encode <@@> (c)
  s1 = ai.spikingir.MPRN <@@> (e, , theta, alpha)
  d2 = Conv <pads = [1, 1, 1, 1]> (s1, w2)
  s2 = ai.spikingir.MPRN <@@, v0 = 0.5> (d2, b2, theta, alpha)
  d3 = Conv (s2, w3, b3)
  y, v = ai.spikingir.MPRN <@@> (d3, , half, alpha)
  o = ai.spikingir.CPM <@@, kernel_shape = [1, 1]> (y, v, one)
}`,
	"joined spikes, groups, strides": `g (float[N,4,H,W] x) => (float[N,4,H2,W2] o)
<float[2,4,3,3] w1, float[4,2,3,3] w2, float[6,2,5,5] w3, float[4,10,2,2] w4, float[4,1,1] b, float theta = {2}, float alpha = {0.5},
 float[4,1,1] thetas = {1, 1, 1, 1}>
{
  e = ai.spikingir.Encode <@@> (x)
  c = Conv <pads = [1, 1, 1, 1]> (e, w1)
  s1 = ai.spikingir.IF <@@> (c, , theta)
  d2 = Conv <dilations = [2, 1], pads = [2, 1, 2, 1]> (s1, w2)
  s2 = ai.spikingir.MPRN <@@> (d2, , theta, alpha)
  d3 = Conv <group = 2, pads = [2, 2, 2, 2]> (s2, w3)
  b3 = ai.spikingir.Bias <@@> (d3, half)
  s3 = ai.spikingir.MPRN <@@> (b3, , theta, alpha)
  both = Concat <axis = 1> (s3, s2)
  d4 = Conv <strides = [2, 2]> (both, w4)
  y = ai.spikingir.MPRN <@@> (d4, b, thetas, alpha)
  o = ai.spikingir.Decode <@@> (y)
}`,
	"transposed": `g (float[N,1,H,W] x) => (float[N,3,H2,W2] o)
<float[7,1,3,3] w1, float[7,3,4,4] t, float[3,3,1,1] one = {1,0,0, 0,1,0, 0,0,1}, float theta = {1}, float alpha = {0.75}>
{
  c = Conv <pads = [1, 1, 1, 1]> (x, w1)
  e = ai.spikingir.Encode <@@> (c)
  s1 = ai.spikingir.MPRN <@@> (e, , theta, alpha)
  d2 = ConvTranspose <strides = [2, 2], pads = [1, 1, 1, 1]> (s1, t)
  y, v = ai.spikingir.MPRN <@@> (d2, , theta, alpha)
  o = ai.spikingir.CPM <@@, kernel_shape = [1, 1]> (y, v, one)
}`,
}

// unit is the scale of every channel of a dyadic model behind spikes of amplitude 1;
// behind those of amplitude 2 it is twice that, which biases are multiples of.
const unit = 1.0 / (1 << 16)

// dyadicModel parses a network and draws its parameters.
func dyadicModel(t *testing.T, src string, steps int) *graph.Model {
	t.Helper()
	src = strings.Replace(src, "float theta", "float half = {0.5}, float theta", 1)
	if strings.Count(src, "half = {0.5}") > 1 {
		src = strings.Replace(src, "float half = {0.5}, float theta", "float theta", 1)
	}
	for _, name := range []string{"w1", "w2", "w3", "w4", "t"} {
		src = declare(t, src, name, func(r *rand.Rand, first bool) float64 {
			if first {
				return spike.MostWeight * unit
			}
			return float64(r.IntN(20001)-10000) * unit
		})
	}
	for _, name := range []string{"b2", "b3", "b"} {
		src = declare(t, src, name, func(r *rand.Rand, _ bool) float64 {
			return float64(2*r.IntN(4501)-4000) * unit
		})
	}
	return model(t, src, steps, 1)
}

// declare gives an initializer of a textual network its elements: those of an
// output channel begin with first.
func declare(t *testing.T, src, name string, draw func(r *rand.Rand, first bool) float64) string {
	t.Helper()
	at := strings.Index(src, "] "+name+",")
	if at < 0 {
		return src
	}
	from := strings.LastIndex(src[:at], "float[") + len("float[")
	size, dims := 1, []int{}
	for _, d := range strings.Split(src[from:at], ",") {
		n := 0
		if _, err := fmt.Sscan(d, &n); err != nil {
			t.Fatal(err)
		}
		size *= n
		dims = append(dims, n)
	}
	r := rand.New(rand.NewPCG(uint64(len(name)), uint64(size)))
	list := make([]string, size)
	for i := range list {
		first := i%(size/dims[0]) == 0
		if name == "t" { // [in][out][kh][kw]
			first = i < dims[1]*dims[2]*dims[3] && i%(dims[2]*dims[3]) == 0
		}
		list[i] = fmt.Sprint(draw(r, first))
	}
	return src[:at] + "] " + name + " = {" + strings.Join(list, ", ") + "}" + src[at+2+len(name):]
}

// fixedLayers counts the layers that a program computes in integers.
func fixedLayers(p *exec.Program) int {
	n := 0
	for _, u := range p.Units() {
		if u.FixedPoint {
			n++
		}
	}
	return n
}

// runMeasured runs a model for three T with everything measured.
func runMeasured(t *testing.T, m *graph.Model, x *ops.Tensor, o exec.Options) (*exec.Program, []*exec.Result) {
	t.Helper()
	o.Timesteps = []int{2, 4, 6}
	p, err := exec.Compile(m, o)
	if err != nil {
		t.Fatal(err)
	}
	all, err := p.RunAll(t.Context(), map[string]*ops.Tensor{"x": x}, exec.RunOptions{Measure: true})
	if err != nil {
		t.Fatal(err)
	}
	return p, all
}

// TestFixedPointIsExact demands, where nothing is rounded, all that float32 gives
// and counts.
func TestFixedPointIsExact(t *testing.T) {
	for name, src := range dyadic {
		m := dyadicModel(t, src, 6)
		c, _ := m.Graph.Inputs()[0].Type.Shape[1].Size()
		x := random(5, -1, 2, 2, int(c), 11, 38)
		p, got := runMeasured(t, m, x, exec.Options{})
		q, want := runMeasured(t, m, x, exec.Options{Precision: exec.Float32})
		neurons := len(want[0].Neurons)
		if n := fixedLayers(p); n != neurons-1 || fixedLayers(q) != 0 {
			t.Errorf("%s: %d of %d layers are in fixed point, %d with Float32", name, n, neurons, fixedLayers(q))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: fixed point differs (-float32 +fixed):\n%s", name, d)
		}
		for _, n := range want[2].Neurons {
			if n.Spikes == 0 || n.Op == "MPRN" && n.PostStep == 0 {
				t.Errorf("%s: %s fires %d times, %d of them in the post step: the test is too weak", name, n.Node, n.Spikes, n.PostStep)
			}
		}
	}
}

// TestFixedPointEverywhere demands the same bits of all kernels, at any number of
// threads, and tile by tile.
func TestFixedPointEverywhere(t *testing.T) {
	for _, i := range machine.Implementations() {
		if i.Selected {
			defer func() {
				if err := machine.SelectFamily(i.Family, i.Name); err != nil {
					t.Fatal(err)
				}
			}()
		}
	}
	m := model(t, chain, 7, 1)
	x := random(9, -1, 1, 2, 1, 65, 41)
	want := runModel(t, m, x, exec.Options{MemoryLimit: -1})
	for _, i := range machine.Implementations() {
		if i.Family != "spikes" || !i.Available {
			t.Logf("%s of %s: not run", i.Name, i.Family)
			continue
		}
		if err := machine.Select(i.Name); err != nil {
			t.Fatal(err)
		}
		for _, threads := range []int{1, 2, 5} {
			for _, limit := range []int64{-1, 60 << 10} {
				pool := machine.NewPool(threads)
				got := runModel(t, m, x, exec.Options{Pool: pool, MemoryLimit: limit})
				if d := cmp.Diff(want.F32, got.F32); d != "" {
					t.Errorf("%s, %d threads, limit %d: output differs", i.Name, threads, limit)
				}
				pool.Close()
			}
		}
	}
}

// TestFixedPointFallsBack runs layers that integers do not suit in float32.
func TestFixedPointFallsBack(t *testing.T) {
	const layer = `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
<%s, float theta = {%s}, float first = {%s}, float alpha = {0.75}>
{
  e = ai.spikingir.Encode <@@> (x)
  s = ai.spikingir.IF <@@> (e, , first)
  d = Conv <%s> (s, w)
  y = ai.spikingir.MPRN <@@> (d, , theta, alpha)
  o = ai.spikingir.Decode <@@> (y)
}`
	const pads = "pads = [1, 1, 1, 1]"
	small := "float[1,1,3,3] w = {1, -2, 3, 1, 4, 1, -1, 0.5, 2}"
	large := "float[1,1,13,13] w = {1" + strings.Repeat(", 1", 168) + "}"
	fine := "float[1,1,13,13] w = {0.3" + strings.Repeat(", 0.9", 168) + "}"
	for _, c := range []struct {
		name, weights, theta, first, attrs string
		steps, want                        int
	}{
		{"plain", small, "2", "0.5", pads, 4, 1},
		{"threshold far below the weights", small, "0.001", "0.5", pads, 4, 0},
		{"threshold far above the weights", small, "1e9", "0.5", pads, 4, 1},
		{"no finite threshold", small, "inf", "0.5", pads, 4, 1},
		{"no finite threshold of the source", small, "2", "inf", pads, 4, 0},
		{"denormal thresholds", small, "1e-42", "1e-42", pads, 4, 1},
		{"so many steps, and whole numbers", large, "2", "0.5", "pads = [6, 6, 6, 6]", op.MaxTimesteps, 1},
		{"so many steps that potentials need all bits", fine, "2", "0.5", "pads = [6, 6, 6, 6]", op.MaxTimesteps, 0},
		{"pads by the size", small, "2", "0.5", `auto_pad = "SAME_UPPER"`, 4, 0},
	} {
		m := model(t, fmt.Sprintf(layer, c.weights, c.theta, c.first, c.attrs), c.steps, 1)
		p, err := exec.Compile(m, exec.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if n := fixedLayers(p); n != c.want {
			t.Errorf("%s: %d layers in fixed point, want %d", c.name, n, c.want)
		}
		if c.steps > 100 {
			continue
		}
		x := random(2, 0, 1, 1, 1, 6, 7)
		got, want := runModel(t, m, x, exec.Options{}), runModel(t, m, x, exec.Options{Precision: exec.Float32})
		if d := distance(t, got, want); d != 0 {
			t.Errorf("%s: differs from float32 by %g", c.name, d)
		}
	}
}
