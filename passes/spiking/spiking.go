// Package spiking builds and recognises nodes of the domain ai.spikingir for
// the passes that make a network spiking. What the operators mean stands in
// package graph/op.
package spiking

import (
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

// V0 is the option of the passes that make neurons.
var V0 = passes.Float("v0", 0, 0, 1, "initial membrane potential in units of the threshold (0 to 1)")

// Op is the operator typ of the spiking domain.
func Op(typ string) graph.Op { return graph.Op{Domain: graph.Spiking, Type: typ} }

// Attrs is the attributes of an operator that runs over the given steps; the
// zero Steps are the untimed form.
func Attrs(s op.Steps) graph.Attrs {
	return graph.Attrs{
		{Name: "timesteps", Value: graph.Int(s.Timesteps)},
		{Name: "post", Value: graph.Int(s.Post)},
	}
}

// NeuronAttrs is Attrs of an IF or MPRN in untimed form; v0 is the initial
// membrane potential in units of the threshold.
func NeuronAttrs(v0 float64) graph.Attrs {
	return append(Attrs(op.Steps{}), graph.NamedAttr{Name: "v0", Value: graph.Float(v0)})
}

// Steps is the time that the spiking nodes of m state: zero for a model without
// any, and in the untimed form.
func Steps(m *graph.Model) op.Steps {
	for n := range m.Graph.Nodes() {
		if n.Op().Domain != graph.Spiking {
			continue
		}
		t, _ := graph.Get(n.Attrs, "timesteps", graph.Int(0))
		p, _ := graph.Get(n.Attrs, "post", graph.Int(0))
		return op.Steps{Timesteps: int64(t), Post: int64(p)}
	}
	return op.Steps{}
}

// HasNeurons reports whether a graph has neurons.
func HasNeurons(g *graph.Graph) bool {
	for n := range g.Nodes() {
		if op.IsNeuron(n) {
			return true
		}
	}
	return false
}

// IsReadout reports whether n ends the spiking region.
func IsReadout(n *graph.Node) bool { return n.IsSpiking("CPM") || n.IsSpiking("Decode") }

// IsOutput reports whether the neuron n is an output neuron: something reads
// its spikes, and only readouts do.
func IsOutput(n *graph.Node) bool {
	uses := n.Output(0).Uses()
	return len(uses) > 0 && !slices.ContainsFunc(uses, func(u graph.Use) bool {
		return !IsReadout(u.Node)
	})
}

// GivesResidual reports whether something reads the residual potential of the neuron n.
func GivesResidual(n *graph.Node) bool {
	v := n.Output(op.NeuronVRes)
	return v != nil && (v.NumUses() > 0 || v.IsOutput())
}

// WithoutSpikes reports whether v is the constant current of an Encode, directly or behind
// operators without spikes, or does not vary in time at all.
func WithoutSpikes(v *graph.Value) bool {
	n := v.Producer()
	switch {
	case n == nil, n.Region != graph.SpikingRegion, n.IsSpiking("Encode"):
		return true
	case op.IsNeuron(n):
		return false
	}
	for _, u := range n.Inputs() {
		if u != nil && !WithoutSpikes(u) {
			return false
		}
	}
	return true
}

// Parameter adds an initializer of n's graph named after the node: name is such
// as "theta". dims nil makes it a scalar.
func Parameter(n *graph.Node, name string, dims []int64, xs []float32) *graph.Value {
	g := n.Graph()
	if dims == nil {
		dims = []int64{}
	}
	return g.AddInitializer(g.FreshName(n.Label()+"."+name), graph.NewFloat32(dims, xs))
}

// Open is the threshold of a neuron that has none yet: +Inf.
func Open(n *graph.Node) *graph.Value {
	return Parameter(n, "theta", nil, []float32{float32(math.Inf(1))})
}

// IsOpen reports whether a neuron's threshold is [Open].
func IsOpen(theta []float32) bool { return len(theta) == 1 && math.IsInf(float64(theta[0]), 1) }

// PerChannel is the dimensions of a parameter with one number for each of c
// channels (dimension 1) of a tensor of the given rank: [C,1,1] for rank 4.
func PerChannel(c, rank int) []int64 {
	dims := slices.Repeat([]int64{1}, rank-1)
	dims[0] = int64(c)
	return dims
}

// Amplitudes is what a spike is worth on each channel of v, which is made of spikes of
// one amplitude for each channel: those of a neuron, or of several that Concat joins
// or that AveragePool averages. false when v is anything else, or its channels are not
// known.
func Amplitudes(v *graph.Value) ([]float32, bool) {
	n := v.Producer()
	switch {
	case n == nil:
		return nil, false
	case op.IsNeuron(n) && v == n.Output(op.NeuronY):
		theta, err := passes.Threshold(n)
		if err != nil || len(v.Type.Shape) < 2 {
			return nil, false
		}
		c, known := v.Type.Shape[1].Size()
		if !known || len(theta) != 1 && int64(len(theta)) != c {
			return nil, false
		}
		return slices.Repeat(theta, int(c)/len(theta)), true
	case n.Is("Concat"):
		return joined(n)
	case n.Is("AveragePool"):
		return averaged(n)
	}
	return nil, false
}

// joined is the amplitudes of a Concat over channels.
func joined(n *graph.Node) (list []float32, ok bool) {
	c, err := op.ConcatOf(n)
	if rank := len(n.Output(0).Type.Shape); err != nil || rank == 0 || (c.Axis+int64(rank))%int64(rank) != 1 {
		return nil, false
	}
	for _, v := range n.Inputs() {
		some, ok := Amplitudes(v)
		if !ok {
			return nil, false
		}
		list = append(list, some...)
	}
	return list, true
}

// averaged is the amplitudes of an AveragePool whose windows all have the same divisor.
func averaged(n *graph.Node) ([]float32, bool) {
	p, err := op.PoolOf(n)
	pads := slices.ContainsFunc(p.Pads, func(x int64) bool { return x != 0 })
	if err != nil || p.AutoPad != op.NotSet || p.CeilMode || pads && !p.CountPad {
		return nil, false
	}
	area := float32(1)
	for _, k := range p.Kernel {
		area *= float32(k)
	}
	list, ok := Amplitudes(n.Input(0))
	for i := range list {
		list[i] /= area
	}
	return list, ok
}
