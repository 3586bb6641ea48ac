package upgradeopset

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

func never(why string) rewriter {
	return func(u *upgrade, n *graph.Node, _ int64) error {
		u.refuse(n, "%s", why)
		return nil
	}
}

func rename(typ string) rewriter {
	return func(u *upgrade, n *graph.Node, _ int64) error {
		_, err := u.c.Replace(n, graph.Op{Type: typ}, n.Attrs, n.Inputs()...)
		return err
	}
}

func setDefault(name string, old graph.Attr) rewriter {
	return func(_ *upgrade, n *graph.Node, _ int64) error {
		if _, ok := n.Attrs.Lookup(name); !ok {
			n.Attrs.Set(name, old)
		}
		return nil
	}
}

// dropSpatial removes the attribute spatial; 0 has no later form.
func dropSpatial(u *upgrade, n *graph.Node, _ int64) error {
	spatial, ok, err := take[graph.Int](n, "spatial")
	if err == nil && ok && spatial == 0 {
		u.refuse(n, "it normalises each element by itself (spatial=0), want one scale per channel")
	}
	return err
}

// refuseTraining refuses a BatchNormalization that gives more than the result. Outputs
// with empty names are none.
func refuseTraining(u *upgrade, n *graph.Node, _ int64) error {
	n.TrimOutputs()
	for _, v := range n.Outputs()[1:] {
		if v != nil {
			u.refuse(n, "it is in training mode; export the model for inference")
			return nil
		}
	}
	return nil
}

// refuseMask refuses a Dropout whose mask is read, which has been bool since and was of the
// input's type: inference has no use for it. One that nothing reads is of the new type.
func refuseMask(u *upgrade, n *graph.Node, _ int64) error {
	mask := n.Output(1)
	switch {
	case mask == nil:
	case mask.NumUses() > 0 || mask.IsOutput():
		u.refuse(n, "its mask is read, which is bool since opset 10; export the model for inference, without it")
	case mask.Type.Kind == graph.TensorType:
		mask.Type.Elem = graph.Bool
	}
	return nil
}

// resizeTo11 states the coordinates of opset 10 and makes room for the region
// of interest.
func resizeTo11(u *upgrade, n *graph.Node, _ int64) error {
	mode, err := graph.Get(n.Attrs, "mode", graph.String("nearest"))
	if err != nil {
		return op.Errorf(n, "%v", err)
	}
	n.SetInput(2, n.Input(1))
	n.SetInput(1, nil)
	n.Attrs.Set("coordinate_transformation_mode", graph.String("asymmetric"))
	if mode != "nearest" {
		return nil
	}
	var xs []float32
	if scales := op.Constant(n.Input(2)); scales != nil {
		if xs, err = scales.Float32s(); err != nil {
			return op.Errorf(n, "scales: %v", err)
		}
	}
	shrinks := slices.ContainsFunc(xs, func(x float32) bool { return x < 1 })
	enlarges := slices.ContainsFunc(xs, func(x float32) bool { return x > 1 })
	switch {
	case shrinks && enlarges:
		u.refuse(n, "scales %v: opset 10 rounds up where an axis is shrunk and down where one is enlarged,"+
			" opset 11 knows one rounding for all; export at opset 11 or later", xs)
	case shrinks:
		n.Attrs.Set("nearest_mode", graph.String("ceil"))
		u.c.Notef(n, "nearest neighbours are rounded up, as where opset 10 shrinks")
	default:
		n.Attrs.Set("nearest_mode", graph.String("floor"))
	}
	return nil
}

// resizeTo13 omits empty inputs, which stood for absent ones.
func resizeTo13(u *upgrade, n *graph.Node, _ int64) error {
	mode, err := graph.Get(n.Attrs, "coordinate_transformation_mode", graph.String("half_pixel"))
	if err != nil {
		return op.Errorf(n, "%v", err)
	}
	if mode == "tf_half_pixel_for_nn" {
		u.refuse(n, "coordinate_transformation_mode %s was removed at opset 13", mode)
		return nil
	}
	for i := 1; i < n.NumInputs(); i++ {
		if t := op.Constant(n.Input(i)); t != nil && slices.Contains(t.Dims, 0) {
			n.SetInput(i, nil)
		}
	}
	return nil
}

// softmaxToOneAxis writes a Softmax, LogSoftmax or Hardmax over all axes from
// one on as one over a single axis: where the others have size 1, as it is;
// else on a flattened tensor.
func softmaxToOneAxis(u *upgrade, n *graph.Node, v int64) error {
	s, err := op.SoftmaxOf(n, v-1)
	if err != nil {
		return err
	}
	if axis, ok := singleAxis(u.typeOf(s.X), s.Axis); ok {
		n.Attrs.Set("axis", graph.Int(axis))
		return nil
	}
	g := n.Graph()
	y := n.Output(0).Name()
	shape := u.c.Insert(n, n, part(n, "shape"), graph.Op{Type: "Shape"}, nil,
		[]*graph.Value{s.X}, g.FreshName(y+"_shape"))
	flat := u.c.Insert(n, n, part(n, "flatten"), graph.Op{Type: "Flatten"},
		graph.Attrs{{Name: "axis", Value: graph.Int(s.Axis)}},
		[]*graph.Value{s.X}, g.FreshName(y+"_flat"))
	attrs := slices.Clone(n.Attrs)
	attrs.Set("axis", graph.Int(1))
	one := u.c.Insert(n, n, part(n, "flat"), n.Op(), attrs,
		flat.Outputs(), g.FreshName(y+"_matrix"))
	_, err = u.c.Replace(n, graph.Op{Type: "Reshape"}, nil, one.Output(0), shape.Output(0))
	return err
}

// singleAxis gives the axis, counted from the front, where the axes behind it
// have size 1.
func singleAxis(t graph.Type, a int64) (int, bool) {
	shape := t.Shape
	axis, ok := op.Axis(a, len(shape))
	if t.Kind != graph.TensorType || !ok {
		return 0, false
	}
	for _, d := range shape[axis+1:] {
		if size, known := d.Size(); !known || size != 1 {
			return 0, false
		}
	}
	return axis, true
}

// part names a node of several that n becomes; those of an unnamed node stay
// unnamed.
func part(n *graph.Node, role string) string {
	if n.Name == "" {
		return ""
	}
	return n.Name + "_" + role
}

// countParts states the number of parts of a Split without sizes.
func countParts(_ *upgrade, n *graph.Node, _ int64) error {
	if n.Input(1) == nil {
		n.Attrs.Set("num_outputs", graph.Int(n.NumOutputs()))
	}
	return nil
}

func renameModes(_ *upgrade, n *graph.Node, _ int64) error {
	mode, err := graph.Get(n.Attrs, "mode", graph.String(""))
	if err != nil {
		return op.Errorf(n, "%v", err)
	}
	switch mode {
	case "bilinear":
		n.Attrs.Set("mode", graph.String("linear"))
	case "bicubic":
		n.Attrs.Set("mode", graph.String("cubic"))
	}
	return nil
}
