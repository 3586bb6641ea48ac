package infer

import (
	"spikingir/graph"
	"spikingir/graph/op"
)

// Input is the shape of an input of the model: the one declared, or where the model
// declares none, the one that the weights of a convolution which reads it ask for. It is
// nil where nothing tells.
func Input(v *graph.Value) graph.Shape {
	if v.Type.Shape != nil || v.IsInitializer() || v.Type.Kind != graph.TensorType {
		return v.Type.Shape
	}
	for _, u := range v.Uses() {
		channels, rank, ok := convInput(u)
		if !ok {
			continue
		}
		shape := make(graph.Shape, rank)
		shape[1] = graph.Known(channels)
		if len(v.Graph().Inputs()) > 1 {
			return shape // its sizes may differ from those of other inputs
		}
		shape[0] = graph.Symbol("N")
		if rank == 4 {
			shape[2], shape[3] = graph.Symbol("H"), graph.Symbol("W")
		}
		return shape
	}
	return nil
}

// convInput is the channels and the rank of what a convolution of constant weights reads;
// ok is false for any other use.
func convInput(u graph.Use) (channels int64, rank int, ok bool) {
	if u.Index != 0 {
		return 0, 0, false
	}
	t := op.Constant(u.Node.Input(1))
	if t == nil || len(t.Dims) < 3 {
		return 0, 0, false
	}
	switch {
	case u.Node.Is("Conv"):
		c, err := op.ConvOf(u.Node)
		return t.Dims[1] * c.Group, len(t.Dims), err == nil
	case u.Node.Is("ConvTranspose"):
		return t.Dims[0], len(t.Dims), true
	}
	return 0, 0, false
}
