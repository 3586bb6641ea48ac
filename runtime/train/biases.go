package train

import (
	"spikingir/graph"
	"spikingir/graph/op"
)

// AddBiases gives every neuron without a bias current one of zeros, a number for each
// channel, so that there is something to correct its mean with, and returns how many
// it gave. What the network computes stays the same. Neurons whose channels are not
// known, or whose current is not [N,C,H,W], go without.
func AddBiases(m *graph.Model) (added int) {
	for node := range m.Graph.Nodes() {
		if !op.IsNeuron(node) || node.Input(op.NeuronBias) != nil {
			continue
		}
		s, err := op.NeuronOf(node)
		if err != nil || len(s.Y.Type.Shape) != 4 {
			continue
		}
		c, ok := s.Y.Type.Shape[1].Size()
		if !ok {
			continue
		}
		zeros := graph.NewFloat32([]int64{1, c, 1, 1}, make([]float32, c))
		node.SetInput(op.NeuronBias, m.Graph.AddInitializer(m.Graph.FreshName(s.Y.Name()+".bias"), zeros))
		added++
	}
	return added
}
