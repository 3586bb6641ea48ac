package optim

import (
	"fmt"
	"math"
)

// A Param is one tensor to train. Value and Grad have the same length; the
// optimiser changes Value in place and reads Grad, which the caller fills.
type Param struct {
	Name        string
	Value, Grad []float32
	// Rate is the factor on the learning rate; 0 freezes the parameter.
	Rate float64
	// Decay is the factor on the decay of weights: 1 for weights, 0 for biases
	// and for the parameters of neurons.
	Decay float64
}

// An Array is a piece of an optimiser's state under its name.
type Array struct {
	Name string
	Data []float32
}

// checkParams reports parameters that cannot be trained. That all are frozen is
// an error, because it is what a forgotten Rate looks like.
func checkParams(params []*Param) error {
	names := map[string]bool{}
	moving := false
	for _, p := range params {
		switch {
		case p.Name == "" || names[p.Name]:
			return fmt.Errorf("parameter name %q is empty or taken twice", p.Name)
		case len(p.Value) != len(p.Grad):
			return fmt.Errorf("parameter %s has %d values and %d gradients, want as many",
				p.Name, len(p.Value), len(p.Grad))
		case !(p.Rate >= 0) || math.IsInf(p.Rate, 1):
			return fmt.Errorf("parameter %s has the rate factor %g, want 0 or more", p.Name, p.Rate)
		case !(p.Decay >= 0) || math.IsInf(p.Decay, 1):
			return fmt.Errorf("parameter %s has the decay factor %g, want 0 or more", p.Name, p.Decay)
		}
		names[p.Name] = true
		moving = moving || p.Rate > 0
	}
	if !moving {
		return fmt.Errorf("none of %d parameters has a rate above 0", len(params))
	}
	return nil
}

// restore copies arrays into fields: one array for every field, in any order.
// Nothing is changed when it fails.
func restore(what string, fields, arrays []Array) error {
	if len(arrays) != len(fields) {
		return fmt.Errorf("state of %s holds %d arrays, want %d", what, len(arrays), len(fields))
	}
	byName := make(map[string][]float32, len(arrays))
	for _, a := range arrays {
		byName[a.Name] = a.Data
	}
	for _, f := range fields {
		data, ok := byName[f.Name]
		if !ok {
			return fmt.Errorf("state of %s lacks the array %s", what, f.Name)
		}
		if len(data) != len(f.Data) {
			return fmt.Errorf("array %s of %s holds %d values, want %d", f.Name, what, len(data), len(f.Data))
		}
	}
	for _, f := range fields {
		copy(f.Data, byName[f.Name])
	}
	return nil
}
