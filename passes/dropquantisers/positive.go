package dropquantisers

import (
	"spikingir/graph"
	"spikingir/graph/op"
)

// notNegative reports whether all elements of v are known to be 0 or more: results of a
// ReLU, and what is moved, joined, pooled and averaged of such.
func (d *dropper) notNegative(v *graph.Value) bool {
	known, asked := d.positive[v]
	if asked {
		return known
	}
	d.positive[v] = false
	n := v.Producer()
	if n == nil {
		return false
	}
	d.positive[v] = d.keepsPositive(n)
	return d.positive[v]
}

func (d *dropper) keepsPositive(n *graph.Node) bool {
	switch n.Op().Type {
	case "Relu", "Sigmoid", "HardSigmoid", "Abs", "Softplus":
		return true
	case "Clip":
		c, err := op.ClipOf(n, d.opset)
		return err == nil && (c.Min.Known && c.Min.Value >= 0 || d.notNegative(n.Input(0)))
	case "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Slice", "Split", "Gather", "Expand", "Tile",
		"DepthToSpace", "SpaceToDepth", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "Dropout":
		return d.notNegative(n.Input(0))
	case "Resize":
		r, err := op.ResizeOf(n, d.opset)
		return err == nil && r.Mode != "cubic" && r.Outside >= 0 && d.notNegative(n.Input(0))
	case "Concat", "Add", "Sum", "Mean", "Max":
		for _, x := range n.Inputs() {
			if x == nil || !d.notNegative(x) {
				return false
			}
		}
		return true
	}
	return false
}
