// Package iftograded holds the pass if-to-graded, which turns hidden neurons into such that
// send more in a step than one spike.
package iftograded

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/spiking"
	"spikingir/passes/weights"
)

// Pass replaces IF neurons by BurstIF, MultiThresholdIF or SignedIF neurons.
//
// Before: y = IF(x, bias, theta) in untimed form.
// After: the same with another operator under the same name: BurstIF with the attribute burst,
// MultiThresholdIF with finest = 2^(2-thresholds), or SignedIF; and theta divided by divide. The model imports
// version 3 of the domain.
// Conditions: the model is not timed yet, and has no MPRN. The output neuron of a CPM, which compensates for
// what did not become a spike, stays an IF.
// Algebra: a BurstIF sends k = clip(floor(v/theta), 0, burst) spikes at a step, and is the IF where v never
// reaches 2*theta (Li & Zeng, IJCAI 2022). The thresholds 2*theta, theta, ..., tried one after
// another on what is left, are the binary digits of floor(v/u) with u the last of them (Li et al., Spiking-UNet,
// 2023). A SignedIF sends -1 at v <= -theta where the sum of what it has sent is positive (Wang et al., IJCAI
// 2022). Without time they are clip(x, 0, top), top being the most that goes out at each step.
var Pass = &passes.Pass{
	Name: "if-to-graded",
	Doc: "let hidden neurons send more in a step than one spike\n\n" +
		"Each IF neuron, but for those that a CPM reads, becomes one that fires in\n" +
		"bursts, has several thresholds, or takes spikes back.",
	Options: []passes.Option{Neuron, Burst, Thresholds, Divide},
	Needs:   passes.Neurons,
	Changes: "a step of a neuron passes on more than one spike, or less than none",
	Run:     run,
}

// Kind is what becomes of a neuron.
type Kind string

// BurstKind fires several times a step, MultiThreshold has thresholds of 2, 1, 1/2 ... theta,
// and SignedKind takes spikes back.
const (
	BurstKind      Kind = "burst"
	MultiThreshold Kind = "multi-threshold"
	SignedKind     Kind = "signed"
)

// The options.
var (
	Neuron     = passes.OneOf("neuron", "fires in bursts, has several thresholds, or takes spikes back", BurstKind, MultiThreshold, SignedKind)
	Burst      = passes.Int("burst", op.DefaultBurst, 1, op.MostBurst, "most spikes of a burst")
	Divide     = passes.Float("divide", 1, 1, op.MostBurst, "what thresholds are divided by: a burst of so many passes on what a spike did")
	Thresholds = passes.Int("thresholds", 4, 1, 7, "number of thresholds: 2, 1, 1/2, ... times the neuron's own")
)

func run(c *passes.Context) (changed bool, err error) {
	timed := spiking.Steps(c.Model).Timesteps > 0
	return c.Each(func(n *graph.Node) (bool, error) {
		if op.IsMPRN(n) {
			return false, op.Unsupportedf(n, "an MPRN fires once a step: leave if-to-mprn out of the pipeline")
		}
		if !n.IsSpiking("IF") || readByCPM(n) {
			return false, nil
		}
		if timed {
			return false, op.Unsupportedf(n, "the model is timed already: run if-to-graded before encode-input")
		}
		theta, err := divided(n, Divide.Of(c))
		if err != nil {
			return false, err
		}
		typ, attrs := kind(c, append(graph.Attrs(nil), n.Attrs...))
		_, err = c.Replace(n, spiking.Op(typ), attrs, n.Input(op.NeuronX), n.Input(op.NeuronBias), theta)
		c.Model.SetOpset(graph.Spiking, op.GradedVersion)
		return true, err
	})
}

// divided is the threshold of n by a number.
func divided(n *graph.Node, by float64) (*graph.Value, error) {
	theta := n.Input(op.NeuronTheta)
	if by == 1 {
		return theta, nil
	}
	xs, err := passes.Threshold(n)
	if err != nil {
		return nil, err
	}
	parts := make([]float32, len(xs))
	for i, x := range xs {
		parts[i] = float32(float64(x) / by)
	}
	return weights.Renew(n.Graph(), theta, graph.NewFloat32(theta.Const.Dims, parts), theta.Name()), nil
}

// kind is the operator that is asked for, and its attributes beside those of an IF.
func kind(c *passes.Context, attrs graph.Attrs) (string, graph.Attrs) {
	switch Neuron.Of(c) {
	case BurstKind:
		return "BurstIF", append(attrs, graph.NamedAttr{Name: "burst", Value: graph.Int(Burst.Of(c))})
	case MultiThreshold:
		finest := float32(2)
		for range Thresholds.Of(c) - 1 {
			finest /= 2
		}
		return "MultiThresholdIF", append(attrs, graph.NamedAttr{Name: "finest", Value: graph.Float(finest)})
	}
	return "SignedIF", attrs
}

// readByCPM reports whether a CPM reads n's spikes.
func readByCPM(n *graph.Node) bool {
	for _, u := range n.Output(op.NeuronY).Uses() {
		if u.Node.IsSpiking("CPM") {
			return true
		}
	}
	return false
}
