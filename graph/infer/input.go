package infer

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// Input is the shape of an input of the model: the one declared, or where the model
// declares none, or leaves its channels open, with those that the weights of a
// convolution which reads it ask for. Sizes of 0 in images are open: exporters write them for
// what they do not know. It is nil where nothing tells.
func Input(v *graph.Value) graph.Shape {
	if v.IsInitializer() || v.Type.Kind != graph.TensorType {
		return v.Type.Shape
	}
	if v.Type.Shape != nil {
		return withChannels(v)
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

// withChannels is the declared shape of v. Channels that it leaves open, as an export with every
// axis dynamic does, are those of the first convolution behind it.
func withChannels(v *graph.Value) graph.Shape {
	shape := opened(v.Type.Shape)
	if len(shape) < 3 {
		return shape
	}
	if _, known := shape[1].Size(); known {
		return shape
	}
	for x := v; x != nil; {
		var next *graph.Value
		for _, u := range x.Uses() {
			if channels, rank, ok := convInput(u); ok && rank == len(shape) {
				shape = slices.Clone(shape)
				shape[1] = graph.Known(channels)
				return shape
			}
			if keepsChannels(u) && !padsChannels(u.Node, len(shape)) {
				next = u.Node.Output(0)
			}
		}
		x = next
	}
	return shape
}

// opened is a declared shape of an input with open dimensions in the place of sizes of 0, which
// no image has.
func opened(s graph.Shape) graph.Shape {
	if len(s) < 3 {
		return s
	}
	s = slices.Clone(s)
	for i, d := range s {
		if n, known := d.Size(); known && n == 0 {
			s[i] = graph.Dim{Denotation: d.Denotation, Unknown: d.Unknown}
		}
	}
	return s
}

// Empty reports whether an input is declared with sizes of 0 that are taken as open.
func Empty(v *graph.Value) bool {
	return !v.IsInitializer() && v.Type.Kind == graph.TensorType && !slices.Equal(opened(v.Type.Shape), v.Type.Shape)
}

// keepsChannels reports whether what reads a value gives as many channels as it reads:
// an operator on each element, beside constants at most, or a border.
func keepsChannels(u graph.Use) bool {
	s := op.Lookup(u.Node.Op())
	if s == nil || u.Index != 0 && !s.Elementwise || !s.Elementwise && !u.Node.Is("Pad") && !u.Node.Is("Cast") && !u.Node.Is("Identity") {
		return false
	}
	for i, in := range u.Node.Inputs() {
		if i != u.Index && in != nil && op.Constant(in) == nil && !u.Node.Is("Pad") {
			return false
		}
	}
	return true
}

// padsChannels reports whether n is a Pad that is known to add channels or to cut them off, or that a caller may make so.
func padsChannels(n *graph.Node, rank int) bool {
	if !n.Is("Pad") {
		return false
	}
	opset := int64(2) // whose pads are an attribute
	if n.NumInputs() > 1 {
		opset = 18
	}
	p, err := op.PadOf(n, opset)
	if err != nil {
		return false
	}
	if v := n.Input(1); v != nil && op.Constant(v) == nil && v.Producer() == nil {
		return true // a caller may state others
	}
	pads, err := p.For(rank)
	return err == nil && (pads[1] != 0 || pads[rank+1] != 0)
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
