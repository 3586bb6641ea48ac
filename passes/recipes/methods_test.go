package recipes_test

import (
	"math"
	"strings"
	"testing"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/recipes"
	"spikingir/runtime/ops"
)

// TestMembrane holds that the readout membrane is what a CPM with an identity gives: the mean
// current of the last layer, for values of either sign, in both schedules.
func TestMembrane(t *testing.T) {
	x := random(5, -1, 1, 2, 2, 8, 8)
	for _, recipe := range []string{"spikingir", "rueckauer", "two-phase"} {
		s := recipes.Defaults()
		s.Timesteps, s.Readout = 6, "cpm"
		with := parse(t, network)
		convert(t, with, recipe, s, x)
		s.Readout = "membrane"
		without := parse(t, network)
		convert(t, without, recipe, s, x)
		checkFacts(t, without, s)
		for n := range without.Graph.Nodes() {
			if op.IsNeuron(n) && n.Output(op.NeuronVRes) != nil && n.Output(op.NeuronVRes).NumUses() > 0 || n.IsSpiking("CPM") {
				t.Errorf("%s: node %q is left of the readout", recipe, n.Label())
			}
		}
		a, b := run(t, with, x)[0], run(t, without, x)[0]
		if d := distance(t, a, b); d > 1e-5 {
			t.Errorf("%s: the mean current and the CPM differ by %g", recipe, d)
		}
	}
}

// TestMembraneForms writes a network without output neurons in every form, and reads it back.
func TestMembraneForms(t *testing.T) {
	data, x := fixture(t, "residual")
	for recipe, forms := range map[string][]recipes.Form{
		"deng-gu":   {recipes.Functions, recipes.Flat, recipes.Unrolled},
		"two-phase": {recipes.Functions, recipes.Flat, recipes.Unrolled, recipes.Counts},
	} {
		s := recipes.Defaults()
		s.Timesteps, s.Readout, s.Lower = 5, "membrane", recipes.None
		m := decode(t, data)
		convert(t, m, recipe, s, x)
		want := run(t, m, x)[0]
		for _, form := range forms {
			checkRaise(t, m, form)
			if d := distance(t, want, run(t, rewritten(t, m, form), x)[0]); d > 1e-5 {
				t.Errorf("%s as %s differs by %g", recipe, form, d)
			}
		}
	}
}

// alone is a network of one layer, whose activations are the image's pixels, read as a rate.
const alone = `<ir_version: 8, opset_import: ["" : 17]>
g (float[N,1,H,W] x) => (float[N,1,H,W] y)
<float[1,1,1,1] w = {1}>
{
  [conv] c = Conv(x, w)
  [relu] y = Relu(c)
}`

// ramp is pixels that rise evenly through [-0.25, 1.25).
func ramp() *ops.Tensor {
	x := ops.NewTensor(graph.Float32, []int{1, 1, 50, 60})
	for i := range x.F32 {
		x.F32[i] = float32(i)/2000 - 0.25
	}
	return x
}

// TestQCFS holds the bound of the publication (Bu et al., ICLR 2022, Theorem 2): with v0 = 1/2
// the rate of a constant current is off by half a level at most, and by nothing in the mean.
func TestQCFS(t *testing.T) {
	x := ramp()
	for _, steps := range []int{1, 4, 8} {
		s := recipes.Defaults()
		s.Timesteps, s.Percentile = steps, 80
		m := parse(t, alone)
		convert(t, m, "qcfs", s, x)
		theta := thetas(t, m)[0]
		worst, sum, count := 0.0, 0.0, 0
		for i, y := range run(t, m, x)[0].F32 {
			want := min(max(float64(x.F32[i]), 0), float64(theta))
			e := float64(y) - want
			worst = max(worst, math.Abs(e))
			if x.F32[i] > 0 && x.F32[i] < theta {
				sum, count = sum+e, count+1
			}
		}
		level := float64(theta) / float64(steps)
		if worst > level/2*1.0001 || worst < level/4 {
			t.Errorf("T = %d: the largest error is %.4f of a level, want half of one", steps, worst/level)
		}
		if mean := sum / float64(count); math.Abs(mean) > level/100 {
			t.Errorf("T = %d: the mean error is %.4f of a level, want none", steps, mean/level)
		}
	}
}

