// Package relutoif holds the pass relu-to-if, which puts integrate-and-fire
// neurons in the place of ReLUs.
package relutoif

import (
	"spikingir/graph"
	"spikingir/passes"
	"spikingir/passes/spiking"
)

// Pass replaces every Relu of the spiking region by a neuron population.
//
// Before: y = Relu(x) in the spiking region.
// After: y = IF(x, theta = +Inf) in untimed form, under the Relu's name; theta
// is the initializer NAME.theta, which normalize-thresholds will set.
// Conditions: none; a Relu outside of the region stays.
// Algebra: the firing rate of an IF with soft reset tends to
// clip(x, 0, theta)/theta as the timesteps grow (SpikingIR, Eq. 1-3), so that an
// untimed IF without a threshold is Relu(x) = max(x, 0) exactly.
var Pass = &passes.Pass{
	Name: "relu-to-if",
	Doc: "put integrate-and-fire neurons in the place of ReLUs\n\n" +
		"Each Relu of the spiking region becomes an IF neuron without a threshold\n" +
		"yet, in the untimed form that computes the same.",
	Options: []passes.Option{spiking.V0},
	Needs:   passes.Split,
	Run:     run,
}

func run(c *passes.Context) (changed bool, err error) {
	return c.Each(func(n *graph.Node) (bool, error) {
		if !n.Is("Relu") || n.Region != graph.SpikingRegion {
			return false, nil
		}
		attrs := spiking.NeuronAttrs(spiking.V0.Of(c))
		_, err := c.Replace(n, spiking.Op("IF"), attrs, n.Input(0), nil, spiking.Open(n))
		return true, err
	})
}
