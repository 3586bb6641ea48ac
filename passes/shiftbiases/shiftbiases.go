// Package shiftbiases holds the pass shift-biases, which makes up for the mean error of
// neurons that fire by whole thresholds.
package shiftbiases

import (
	"fmt"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/spiking"
)

// Pass adds half a threshold, spread over the timesteps, to the bias of every neuron.
//
// Before: y = IF(x, bias, theta) over T timesteps; bias may be absent.
// After: y = IF(x, bias + theta/(2T), theta), one number or one for each channel; the
// neuron's metadata state spikingir.shift.
// Conditions: the neuron is not shifted yet, and no CPM reads it, whose residual potential
// makes up for the error by itself.
// Algebra: a rate is rounded down to a multiple of 1/T, so that of a current spread evenly it
// is 1/(2T) too low in the mean. T times theta/(2T) is half a threshold, as v0 = 1/2 is; there
// it is from the first step on, here it comes bit by bit (Deng and Gu, ICLR 2021, who add it to
// the biases). Sums are computed in float64 and rounded once.
var Pass = &passes.Pass{
	Name: "shift-biases",
	Doc: "add half a threshold over all timesteps to the neurons' biases\n\n" +
		"Rates are rounded down, and so are too low in the mean. A bias that is larger\n" +
		"by theta/(2T) rounds them to the nearest.",
	Needs:   passes.Typed | passes.Neurons | passes.Thresholds | passes.Timed,
	Changes: "neurons integrate half a threshold more",
	Run:     run,
}

func run(c *passes.Context) (changed bool, err error) {
	return c.Each(func(n *graph.Node) (bool, error) {
		if !op.IsNeuron(n) || compensated(n) {
			return false, nil
		}
		if _, done := n.Metadata.Get(graph.MetaShift); done {
			return false, nil
		}
		return true, shift(c, n)
	})
}

// compensated reports whether a CPM reads the neuron.
func compensated(n *graph.Node) bool {
	for _, u := range n.Output(op.NeuronY).Uses() {
		if u.Node.IsSpiking("CPM") {
			return true
		}
	}
	return false
}

func shift(c *passes.Context, n *graph.Node) error {
	theta, err := passes.Threshold(n)
	if err != nil {
		return err
	}
	bias := []float32{0}
	if v := n.Input(op.NeuronBias); v != nil {
		if v.Const == nil {
			return op.Unsupportedf(n, "its bias %q is computed at run time, want a constant", v.Name())
		}
		if bias, err = v.Const.Float32s(); err != nil {
			return op.Unsupportedf(n, "bias %q: %v", v.Name(), err)
		}
	}
	if len(theta) > 1 && len(bias) > 1 && len(theta) != len(bias) {
		return op.Unsupportedf(n, "it has %d thresholds and %d biases", len(theta), len(bias))
	}
	steps := float64(spiking.Steps(c.Model).Timesteps)
	xs := make([]float32, max(len(theta), len(bias)))
	for i := range xs {
		xs[i] = float32(float64(bias[i%len(bias)]) + float64(theta[i%len(theta)])/(2*steps))
	}
	var dims []int64
	if len(xs) > 1 {
		dims = spiking.PerChannel(len(xs), len(n.Input(op.NeuronX).Type.Shape))
	}
	n.SetInput(op.NeuronBias, spiking.Parameter(n, "bias", dims, xs))
	n.Metadata.Set(graph.MetaShift, fmt.Sprintf("1/%d", 2*int64(steps)))
	return nil
}