// TestSignedRate holds that the ON and the OFF population of a signed rate start at half a
// threshold too, and round to the nearest on both sides.
func TestSignedRate(t *testing.T) {
	s := recipes.Defaults()
	s.Percentile = 100
	m := parse(t, strings.NewReplacer("w = {1}", "w = {1}, float[1,1,1,1] u = {-1}", "[relu] y = Relu(c)", "[relu] r = Relu(c)\n  [last] y = Conv(r, u)").Replace(alone))
	x := ramp()
	convert(t, m, "qcfs", s, x)
	starts := 0
	for n := range m.Graph.Nodes() {
		if !op.IsNeuron(n) {
			continue
		}
		if v0, err := graph.Get(n.Attrs, "v0", graph.Float(0)); err != nil || v0 != 0.5 {
			t.Errorf("neuron %q starts at %v (%v), want 0.5", n.Label(), v0, err)
		}
		starts++
	}
	if starts != 3 {
		t.Errorf("%d populations, want three", starts)
	}
	for i, y := range run(t, m, x)[0].F32 {
		if y > 0 || x.F32[i] < 0 && y != 0 {
			t.Fatalf("pixel %g gives %g", x.F32[i], y)
		}
	}
}

// TestDengGu holds that the shift of the biases gives what v0 = 1/2 does over all timesteps:
// the same rates for constant currents, but where rounding decides.
func TestDengGu(t *testing.T) {
	x := ramp()
	rates := func(recipe string, v0 float64) []float32 {
		s := recipes.Defaults()
		s.Timesteps, s.Percentile, s.V0, s.Readout = 8, 80, v0, "rate"
		m := parse(t, alone)
		convert(t, m, recipe, s, x)
		return run(t, m, x)[0].F32
	}
	shifted, started, plain := rates("deng-gu", recipes.NoV0), rates("rueckauer", 0.5), rates("rueckauer", recipes.NoV0)
	differ, moved := 0, 0
	for i, r := range shifted {
		if r != started[i] {
			differ++
		}
		if r != plain[i] {
			moved++
		}
	}
	if differ > len(shifted)/200 {
		t.Errorf("%d of %d rates differ from those of v0 = 1/2", differ, len(shifted))
	}
	if moved < len(shifted)/5 {
		t.Errorf("the shift moves %d rates of %d", moved, len(shifted))
	}
}

// thetas is the thresholds of the first neuron.
func thetas(t *testing.T, m *graph.Model) []float32 {
	t.Helper()
	for n := range m.Graph.Nodes() {
		if op.IsNeuron(n) {
			theta, err := passes.Threshold(n)
			if err != nil {
				t.Fatal(err)
			}
			return theta
		}
	}
	t.Fatal("no neuron")
	return nil
}

// TestMethods converts a fixture by the recipes that other tests leave out: all facts hold, and
// at many timesteps each does what the ANN does.
func TestMethods(t *testing.T) {
	data, err := fixtures.Model("aodnet")
	if err != nil {
		t.Fatal(err)
	}
	_, x := fixture(t, "aodnet")
	want := run(t, decode(t, data), x)[0]
	for _, name := range recipes.Names() {
		s := recipes.Defaults()
		s.Timesteps, s.Lower = 64, recipes.None
		m := decode(t, data)
		convert(t, m, name, s, x)
		checkFacts(t, m, s)
		db := agreement(t, run(t, m, x)[0], want)
		t.Logf("%s agrees by %.1f dB", name, db)
		if !(db > 24) {
			t.Errorf("%s: agreement %.1f dB, want more than 24", name, db)
		}
	}
}
