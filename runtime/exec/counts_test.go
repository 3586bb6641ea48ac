package exec_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// counted are two-phase networks with the units that compute in integers. Like those of
// dyadic, they lose nothing in fixed point.
var counted = map[string]struct {
	src   string
	units int
}{
	"chain": {`g (float[N,2,H,W] x) => (float[N,3,H,W] o)
<float[5,2,3,3] w1, float[18,5,3,3] w2, float[3,18,1,1] w3, float[18,1,1] b2, float[3,3,1,1] one = {1,0,0, 0,1,0, 0,0,1},
 float theta = {1}, float alpha = {0.75}>
{
  c = Conv <pads = [1, 1, 1, 1]> (x, w1)
  e = ai.spikingir.Encode <@@> (c)
  s1 = ai.spikingir.MPRN <@@> (e, , theta, alpha)
  d2 = Conv <pads = [1, 1, 1, 1]> (s1, w2)
  s2 = ai.spikingir.MPRN <@@, v0 = 0.5> (d2, b2, theta, alpha)
  d3 = Conv (s2, w3)
  y, v = ai.spikingir.IF <@@> (d3, , half)
  o = ai.spikingir.CPM <@@, kernel_shape = [1, 1]> (y, v, one)
}`, 2},
	"joined spikes, groups, strides": {dyadic["joined spikes, groups, strides"], 3},
	"transposed":                     {dyadic["transposed"], 1},
	"residual additions": {`g (float[N,2,H,W] x) => (float[N,4,H,W] o)
<float[4,2,3,3] w1, float[4,4,3,3] w2, float[4,4,1,1] w3, float[4,1,1] b, float quarter = {0.25}, float theta = {1}, float alpha = {0.75}>
{
  e = ai.spikingir.Encode <@@> (x)
  c = Conv <pads = [1, 1, 1, 1]> (e, w1)
  s1 = ai.spikingir.MPRN <@@> (c, , theta, alpha)
  n = Neg(c)
  s0 = ai.spikingir.MPRN <@@> (n, , theta, alpha)
  d2 = Conv <pads = [2, 2, 2, 2], dilations = [2, 2]> (s1, w2)
  skip = Mul(s1, quarter)
  other = Conv (s0, w3)
  a1 = Add(d2, skip)
  a2 = Sub(a1, other)
  b2 = ai.spikingir.Bias <@@> (a2, half)
  y = ai.spikingir.MPRN <@@> (b2, b, theta, alpha)
  o = ai.spikingir.Decode <@@> (y)
}`, 1},
	"pooling": {`g (float[N,2,H,W] x) => (float[N,3,H2,W2] o)
<float[3,2,3,3] w2, float theta = {1}, float alpha = {0.75}>
{
  e = ai.spikingir.Encode <@@> (x)
  s1 = ai.spikingir.MPRN <@@> (e, , theta, alpha)
  p = AveragePool <kernel_shape = [2, 2], strides = [2, 2]> (s1)
  d2 = Conv <pads = [1, 1, 1, 1]> (p, w2)
  y = ai.spikingir.MPRN <@@> (d2, , theta, alpha)
  o = ai.spikingir.Decode <@@> (y)
}`, 1},
	"pooling with padding, twice": {`g (float[N,2,H,W] x) => (float[N,3,H2,W2] o)
<float[3,4,3,3] w2, float theta = {1}, float alpha = {0.75}>
{
  e = ai.spikingir.Encode <@@> (x)
  n = Neg(e)
  s1 = ai.spikingir.MPRN <@@> (e, , theta, alpha)
  s2 = ai.spikingir.MPRN <@@> (n, , theta, alpha)
  p = AveragePool <kernel_shape = [2, 2], pads = [1, 0, 1, 0], strides = [1, 2], count_include_pad = 1> (s1)
  p2 = AveragePool <kernel_shape = [2, 2], strides = [2, 1]> (p)
  q = AveragePool <kernel_shape = [2, 2], pads = [1, 0, 1, 0], strides = [1, 2], count_include_pad = 1> (s2)
  q2 = AveragePool <kernel_shape = [2, 2], strides = [2, 1]> (q)
  k = Concat <axis = 1> (q2, p2)
  d2 = Conv <pads = [1, 1, 1, 1]> (k, w2)
  y = ai.spikingir.MPRN <@@> (d2, , theta, alpha)
  o = ai.spikingir.Decode <@@> (y)
}`, 1},
	"sums of spikes": {`g (float[N,2,H,W] x) => (float[N,3,H,W] o, float[N,3,H,W] o2)
<float[3,4,3,3] w2, float[3,2,3,3] w3, float two = {2}, float theta = {1}, float alpha = {0.75}>
{
  e = ai.spikingir.Encode <@@> (x)
  n = Neg(e)
  s1 = ai.spikingir.MPRN <@@> (e, , theta, alpha)
  s2 = ai.spikingir.IF <@@> (n, , theta)
  s3 = ai.spikingir.IF <@@> (e, half, theta)
  d = Sub(s1, s2)
  m = Mul(d, two)
  k = Concat <axis = 1> (s3, m)
  d2 = Conv <pads = [1, 1, 1, 1]> (k, w2)
  y = ai.spikingir.MPRN <@@> (d2, , theta, alpha)
  d3 = Conv <pads = [1, 1, 1, 1]> (m, w3)
  y2 = ai.spikingir.MPRN <@@> (d3, , theta, alpha)
  o = ai.spikingir.Decode <@@> (y)
  o2 = ai.spikingir.Decode <@@> (y2)
}`, 2},
	"ON and OFF populations": {`g (float[N,2,H,W] x) => (float[N,3,H,W] o)
<float[3,2,3,3] w2, float[3,6,3,3] w3, float[3,1,1] b, float theta = {1}, float alpha = {0.75}>
{
  e = ai.spikingir.Encode <@@> (x)
  s1 = ai.spikingir.MPRN <@@> (e, , theta, alpha)
  d2 = Conv <pads = [1, 1, 1, 1]> (s1, w2)
  on = ai.spikingir.MPRN <@@> (d2, b, theta, alpha)
  n = Neg(d2)
  off = ai.spikingir.IF <@@> (n, , theta)
  k = Concat <axis = 1> (on, off)
  d3 = Conv <pads = [1, 1, 1, 1]> (k, w3)
  y = ai.spikingir.MPRN <@@> (d3, , theta, alpha)
  o = ai.spikingir.Decode <@@> (y)
}`, 3},
	"a pair first": {`g (float[N,2,H,W] x) => (float[N,3,H,W] o)
<float[3,2,3,3] w1, float[3,6,3,3] w3, float theta = {1}, float alpha = {0.75}>
{
  c = Conv <pads = [1, 1, 1, 1]> (x, w1)
  e = ai.spikingir.Encode <@@> (c)
  on = ai.spikingir.MPRN <@@> (e, half, theta, alpha)
  n = Neg(e)
  off = ai.spikingir.IF <@@> (n, , theta)
  k = Concat <axis = 1> (on, off)
  d3 = Conv <pads = [1, 1, 1, 1]> (k, w3)
  y = ai.spikingir.MPRN <@@> (d3, , theta, alpha)
  o = ai.spikingir.Decode <@@> (y)
}`, 1},
	"half a pair": {`g (float[N,2,H,W] x) => (float[N,3,H,W] o, float[N,3,H,W] o2)
<float[3,2,3,3] w2, float theta = {1}, float tiny = {0.001953125}, float alpha = {0.75}>
{
  e = ai.spikingir.Encode <@@> (x)
  s1 = ai.spikingir.MPRN <@@> (e, , theta, alpha)
  d2 = Conv <pads = [1, 1, 1, 1]> (s1, w2)
  on = ai.spikingir.MPRN <@@> (d2, , theta, alpha)
  n = Neg(d2)
  off = ai.spikingir.IF <@@> (n, , tiny)
  o = ai.spikingir.Decode <@@> (on)
  o2 = ai.spikingir.Decode <@@> (off)
}`, 1},
	"currents": {`g (float[N,2,H,W] x) => (float[N,3,H,W] o, float[N,3,H,W] o2)
<float[3,2,3,3] w2, float[3,3,3,3] w3, float theta = {1}, float alpha = {0.75}>
{
  e = ai.spikingir.Encode <@@> (x)
  s1 = ai.spikingir.MPRN <@@> (e, , theta, alpha)
  d2 = Conv <pads = [1, 1, 1, 1]> (s1, w2)
  y = ai.spikingir.MPRN <@@> (d2, , theta, alpha)
  d3 = Conv <pads = [1, 1, 1, 1]> (y, w3)
  a = Add(d2, d3)
  y2 = ai.spikingir.MPRN <@@> (a, , theta, alpha)
  o = ai.spikingir.Decode <@@> (y)
  o2 = ai.spikingir.Decode <@@> (y2)
}`, 2},
}

