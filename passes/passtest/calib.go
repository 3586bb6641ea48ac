package passtest

import (
	"context"
	"errors"

	"spikingir/graph"
	"spikingir/runtime/calib"
	"spikingir/runtime/ops"
)

// calibrate gives the statistics of values over the case's seeded calibration
// inputs.
func (c *goldenCase) calibrate(m *graph.Model, names []string) (*graph.Stats, error) {
	if c.calib == nil {
		return nil, errors.New("the case has no section calib")
	}
	return calib.Collect(context.Background(), m, names, draws{c.calib, m}, nil, nil)
}

// draws is the calibration inputs of a model.
type draws struct {
	*settings
	model *graph.Model
}

// Len is the number of inputs.
func (d draws) Len() int { return d.n }

// Input draws input i.
func (d draws) Input(i int) (*ops.Tensor, error) {
	in, err := d.inputs(d.model, i)
	if err != nil {
		return nil, err
	}
	for _, t := range in { // Collect refuses models of several
		return ops.FromGraph(t)
	}
	return nil, errors.New("the model has no input")
}

// SHA256 identifies no files.
func (d draws) SHA256() string { return "" }
