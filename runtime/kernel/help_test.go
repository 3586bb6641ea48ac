package kernel

import (
	"math"
	"testing"
	"time"

	"spikingir/runtime/kernel/machine"
)

// forEachImplementation runs f as a subtest with each available implementation
// of float32 selected, and restores the selection.
func forEachImplementation(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	forEachOf(t, "float32", f)
}

// forEachOf is forEachImplementation of any family.
func forEachOf(t *testing.T, family string, f func(t *testing.T)) {
	t.Helper()
	defer choose(t, family, machine.Selected(family))
	for _, i := range machine.Implementations() {
		switch {
		case i.Family != family:
		case !i.Available:
			t.Logf("%s: this CPU cannot run it", i.Name)
		default:
			choose(t, family, i.Name)
			t.Run(i.Name, f)
		}
	}
}

func choose(t *testing.T, family, name string) {
	t.Helper()
	if err := machine.SelectFamily(family, name); err != nil {
		t.Fatal(err)
	}
}

func selectImplementation(t *testing.T, name string) {
	t.Helper()
	if err := machine.Select(name); err != nil {
		t.Fatal(err)
	}
}

func selectedName() string { return machine.Selected("float32") }

func TestImplementations(t *testing.T) {
	selected := map[string]int{}
	last := map[string]machine.Implementation{}
	for _, i := range machine.Implementations() {
		last[i.Family] = i
		if i.Selected {
			selected[i.Family]++
		}
		if i.Selected && !i.Available {
			t.Errorf("%+v is selected but not available", i)
		}
	}
	for family, i := range last {
		if i.Name != "generic" || !i.Available {
			t.Errorf("last implementation of %s is %+v, want generic, available", family, i)
		}
		if selected[family] != 1 {
			t.Errorf("%s has %d implementations selected, want 1", family, selected[family])
		}
	}
	if last["float32"].Name == "" {
		t.Error("there is no family float32")
	}
}

func TestPeakFloat32(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		if got := PeakFloat32(1); got <= 0 || math.IsInf(got, 0) {
			t.Errorf("PeakFloat32 = %v GFLOP/s, want a positive number", got)
		}
	})
}

func TestSustained(t *testing.T) {
	if got := SustainedFloat32(time.Millisecond); got <= 0 || math.IsInf(got, 0) {
		t.Errorf("float32 sustains %v 10^9 operations/s, want a positive number", got)
	}
}
