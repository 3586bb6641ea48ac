package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"spikingir/runtime/kernel/kerneltest"
)

func TestSpikeCounts(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(11, 12))
		none := float32(math.Copysign(0, -1))
		for _, n := range []int{0, 1, 15, 16, 17, 31, 32, 33, 100, 256, 1000} {
			for _, values := range []func(*rand.Rand, int) []float32{kerneltest.Normal, kerneltest.Wild} {
				for _, p := range []TwoPhase{
					{Gain: 10, Bias: 0.3, V0: 0.25, Threshold: 0.7, Fire: 0.6, Top: 10},
					{Gain: 1, Bias: none, V0: none, Threshold: 0.01, Fire: 0.0075, Top: 126},
					{Gain: 1, Bias: none, V0: none, Threshold: 1, Fire: float32(math.NaN()), Top: 11},
					{Gain: 3, Bias: none, V0: none, Threshold: 1, Fire: float32(math.NaN())},
				} {
					checkSpikeCounts(t, values(r, n), p)
				}
			}
		}
	})
}

// checkSpikeCounts compares with the definition, in float64 where nothing is rounded there.
func checkSpikeCounts(t *testing.T, current []float32, p TwoPhase) {
	t.Helper()
	n := len(current)
	counts, checkC := kerneltest.Fence(slices.Repeat([]uint8{99}, n), 77)
	left, checkL := kerneltest.Fence(make([]float32, n), 12345)
	in, checkI := kerneltest.Fence(current, 12345)
	SpikeCounts(counts, left, in, &p)
	checkC(t)
	checkL(t)
	checkI(t)
	for i, x := range current {
		v := float32(p.Gain * x)
		v += p.Bias
		v += p.V0
		k := math.Floor(float64(v / p.Threshold))
		if !(k > 0) {
			k = 0
		}
		k = min(k, float64(p.Top))
		rest := v - float32(p.Threshold*float32(k))
		if rest >= p.Fire {
			rest -= p.Threshold
			k++
		}
		if float64(counts[i]) != k || !kerneltest.SameBits(left[i], rest) {
			t.Fatalf("%+v, n=%d, current %v: %d spikes and %v left, want %v and %v", p, n, x, counts[i], left[i], k, rest)
		}
	}
	SpikeCounts(counts, in, in, &p)
	if d := kerneltest.FirstDifference(in, left); d >= 0 {
		t.Fatalf("n=%d: residual[%d] differs in place", n, d)
	}
}

func TestInterleave(t *testing.T) { forEachImplementation(t, testInterleave) }

func testInterleave(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for _, c := range []int{0, 1, 3, 8, 9, 16, 31, 64} {
		for _, n := range []int{0, 1, 15, 16, 17, 30, 64} {
			planes := make([]uint8, n*c)
			for i := range planes {
				planes[i] = uint8(r.IntN(256))
			}
			dst, check := kerneltest.Fence(make([]uint8, n*c), 77)
			Interleave(dst, planes, c)
			check(t)
			for i := range n {
				for k := range c {
					if dst[i*c+k] != planes[k*n+i] {
						t.Fatalf("%d planes of %d: element %d of plane %d is at another place", c, n, i, k)
					}
				}
			}
		}
	}
}
