package kernel

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// forEachImplementation runs f as a subtest with each available implementation
// of float32 selected, and restores the selection.
func forEachImplementation(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	forEachOf(t, float32s, f)
}

// forEachOf is forEachImplementation of any family.
func forEachOf(t *testing.T, family family, f func(t *testing.T)) {
	t.Helper()
	list := family.implementations()
	for _, i := range list {
		if i.Selected {
			defer choose(t, family, i.Name)
		}
	}
	for _, i := range list {
		if !i.Available {
			t.Logf("%s: this CPU cannot run it", i.Name)
			continue
		}
		choose(t, family, i.Name)
		t.Run(i.Name, f)
	}
}

func choose(t *testing.T, f family, name string) {
	t.Helper()
	if known, err := f.choose(name); err != nil || !known {
		t.Fatal(known, err)
	}
}

func selectImplementation(t *testing.T, name string) {
	t.Helper()
	if err := Select(name); err != nil {
		t.Fatal(err)
	}
}

// generic tells whether the slow reference is selected.
func generic() bool { return selectedName() == "generic" }

func selectedName() string { return Selected("float32") }

func TestImplementations(t *testing.T) {
	selected := map[string]int{}
	last := map[string]Implementation{}
	for _, i := range Implementations() {
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

func TestSelectErrors(t *testing.T) {
	before := selectedName()
	err := Select("mmx")
	if err == nil || !strings.Contains(err.Error(), `"mmx" is unknown, want`) {
		t.Errorf("Select(mmx) = %v, want an error that names it and the known ones", err)
	}
	if after := selectedName(); after != before {
		t.Errorf("a failed Select changed the selection from %s to %s", before, after)
	}
	r := newRegistry("test", []entry[int]{{"fast", false, 1}, {"slow", true, 2}})
	if r.kernels != 2 {
		t.Errorf("new registry uses kernels %d, want those of the available entry, 2", r.kernels)
	}
	if known, err := r.choose("fast"); !known || err == nil {
		t.Errorf("choose(fast) = %v, %v, want an error: it is not available", known, err)
	}
	if known, err := r.choose("other"); known || err != nil {
		t.Errorf("choose(other) = %v, %v, want unknown without error", known, err)
	}
}

// TestSelectByFirstPart takes the part of a name before its hyphen for the best
// implementation that has it.
func TestSelectByFirstPart(t *testing.T) {
	r := newRegistry("test", []entry[int]{{"fast-b", false, 1}, {"fast-a", true, 2}, {"fast-c", true, 3}, {"slow", true, 4}})
	for name, want := range map[string]int{"fast": 2, "fast-c": 3, "slow": 4} {
		if known, err := r.choose(name); !known || err != nil || r.kernels != want {
			t.Errorf("choose(%s) = %v, %v and kernels %d, want kernels %d", name, known, err, r.kernels, want)
		}
	}
	if known, err := r.choose("fast-b"); !known || err == nil || r.kernels == 1 {
		t.Errorf("choose(fast-b) = %v, %v, want an error: it is not available", known, err)
	}
	if known, err := r.choose("fas"); known || err != nil {
		t.Errorf("choose(fas) = %v, %v, want unknown without error", known, err)
	}
}

func TestSelectFromEnv(t *testing.T) {
	defer selectImplementation(t, selectedName())
	t.Setenv(envName, "generic")
	if err := selectFromEnv(); err != nil || !generic() {
		t.Errorf("selectFromEnv with generic = %v, selected %s", err, selectedName())
	}
	t.Setenv(envName, "mmx")
	if err := selectFromEnv(); err == nil || !strings.Contains(err.Error(), envName) {
		t.Errorf("selectFromEnv with mmx = %v, want an error that names the variable", err)
	}
	t.Setenv(envName, "")
	if err := selectFromEnv(); err != nil {
		t.Errorf("selectFromEnv without a value = %v", err)
	}
}

// fenceWords is the number of guards on each side of a fenced slice.
const fenceWords = 64

// fence returns a copy of x inside a larger array, and a check that nothing was
// written round it.
func fence[E comparable](x []E, guard E) (inner []E, check func(t *testing.T)) {
	all := make([]E, len(x)+2*fenceWords)
	for i := range all {
		all[i] = guard
	}
	inner = all[fenceWords : fenceWords+len(x) : fenceWords+len(x)]
	copy(inner, x)
	return inner, func(t *testing.T) {
		t.Helper()
		for i, v := range all {
			if (i < fenceWords || i >= fenceWords+len(x)) && v != guard {
				t.Errorf("element %d of %d overwritten with %v", i-fenceWords, len(x), v)
				return
			}
		}
	}
}

// wild returns n numbers of all kinds: ordinary ones, zeros of both signs,
// subnormals, infinities and NaN.
func wild(r *rand.Rand, n int) []float32 {
	x := normal(r, n)
	special := edges()
	for i := range x {
		if r.IntN(4) == 0 {
			x[i] = special[r.IntN(len(special))]
		}
	}
	return x
}

// firstDifference returns the first index at which two slices differ in bits, NaN
// being one value; -1 when there is none.
func firstDifference(a, b []float32) int {
	if len(a) != len(b) {
		return min(len(a), len(b))
	}
	for i := range a {
		if !sameBits(a[i], b[i]) {
			return i
		}
	}
	return -1
}

func TestPeakFloat32(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		if got := PeakFloat32(1); got <= 0 || math.IsInf(got, 0) {
			t.Errorf("PeakFloat32 = %v GFLOP/s, want a positive number", got)
		}
	})
}

func TestSustained(t *testing.T) {
	for name, f := range map[string]func(time.Duration) float64{"float32": SustainedFloat32, "spikes": SustainedSpikes} {
		if got := f(time.Millisecond); got <= 0 || math.IsInf(got, 0) {
			t.Errorf("%s sustain %v 10^9 operations/s, want a positive number", name, got)
		}
	}
}
