package optim

import (
	"fmt"
	"math"
	"slices"

	"spikingir/runtime/kernel"
)

// AdamOptions are the constants of Adam (Kingma and Ba, ICLR 2015) and of AdamW
// (Loshchilov and Hutter, ICLR 2019).
type AdamOptions struct {
	Beta1, Beta2, Eps float64
	// Decay is the decoupled decay of weights: each step first multiplies a
	// value by 1 - rate*Decay. 0: plain Adam.
	Decay float64
}

// DefaultAdam has the constants of the paper and of PyTorch.
var DefaultAdam = AdamOptions{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}

func (o AdamOptions) check() error {
	switch {
	case !(o.Beta1 >= 0 && o.Beta1 < 1) || !(o.Beta2 >= 0 && o.Beta2 < 1):
		return fmt.Errorf("betas of Adam are %g and %g, want 0 to less than 1", o.Beta1, o.Beta2)
	case !(o.Eps > 0) || math.IsInf(o.Eps, 1):
		return fmt.Errorf("epsilon of Adam is %g, want a small positive number", o.Eps)
	case !(o.Decay >= 0) || math.IsInf(o.Decay, 1):
		return fmt.Errorf("weight decay is %g, want 0 or more", o.Decay)
	}
	return nil
}

// Adam is the optimiser and its state: the mean and the mean square of each
// gradient, both decaying, and the number of steps that each parameter took. A
// parameter has a number of its own, so that one that was frozen at first begins
// with the bias correction of a first step.
type Adam struct {
	o      AdamOptions
	params []*Param
	mean   [][]float32
	square [][]float32
	steps  []uint64
}

// NewAdam returns an optimiser at step 0. It keeps the parameters: their rate
// factors may be changed between steps.
func NewAdam(params []*Param, o AdamOptions) (*Adam, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := checkParams(params); err != nil {
		return nil, err
	}
	a := &Adam{o: o, params: params, steps: make([]uint64, len(params))}
	for _, p := range params {
		a.mean = append(a.mean, make([]float32, len(p.Value)))
		a.square = append(a.square, make([]float32, len(p.Value)))
	}
	return a, nil
}

// Step updates all parameters that are not frozen from their gradients, with
// this learning rate times their factor. The state of a frozen one rests.
func (a *Adam) Step(rate float64) {
	for i, p := range a.params {
		if p.Rate == 0 {
			continue
		}
		a.steps[i]++
		kernel.AdamStep(p.Value, p.Grad, a.mean[i], a.square[i], kernel.Adam{
			Rate: rate * p.Rate, Beta1: a.o.Beta1, Beta2: a.o.Beta2, Epsilon: a.o.Eps, Decay: a.o.Decay * p.Decay,
		}, int(a.steps[i]), 1)
	}
}

// Steps returns the number of steps that each parameter took, in their order.
func (a *Adam) Steps() []uint64 { return slices.Clone(a.steps) }

// State returns the state beside [Adam.Steps], as arrays that share its memory:
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

// Restore takes back what Steps and State of an optimiser of the same parameters
// gave. Nothing is changed when it fails.
func (a *Adam) Restore(steps []uint64, arrays []Array) error {
	if len(steps) != len(a.params) {
		return fmt.Errorf("state of Adam holds the steps of %d parameters, want %d", len(steps), len(a.params))
	}
	if err := restore("Adam", a.State(), arrays); err != nil {
		return err
	}
	copy(a.steps, steps)
	return nil
}
