// Package adoptspiking holds the pass adopt-spiking, with which passes go on with a file
// that is a spiking network already.
package adoptspiking

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/passes"
)

// Pass takes up a spiking network as passes left it in a file.
//
// Before: a network with timed neurons, read from a file.
// After: the same, without the functions of the spiking domain, which lower-functions
// writes again.
// Conditions: neurons, thresholds, timesteps and readouts are such as encode-input leaves
// them; anything else is an error.
// Algebra: none; the operators mean the same with functions and without.
var Pass = &passes.Pass{
	Name: "adopt-spiking",
	Doc: "go on with a network that is spiking already\n\n" +
		"It checks what conversion would have left standing, so that a finished or\n" +
		"fine-tuned file can be written in another form.",
	Needs: passes.Typed | passes.Split,
	Gives: given,
	Drops: passes.Lowered,
	Run:   run,
}

const given = passes.Neurons | passes.Readout | passes.Thresholds | passes.Timed

func run(c *passes.Context) (changed bool, err error) {
	if err := given.Check(c.Model); err != nil {
		return false, fmt.Errorf("the model is no finished spiking network: %w", err)
	}
	m := c.Model
	before := len(m.Functions)
	m.Functions = slices.DeleteFunc(m.Functions, func(f *graph.Function) bool { return f.Domain == graph.Spiking })
	return len(m.Functions) != before, nil
}
