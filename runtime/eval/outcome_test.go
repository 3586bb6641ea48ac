package eval

import (
	"errors"
	"math"
	"slices"
	"testing"

	"spikingir/runtime/exec"
	"spikingir/runtime/metric"
)

// TestOutcome holds that each image is shown with a result for each number of timesteps, and
// that an error of who looks ends the evaluation.
func TestOutcome(t *testing.T) {
	var seen []Outcome
	c := Config{Model: program(t, spiking, exec.Options{Timesteps: []int{2, 4}}), Ref: program(t, dense, exec.Options{}), Set: fewSpikes(t),
		Each: func(o Outcome) error { seen = append(seen, o); return nil }}
	measured(t, c)
	if len(seen) != 1 || seen[0].Name != "dots.png" || !slices.Equal(seen[0].Timesteps, []int{2, 4}) {
		t.Fatalf("%+v was shown", seen)
	}
	o := seen[0]
	for i, m := range append(o.Results, o.Input, o.Target, o.Ref) {
		if m.H != side || m.W != side {
			t.Errorf("image %d has %dx%d pixels, want %dx%[4]d", i, m.W, m.H, side)
		}
	}
	if o.Results[1].Pix[0] != o.Ref.Pix[0] || o.Ref.Pix[0] != 1.5 {
		t.Errorf("the first pixel is %v, of the ANN %v, want 1.5", o.Results[1].Pix[0], o.Ref.Pix[0])
	}
	stop := errors.New("stop")
	c.Each = func(Outcome) error { return stop }
	c.Ports.Input, c.RefPorts.Input = "x", "x"
	if _, err := Run(t.Context(), c); !errors.Is(err, stop) {
		t.Errorf("error %v, want that of Each", err)
	}
}

// TestLayerEnergies holds that the parts of the energy are the whole, and what drives them.
func TestLayerEnergies(t *testing.T) {
	for _, mode := range []metric.Mode{metric.Paper, metric.Exact} {
		r := measured(t, Config{Model: program(t, spiking, exec.Options{}), Ref: program(t, dense, exec.Options{}), Set: fewSpikes(t),
			Energy: metric.EnergyOptions{Mode: mode}})
		var sum, ann float64
		sources := map[string]metric.Source{}
		for _, l := range r.Energy.Layers {
			sum, ann = sum+l.ModelMJ, ann+l.ANNMJ
			sources[l.Node] = l.Source
			if l.Node == "second" && math.Abs(l.SpikesIn-8.0/(side*side)) > 1e-12 {
				t.Errorf("%s: %v spikes for each input, want those of two pixels at 4 timesteps", mode, l.SpikesIn)
			}
		}
		if math.Abs(sum-r.Energy.ModelMJ) > 1e-12*sum {
			t.Errorf("%s: the layers cost %v mJ, all %v", mode, sum, r.Energy.ModelMJ)
		}
		if mode == metric.Paper && math.Abs(ann-*r.Energy.RefMJ) > 1e-12*ann {
			t.Errorf("%s: the layers cost %v mJ as an ANN, all %v", mode, ann, *r.Energy.RefMJ)
		}
		if sources["first"] != metric.FromInput || sources["second"] != metric.FromSpikes {
			t.Errorf("%s: driven by %v", mode, sources)
		}
	}
	if r := measured(t, Config{Model: program(t, dense, exec.Options{}), Set: fewSpikes(t)}); r.Energy.Layers != nil {
		t.Errorf("an ANN has the parts %v", r.Energy.Layers)
	}
}
