// Package quantiseweights holds the pass quantise-weights, which rounds the weights
// behind spikes to few bits.
package quantiseweights

import (
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/spiking"
	"spikingir/passes/weights"
)

// Pass rounds the weights of the convolutions that spikes drive.
//
// Before: z = Conv(s, W) or ConvTranspose(s, W), where s is the spikes of a neuron, or
// several joined by Concat or averaged by AveragePool, with thresholds a in front.
// After: W' of the same type. Of each output channel, W'*a is whole multiples of one
// scale, and the largest of them is 2^(bits-1)-1. Where hidden neurons
// alone read z, or Neg(z), the scale moves a little to suit the threshold of the first. Of two phases that becomes an odd
// multiple, and the bias such that counts change half way between two multiples. In lock-step it
// becomes a multiple that lies between two potentials, and the bias a multiple; a neuron that
// starts at 0 has no such threshold, and is left alone. Of the other neurons, as of the second population
// of a leaky ReLU, the threshold itself moves, to the nearest such multiple. A bias of 0 stays, and so do scale and threshold
// where the threshold is less than 8 of the scale.
// Conditions: constant weights and thresholds. A layer behind a sum or a product of
// spikes is left alone, with a note; so is one whose weights
// are computed at run time. The first layer and the readout keep their weights.
// Algebra: s = a*k with integers k, so that z is sums of integers times the scale. The
// rounding is at most half a scale for each weight, and the second run changes nothing.
// Moving the scale multiplies the weights of a channel by 1 +- scale/threshold at most. Sums
// of integers then reach a threshold or miss it, in whatever order and form they are computed.
var Pass = &passes.Pass{
	Name: "quantise-weights",
	Doc: "round the weights behind spikes to few bits\n\n" +
		"The weights of each output channel, times the amplitude of their input's\n" +
		"spikes, become multiples of one scale. The file stays float32, so that every\n" +
		"runtime computes the same network; integers of that size hold it exactly.",
	Options: []passes.Option{Bits},
	Needs:   passes.Typed | passes.Split | passes.Thresholds,
	Changes: "weights are rounded",
	Run:     run,
}

// Bits is the size of a weight, with its sign.
var Bits = passes.Int("bits", 8, 2, 16, "bits of a weight, with its sign")

func run(c *passes.Context) (changed bool, err error) {
	return c.Each(func(n *graph.Node) (bool, error) {
		if n.Region != graph.SpikingRegion || !n.Is("Conv") && !n.Is("ConvTranspose") {
			return false, nil
		}
		amplitude, ok := spiking.Amplitudes(n.Input(0))
		switch {
		case ok && op.Constant(n.Input(1)) != nil:
			return round(c, n, amplitude)
		case ok:
			c.Notef(n, "keeps its weights, which are computed at run time")
		case !spiking.WithoutSpikes(n.Input(0)):
			c.Notef(n, "keeps its weights: they multiply no spikes of one amplitude for each channel")
		}
		return false, nil
	})
}

func round(c *passes.Context, n *graph.Node, amplitude []float32) (bool, error) {
	t, xs, err := weights.Floats(n, n.Input(1), "weight")
	if err != nil {
		return false, err
	}
	l, err := op.LayoutOf(n, t.Dims)
	if err != nil {
		return false, err
	}
	q, err := weights.Quantise(l, xs, amplitude, int(Bits.Of(c)))
	if err != nil {
		return false, op.Wrap(n, err)
	}
	changed := false
	if changed, err = settle(hidden(n.Output(0)), q.Scale, q.Used(l)); err != nil {
		return false, err
	}
	rounded, moved := q.Floats(l, amplitude), false
	for i, x := range xs {
		in, out := l.Channel(i)
		unit := q.Scale[out] / float64(amplitude[in])
		if d := float64(x) - float64(rounded[i]); math.Abs(d) < onGrid*unit {
			rounded[i] = x // keeps its bits, so that a second run changes nothing
		} else {
			moved = true
		}
	}
	if !moved {
		return changed, nil
	}
	v := n.Input(1)
	n.SetInput(1, weights.Renew(n.Graph(), v, graph.NewFloat32(t.Dims, rounded), v.Name()))
	return true, nil
}

// hidden lists the neurons that alone read v, or its negative; none when something else does,
// an output neuron, of which a readout takes what it did not fire, or one of several spikes a step.
func hidden(v *graph.Value) (list []*graph.Node) {
	if v.IsOutput() {
		return nil
	}
	for _, u := range v.Uses() {
		some := []*graph.Node{u.Node}
		switch {
		case u.Node.Is("Neg"):
			some = hidden(u.Node.Output(0))
		case !op.IsNeuron(u.Node) || op.IsGraded(u.Node) || spiking.IsOutput(u.Node) || u.Index != op.NeuronX:
			return nil
		}
		if len(some) == 0 {
			return nil
		}
		list = append(list, some...)
	}
	return list
}

// onGrid is how far from a whole multiple, in parts of a unit, the rounding of float32
// may leave a weight.
const onGrid = 1e-4
