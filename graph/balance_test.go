package graph

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestBalance compares the threshold of a histogram with the descent on the elements.
func TestBalance(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	xs := make([]float32, 2000)
	for i := range xs {
		xs[i] = float32(rng.NormFloat64())
	}
	h := histogramOf(xs...)
	last := float32(0)
	for _, rounds := range []int{1, 2, 10, 100, 4000} {
		theta := 0.0
		for range rounds {
			sum := 0.0
			for _, x := range xs {
				sum += max(float64(x)-theta, 0)
			}
			theta += 2 * sum / float64(len(xs))
		}
		got := h.Balance(rounds, Positive)
		if d := math.Abs(float64(got) - theta); d > 0.005*theta {
			t.Errorf("%d rounds give %g, want %g", rounds, got, theta)
		}
		if got <= last || got > h.Max {
			t.Errorf("%d rounds give %g after %g; the largest element is %g", rounds, got, last, h.Max)
		}
		last = got
	}
}

// TestBalanceOfFew holds the ends: no element of the side, one element, and more rounds than
// there is to gain.
func TestBalanceOfFew(t *testing.T) {
	if got := histogramOf(-1, 0).Balance(10, Positive); got != 0 {
		t.Errorf("of no positive element: %g", got)
	}
	if got := histogramOf(-1, 0).Balance(1000, Negative); got != 1 {
		t.Errorf("of the negative side of -1: %g, want 1", got)
	}
	if got := (&ValueStats{Channels: []*Histogram{histogramOf(2), histogramOf(4, 0)}}).BalancePerChannel(1000, Positive); got[0] != 2 || got[1] != 4 {
		t.Errorf("of 2 and 4: %v", got)
	}
}
