package reference

import (
	"math"
	"testing"
)

// TestSurrogates holds each surrogate against its primitive, which goes from 0 to 1,
// and the sigmoid of slope 4 against its values.
func TestSurrogates(t *testing.T) {
	for _, s := range []Surrogate{Sigmoid, Triangle, Arctan} {
		for _, k := range []float64{1, 4} {
			for x := -1.987; x < 2; x += 0.02 { // no corner of the triangle
				const h = 1e-6
				want := (s.primitive(k, x+h) - s.primitive(k, x-h)) / (2 * h)
				if got := s.derivative(k, x); math.Abs(got-want) > 1e-8 {
					t.Errorf("%v, slope %v, at %v: derivative %v, differences say %v", s, k, x, got, want)
				}
			}
			if lo, hi := s.primitive(k, -1e9), s.primitive(k, 1e9); math.Abs(lo) > 1e-8 || math.Abs(hi-1) > 1e-8 {
				t.Errorf("%v runs from %v to %v, want 0 to 1", s, lo, hi)
			}
		}
	}
	for _, c := range [][2]float64{{0, 1}, {1, 0.07065082485316443}, {-1, 0.07065082485316443}} {
		if got := Sigmoid.derivative(4, c[0]); math.Abs(got-c[1]) > 1e-15 {
			t.Errorf("sigmoid of slope 4 at %v: %v, want %v", c[0], got, c[1])
		}
	}
}
