// Package lowerqdq holds the pass lower-qdq, which writes a two-phase network on spike
// counts of 8 bits.
package lowerqdq

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/plain"
)

// Pass writes a two-phase network in quantised form.
//
// Before: as for lower-counts, with weights that quantise-weights has rounded.
// After: as lower-counts gives it, except that hidden neurons give their counts as uint8:
//
//	neurons  q = QuantizeLinear(v'), c = Clip(q, 0, top); DequantizeLinear(c, theta) where
//	         floats are read; top is T, or T+1 with a post step
//	layers   v' = Conv(DequantizeLinear(c), DequantizeLinear(W), DequantizeLinear(b)),
//	         with W of int8 for each output channel and b of int32
//	Concat   of counts, on uint8
//
// A Conv behind Encode takes T, the threshold and the rounding into its weights and bias.
// The weights of the Conv in front of an output neuron are dequantised too, and its sums stay
// floats.
// Conditions: those of lower-counts, and top at most 255. An output neuron, or one that
// gives its residual potential or has parameters that are computed at run time, is written
// as lower-counts writes it. A layer is a Conv of counts that one hidden neuron alone reads, with constant
// weights of 8 bits, the threshold an odd multiple of their scale. Every other one works on
// floats, with a note.
// Algebra: k + s of an MPRN is clip(floor(v/theta + 1 - alpha), 0, T+1), k of an IF
// clip(floor(v/theta), 0, top). QuantizeLinear rounds to nearest, so that the bias gains
// (1/2 - alpha)*theta, or -theta/2. In units of the weights' scale the sum is an integer n,
// and theta an odd one, so that no n + b lies half way between two counts:
//
//	floor((n + p)/theta) = round((n + floor(p) - (theta-1)/2)/theta)
//
// A runtime with integer convolutions therefore computes the spikes of the network itself,
// and one without them the same ones. Behind float layers a potential exactly half way
// rounds to the even count, and the last bit of a sum decides, as in every form.
//
// The result is a plain network. Its metadata state the operators and the numbers that are
// rounded, so that raise-forms puts them back.
var Pass = &passes.Pass{
	Name: "lower-qdq",
	Doc: "write a two-phase network on spike counts of 8 bits\n\n" +
		"Counts are uint8, weights int8 for each output channel and biases int32, between\n" +
		"QuantizeLinear and DequantizeLinear, which runtimes fuse into integer\n" +
		"convolutions. Weights have to be rounded by quantise-weights.",
	Needs: passes.Typed | passes.Timed | passes.OpsetCurrent,
	Gives: passes.Lowered,
	Drops: passes.Timed | passes.Readout,
	// The first layer takes scales into its weights, which are floats.
	Changes: "sums of the first layer round otherwise, which may move a spike",
	Run:     run,
}

// mostCount is the largest count that 8 bits hold.
const mostCount = 255

func run(c *passes.Context) (changed bool, err error) {
	l := &lowering{neurons: map[*graph.Node]*neuron{}, convs: map[*graph.Node]bool{}, last: map[*graph.Node]*layer{},
		counts: map[*graph.Value]*graph.Value{}}
	for n := range c.Model.Graph.Nodes() {
		if !op.IsNeuron(n) {
			continue
		}
		k, err := neuronOf(n)
		if err != nil {
			return false, err
		}
		if k == nil {
			continue
		}
		if k.top > mostCount {
			c.Refuse(n, "it fires up to %d times at T = %d, want at most %d times, which 8 bits hold", k.top, k.Timesteps, mostCount)
			return false, nil
		}
		l.neurons[n] = k
	}
	if err := l.layers(c); err != nil {
		return false, err
	}
	if l.Sums, err = plain.NewSums(c, "qdq"); l.Sums == nil {
		return false, err
	}
	return l.Run(l.lower)
}

// lowering is one run. Neurons are those whose counts are uint8, convs the layers on them,
// last such layers in front of output neurons, and counts is the uint8 value of a neuron's
// spikes or of a Concat of some.
type lowering struct {
	*plain.Sums
	neurons map[*graph.Node]*neuron
	convs   map[*graph.Node]bool
	last    map[*graph.Node]*layer
	counts  map[*graph.Value]*graph.Value
}

func (l *lowering) lower(n *graph.Node) error {
	if n.IsSpiking("Encode") && l.absorbed(n) {
		return nil
	}
	if y := l.last[n]; y != nil {
		scales := make([]float32, len(y.scale))
		for out, s := range y.scale {
			scales[out] = float32(s)
		}
		l.readCounts(y, scales)
	}
	k := l.neurons[n]
	if k == nil {
		return l.Lower(n)
	}
	x := k.X
	switch first := k.first(); {
	case first != nil:
		if err := l.absorb(first, k); err != nil {
			return err
		}
		x = l.round(k, first.Output(0), []float32{1})
	case k.layer != nil:
		l.integer(k)
		x = l.round(k, x, []float32{1})
	default:
		x = l.Of(x)
		if shift := k.shift(); slices.ContainsFunc(shift, func(s float32) bool { return s != 0 }) {
			x = l.Node(n, "potential", "Add", nil, x, k.parameter("start", shift))
		}
		x = l.round(k, x, k.theta)
	}
	l.counts[k.Y] = x
	if !l.onlyCounts(k.Y) {
		x = l.dequantise(n, "y", x, k.theta)
	}
	l.Heirs[k.Y] = x
	return nil
}

// round is the counts of a neuron of the potential v, in units of the scales.
func (l *lowering) round(k *neuron, v *graph.Value, scales []float32) *graph.Value {
	n := k.node
	s, zero := l.grid(n, "unit", scales, graph.Uint8)
	q := l.Node(n, "rounded", "QuantizeLinear", nil, v, s, zero)
	return l.Node(n, "count", "Clip", nil, q, l.integers(n, "none", graph.Uint8, []int64{}, []int64{0}),
		l.integers(n, "most", graph.Uint8, []int64{}, []int64{k.top}))
}

// dequantise is x times a scale, or one for each channel.
func (l *lowering) dequantise(n *graph.Node, role string, x *graph.Value, scales []float32) *graph.Value {
	s, zero := l.grid(n, role+".scale", scales, graph.Uint8)
	return l.Node(n, role, "DequantizeLinear", nil, x, s, zero)
}

// onlyCounts reports whether every reader of v takes counts of 8 bits.
func (l *lowering) onlyCounts(v *graph.Value) bool {
	if v.IsOutput() {
		return false
	}
	for _, u := range v.Uses() {
		if !l.convs[u.Node] && !(u.Node.Is("Concat") && l.onlyCounts(u.Node.Output(0))) {
			return false
		}
	}
	return true
}
