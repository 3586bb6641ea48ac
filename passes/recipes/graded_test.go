package recipes_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/graph/exact"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/recipes"
	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
)

// gradedRecipes have neurons that send more in a step than one spike.
var gradedRecipes = []string{"burst", "multi-threshold", "ternary"}

// gradedNeurons is the number of such neurons of a network, which has to have some.
func gradedNeurons(t *testing.T, m *graph.Model) {
	t.Helper()
	for n := range m.Graph.Nodes() {
		if op.IsGraded(n) {
			return
		}
	}
	t.Fatal("no neuron sends more than one spike a step")
}

// TestGradedForms demands that every form of a network, written and read again, gives the same bits, and
// that the network comes back from it; one fixture for each recipe where tests are slow.
func TestGradedForms(t *testing.T) {
	for i, name := range fixtures.Names() {
		for k, recipe := range gradedRecipes {
			if slow() && i != k {
				continue
			}
			t.Run(name+"/"+recipe, func(t *testing.T) {
				data, x := fixture(t, name)
				s := recipes.Defaults()
				s.Timesteps, s.Lower, s.Unit = 4, recipes.None, i%2 > 0
				timed := decode(t, data)
				convert(t, timed, recipe, s, x)
				gradedNeurons(t, timed)
				want := run(t, timed, x)[0]
				for _, form := range []recipes.Form{recipes.Functions, recipes.Flat, recipes.Unrolled} {
					checkRaise(t, timed, form)
					s.Lower, s.Opset = form, 0
					if form == recipes.Flat {
						s.Opset = 9
					}
					m := decode(t, data)
					convert(t, m, recipe, s, x)
					if form != recipes.Functions {
						checkPlain(t, m, form == recipes.Unrolled)
					}
					sameBits(t, string(form), want, run(t, decode(t, encode(t, m)), x)[0])
				}
			})
		}
	}
}

// TestGradedExact demands that the exact form of such networks is proved, and that integers and float32
// give the same bits of it.
func TestGradedExact(t *testing.T) {
	data, x := fixture(t, fixtures.Names()[0])
	for _, recipe := range gradedRecipes {
		s := recipes.Defaults()
		s.Timesteps, s.Lower, s.Exact = 4, recipes.None, true
		m := decode(t, data)
		convert(t, m, recipe, s, x)
		gradedNeurons(t, m)
		if err := exact.Prove(m); err != nil {
			t.Errorf("%s: %v", recipe, err)
		}
		p, err := exec.Compile(m, exec.Options{})
		if err != nil {
			t.Fatal(err)
		}
		res, err := p.Run(context.Background(), map[string]*ops.Tensor{p.Inputs()[0].Name(): x}, exec.RunOptions{})
		if err != nil {
			t.Fatal(err)
		}
		sameBits(t, recipe+" in integers", run(t, m, x)[0], res.Outputs[0])
	}
}

// TestGradedAgreement demands what the neurons are for: on few steps, four thresholds bring a network
// closer to its ANN than one. Bursts, with thresholds that hardly any current passes, leave it where it is,
// give or take half a dB.
func TestGradedAgreement(t *testing.T) {
	for _, name := range fixtures.Names() {
		if slow() && name != "aod" && name != "dncnn" {
			continue
		}
		data, x := fixture(t, name)
		ann := run(t, decode(t, data), x)[0]
		db := map[string]float64{}
		for _, recipe := range append([]string{"rueckauer"}, gradedRecipes...) {
			s := recipes.Defaults()
			s.Timesteps, s.Lower, s.Readout = 6, recipes.None, "cpm"
			m := decode(t, data)
			convert(t, m, recipe, s, x)
			db[recipe] = agreement(t, run(t, m, x)[0], ann)
		}
		t.Logf("%s: %v", name, db)
		if !(db["multi-threshold"] > db["rueckauer"]+3) || !(math.Abs(db["burst"]-db["rueckauer"]) < 0.5) {
			t.Errorf("%s: agreement with the ANN in dB: %v; want that of multi-threshold 3 above rueckauer's, and that of burst within half a dB of it", name, db)
		}
	}
}

// TestGradedSettings holds what the recipes refuse, and what they make.
func TestGradedSettings(t *testing.T) {
	for recipe, want := range map[string]string{
		"burst": "if-to-graded{neuron=burst}", "multi-threshold": "if-to-graded{neuron=multi-threshold}", "ternary": "if-to-graded{neuron=signed}",
	} {
		p, err := recipes.New(recipe, recipes.Defaults())
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, step := range p {
			found = found || fmt.Sprint(passes.Pipeline{step}) == want
		}
		if !found {
			t.Errorf("recipe %s is %v, want %s in it", recipe, p, want)
		}
	}
}
