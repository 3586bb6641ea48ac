// Package spikecurrents holds the pass spike-currents, which puts activations where layers
// read sums of layers.
package spikecurrents

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/weights"
)

// Pass makes layers that multiply currents read spikes.
//
// Before: in the spiking region a layer reads what other layers give, with no activation
// in between: the sum of a residual block of EDSR, or a transposed convolution of a U-Net.
// After: y = LeakyRelu(x, 1) stands between them, one for all layers that read x.
// prelu-to-on-off makes an ON and an OFF population of it, relu(x) and relu(-x), and folds
// the sign into the weights. What else reads x, as the skip of the next block, still does.
// Conditions: x is not made of spikes alone, nor of analog values alone, which are the
// same at every step. Both together are a current.
// Algebra: max(x, 0) + 1*min(x, 0) = x, so that nothing changes until neurons have
// thresholds.
var Pass = &passes.Pass{
	Name: "spike-currents",
	Doc: "let neurons fire where layers read sums of layers\n\n" +
		"A layer that reads other layers with no activation in between multiplies a\n" +
		"current, in full at every step. Neurons for both signs in front of it make\n" +
		"it one that adds up weights of spikes, for more neurons and their error.",
	Needs: passes.Typed | passes.Split,
	Run:   run,
}

func run(c *passes.Context) (changed bool, err error) {
	spikes := map[*graph.Value]bool{} // of the values that vary over time: made of spikes alone
	signed := map[*graph.Value]*graph.Value{}
	for _, n := range slices.Collect(c.Model.Graph.Nodes()) {
		if n.Region != graph.SpikingRegion {
			continue
		}
		timed, currents, analog := false, false, false
		for i, v := range n.Inputs() {
			made, varies := spikes[v]
			if !varies {
				analog = analog || v != nil && op.Constant(v) == nil && !op.StatesSize(n, i)
				continue
			}
			timed, currents = true, currents || !made
			if made || !isLayer(n) {
				continue
			}
			if signed[v] == nil {
				signed[v] = activation(c, n, v)
			}
			n.SetInput(i, signed[v])
			changed = true
		}
		for _, v := range n.Outputs() {
			if v != nil && (timed || fires(n)) {
				spikes[v] = fires(n) || !currents && !analog && !isLayer(n)
			}
		}
	}
	return changed, nil
}

// activation puts the LeakyRelu of a value in front of a layer that reads it.
func activation(c *passes.Context, layer *graph.Node, v *graph.Value) *graph.Value {
	n := c.Insert(layer, v.Producer(), v.Producer().Label()+".signed", graph.Op{Type: "LeakyRelu"},
		graph.Attrs{{Name: "alpha", Value: graph.Float(1)}}, []*graph.Value{v}, v.Graph().FreshName(v.Name()+".signed"))
	n.Region = graph.SpikingRegion
	n.Output(0).Type = v.Type
	return n.Output(0)
}

// fires reports whether n is a neuron, or an activation that becomes one or two.
func fires(n *graph.Node) bool {
	return op.IsNeuron(n) || n.Is("Relu") || n.Is("LeakyRelu") || n.Is("PRelu") || n.Is("Clip")
}

func isLayer(n *graph.Node) bool { return weights.IsLayer(n) || n.Is("MatMul") }
