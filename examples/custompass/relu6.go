package main

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

// relu6ToRelu forgets the bound of ReLU6.
//
// Before: y = Clip(x, 0, 6).
// After: y = Relu(x), under the Clip's name.
// Conditions: both bounds are constants, and the upper one is that of the option.
// Algebra: the same for x <= 6.
//
// Without it the bound becomes the neuron's threshold, which is too high for networks
// whose activations stay small: few spikes come about within T steps. A ReLU gets its
// threshold from calibration.
var relu6ToRelu = &passes.Pass{
	Name: "relu6-to-relu",
	Doc: "forget the bound of ReLU6\n\n" +
		"Each Clip(0, bound) becomes a Relu, whose threshold comes from calibration.",
	Options: []passes.Option{bound},
	Changes: "what lies above the bound is no longer cut",
	Run:     run,
}

var bound = passes.Float("bound", 6, 0, 1e6, "the upper bound to forget")

func run(c *passes.Context) (changed bool, err error) {
	for n := range c.Model.Graph.Nodes() {
		if !n.Is("Clip") {
			continue
		}
		clip, err := op.ClipOf(n, c.Model.Opset(""))
		if err != nil {
			return changed, err
		}
		lo, hi := clip.Min, clip.Max
		if !lo.Known || !hi.Known || lo.Value != 0 || float64(hi.Value) != bound.Of(c) {
			continue
		}
		c.Notef(n, "the bound %g is forgotten", hi.Value)
		if _, err := c.Replace(n, graph.Op{Type: "Relu"}, nil, n.Input(0)); err != nil {
			return changed, err
		}
		changed = true
	}
	return changed, nil
}
