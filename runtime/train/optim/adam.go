package optim

import (
	"fmt"
	"math"

	"spikingir/runtime/train/kernel"
)

// The constants of Adam, as in its paper and in PyTorch.
const (
	beta1   = 0.9
	beta2   = 0.999
	epsilon = 1e-8
)

// Adam is the optimiser (Kingma and Ba, ICLR 2015) with a decoupled decay of weights
// (AdamW: Loshchilov and Hutter, ICLR 2019), and its state: the mean and the mean square
// of each gradient, both decaying, and the number of steps that each parameter took.
type Adam struct {
	// Steps is the number of steps that each parameter took.
	Steps []uint64

	decay  float64
	params []*Param
	mean   [][]float32
	square [][]float32
}

// NewAdam returns an optimiser at step 0. A step first multiplies each weight by
// 1 - rate*decay.
func NewAdam(params []*Param, decay float64) (*Adam, error) {
	if !(decay >= 0) || math.IsInf(decay, 1) {
		return nil, fmt.Errorf("weight decay is %g, want 0 or more", decay)
	}
	names := map[string]bool{}
	a := &Adam{decay: decay, params: params, Steps: make([]uint64, len(params))}
	for _, p := range params {
		if p.Name == "" || names[p.Name] {
			return nil, fmt.Errorf("parameter name %q is empty or taken twice", p.Name)
		}
		if len(p.Value) != len(p.Grad) {
			return nil, fmt.Errorf("parameter %s has %d values and %d gradients, want as many",
				p.Name, len(p.Value), len(p.Grad))
		}
		names[p.Name] = true
		a.mean = append(a.mean, make([]float32, len(p.Value)))
		a.square = append(a.square, make([]float32, len(p.Value)))
	}
	return a, nil
}

// Step updates all parameters from their gradients.
func (a *Adam) Step(rate float64) {
	for i := range a.params {
		a.step(i, rate)
	}
}

// step updates parameter i.
func (a *Adam) step(i int, rate float64) {
	p := a.params[i]
	o := kernel.Adam{Rate: rate, Beta1: beta1, Beta2: beta2, Epsilon: epsilon}
	if p.Decays {
		o.Decay = a.decay
	}
	a.Steps[i]++
	kernel.AdamStep(p.Value, p.Grad, a.mean[i], a.square[i], o, int(a.Steps[i]), 1)
}

// Counts are the steps that each parameter took.
func (a *Adam) Counts() []uint64 { return a.Steps }

// State is the state beside Steps, as arrays that share its memory:
// "adam.mean/NAME" and "adam.square/NAME" of each parameter.
func (a *Adam) State() []Array {
	var out []Array
	for i, p := range a.params {
		out = append(out,
			Array{"adam.mean/" + p.Name, a.mean[i]},
			Array{"adam.square/" + p.Name, a.square[i]})
	}
	return out
}
