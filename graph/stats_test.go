package graph

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// histogramOf counts xs, element by element.
func histogramOf(xs ...float32) *Histogram {
	var h Histogram
	counts := map[uint16]int64{}
	for _, x := range xs {
		switch {
		case math.IsNaN(float64(x)) || math.IsInf(float64(x), 0):
			h.NaNs++
			continue
		case x == 0:
			h.Zeros++
		default:
			counts[BinKey(x)]++
		}
		if h.Count == 0 {
			h.Min, h.Max = x, x
		}
		h.Min, h.Max = min(h.Min, x), max(h.Max, x)
		h.Count++
		h.Sum += float64(x)
	}
	for k, n := range counts {
		h.Bins = append(h.Bins, Bin{k, n})
	}
	slices.SortFunc(h.Bins, func(a, b Bin) int { return cmp.Compare(a.Key, b.Key) })
	return &h
}

// exact sorts the population that over and side select and takes the element at
// the rank (the inverse of the empirical distribution).
func exact(xs []float32, p float64, over Over, side Side) float32 {
	var pop []float32
	some := false
	for _, x := range xs {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			continue
		}
		switch side {
		case Negative:
			x = max(-x, 0)
		case Magnitude:
			x = float32(math.Abs(float64(x)))
		default:
			x = max(x, 0)
		}
		some = some || x > 0
		if x > 0 || over == OverAll {
			pop = append(pop, x)
		}
	}
	if !some {
		return 0
	}
	slices.Sort(pop)
	rank := int(math.Ceil(min(max(p, 0), 100) * float64(len(pop)) / 100))
	return pop[max(rank, 1)-1]
}

// binWidth is the width of the bin that x falls into.
func binWidth(x float32) float64 {
	lo, hi := Bin{Key: BinKey(x)}.bounds()
	return hi - lo
}

var (
	overs = []Over{OverNonzero, OverAll}
	sides = []Side{Positive, Negative, Magnitude}
)

// compare checks every percentile of xs against the sorted elements: they lie in
// the same bin, and none is above the largest element.
func compare(t *testing.T, name string, xs []float32) {
	t.Helper()
	h := histogramOf(xs...)
	for _, over := range overs {
		for _, side := range sides {
			last := float32(0)
			for _, p := range []float64{-1, 0, 0.1, 1, 25, 50, 75, 90, 99, 99.9, 99.99, 100, 101} {
				got, want := h.Percentile(p, over, side), exact(xs, p, over, side)
				off := math.Abs(float64(got) - float64(want))
				if !(off <= binWidth(want)) || (want == 0 && got != 0) {
					t.Errorf("%s: p=%v over=%s side=%d: got %v, want %v", name, p, over, side, got, want)
				}
				if p >= 100 && got != want {
					t.Errorf("%s: the maximum is %v, want exactly %v", name, got, want)
				}
				if got < last {
					t.Errorf("%s: p=%v gives %v, less than %v before", name, p, got, last)
				}
				last = got
			}
			if top := exact(xs, 100, over, side); last != top {
				t.Errorf("%s: the largest percentile is %v, want %v", name, last, top)
			}
		}
	}
}

func TestPercentileOfFewElements(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct {
		name string
		xs   []float32
	}{
		{"none", nil},
		{"zeros", []float32{0, 0, 0}},
		{"negative zero", []float32{float32(math.Copysign(0, -1)), 1}},
		{"one", []float32{3.3}},
		{"one negative", []float32{-3.3}},
		{"one of a hundred", append(make([]float32, 99), 7)},
		{"equal", []float32{2, 2, 2, 2}},
		{"signs", []float32{-1, 1, -2, 2, 0, -4}},
		{"subnormal", []float32{1e-45, 1e-42, -3e-40, 1e-39, 0}},
		{"smallest", []float32{math.SmallestNonzeroFloat32}},
		{"largest", []float32{math.MaxFloat32, -math.MaxFloat32, 3.39e38}},
		{"infinite", []float32{inf, -inf, nan, 1, 2}},
		{"only infinite", []float32{inf, nan}},
		{"bin borders", []float32{1, 1.0078125, 1.015625, 2, 4}},
	} {
		compare(t, c.name, c.xs)
	}
}

