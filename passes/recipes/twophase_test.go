package recipes_test

import (
	"math"
	"testing"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes/recipes"
	"spikingir/runtime/ops"
)

// twoPhase converts a file to a two-phase network of a form.
func twoPhase(t *testing.T, data []byte, recipe string, x *ops.Tensor, timesteps int, v0 float64, form recipes.Form) *graph.Model {
	t.Helper()
	s := recipes.Defaults()
	s.Timesteps, s.V0, s.Lower, s.Schedule = timesteps, v0, form, op.TwoPhase
	m := decode(t, data)
	convert(t, m, recipe, s, x)
	return decode(t, encode(t, m))
}

// TestTwoPhaseForms demands that a two-phase network, written and read again, gives the
// same bits with functions, without, and as counts; and nearly the same as flat, which
// sums slices behind convolutions. Counts of IF neurons hold no comparison.
func TestTwoPhaseForms(t *testing.T) {
	for _, name := range fixtures.Names() {
		data, x := fixture(t, name)
		for recipe, v0 := range map[string]float64{"two-phase": 0, "spikingir": 0.25, "rueckauer": 0.5} {
			t.Run(name+"/"+recipe, func(t *testing.T) { checkTwoPhaseForms(t, data, recipe, x, v0) })
		}
	}
}

func checkTwoPhaseForms(t *testing.T, data []byte, recipe string, x *ops.Tensor, v0 float64) {
	t.Helper()
	want := run(t, twoPhase(t, data, recipe, x, 6, v0, recipes.None), x)[0]
	for _, form := range []recipes.Form{recipes.Functions, recipes.Counts, recipes.Flat} {
		m := twoPhase(t, data, recipe, x, 6, v0, form)
		got := run(t, m, x)[0]
		if form != recipes.Functions {
			checkPlain(t, m)
		}
		if form == recipes.Flat {
			if db := agreement(t, got, want); !(db >= 60) {
				t.Errorf("flat: agreement %.1f dB, want 60", db)
			}
			continue
		}
		distance(t, want, got)
		for i := range want.F32 {
			if math.Float32bits(got.F32[i]) != math.Float32bits(want.F32[i]) {
				t.Fatalf("%s: element %d is %v, want %v", form, i, got.F32[i], want.F32[i])
			}
		}
	}
}

// TestTwoPhaseAgreement demands that the agreement with the ANN rises with T.
func TestTwoPhaseAgreement(t *testing.T) {
	for _, name := range fixtures.Names() {
		data, x := fixture(t, name)
		want := run(t, decode(t, data), x)[0]
		last := math.Inf(-1)
		for _, timesteps := range []int{4, 16, 64, 256} {
			db := agreement(t, run(t, twoPhase(t, data, "two-phase", x, timesteps, 0.25, recipes.None), x)[0], want)
			t.Logf("%s, T = %d: %.1f dB", name, timesteps, db)
			if db < last {
				t.Errorf("%s, T = %d: agreement %.1f dB, and %.1f at a quarter of T", name, timesteps, db, last)
			}
			last = db
		}
	}
}
