package optim

import (
	"fmt"
	"math"
)

// Clip scales all gradients so that their Euclidean norm together is at most limit, and
// returns the norm they had. A limit of 0 leaves them as they are. A gradient that is no
// finite number is an error, which names the first, and nothing is changed.
func Clip(params []*Param, limit float64) (float64, error) {
	norm, err := norm(params)
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

// norm adds squares in float64 in the order of the parameters.
func norm(params []*Param) (float64, error) {
	sum := 0.0
	for _, p := range params {
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
	first, count := "", 0
	for _, p := range params {
		for i, g := range p.Grad {
			if g-g == 0 {
				continue
			}
			if first == "" {
				first = fmt.Sprintf("gradient %d of %s is %g", i, p.Name, g)
			}
			count++
		}
	}
	return fmt.Errorf("%s, want a finite number (%d are not)", first, count)
}
