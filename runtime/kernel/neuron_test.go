package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"spikingir/runtime/kernel/kerneltest"
)

// spikeLengths cover all tails round one and two words.
func spikeLengths() []int {
	var list []int
	for n := range 200 {
		list = append(list, n)
	}
	return append(list, 1000, 4096, 4097)
}

func TestIFStep(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(7, 8))
		for _, n := range spikeLengths() {
			for _, values := range []func(*rand.Rand, int) []float32{kerneltest.Normal, kerneltest.Wild} {
				checkIFStep(t, r, values(r, n), values(r, n))
			}
		}
	})
}

// checkIFStep compares a step with the definition, element by element.
func checkIFStep(t *testing.T, r *rand.Rand, v, current []float32) {
	t.Helper()
	n := len(v)
	bias, threshold := float32(r.NormFloat64()), float32(r.Float64()+0.1)
	fire := threshold * 0.75
	gotV, checkV := kerneltest.Fence(v, 12345)
	gotI, checkI := kerneltest.Fence(current, 12345)
	stale := make([]uint64, SpikeWords(n))
	for i := range stale {
		stale[i] = math.MaxUint64
	}
	spikes, checkS := kerneltest.Fence(stale, 0xdead)
	IFStep(spikes, gotV, gotI, bias, threshold, fire)
	checkV(t)
	checkI(t)
	checkS(t)
	want := make([]uint64, len(spikes))
	for i := range v {
		c := current[i] + bias
		u := v[i] + c
		if u >= fire {
			want[i/64] |= 1 << (i % 64)
			u -= threshold
		}
		if !kerneltest.SameBits(gotV[i], u) {
			t.Fatalf("n=%d: v[%d] = %v after %v + %v, want %v", n, i, gotV[i], v[i], current[i], u)
		}
	}
	if !slices.Equal(spikes, want) {
		t.Fatalf("n=%d: spikes %x, want %x", n, spikes, want)
	}
	if d := kerneltest.FirstDifference(gotI, current); d >= 0 {
		t.Fatalf("n=%d: current[%d] changed", n, d)
	}
}

// TestIFStepExactThreshold: a potential equal to fire spikes, its lower
// neighbour does not.
func TestIFStepExactThreshold(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		v := make([]float32, 128)
		current := make([]float32, 128)
		for i := range current {
			current[i] = 0.7
			if i%2 == 1 {
				current[i] = math.Nextafter32(0.7, 0)
			}
		}
		spikes := make([]uint64, 2)
		IFStep(spikes, v, current, 0, 0.7, 0.7)
		if want := []uint64{0x5555555555555555, 0x5555555555555555}; !slices.Equal(spikes, want) {
			t.Errorf("spikes %x, want %x", spikes, want)
		}
	})
}

func TestExpandSpikes(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(9, 10))
		for _, n := range spikeLengths() {
			spikes := make([]uint64, SpikeWords(n))
			for i := range spikes {
				spikes[i] = r.Uint64()
			}
			before := kerneltest.Wild(r, n)
			amplitude := float32(r.NormFloat64())
			expanded, checkE := kerneltest.Fence(before, 12345)
			ExpandSpikes(expanded, spikes, amplitude)
			checkE(t)
			for i := range n {
				want := float32(0)
				if spikes[i/64]>>(i%64)&1 == 1 {
					want = amplitude
				}
				if !kerneltest.SameBits(expanded[i], want) {
					t.Fatalf("n=%d, element %d: expanded %v, want %v", n, i, expanded[i], want)
				}
			}
		}
	})
}

func TestCountSpikes(t *testing.T) {
	for _, c := range []struct {
		spikes []uint64
		want   int
	}{{nil, 0}, {[]uint64{0}, 0}, {[]uint64{1, 1 << 63, 0xff}, 10}, {[]uint64{math.MaxUint64}, 64}} {
		if got := CountSpikes(c.spikes); got != c.want {
			t.Errorf("CountSpikes(%x) = %d, want %d", c.spikes, got, c.want)
		}
	}
}

func TestSpikeLengthsPanic(t *testing.T) {
	for name, f := range map[string]func(){
		"IFStep, short current": func() {
			IFStep(make([]uint64, 1), make([]float32, 3), make([]float32, 2), 0, 1, 1)
		},
		"IFStep, few words": func() {
			IFStep(make([]uint64, 1), make([]float32, 65), make([]float32, 65), 0, 1, 1)
		},
		"ExpandSpikes": func() { ExpandSpikes(make([]float32, 65), make([]uint64, 1), 1) },
	} {
		if kerneltest.Caught(f) == nil {
			t.Errorf("%s did not panic", name)
		}
	}
}

func ExampleIFStep() {
	v := []float32{0, 0.5, 0.9}
	spikes := make([]uint64, 1)
	IFStep(spikes, v, []float32{0.25, 0.25, 0.25}, 0.25, 1, 1)
	fmt.Printf("%03b %v\n", spikes[0], v[:2])
	// Output: 110 [0.5 0]
}
