package optim

import (
	"fmt"
	"math"
)

// A Shape names how the learning rate goes after warm-up.
type Shape string

// The shapes of a schedule.
const (
	Constant Shape = "constant" // Base throughout
	Cosine   Shape = "cosine"   // half a cosine from Base to Floor, which it meets after the last step
)

// A Schedule gives the learning rate of each step. The first WarmUp steps rise
// evenly from Base/WarmUp to Base; the shape takes what is left of Steps.
type Schedule struct {
	Shape  Shape
	Base   float64
	Floor  float64 // cosine: where it ends
	WarmUp int
	Steps  int // cosine: all steps, warm-up included
}

// Check reports the first field that is out of range.
func (s Schedule) Check() error {
	switch {
	case s.Shape != Constant && s.Shape != Cosine:
		return fmt.Errorf("unknown schedule %q, want %s or %s", s.Shape, Cosine, Constant)
	case !(s.Base > 0) || math.IsInf(s.Base, 1):
		return fmt.Errorf("learning rate is %g, want a positive number such as 1e-4", s.Base)
	case !(s.Floor >= 0 && s.Floor <= s.Base):
		return fmt.Errorf("floor of the learning rate is %g, want 0 to the rate %g", s.Floor, s.Base)
	case s.WarmUp < 0:
		return fmt.Errorf("warm-up of %d steps, want 0 or more", s.WarmUp)
	case s.Shape == Cosine && s.Steps <= s.WarmUp:
		return fmt.Errorf("cosine schedule of %d steps with a warm-up of %d, want more steps", s.Steps, s.WarmUp)
	}
	return nil
}

// Rate is the learning rate of a step, counted from 0. From step Steps on a
// cosine stays at Floor.
func (s Schedule) Rate(step int) float64 {
	if step < s.WarmUp {
		return s.Base * float64(step+1) / float64(s.WarmUp)
	}
	if s.Shape == Constant {
		return s.Base
	}
	done := float64(step-s.WarmUp) / float64(s.Steps-s.WarmUp)
	return s.Floor + float64((s.Base-s.Floor)*(1-rise(done)))
}

// EnergyWeight is the weight of the energy loss (Eq. 19): k times
// (1 - cos(pi e/E)) / 2, which rises from 0 to k as progress e/E goes from 0 to
// 1. Progress outside [0,1] counts as the nearer end.
func EnergyWeight(k, progress float64) float64 { return k * rise(progress) }

// rise goes from 0 to 1 along half a cosine.
func rise(x float64) float64 {
	return (1 - math.Cos(math.Pi*min(max(x, 0), 1))) / 2
}