// twoPhaseDyadic is dyadicModel with neurons of the two-phase schedule, without a post step IF
// neurons alone.
func twoPhaseDyadic(t *testing.T, src string, steps, post int) *graph.Model {
	t.Helper()
	if post == 0 {
		src = strings.NewReplacer("MPRN", "IF", ", alpha)", ")").Replace(src)
	}
	m := dyadicModel(t, src, steps)
	for n := range m.Graph.Nodes() {
		if op.IsNeuron(n) {
			op.SetTwoPhase(n)
		}
		if n.Op().Domain == graph.Spiking {
			n.Attrs.Set("post", graph.Int(post))
		}
	}
	m.SetOpset(graph.Spiking, op.TwoPhaseVersion)
	return m
}

// TestCountsAreExact demands, where nothing is rounded, all that float32 gives and counts.
func TestCountsAreExact(t *testing.T) {
	for name, c := range counted {
		for _, post := range []int{0, 1} {
			m := twoPhaseDyadic(t, c.src, 6, post)
			channels, _ := m.Graph.Inputs()[0].Type.Shape[1].Size()
			x := random(5, -1, 2, 2, int(channels), 12, 38)
			for i := range x.F32 { // so that no sum is rounded
				x.F32[i] = float32(math.Round(float64(x.F32[i])*64) / 64)
			}
			p, got := runMeasured(t, m, x, exec.Options{})
			q, want := runMeasured(t, m, x, exec.Options{Precision: exec.Float32})
			if n := fixedLayers(p); n != c.units || fixedLayers(q) != 0 {
				t.Errorf("%s: %d units are in integers, want %d; %d with Float32", name, n, c.units, fixedLayers(q))
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s, %d post steps: integers differ (-float32 +integers):\n%s", name, post, d)
			}
			for at, y := range got[2].Outputs {
				res, err := compile(t, m, exec.Options{}).Run(t.Context(), map[string]*ops.Tensor{"x": x}, exec.RunOptions{})
				if err != nil || !slices.Equal(res.Outputs[at].F32, y.F32) {
					t.Errorf("%s: output %d differs where nothing is measured (%v)", name, at, err)
				}
			}
			for _, n := range want[2].Neurons {
				if n.Spikes == 0 || n.Op == "TwoPhaseMPRN" && n.PostStep == 0 && post > 0 {
					t.Errorf("%s: %s fires %d times, %d of them in the post step: the test is too weak", name, n.Node, n.Spikes, n.PostStep)
				}
			}
		}
	}
}

