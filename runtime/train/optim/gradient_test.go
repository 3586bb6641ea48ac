package optim

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestClip(t *testing.T) {
	params := []*Param{param("w", 2, false), param("b", 1, false)}
	params[0].Grad[0], params[0].Grad[1], params[1].Grad[0] = 2, 3, 6
	for _, limit := range []float64{0, 7, 8} {
		if norm, err := Clip(params, limit); err != nil || norm != 7 || params[1].Grad[0] != 6 {
			t.Errorf("limit %g: norm %g, %v, gradient %g; want 7 and no change", limit, norm, err, params[1].Grad[0])
		}
	}
	norm, err := Clip(params, 3.5)
	if err != nil || norm != 7 {
		t.Errorf("norm %g, %v, want 7", norm, err)
	}
	if !slices.Equal(params[0].Grad, []float32{1, 1.5}) || params[1].Grad[0] != 3 {
		t.Errorf("clipped to %g and %g", params[0].Grad, params[1].Grad)
	}
	// Squares that float32 cannot hold.
	params[0].Grad[0], params[0].Grad[1], params[1].Grad[0] = 3e38, 0, 1e-30
	if norm, err := Clip(params, 1); err != nil || math.Abs(norm-3e38) > 1e32 || math.Abs(float64(params[0].Grad[0])-1) > 1e-6 {
		t.Errorf("huge gradient: norm %g, %v, clipped to %g", norm, err, params[0].Grad[0])
	}
}

func TestNonFinite(t *testing.T) {
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
		params := []*Param{param("w", 3, false), param("b", 3, false)}
		params[0].Grad[1] = 2
		params[1].Grad[0], params[1].Grad[2] = bad, bad
		_, err := Clip(params, 1)
		if err == nil || !strings.Contains(err.Error(), "gradient 0 of b is") || !strings.Contains(err.Error(), "(2 are not)") {
			t.Errorf("%g: %v", bad, err)
		}
		if params[0].Grad[1] != 2 {
			t.Errorf("%g: gradients were changed", bad)
		}
	}
}

func TestSchedule(t *testing.T) {
	for _, c := range []struct {
		s    Schedule
		want []float64 // by step
	}{
		{Schedule{Shape: Constant, Base: 2, WarmUp: 2}, []float64{1, 2, 2, 2}},
		{Schedule{Shape: Cosine, Base: 1, Floor: 0.2, Steps: 2}, []float64{1, 0.6, 0.2, 0.2}},
		{Schedule{Shape: Cosine, Base: 4, WarmUp: 4, Steps: 8}, []float64{1, 2, 3, 4, 4, 2 + math.Sqrt2, 2, 2 - math.Sqrt2, 0, 0}},
		{Schedule{Shape: Cosine, Base: 1, Steps: 1}, []float64{1, 0}},
	} {
		if err := c.s.Check(); err != nil {
			t.Error(err)
		}
		for step, want := range c.want {
			if got := c.s.Rate(step); math.Abs(got-want) > 1e-12 {
				t.Errorf("%+v: rate of step %d is %g, want %g", c.s, step, got, want)
			}
		}
	}
	for _, c := range []struct {
		s    Schedule
		want string
	}{
		{Schedule{Base: 1}, `unknown schedule ""`},
		{Schedule{Shape: Constant}, "learning rate is 0"},
		{Schedule{Shape: Constant, Base: math.NaN()}, "learning rate is NaN"},
		{Schedule{Shape: Cosine, Base: 1, Floor: 2, Steps: 5}, "floor of the learning rate is 2"},
		{Schedule{Shape: Constant, Base: 1, WarmUp: -1}, "warm-up of -1"},
		{Schedule{Shape: Cosine, Base: 1, WarmUp: 5, Steps: 5}, "5 steps with a warm-up of 5"},
	} {
		if err := c.s.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.s, err, c.want)
		}
	}
}

func TestEnergyWeight(t *testing.T) {
	for _, c := range []struct{ k, progress, want float64 }{
		{3, 0, 0}, {3, 0.5, 1.5}, {3, 1, 3}, {3, 1.0 / 3, 0.75}, {3, -1, 0}, {3, 2, 3}, {0, 0.7, 0},
	} {
		if got := EnergyWeight(c.k, c.progress); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("weight %g at %g is %g, want %g", c.k, c.progress, got, c.want)
		}
	}
}
