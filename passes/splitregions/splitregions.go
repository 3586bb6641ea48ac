// Package splitregions holds the pass split-regions, which decides what part of
// a network becomes spiking.
package splitregions

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/spiking"
	"spikingir/passes/weights"
)

// Pass gives every node its region: analog-pre, spiking or analog-post.
//
// Before: a network whose nodes have no region.
// After: the same nodes. Spiking are the activations that neurons can stand for
// and what lies between and behind them; analog-pre is what depends on none of
// them; analog-post is the largest end of the network without a layer of weights
// and without the activation of one.
// Conditions: an operator in the spiking region is linear over time, of float
// tensors, keeps dimension 0 (the batch, where timesteps will lie) to itself and
// has constant weights. Everything else that depends on an activation is refused
// by name, all at once, or with analog=keep stays analog: an island, with the gate
// of one number a channel that leads to it. Behind an island the next activation
// opens the spiking region again. A network without a neuron is an error. Once all
// nodes have their region, a further run changes nothing.
// Algebra: sum_t F(x_t) = F(sum_t x_t) for the operators F of the region
// (docs/design.md, Linear operators).
var Pass = &passes.Pass{
	Name: "split-regions",
	Doc: "decide which part of the network becomes spiking\n\n" +
		"What depends on no activation is analog-pre; what stands behind the last\n" +
		"layer of weights is analog-post; the rest is the spiking region, where\n" +
		"every operator must be linear over time. What cannot be spiking is refused\n" +
		"by name, or left analog on request, as an island between spiking parts.",
	Options: []passes.Option{Analog},
	Needs:   passes.Typed,
	Gives:   passes.Split,
	Run:     run,
}

// Analog is the option of what cannot be spiking.
var Analog = passes.OneOf("analog", "what cannot be spiking: refuse it, or keep it analog",
	Refuse, Keep)

// Treatment is what becomes of operators that cannot be spiking.
type Treatment string

// Refuse is an error, Keep leaves them analog.
const (
	Refuse Treatment = "refuse"
	Keep   Treatment = "keep"
)

func run(c *passes.Context) (changed bool, err error) {
	g := c.Model.Graph
	switch {
	case complete(g) && hasNeurons(g):
		return false, nil
	case spiking.HasNeurons(g):
		restore(g)
		return true, nil
	}
	s, err := analyse(c.Model)
	if err != nil {
		return false, err
	}
	if len(s.forced) > 0 && Analog.Of(c) == Refuse {
		s.refuse(c)
		return false, nil
	}
	for _, f := range s.order {
		if s.forced[f] != nil {
			c.Notef(f, "stays analog: %s", op.Problem(s.forced[f]))
		}
	}
	s.assign()
	if !hasNeurons(g) {
		return false, s.nothing(g.Name)
	}
	return true, nil
}

func complete(g *graph.Graph) bool {
	for n := range g.Nodes() {
		if n.Region == graph.Unassigned {
			return false
		}
	}
	return true
}

// hasNeurons reports whether the spiking region holds a neuron, or an activation
// that can become one.
func hasNeurons(g *graph.Graph) bool {
	for n := range g.Nodes() {
		if op.IsNeuron(n) || n.Region == graph.SpikingRegion && isActivation(n) {
			return true
		}
	}
	return false
}

// restore gives the nodes of a converted model, of which a tool dropped the
// regions, their regions back: Encode opens the spiking region, CPM and Decode
// close it.
func restore(g *graph.Graph) {
	inside, behind := map[*graph.Value]bool{}, map[*graph.Value]bool{}
	for n := range g.Nodes() {
		region := graph.AnalogPre
		for _, v := range n.Inputs() {
			if behind[v] && region == graph.AnalogPre {
				region = graph.AnalogPost
			}
			if inside[v] {
				region = graph.SpikingRegion
			}
		}
		if n.Op().Domain == graph.Spiking {
			region = graph.SpikingRegion
		}
		n.Region = region
		readout := n.IsSpiking("CPM") || n.IsSpiking("Decode")
		for i, v := range n.Outputs() {
			residual := op.IsNeuron(n) && i == op.NeuronVRes
			inside[v] = region == graph.SpikingRegion && !readout && !residual
			behind[v] = region == graph.AnalogPost || readout
		}
	}
}

// IsActivation reports whether n is an activation that neurons may stand for.
func IsActivation(n *graph.Node) bool { return isActivation(n) }

func isActivation(n *graph.Node) bool {
	return n.Is("Relu") || n.Is("LeakyRelu") || n.Is("PRelu") || n.Is("Clip")
}

// IsLayer reports whether n is a layer of weights.
func IsLayer(n *graph.Node) bool { return isLayer(n) }

func isLayer(n *graph.Node) bool {
	return weights.IsLayer(n) || (n.Is("MatMul") || n.Is("Einsum")) && slices.ContainsFunc(n.Inputs(), constant)
}
