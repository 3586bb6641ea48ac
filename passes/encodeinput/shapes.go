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
			err = fixResize(c, n, opset)
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
	shape := r.Shape.Value
	if !r.Shape.Known {
		return nil // keeps dimension 0, see split-regions
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
	shape := e.Shape.Value
	if !e.Shape.Known {
		return nil // keeps dimension 0, see split-regions
	}
	if len(shape) < len(e.X.Type.Shape) || shape[0] == 1 {
		return nil
	}
	to := slices.Clone(shape)
	to[0] = 1
	replace(n, 1, "shape", graph.NewInt64([]int64{int64(len(to))}, to))
	return nil
}

// fixResize states a Resize by factors instead of sizes, or, where float32 holds no such
// factors, by the sizes of all axes but the first.
func fixResize(c *passes.Context, n *graph.Node, opset int64) error {
	z, err := op.ResizeOf(n, opset)
	if err != nil || !z.Sizes.Given {
		return err
	}
	axes, err := z.AxesFor(n, len(z.X.Type.Shape))
	if err != nil {
		return err
	}
	if scales := factors(n, z, axes); scales != nil {
		n.TruncateInputs(3)
		n.Attrs.Delete("keep_aspect_ratio_policy")
		replace(n, 2, "scales", graph.NewFloat32([]int64{int64(len(scales))}, scales))
		return nil
	}
	if opset < 18 {
		return op.Unsupportedf(n, "it resizes %v to stated sizes, want scales or opset 18", z.X.Type)
	}
	return sizeAxes(c, n, z, axes)
}

// factors is the scales that state the sizes of a Resize exactly; nil where there are none.
func factors(n *graph.Node, z op.Resize, axes []int) []float32 {
	in, ok := z.X.Type.Shape.Sizes()
	out, ok2 := n.Output(0).Type.Shape.Sizes()
	if !ok || !ok2 {
		return nil
	}
	scales := make([]float32, len(axes))
	for i, k := range axes {
		scales[i] = float32(out[k]) / float32(in[k])
		if float64(scales[i])*float64(in[k]) != float64(out[k]) {
			return nil
		}
	}
	return scales
}

// sizeAxes makes a Resize state the sizes of all axes but the first.
func sizeAxes(c *passes.Context, n *graph.Node, z op.Resize, axes []int) error {
	var kept graph.Ints
	var places, numbers []int64
	for i, k := range axes {
		if k == 0 {
			continue
		}
		kept, places = append(kept, int64(k)), append(places, int64(i))
		size, _ := n.Output(0).Type.Shape[k].Size()
		numbers = append(numbers, size)
	}
	switch {
	case z.Sizes.Known:
		replace(n, 3, "sizes", graph.NewInt64([]int64{int64(len(numbers))}, numbers))
	case len(kept) < len(axes):
		g := n.Graph()
		at := g.AddInitializer(g.FreshName(n.Label()+".axes"), graph.NewInt64([]int64{int64(len(places))}, places))
		pick := c.Insert(n, n, n.Label()+".sizes", graph.Op{Type: "Gather"}, graph.Attrs{{Name: "axis", Value: graph.Int(0)}},
			[]*graph.Value{z.Sizes.From, at}, g.FreshName(z.Sizes.From.Name()+".spatial"))
		pick.Region = graph.AnalogPre
		pick.Output(0).Type = graph.TensorOf(graph.Int64, graph.ShapeOf(int64(len(places))))
		n.SetInput(3, pick.Output(0))
	}
	n.Attrs.Set("axes", kept)
	n.Attrs.Delete("keep_aspect_ratio_policy")
	return nil
}

func replace(n *graph.Node, i int, name string, t *graph.Tensor) {
	g := n.Graph()
	n.SetInput(i, g.AddInitializer(g.FreshName(n.Label()+"."+name), t))
}
