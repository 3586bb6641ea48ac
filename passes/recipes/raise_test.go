package recipes_test

import (
	"slices"
	"testing"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/graph/diff"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/recipes"
)

// rewritten is a network in another form, written and read again.
func rewritten(t *testing.T, m *graph.Model, form recipes.Form) *graph.Model {
	t.Helper()
	p, err := recipes.Rewrite(recipes.Settings{Lower: form})
	if err != nil {
		t.Fatal(err)
	}
	m = m.Clone()
	if _, err := p.Run(m, passes.Options{}); err != nil {
		t.Fatalf("%s: %v", form, err)
	}
	return decode(t, encode(t, m))
}

// TestRaise demands that every form of every embedded network, written and read again, gives
// back the network that was lowered to it: names, numbers and all.
func TestRaise(t *testing.T) {
	for _, name := range fixtures.Names() {
		data, x := fixture(t, name)
		for _, schedule := range []op.Schedule{op.Lockstep, op.TwoPhase} {
			for _, unit := range []bool{false, true} {
				title := name + "/" + string(schedule)
				if unit {
					title += " unit"
				}
				t.Run(title, func(t *testing.T) {
					s := recipes.Defaults()
					s.Timesteps, s.Lower, s.Schedule, s.Unit = 4, recipes.None, schedule, unit
					forms := []recipes.Form{recipes.Functions, recipes.Flat, recipes.Unrolled}
					if schedule == op.TwoPhase {
						s.WeightBits = 8
						forms = append(forms, recipes.Counts, recipes.QDQ)
					}
					m := decode(t, data)
					convert(t, m, "spikingir", s, x)
					for _, form := range forms {
						checkRaise(t, m, form)
					}
				})
			}
		}
	}
}

func checkRaise(t *testing.T, m *graph.Model, form recipes.Form) {
	t.Helper()
	want := rewritten(t, m, recipes.None)
	if form == recipes.Functions { // which state biases of 0 and all residual potentials
		want = rewritten(t, rewritten(t, m, form), recipes.None)
	}
	lowered := rewritten(t, want, form)
	got := rewritten(t, lowered, recipes.None)
	for i, e := range diff.Models(want, got).Entries {
		if t.Errorf("%s: %s %s %s: %q -> %q", form, e.Change, e.Kind, e.Name, e.A, e.B); i > 5 {
			break
		}
	}
	if again := rewritten(t, got, form); !slices.Equal(encode(t, again), encode(t, lowered)) {
		if r := diff.Models(lowered, again); !r.Same {
			t.Errorf("%s: lowered again it differs in %d parts, such as %v", form, len(r.Entries), r.Entries[0])
		}
	}
}
