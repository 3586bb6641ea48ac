package eval

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"spikingir/runtime/dataset"
	"spikingir/runtime/exec"
	"spikingir/runtime/metric"
)

// spiking has an analog layer, a layer of spikes and the output stage; the
// thresholds of 1 hold pixels exactly.
const spiking = `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
<float[1,1,1,1] w1 = {1}, float[1] b1 = {0}, float[1,1,3,3] w2 = {0,0,0, 0,1,0, 0,0,0}, float[1,1,1] b2 = {0},
 float theta = {1}, float alpha = {0.75}, float[1,1,1,1] dirac = {1}, float[1] cb = {0}, float[1] half = {0.5}>
{
  [first] c = Conv(x, w1, b1)
  e = ai.spikingir.Encode <timesteps = 4, post = 1> (c)
  [hidden] y = ai.spikingir.MPRN <timesteps = 4, post = 1> (e, , theta, alpha)
  [second] d = Conv <pads = [1, 1, 1, 1]> (y, w2)
  [out] z, v = ai.spikingir.IF <timesteps = 4, post = 1> (d, b2, theta)
  [cpm] r = ai.spikingir.CPM <timesteps = 4, post = 1, kernel_shape = [1, 1]> (z, v, dirac, cb)
  [skip] o = Add(r, half)
}`

// its ANN.
const dense = `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
<float[1,1,1,1] w1 = {1}, float[1] b1 = {0}, float[1,1,3,3] w2 = {0,0,0, 0,1,0, 0,0,0}, float[1] b2 = {0},
 float[1] half = {0.5}>
{
  c = Conv(x, w1, b1)
  y = Relu(c)
  d = Conv <pads = [1, 1, 1, 1]> (y, w2, b2)
  o = Add(d, half)
}`

// side is the height and width of the image of the sums below.
const side = 11

// fewSpikes is a black image with a white corner and a white pixel inside.
func fewSpikes(t *testing.T) *dataset.Set {
	t.Helper()
	dir := t.TempDir()
	m := dataset.NewImage(1, side, side)
	m.Pix[0], m.Pix[3*side+4] = 1, 1
	path := filepath.Join(dir, "dots.png")
	if err := dataset.Write(path, m); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return open(t, dataset.Task{Kind: dataset.Pairs}, dataset.Dirs{Input: dir, Target: dir})
}

// TestEnergyByHand works the energy of the two nets out by hand, T = 4. The white
// pixels fire at each of the steps and not in the post step, so 8 spikes arrive
// at the second layer and at CPM; the corner's reach 4 of 9 places.
func TestEnergyByHand(t *testing.T) {
	const (
		pixels = side * side
		inside = (3*side - 2) * (3*side - 2) // pairs of a pixel and a tap on the image
		steps  = 4
		mac    = metric.EnergyMAC * 1e-9
		ac     = metric.EnergyAC * 1e-9
	)
	// Neurons integrate at each step and the post step, subtract at each spike;
	// the output neuron adds its bias in the main steps. CPM adds its bias, the
	// residual and a synapse a spike; the skip adds once.
	updates := 2*pixels*(steps+1) + 8 + 8 + pixels*steps
	exact := float64(4*4 + 4*9 + updates + 8 + 2*pixels + pixels)
	for _, c := range []struct {
		options    metric.EnergyOptions
		model, ref float64
	}{
		{metric.EnergyOptions{Mode: metric.Paper, FirstLayer: metric.Once},
			pixels*mac + 8*9*ac, 10 * pixels * mac},
		{metric.EnergyOptions{Mode: metric.Paper, FirstLayer: metric.PerStep},
			steps*pixels*mac + 8*9*ac, 10 * pixels * mac},
		{metric.EnergyOptions{Mode: metric.Exact, FirstLayer: metric.Once},
			pixels*(mac+ac) + exact*ac, (pixels+inside)*mac + 3*pixels*ac},
		{metric.EnergyOptions{Mode: metric.Exact, FirstLayer: metric.PerStep},
			steps*pixels*(mac+ac) + exact*ac, (pixels+inside)*mac + 3*pixels*ac},
	} {
		r := measured(t, Config{Model: program(t, spiking, exec.Options{}), Ref: program(t, dense, exec.Options{}),
			Set: fewSpikes(t), Energy: c.options})
		want := Energy{Mode: c.options.Mode, First: c.options.FirstLayer, ModelMJ: c.model, RefMJ: &c.ref}
		saving := 100 * (1 - c.model/c.ref)
		want.SavingPC = &saving
		if d := cmp.Diff(want, r.Energy, cmpopts.EquateApprox(1e-9, 0), cmpopts.IgnoreFields(Energy{}, "Layers")); d != "" {
			t.Errorf("%+v (-by hand +got):\n%s", c.options, d)
		}
		if !math.IsInf(float64(r.Agreement.PSNR), 1) {
			t.Errorf("agreement %g dB: the net is not exact here", float64(r.Agreement.PSNR))
		}
		rate := 8.0 / (pixels * steps)
		if r.FiringRate != rate || len(r.Layers) != 2 || r.Layers[0].FiringRate != rate {
			t.Errorf("firing rate %g, layers %+v, want %g", r.FiringRate, r.Layers, rate)
		}
	}
}

