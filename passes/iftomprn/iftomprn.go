// Package iftomprn holds the pass if-to-mprn, which turns hidden neurons into
// membrane-potential reuse neurons.
package iftomprn

import (
	"math"
	"strconv"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/spiking"
)

// Pass replaces the hidden IF neurons by MPRN neurons.
//
// Before: y = IF(x, bias, theta) in untimed form, read inside the spiking region.
// After: y = MPRN(x, bias, theta, alpha) under the same name; alpha is the
// initializer NAME.alpha, beta the metadata spikingir.beta.
// Conditions: the model is not timed yet. Output neurons, which a CPM or Decode
// reads, stay IF.
// Algebra: at the post step T+1 the neuron fires from alpha*theta on, with
// alpha = 0.5*sigmoid(beta) + 0.5 in (0.5, 1), and so turns membrane potential
// that is left over into one more spike (SpikingIR, Eq. 13-16). Without time the
// two neurons are the same.
var Pass = &passes.Pass{
	Name: "if-to-mprn",
	Doc: "make hidden neurons reuse their membrane potential\n\n" +
		"Each hidden IF neuron becomes an MPRN, which may fire once more after the\n" +
		"last timestep, from a lower threshold on. Output neurons stay IF.",
	Options: []passes.Option{Beta},
	Needs:   passes.Neurons,
	Changes: "an MPRN may fire once more after the last timestep",
	Run:     run,
}

// Beta sets the threshold of the post step.
var Beta = passes.Float("beta", 0, -80, 80, "threshold of the post step: alpha = 0.5*sigmoid(beta) + 0.5")

func run(c *passes.Context) (changed bool, err error) {
	beta := Beta.Of(c)
	alpha := float32(Alpha(beta))
	timed := spiking.Steps(c.Model).Timesteps > 0
	return c.Each(func(n *graph.Node) (bool, error) {
		if !n.IsSpiking("IF") || !hidden(n) {
			return false, nil
		}
		if timed {
			return false, op.Unsupportedf(n, "the model is timed already: run if-to-mprn before encode-input")
		}
		attrs := append(graph.Attrs(nil), n.Attrs...)
		m, err := c.Replace(n, spiking.Op("MPRN"), attrs, n.Input(op.NeuronX), n.Input(op.NeuronBias),
			n.Input(op.NeuronTheta), spiking.Parameter(n, "alpha", nil, []float32{alpha}))
		if err != nil {
			return false, err
		}
		m.Metadata.Set(graph.MetaBeta, strconv.FormatFloat(beta, 'g', -1, 64))
		return true, nil
	})
}

// hidden reports whether only operators of the spiking region, and no readout,
// read n's spikes.
func hidden(n *graph.Node) bool {
	uses := n.Output(0).Uses()
	for _, u := range uses {
		if u.Node.Region != graph.SpikingRegion || spiking.IsReadout(u.Node) {
			return false
		}
	}
	return len(uses) > 0
}

// Alpha is the threshold of the post step in units of theta (Eq. 15).
func Alpha(beta float64) float64 { return 0.5/(1+math.Exp(-beta)) + 0.5 }
