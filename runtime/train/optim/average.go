package optim

import (
	"fmt"
	"slices"
)

// An Average is the exponential moving average of all parameters, which often
// measures better than the parameters themselves. It warms up: the n-th update
// (n from 0) decays by min(decay, (1+n)/(10+n)), so that the values it began
// with are soon forgotten.
//
// It is kept in float32: with a decay of 0.999 an average stays within about
// 6e-5, relative, of the exact one.
type Average struct {
	Updates uint64 // their number

	params []*Param
	values [][]float32
	decay  float64
}

// NewAverage begins an average at the parameters' present values.
func NewAverage(params []*Param, decay float64) (*Average, error) {
	if !(decay >= 0 && decay < 1) {
		return nil, fmt.Errorf("decay of the average is %g, want 0 to less than 1", decay)
	}
	a := &Average{params: params, decay: decay}
	for _, p := range params {
		a.values = append(a.values, slices.Clone(p.Value))
	}
	return a, nil
}

// Update takes the parameters' present values into the average.
func (a *Average) Update() {
	n := float64(a.Updates)
	rest := float32(1 - min(a.decay, (1+n)/(10+n)))
	a.Updates++
	for i, p := range a.params {
		avg := a.values[i]
		for k, v := range p.Value {
			avg[k] += float32(rest * (v - avg[k]))
		}
	}
}

// Swap exchanges the parameters' values and the average, in place. Called a
// second time it undoes that; in between, Update must not be called.
func (a *Average) Swap() {
	for i, p := range a.params {
		avg := a.values[i]
		for k, v := range p.Value {
			p.Value[k], avg[k] = avg[k], v
		}
	}
}

// State returns the average, as arrays that share its memory: "average/NAME" of
// each parameter.
func (a *Average) State() []Array {
	var out []Array
	for i, p := range a.params {
		out = append(out, Array{"average/" + p.Name, a.values[i]})
	}
	return out
}
