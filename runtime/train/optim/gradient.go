package optim

import (
	"fmt"
	"math"
)

// A NonFiniteError is a gradient that is NaN or infinite. It names the first.
type NonFiniteError struct {
	Param string
	Index int // in the parameter
	Value float32
	Count int // how many there are in all parameters
}

func (e *NonFiniteError) Error() string {
	return fmt.Sprintf("gradient %d of %s is %g, want a finite number (%d are not)",
		e.Index, e.Param, e.Value, e.Count)
}

// Norm is the Euclidean norm of all gradients together, those of frozen
// parameters left out. Squares are added in float64 in the order of the
// parameters. A gradient that is no finite number is a [*NonFiniteError].
func Norm(params []*Param) (float64, error) {
	sum := 0.0
	for _, p := range params {
		if p.Rate == 0 {
			continue
		}
		part := 0.0
		for _, g := range p.Grad {
			part += float64(float64(g) * float64(g))
		}
		sum += part
	}
	// Squares of float32 cannot overflow float64: the sum is finite exactly when
	// they all are.
	if sum-sum != 0 {
		return sum, nonFinite(params)
	}
	return math.Sqrt(sum), nil
}

func nonFinite(params []*Param) error {
	var e *NonFiniteError
	for _, p := range params {
		if p.Rate == 0 {
			continue
		}
		for i, g := range p.Grad {
			if g-g == 0 {
				continue
			}
			if e == nil {
				e = &NonFiniteError{Param: p.Name, Index: i, Value: g}
			}
			e.Count++
		}
	}
	return e
}

// Clip scales all gradients so that [Norm] is at most limit, and returns the
// norm they had. A limit of 0 leaves them as they are. Nothing is changed when
// one is no finite number.
func Clip(params []*Param, limit float64) (float64, error) {
	norm, err := Norm(params)
	if err != nil || limit <= 0 || norm <= limit {
		return norm, err
	}
	factor := float32(limit / norm)
	for _, p := range params {
		for i := range p.Grad {
			p.Grad[i] *= factor
		}
	}
	return norm, nil
}
