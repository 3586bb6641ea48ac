package recipes_test

import (
	"context"
	"math"
	"testing"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes/recipes"
	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
)

// twoPhase converts a file to a two-phase network of a form.
func twoPhase(t *testing.T, data []byte, recipe string, x *ops.Tensor, timesteps int, v0 float64, form recipes.Form, more ...func(*recipes.Settings)) *graph.Model {
	t.Helper()
	s := recipes.Defaults()
	s.Timesteps, s.V0, s.Lower, s.Schedule = timesteps, v0, form, op.TwoPhase
	for _, set := range more {
		set(&s)
	}
	m := decode(t, data)
	convert(t, m, recipe, s, x)
	return decode(t, encode(t, m))
}

// TestTwoPhaseForms demands that a two-phase network, written and read again, gives the
// same bits with functions, without, and as counts; and nearly the same as flat or unrolled,
// which sum slices behind convolutions. Counts of IF neurons hold no comparison.
func TestTwoPhaseForms(t *testing.T) {
	for _, name := range fixtures.Names() {
		data, x := fixture(t, name)
		for recipe, v0 := range map[string]float64{"two-phase": recipes.NoV0, "spikingir": 0.25, "rueckauer": 0.5} {
			t.Run(name+"/"+recipe, func(t *testing.T) { checkTwoPhaseForms(t, data, recipe, x, v0) })
		}
	}
}

func checkTwoPhaseForms(t *testing.T, data []byte, recipe string, x *ops.Tensor, v0 float64) {
	t.Helper()
	want := run(t, twoPhase(t, data, recipe, x, 6, v0, recipes.None), x)[0]
	for _, form := range []recipes.Form{recipes.Functions, recipes.Counts, recipes.Flat, recipes.Unrolled} {
		m := twoPhase(t, data, recipe, x, 6, v0, form)
		got := run(t, m, x)[0]
		if form != recipes.Functions {
			checkPlain(t, m, form == recipes.Unrolled)
		}
		if form == recipes.Flat || form == recipes.Unrolled {
			if db := agreement(t, got, want); !(db >= 60) {
				t.Errorf("%s: agreement %.1f dB, want 60", form, db)
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

// TestQDQ demands that the quantised form has the spikes of the network with weights of 8
// bits, but for those that a last bit of the first layer moves, and that every layer behind
// spikes works in integers where no sum of branches or transposed convolution is in between.
func TestQDQ(t *testing.T) {
	for _, name := range fixtures.Names() {
		data, x := fixture(t, name)
		for recipe, v0 := range map[string]float64{"two-phase": 0.25, "spikingir": recipes.NoV0, "rueckauer": 0.5} {
			t.Run(name+"/"+recipe, func(t *testing.T) {
				s := recipes.Defaults()
				s.Timesteps, s.V0, s.Schedule, s.WeightBits, s.Lower = 6, v0, op.TwoPhase, 8, recipes.None
				m := decode(t, data)
				convert(t, m, recipe, s, x)
				want := run(t, m, x)[0]
				s.Lower, s.WeightBits = recipes.QDQ, 16
				m = decode(t, data)
				convert(t, m, recipe, s, x)
				m = decode(t, encode(t, m))
				checkPlain(t, m, false)
				if got := integerLayers(m); got < integers[name] || got > integers[name] && recipe != "rueckauer" {
					t.Errorf("%d layers in integers, want %d", got, integers[name])
				}
				if db := agreement(t, run(t, m, x)[0], want); !(db >= 60) {
					t.Errorf("agreement %.1f dB with the network of 8 bits, want 60", db)
				}
			})
		}
	}
}

// integers is how many: all layers but the first and the last, the first of each pair in a
// residual block, and none behind the pairs of neurons that stand for a PRelu.
var integers = map[string]int{"aodnet": 3, "dncnn": 3, "vdsr": 4, "residual": 2, "prelunet": 0, "rednet": 3, "srvgg": 0}

// integerLayers counts the convolutions with a quantised bias, as those of integers have it.
func integerLayers(m *graph.Model) (count int) {
	for n := range m.Graph.Nodes() {
		if n.Is("Conv") && n.Input(2) != nil && n.Input(2).Producer() != nil && n.Input(2).Producer().Is("DequantizeLinear") {
			count++
		}
	}
	return count
}

// TestTwoPhaseAgreement demands that the agreement with the ANN rises with T.
func TestTwoPhaseAgreement(t *testing.T) {
	// The defaults are for few timesteps: with many, saturated neurons are what is left.
	fine := func(s *recipes.Settings) { s.Percentile, s.WeightBits = 99.9, 16 }
	for _, name := range fixtures.Names() {
		data, x := fixture(t, name)
		want := run(t, decode(t, data), x)[0]
		last := math.Inf(-1)
		for _, timesteps := range []int{4, 16, 64, 256} {
			db := agreement(t, run(t, twoPhase(t, data, "two-phase", x, timesteps, 0.25, recipes.None, fine), x)[0], want)
			t.Logf("%s, T = %d: %.1f dB", name, timesteps, db)
			if db < last {
				t.Errorf("%s, T = %d: agreement %.1f dB, and %.1f at a quarter of T", name, timesteps, db, last)
			}
			last = db
		}
	}
}

// TestIntegers demands that integers restore what float32 does: with weights of 16 bits a spike
// that rounding moves is the only difference, with fewer none moves, but in
// two-phase layers that keep their weights.
func TestIntegers(t *testing.T) {
	for _, name := range fixtures.Names() {
		for _, c := range []struct {
			recipe string
			bits   int
		}{{"two-phase", 16}, {"two-phase", 8}, {"spikingir", 12}, {"spikingir", 8}} {
			least := 40.0
			if c.recipe == "spikingir" { // layers that read sums run in float32 anyway
				least = 90
			}
			db, integers := integersBesideFloats(t, name, c.recipe, c.bits)
			t.Logf("%s, %s, %d bits: %.1f dB, %d units in integers", name, c.recipe, c.bits, db, integers)
			if !(db >= least) || integers == 0 {
				t.Errorf("%s, %s, %d bits: agreement with float32 %.1f dB with %d units in integers, want %g", name, c.recipe, c.bits, db, integers, least)
			}
		}
	}
}

// integersBesideFloats is the agreement of a converted fixture in integers with itself in float32, and
// how many of its units run in integers.
func integersBesideFloats(t *testing.T, name, recipe string, bits int) (db float64, integers int) {
	t.Helper()
	data, x := fixture(t, name)
	s := recipes.Defaults()
	s.Timesteps, s.WeightBits = 10, bits
	m := decode(t, data)
	convert(t, m, recipe, s, x)
	p, err := exec.Compile(m, exec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range p.Units() {
		if u.FixedPoint {
			integers++
		}
	}
	res, err := p.Run(context.Background(), map[string]*ops.Tensor{p.Inputs()[0].Name(): x}, exec.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return agreement(t, res.Outputs[0], run(t, m, x)[0]), integers
}
