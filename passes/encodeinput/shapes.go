package encodeinput

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

// fixShapes rewrites the operators of the region that state the batch as a
// number: dimension 0 becomes slices times batch.
func fixShapes(c *passes.Context) error {
	opset := c.Model.Opset("")
	for n := range c.Model.Graph.Nodes() {
		if n.Region != graph.SpikingRegion {
			continue
		}
		var err error
		switch {
		case n.Is("Reshape"):
			err = fixReshape(n)
		case n.Is("Expand"):
			err = fixExpand(n)
		case n.Is("Resize"):
			err = fixResize(n, opset)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fixReshape lets a Reshape keep dimension 0 as it is.
func fixReshape(n *graph.Node) error {
	r, err := op.ReshapeOf(n)
	if err != nil {
		return err
	}
	shape, err := r.Shape.Constant()
	if err != nil {
		return err
	}
	if len(shape) == 0 || shape[0] < 0 || shape[0] == 0 && !r.AllowZero {
		return nil
	}
	to := slices.Clone(shape)
	switch {
	case !r.AllowZero:
		to[0] = 0
	case !slices.Contains(to[1:], -1):
		to[0] = -1
	default:
		return op.Unsupportedf(n, "it states the batch in shape %v, want 0 or -1 there", shape)
	}
	replace(n, 1, "shape", graph.NewInt64([]int64{int64(len(to))}, to))
	return nil
}

// fixExpand lets dimension 0 of an Expand follow its operand.
func fixExpand(n *graph.Node) error {
	e, err := op.ExpandOf(n)
	if err != nil {
		return err
	}
	shape, err := e.Shape.Constant()
	if err != nil {
		return err
	}
	if len(shape) < len(e.X.Type.Shape) || shape[0] == 1 {
		return nil
	}
	to := slices.Clone(shape)
	to[0] = 1
	replace(n, 1, "shape", graph.NewInt64([]int64{int64(len(to))}, to))
	return nil
}

// fixResize states a Resize by factors instead of sizes.
func fixResize(n *graph.Node, opset int64) error {
	z, err := op.ResizeOf(n, opset)
	if err != nil || !z.Sizes.Given {
		return err
	}
	in, ok := z.X.Type.Shape.Sizes()
	out, ok2 := n.Output(0).Type.Shape.Sizes()
	if !ok || !ok2 {
		return op.Unsupportedf(n, "it resizes %v to stated sizes, want scales", z.X.Type)
	}
	axes := z.Axes
	for i := range in {
		if z.Axes == nil {
			axes = append(axes, int64(i))
		}
	}
	scales := make([]float32, len(axes))
	for i, a := range axes {
		k, ok := op.Axis(a, len(in))
		if !ok {
			return op.Errorf(n, "axis %d is outside a tensor of rank %d", a, len(in))
		}
		scales[i] = float32(out[k]) / float32(in[k])
		if float64(scales[i])*float64(in[k]) != float64(out[k]) {
			return op.Unsupportedf(n, "it resizes axis %d from %d to %d, which no float factor states exactly",
				k, in[k], out[k])
		}
	}
	n.TruncateInputs(3)
	n.Attrs.Delete("keep_aspect_ratio_policy")
	replace(n, 2, "scales", graph.NewFloat32([]int64{int64(len(scales))}, scales))
	return nil
}

func replace(n *graph.Node, i int, name string, t *graph.Tensor) {
	g := n.Graph()
	n.SetInput(i, g.AddInitializer(g.FreshName(n.Label()+"."+name), t))
}