// TestFirstLayer demands of a first layer that runs some rows at a time what it gives when it is
// measured, as a whole: kernels, strides, pads and dilations, several images and channels, sizes that
// no band divides.
func TestFirstLayer(t *testing.T) {
	pool := machine.NewPool(3)
	defer pool.Close()
	for _, attrs := range []string{"pads = [1, 1, 1, 1]", "pads = [2, 0, 1, 1]", "strides = [2, 3], pads = [1, 2, 0, 0]", "dilations = [2, 1], pads = [2, 1, 2, 1]", ""} {
		m := twoPhase(t, strings.Replace(`g (float[N,2,H,W] x) => (float[N,3,H2,W2] o)
<float[64,2,3,3] w = ["location": "seed:1"], float[64] b = ["location": "seed:2"], float[3,64,1,1] u = ["location": "seed:3"],
 float theta = {0.3}, float alpha = {0.75}>
{
  c = Conv <%> (x, w, b)
  e = ai.spikingir.Encode <@@> (c)
  s = ai.spikingir.MPRN <@@, v0 = 0.25> (e, , theta, alpha)
  d = Conv(s, u)
  y = ai.spikingir.MPRN <@@> (d, , theta, alpha)
  o = ai.spikingir.Decode <@@> (y)
}`, "%", attrs, 1), 9, 1)
		p := compile(t, m, exec.Options{Pool: pool, MemoryLimit: -1})
		x := random(21, -1, 1, 2, 2, 37, 61)
		want, _ := measureAll(t, p, x)
		if got := runModel(t, m, x, exec.Options{Pool: pool, MemoryLimit: -1}); !slices.Equal(got.F32, want[0].Outputs[0].F32) || !slices.Equal(got.Dims, want[0].Outputs[0].Dims) {
			t.Errorf("%s: the first layer differs", attrs)
		}
		x = random(22, -1, 1, 1, 2, 3, 1100) // a row has more than a band
		want, _ = measureAll(t, p, x)
		if got := runModel(t, m, x, exec.Options{MemoryLimit: -1}); !slices.Equal(got.F32, want[0].Outputs[0].F32) {
			t.Errorf("%s: the first layer of a wide image differs", attrs)
		}
	}
}

