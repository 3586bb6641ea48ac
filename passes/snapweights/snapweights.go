// Package snapweights holds the pass snap-weights, which rounds the numbers of a spiking
// network so that every runtime computes the same spikes.
package snapweights

import (
	"math"

	"spikingir/graph"
	"spikingir/graph/exact"
	"spikingir/graph/op"
	"spikingir/passes"
)

// Pass gives a network the exact form.
//
// Before: unit form, in float32. The order in which a runtime sums the products of a
// convolution decides the last bit of a current, and that bit a spike.
// After: weights and biases of every layer that spikes drive are whole multiples of a power
// of two, one for each output channel, the largest at which no sum over all inputs and
// all steps needs more than the 24 bits of a float32. The image is limited to a range and rounded to a
// power of two in front of the first layer, which shares the bits of its products with the weights there, and the current of that layer in front of Encode: by
// Floor(x*2^u + 1/2)*2^-u. What skips the first layer reads the image as it is.
// Conditions: every operator gives the same bits everywhere once its inputs do: sums of
// multiples, or a single rounding. Sigmoid, Resize between pixels and what else runtimes
// compute in their own way is refused by name; so is a layer whose weights would keep too few
// bits, at many timesteps.
// Algebra: sums of whole multiples of one unit, below 2^24 of it, are exact in float32 in any
// order, with fused multiply-adds or without, and in integers. The rounding is at most half a
// unit for each weight, in the first layer a whole one and half of one for sums of weights. The second run changes nothing.
var Pass = &passes.Pass{
	Name: name,
	Doc: "round the numbers so that every runtime gives the same spikes\n\n" +
		"Weights, biases and the image become multiples of powers of two that leave room for every sum in the 24\n" +
		"bits of float32: no order of summation changes a bit.",
	Options: []passes.Option{Bits, Low, High},
	Needs:   passes.Typed | passes.Split | passes.Thresholds | passes.Timed | passes.UnitForm | passes.OpsetCurrent,
	Gives:   passes.Exact,
	Changes: "weights, biases and the image are rounded",
	Run:     run,
}

// name is that of the pass, and marks the nodes that it made.
const name = "snap-weights"

// Bits bounds a weight behind spikes, with its sign; Low and High are what an image is
// limited to in front of the first layer.
var (
	Bits = passes.Int("bits", 16, 8, 16, "bits of a weight behind spikes, with its sign")
	Low  = passes.Float("low", -1, -65536, 0, "the image is limited to this from below, in front of the first layer")
	High = passes.Float("high", 2, 1e-6, 65536, "the image is limited to this from above, in front of the first layer")
)

func run(c *passes.Context) (changed bool, err error) {
	if passes.Exact.Check(c.Model) == nil && withinBits(c) {
		return false, nil
	}
	s := &snapper{Context: c, rounds: map[*graph.Node]*round{}}
	if err := s.insert(); err != nil {
		return true, err
	}
	if err := s.separate(); err != nil {
		return true, err
	}
	err = s.plan(0)
	for room := 1; room <= mostRoom && err != nil; room++ {
		if s.plan(room) == nil {
			err = nil
		}
	}
	if err != nil {
		return true, err
	}
	s.apply()
	return true, nil
}

// mostRoom is how many bits may be given up so that sums of several layers fit as well.
const mostRoom = 6

// snapper is one run. A plan states all numbers anew, from those that the model has.
type snapper struct {
	*passes.Context
	rounds  map[*graph.Node]*round // by the Mul that begins it
	prover  *exact.Prover
	numbers map[*graph.Value]*graph.Tensor
	room    int // bits left free
}

// largest is the largest weight behind spikes in units: integer kernels hold 16 bits in two
// signed bytes.
func largest(c *passes.Context) float64 {
	bits := Bits.Of(c)
	if bits == 16 {
		return 127*256 + 127
	}
	return float64(int64(1)<<(bits-1) - 1)
}

// withinBits reports whether all weights behind spikes are whole multiples of a unit at
// which none is too large.
func withinBits(c *passes.Context) bool {
	for n := range c.Model.Graph.Nodes() {
		if n.Region != graph.SpikingRegion || !isLayer(n) {
			continue
		}
		t := op.Constant(n.Input(1))
		xs, err := t.Float32s()
		if err != nil {
			return false
		}
		l, err := op.LayoutOf(n, t.Dims)
		if err != nil {
			return false
		}
		unit, most := make([]int, l.Out), make([]float64, l.Out)
		for i := range unit {
			unit[i] = math.MinInt32
		}
		for i, x := range xs {
			_, o := l.Channel(i)
			unit[o], most[o] = max(unit[o], exact.UnitOf(float64(x))), max(most[o], math.Abs(float64(x)))
		}
		for o, m := range most {
			if m > 0 && math.Ldexp(m, unit[o]) > largest(c) {
				return false
			}
		}
	}
	return true
}

func isLayer(n *graph.Node) bool {
	return (n.Is("Conv") || n.Is("ConvTranspose") || n.Is("Gemm")) && op.Constant(n.Input(1)) != nil
}

// separate gives every node parameters of its own, which the plan may round in different ways,
// and rounds v0, which is none.
func (s *snapper) separate() error {
	for n := range s.Model.Graph.Nodes() {
		if op.IsNeuron(n) {
			k, err := op.NeuronOf(n)
			if err != nil {
				return err
			}
			if v0 := snap(float64(k.V0), levelBits); v0 != k.V0 {
				n.Attrs.Set("v0", graph.Float(v0))
			}
		}
		for _, i := range parameters(n) {
			v := n.Input(i)
			t := op.Constant(v)
			if t == nil || v.IsConstant() && v.NumUses() == 1 && !v.IsOutput() && v.Graph() == n.Graph() {
				continue
			}
			n.SetInput(i, n.Graph().AddInitializer(n.Graph().FreshName(v.Name()), t))
		}
	}
	return nil
}

// parameters lists the inputs of n that the pass rounds.
func parameters(n *graph.Node) []int {
	switch {
	case isLayer(n):
		return present(n, 1, 2)
	case n.IsSpiking("Bias"):
		return present(n, 1)
	case op.IsMPRN(n):
		return present(n, op.NeuronBias, op.NeuronAlpha)
	case op.IsNeuron(n):
		return present(n, op.NeuronBias)
	case n.IsSpiking("CPM"):
		return present(n, 2)
	case n.Region == graph.SpikingRegion && n.Is("Mul"):
		return present(n, 0, 1)
	}
	return nil
}

func present(n *graph.Node, list ...int) (some []int) {
	for _, i := range list {
		if v := n.Input(i); v != nil && op.Constant(v) != nil {
			some = append(some, i)
		}
	}
	return some
}

// apply puts the planned numbers into the model.
func (s *snapper) apply() {
	for n := range s.Model.Graph.Nodes() {
		for _, v := range n.Inputs() {
			if t := s.numbers[v]; t != nil {
				v.Const = t
			}
		}
	}
}
