package exec_test

import (
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

// gradedKinds are neurons whose spikes have several values, with their attributes.
var gradedKinds = []string{"BurstIF <@@, burst = 5", "BurstIF <@@, burst = 2", "MultiThresholdIF <@@, finest = 0.25", "SignedIF <@@"}

// ofKind replaces the neurons of a network, but for those that a CPM may read, by graded ones.
func ofKind(src, kind string) string {
	src = strings.ReplaceAll(strings.ReplaceAll(src, ", alpha)", ")"), "ai.spikingir.MPRN <@@", "ai.spikingir.IF <@@")
	for line := range strings.Lines(src) {
		if strings.Contains(line, "ai.spikingir.IF <@@") && !strings.Contains(line, "v = ") {
			src = strings.Replace(src, line, strings.Replace(line, "IF <@@", kind, 1), 1)
		}
	}
	return src
}

// graded marks a model as one of the version that has graded neurons.
func graded(m *graph.Model) *graph.Model {
	m.SetOpset(graph.Spiking, op.GradedVersion)
	return m
}

// TestGradedIsExact demands, where nothing is rounded, that integers give all that float32 gives
// and counts, for several T in one run.
func TestGradedIsExact(t *testing.T) {
	for name, src := range dyadic {
		for i, kind := range gradedKinds {
			if testing.Short() && (i+len(name))%2 > 0 {
				continue
			}
			m := graded(dyadicModel(t, ofKind(src, kind), 6))
			c, _ := m.Graph.Inputs()[0].Type.Shape[1].Size()
			x := random(5, -1, 2, 2, int(c), 11, 38)
			p, got := runMeasured(t, m, x, exec.Options{})
			_, want := runMeasured(t, m, x, exec.Options{Precision: exec.Float32})
			neurons := len(want[0].Neurons)
			if n := fixedLayers(p); n != neurons-1 {
				t.Errorf("%s, %s: %d of %d layers are in fixed point", name, kind, n, neurons)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s, %s: fixed point differs (-float32 +fixed):\n%s", name, kind, d)
			}
			for _, n := range want[2].Neurons {
				if n.Spikes == 0 {
					t.Errorf("%s, %s: %s never fires: the test is too weak", name, kind, n.Node)
				}
			}
		}
	}
}

// TestBurstIsIF demands the bits of an IF where no potential reaches twice the threshold: with v0 = 0
// and no current above it. A burst of 1 is an IF whatever the currents are.
func TestBurstIsIF(t *testing.T) {
	const src = `g (float[N,2,H,W] x) => (float[N,2,H,W] o, float[N,2,H,W] v, float[N,2,H,W] v2, float[S,2,H,W] s)
<float[2,1,1] theta = {1, 0.75}, float[2,2,1,1] w = {0.5, 0.25, -0.25, 0.375}, float[2,1,1] b = {0.0625, -0.125}>
{
  e = ai.spikingir.Encode <@@> (x)
  s, v = ai.spikingir.KIND <@@> (e, , theta)
  c = Conv (s, w)
  z, v2 = ai.spikingir.KIND <@@> (c, b, theta)
  o = ai.spikingir.Decode <@@> (z)
}`
	run := func(kind string, high float32, o exec.Options) []*ops.Tensor {
		m := graded(model(t, strings.ReplaceAll(src, "KIND <@@", kind), 9, 1))
		x := random(8, -1, high, 2, 2, 13, 9)
		for i := range x.F32 { // whole multiples of 2^-8: no sum is rounded
			x.F32[i] = float32(int(x.F32[i]*256)) / 256
		}
		return runAll(t, compile(t, m, o), x)[0].Outputs
	}
	for _, o := range []exec.Options{{}, {Precision: exec.Float32}} {
		for _, c := range []struct {
			kind string
			high float32
			same bool
		}{{"BurstIF <@@, burst = 5", 0.75, true}, {"BurstIF <@@, burst = 1", 5, true}, {"BurstIF <@@, burst = 5", 5, false},
			{"MultiThresholdIF <@@, finest = 1.0", 0.75, true}} {
			want, got := run("IF <@@", c.high, o), run(c.kind, c.high, o)
			same := true
			for i := range want {
				same = same && slices.Equal(want[i].F32, got[i].F32)
			}
			if same != c.same {
				t.Errorf("%s, currents up to %g, %+v: the bits of an IF: %v, want %v", c.kind, c.high, o, same, c.same)
			}
		}
	}
}

// TestGradedPassesMoreOn demands that bursts pass on currents above the threshold, and that a
// multi-threshold neuron is off by a quarter of a level in the place of one.
func TestGradedPassesMoreOn(t *testing.T) {
	const src = `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
<float theta = {0.5}>
{
  e = ai.spikingir.Encode <@@> (x)
  y = ai.spikingir.KIND <@@> (e, , theta)
  o = ai.spikingir.Decode <@@> (y)
}`
	const steps = 8
	for _, c := range []struct {
		kind      string
		top, step float32
	}{{"IF <@@", 0.5, 0.5}, {"BurstIF <@@, burst = 5", 2.5, 0.5}, {"MultiThresholdIF <@@, finest = 0.25", 1.875, 0.125}, {"SignedIF <@@", 0.5, 0.5}} {
		m := graded(model(t, strings.ReplaceAll(src, "KIND <@@", c.kind), steps, 0))
		x := random(3, -1, 4, 1, 1, 9, 70)
		got := runModel(t, m, x, exec.Options{})
		worst := float32(0)
		for i, v := range x.F32 {
			want := min(max(v, 0), c.top)
			if d := want - got.F32[i]; d < -1e-5 || d > c.step/steps+1e-5 {
				t.Fatalf("%s: a current of %g gives a mean of %g, want %g less at most %g", c.kind, v, got.F32[i], want, c.step/steps)
			} else {
				worst = max(worst, d)
			}
		}
		if worst < 0.9*c.step/steps {
			t.Errorf("%s: off by %g at most: the test is too weak", c.kind, worst)
		}
	}
}

// TestGradedTiles demands the same bits and figures of whole images and of tiles, on several threads,
// for one number of timesteps and for several, in either precision.
func TestGradedTiles(t *testing.T) {
	pool := machine.NewPool(3)
	defer pool.Close()
	for i, kind := range gradedKinds[1:] {
		precision := []exec.Precision{exec.FixedPoint, exec.Float32}[i%2]
		src := ofKind(tileable["spiking upscaling"], kind)
		m := graded(model(t, src, 5, 1))
		x := random(3, -1, 2, 1, 1, 61, 47)
		o := exec.Options{Timesteps: []int{2, 5}, MemoryLimit: -1, Precision: precision}
		want, _ := measureAll(t, compile(t, m, o), x)
		for at, k := range o.Timesteps {
			one := compile(t, m, exec.Options{Timesteps: []int{k}, MemoryLimit: -1, Precision: precision, Pool: pool})
			got, _ := measureAll(t, one, x)
			sameResults(t, kind, got, want[at:at+1])
		}
		o.MemoryLimit, o.Pool = 100<<10, pool
		p := compile(t, m, o)
		if tiling := p.Tiling(x.Dims); tiling.Rows*tiling.Columns < 2 {
			t.Errorf("%s: not cut by a limit of %d", kind, o.MemoryLimit)
		}
		sameResults(t, kind+" in tiles", runAll(t, p, x), want)
		if cut := compareMeasured(t, p, x, want); !cut && precision == exec.FixedPoint {
			t.Errorf("%s: not cut to be measured", kind)
		}
	}
}

// TestGradedSpikes holds that each spike of a burst counts, that of a multi-threshold neuron each
// threshold that was passed, and of a signed one those taken back: in the layer's report, in the work
// behind it, straight and behind a Concat, and by RunOptions.Fired.
func TestGradedSpikes(t *testing.T) {
	const src = `g (float[N,1,H,W] x) => (float[N,2,H,W] o)
<float theta = {1}, float[2,1,1,1] w = {1, 1}, float[2,2,1,1] w2 = {1, 1, 1, 1}>
{
  e = ai.spikingir.Encode <@@> (x)
  y = ai.spikingir.KIND <@@> (e, , theta)
  [conv] c = Conv (y, w)
  z = ai.spikingir.IF <@@> (c, , theta)
  both = Concat <axis = 1> (y, y)
  [joined] d = Conv (both, w2)
  u = Add (z, d)
  k = ai.spikingir.IF <@@> (u, , theta)
  o = ai.spikingir.Decode <@@> (k)
}`
	x := &ops.Tensor{DType: graph.Float32, Dims: []int{1, 1, 1, 3}, F32: []float32{3.75, 0, 0.5}}
	for _, c := range []struct {
		kind  string
		fired []float32 // by two steps
	}{
		{"BurstIF <@@, burst = 5", []float32{7, 0, 1}},              // 3 and 4; 0; 0 and 1
		{"MultiThresholdIF <@@, finest = 0.25", []float32{8, 0, 2}}, // 2 + 1 + 1/2 + 1/4 twice; 0; 1/2 twice
		{"MultiThresholdIF <@@, finest = 1.0", []float32{4, 0, 1}},  // 2 + 1 twice
		{"SignedIF <@@", []float32{2, 0, 1}},
	} {
		for _, precision := range []exec.Precision{exec.FixedPoint, exec.Float32} {
			m := graded(model(t, strings.ReplaceAll(src, "KIND <@@", c.kind), 2, 0))
			p := compile(t, m, exec.Options{Precision: precision})
			var fired []float32
			r, err := p.Run(t.Context(), map[string]*ops.Tensor{"x": x}, exec.RunOptions{Measure: true, Fired: func(n *graph.Node, s *ops.Tensor) {
				if n.Output(0).Name() == "y" {
					fired = slices.Clone(s.F32)
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(fired, c.fired) {
				t.Errorf("%s: %v spikes, want %v", c.kind, fired, c.fired)
			}
			sum := c.fired[0] + c.fired[1] + c.fired[2]
			if n := r.Neurons[0].Spikes; n != int64(sum) {
				t.Errorf("%s: the report has %d spikes, want %g", c.kind, n, sum)
			}
			for name, want := range map[string]float32{"conv": sum, "joined": 2 * sum} {
				w := workOf(t, r, name)
				if w.SpikesIn != float64(want) || w.ExactOps != 2*float64(want) || !w.Driven {
					t.Errorf("%s, precision %v: %s is driven by %g spikes and takes %g additions, want %g and %g", c.kind, precision, name, w.SpikesIn, w.ExactOps, want, 2*want)
				}
			}
		}
	}
}