// TestCountsEverywhere demands the same bits and figures of all kernels, at any number of
// threads, and tile by tile.
func TestCountsEverywhere(t *testing.T) {
	for _, i := range machine.Implementations() {
		if i.Selected {
			defer func() {
				if err := machine.SelectFamily(i.Family, i.Name); err != nil {
					t.Fatal(err)
				}
			}()
		}
	}
	for _, name := range []string{"chain", "residual additions", "pooling"} {
		m := twoPhaseDyadic(t, counted[name].src, 7, 1)
		x := random(9, -1, 1, 1, 2, 66, 42)
		want, _ := measureAll(t, compile(t, m, exec.Options{MemoryLimit: -1}), x)
		for _, i := range machine.Implementations() {
			if i.Family != "counts" {
				continue
			}
			if !i.Available {
				t.Logf("%s: not run", i.Name)
				continue
			}
			if err := machine.SelectFamily(i.Family, i.Name); err != nil {
				t.Fatal(err)
			}
			for _, threads := range []int{1, 2, 5} {
				for _, limit := range []int64{-1, 40 << 10} {
					pool := machine.NewPool(threads)
					o := exec.Options{Pool: pool, MemoryLimit: limit}
					p := compile(t, m, o)
					if cut := compareMeasured(t, p, x, want); cut != (limit > 0) {
						t.Errorf("%s: cut is %v at a limit of %d", name, cut, limit)
					}
					plain, err := p.RunAll(t.Context(), map[string]*ops.Tensor{"x": x}, exec.RunOptions{})
					if err != nil {
						t.Fatal(err)
					}
					sameResults(t, name, plain, want)
					pool.Close()
				}
			}
		}
	}
}