func TestPercentileOfRandomElements(t *testing.T) {
	for seed := range uint64(15) {
		r := rand.New(rand.NewPCG(seed, 3))
		xs := make([]float32, 1+r.IntN(1500))
		for i := range xs {
			switch r.IntN(4) {
			case 0: // zeros, as after a ReLU
			case 1:
				xs[i] = float32(r.NormFloat64())
			case 2:
				xs[i] = float32(r.ExpFloat64() * 10)
			case 3:
				xs[i] = float32(math.Exp(r.NormFloat64()*20)) * float32(1-2*r.IntN(2))
			}
		}
		compare(t, "random", xs)
	}
}

// TestPercentileIgnoresAnOutlier: of 1000 elements, 999 are at or below the 99.9th
// percentile, whatever the last one is.
func TestPercentileIgnoresAnOutlier(t *testing.T) {
	xs := []float32{1e6}
	for i := range 999 {
		xs = append(xs, 1+float32(i)/1000)
	}
	h := histogramOf(xs...)
	for _, over := range overs {
		if got := h.Percentile(99.9, over, Positive); got > 2 {
			t.Errorf("over=%s: %v, want the largest but one", over, got)
		}
	}
}

func TestPercentileOfNaN(t *testing.T) {
	got := histogramOf(math.MaxFloat32, 1).Percentile(math.NaN(), OverNonzero, Positive)
	if math.IsNaN(float64(got)) || got < 0 {
		t.Errorf("got %v", got)
	}
}

func TestBins(t *testing.T) {
	for _, x := range []float32{1e-45, 1e-38, 0.1, 1, 1.999, 3e38, math.MaxFloat32} {
		for _, y := range []float32{x, -x} {
			b := Bin{Key: BinKey(y)}
			lo, hi := b.bounds()
			if float64(x) < lo || float64(x) > hi || b.negative() != (y < 0) {
				t.Errorf("%v is not inside of its bin %v..%v", y, lo, hi)
			}
			if x > 1.2e-38 && hi-lo > 0.008*lo {
				t.Errorf("the bin %v..%v is wider than 0.8 %%", lo, hi)
			}
		}
	}
}

func TestMerge(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	var all []float32
	var hs []*Histogram
	for k := range 4 {
		var xs []float32
		for range k * 50 { // the first is empty
			xs = append(xs, float32(r.IntN(64)-20)/8) // sums are exact
		}
		all = append(all, xs...)
		hs = append(hs, histogramOf(xs...))
	}
	all = append(all, float32(math.NaN()))
	hs = append(hs, histogramOf(float32(math.NaN())))
	want := histogramOf(all...)
	left, right := hs[0], hs[len(hs)-1]
	for i := 1; i < len(hs); i++ {
		left = left.Merge(hs[i])
		right = hs[len(hs)-1-i].Merge(right)
	}
	for _, c := range []struct {
		name string
		got  *Histogram
	}{{"from the left", left}, {"from the right", right}, {"at once", mergeHistograms(hs)}} {
		if d := gocmp.Diff(want, c.got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
	if got := want.Merge(&Histogram{}); gocmp.Diff(want, got) != "" || got == want {
		t.Error("merging nothing changes the histogram")
	}
}

func TestValueStats(t *testing.T) {
	a, b := histogramOf(1, 2, 3), histogramOf(-8, 0, 10)
	s := &ValueStats{Channels: []*Histogram{a, b}}
	if got := s.Percentile(100, OverAll, Positive); got != 10 {
		t.Errorf("the maximum over all channels is %v", got)
	}
	if got := s.Percentile(100, OverAll, Negative); got != 8 {
		t.Errorf("the largest negative magnitude is %v", got)
	}
	if d := gocmp.Diff([]float32{0, 8}, s.PerChannel(100, OverNonzero, Negative)); d != "" {
		t.Error(d)
	}
	if got := (&ValueStats{}).Percentile(50, OverAll, Positive); got != 0 {
		t.Errorf("no channels give %v", got)
	}
	if a.Mean() != 2 || (&Histogram{}).Mean() != 0 {
		t.Errorf("the mean is %v", a.Mean())
	}
}