// TestSpikingReference charges a reference that is itself spiking as such.
func TestSpikingReference(t *testing.T) {
	p := program(t, spiking, exec.Options{})
	r := measured(t, Config{Model: p, Ref: program(t, spiking, exec.Options{}), Set: fewSpikes(t)})
	if *r.Energy.RefMJ != r.Energy.ModelMJ {
		t.Errorf("energies %g and %g of one model", r.Energy.ModelMJ, *r.Energy.RefMJ)
	}
}

// TestRowsOnce holds the rows of the energy model: one for each operator and
// population, charged as what drives it.
func TestRowsOnce(t *testing.T) {
	p := program(t, `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
<float[1,1,1,1] w = {1}, float[1,2,1,1] w2 = {1, 1}, float[1] b = {0}, float theta = {1}>
{
  [side] s = Conv(x, w, b)
  [pre] c = Conv(x, w, b)
  e = ai.spikingir.Encode <timesteps = 3> (c)
  [steady] f = Conv(e, w)
  [n1] y = ai.spikingir.IF <timesteps = 3> (f, , theta)
  both = Concat <axis = 1> (y, e)
  [mixed] m = Conv(both, w2)
  [n2] z = ai.spikingir.IF <timesteps = 3> (m, , theta)
  r = ai.spikingir.Decode <timesteps = 3> (z)
  [post] q = Conv(r, w, b)
  [join] o = Add(q, s)
}`, exec.Options{})
	x := dataset.NewImage(1, 2, 3)
	res, err := p.Run(t.Context(), inputs(x), exec.RunOptions{Measure: true})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]metric.LayerOps{}
	for _, l := range LayerOps(res) {
		if _, twice := got[l.Name]; twice {
			t.Errorf("layer %s is charged twice", l.Name)
		}
		got[l.Name] = l
	}
	conv := func(name string, source metric.Source, runs, inputs, bias float64) metric.LayerOps {
		return metric.LayerOps{Name: name, Source: source, MACs: runs * inputs, OnceMACs: inputs, ExactMACs: runs * inputs,
			Inputs: inputs, BiasAdds: bias}
	}
	want := map[string]metric.LayerOps{
		"side":   conv("side", metric.FromAnalog, 1, 6, 6),
		"pre":    conv("pre", metric.FromInput, 1, 6, 6),
		"steady": conv("steady", metric.FromInput, 1, 6, 0),
		"mixed":  conv("mixed", metric.FromAnalog, 3, 12, 0),
		"post":   conv("post", metric.FromAnalog, 1, 6, 6),
		"join":   {Name: "join", Source: metric.FromAnalog, Adds: 6},
		"n1":     {Name: "n1", Source: metric.FromSpikes, Neurons: 6},
		"n2":     {Name: "n2", Source: metric.FromSpikes, Neurons: 6},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("rows (-want +got):\n%s", d)
	}
	if spikes, currents := shares(LayerOps(res)); spikes != 0 || currents != 12.0/36 {
		t.Errorf("shares of spikes and currents %g and %g, want 0 and a third", spikes, currents)
	}
}