// TestCountsFallBack runs layers that integers do not suit in float32.
func TestCountsFallBack(t *testing.T) {
	const layer = `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
<float[1,1,3,3] w = {1, -2, 3, 1, 4, 1, -1, 0.5, 2}, float theta = {%s}, float first = {%s}, float alpha = {0.75}>
{
  e = ai.spikingir.Encode <@@> (x)
  s = ai.spikingir.IF <@@> (e, , first)
  d = Conv <%s> (s, w)
  y = ai.spikingir.MPRN <@@> (d, , theta, alpha)
  o = ai.spikingir.Decode <@@> (y)
}`
	const pads = "pads = [1, 1, 1, 1]"
	for _, c := range []struct {
		name, theta, first, attrs string
		steps, want               int
	}{
		{"plain", "2", "0.5", pads, 4, 1},
		{"as many steps as a byte of counts holds", "2", "0.5", pads, 126, 1},
		{"more steps", "2", "0.5", pads, 127, 0},
		{"threshold far below the weights: its current alone", "0.001", "0.5", pads, 4, 1},
		{"threshold far above the weights", "1e9", "0.5", pads, 4, 1},
		{"no finite threshold", "inf", "0.5", pads, 4, 1},
		{"no finite threshold of the source", "2", "inf", pads, 4, 0},
		{"denormal thresholds", "1e-42", "1e-42", pads, 4, 1},
		{"pads by the size", "2", "0.5", `auto_pad = "SAME_UPPER"`, 4, 0},
	} {
		m := twoPhase(t, fmt.Sprintf(layer, c.theta, c.first, c.attrs), c.steps, 1)
		p := compile(t, m, exec.Options{})
		if n := fixedLayers(p); n != c.want {
			t.Errorf("%s: %d layers in integers, want %d", c.name, n, c.want)
		}
		x := random(2, 0, 1, 1, 1, 6, 7)
		got, want := runModel(t, m, x, exec.Options{}), runModel(t, m, x, exec.Options{Precision: exec.Float32})
		if d := distance(t, got, want); d != 0 {
			t.Errorf("%s: differs from float32 by %g", c.name, d)
		}
	}
}

// TestMergedTerms adds convolutions of random kernels, pads and dilations that keep the size,
// and counts, in front of a neuron: merged, they give what float32 gives.
func TestMergedTerms(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	for range 20 {
		var terms [3]string
		var dims [3][2]int
		for i := range terms {
			var pads, dilation [2]int
			var end [2]int
			for axis := range 2 {
				dims[i][axis], dilation[axis] = 1+r.IntN(4), 1+r.IntN(2)
				if i > 0 && dims[i][axis] > 1 && r.IntN(2) == 0 {
					dilation[axis] = 1
				}
				span := (dims[i][axis] - 1) * dilation[axis]
				pads[axis] = r.IntN(span + 1)
				end[axis] = span - pads[axis]
			}
			terms[i] = fmt.Sprintf("d%d = Conv <pads = [%d, %d, %d, %d], dilations = [%d, %d]> (s%d, w%d)", i,
				pads[0], pads[1], end[0], end[1], dilation[0], dilation[1], i, i+2)
		}
		op := []string{"Add", "Sub"}[r.IntN(2)]
		src := fmt.Sprintf(`g (float[N,3,H,W] x) => (float[N,3,H,W] o)
<float[3,3,%d,%d] w2, float[3,3,%d,%d] w3, float[3,3,%d,%d] w4, float[3,1,1] b, float quarter = {-0.25}, float theta = {1}, float alpha = {0.75}>
{
  e = ai.spikingir.Encode <@@> (x)
  s0 = ai.spikingir.MPRN <@@> (e, , theta, alpha)
  n = Neg(e)
  s1 = ai.spikingir.IF <@@> (n, , theta)
  s2 = ai.spikingir.MPRN <@@> (e, half, theta, alpha)
  s3 = ai.spikingir.MPRN <@@> (n, half, theta, alpha)
  %s
  %s
  %s
  a = Add(d0, d1)
  c = %s(a, d2)
  skip = Mul(s3, quarter)
  f = Sub(c, skip)
  y, v = ai.spikingir.MPRN <@@> (f, b, theta, alpha)
  o = ai.spikingir.Decode <@@> (y)
}`, dims[0][0], dims[0][1], dims[1][0], dims[1][1], dims[2][0], dims[2][1], terms[0], terms[1], terms[2], op)
		m := twoPhaseDyadic(t, src, 5, 1)
		x := random(r.Uint64(), -1, 2, 1, 3, 9, 11)
		for i := range x.F32 {
			x.F32[i] = float32(math.Round(float64(x.F32[i])*64) / 64)
		}
		p, got := runMeasured(t, m, x, exec.Options{})
		_, want := runMeasured(t, m, x, exec.Options{Precision: exec.Float32})
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("integers differ (-float32 +integers):\n%s\n%s", src, d)
		}
		if n := fixedLayers(p); n != 1 {
			t.Errorf("%d units in integers, want one of all terms\n%s", n, src)
		}
	}
}
