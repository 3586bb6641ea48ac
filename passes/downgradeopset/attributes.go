package downgradeopset

import (
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// constant is the tensor of input i, nil where there is no such input. One that is computed
// at run time is refused.
func (d *downgrade) constant(n *graph.Node, i int, name string, v int64) *graph.Tensor {
	x := n.Input(i)
	if x == nil {
		return nil
	}
	t := op.Constant(x)
	if t == nil {
		d.refuse(n, "its input %s, %q, is computed at run time, which has no form before opset %d, want a constant", name, x.Name(), v)
	}
	return t
}

// ints is input i as numbers; ok is false where there is none, and where n is refused.
func (d *downgrade) ints(n *graph.Node, i int, name string, v int64) (xs []int64, ok bool, err error) {
	t := d.constant(n, i, name, v)
	if t == nil {
		return nil, false, nil
	}
	if xs, err = t.Int64s(); err != nil {
		return nil, false, op.Errorf(n, "%s: %v", name, err)
	}
	return xs, true, nil
}

// cut drops the inputs from i on.
func (d *downgrade) cut(n *graph.Node, i int) {
	for k := i; k < n.NumInputs(); k++ {
		d.spend(n.Input(k))
	}
	n.TruncateInputs(i)
}

func (d *downgrade) spend(v *graph.Value) {
	if v != nil && v.IsConstant() && !slices.Contains(d.spent, v) {
		d.spent = append(d.spent, v)
	}
}

// toInts makes input i, the last, an attribute.
func toInts(name string, i int) rewriter {
	return func(d *downgrade, n *graph.Node, v int64) error {
		xs, ok, err := d.ints(n, i, name, v)
		if err != nil || !ok {
			return err
		}
		n.Attrs.Set(name, graph.Ints(xs))
		d.cut(n, i)
		return nil
	}
}

// reduceAxes makes the axes an attribute. None mean all, or nothing where noop_with_empty_axes says so.
func reduceAxes(d *downgrade, n *graph.Node, v int64) error {
	xs, ok, err := d.ints(n, 1, "axes", v)
	if err != nil || d.refused[n] {
		return err
	}
	if ok && len(xs) > 0 {
		n.Attrs.Set("axes", graph.Ints(xs))
		n.Attrs.Delete("noop_with_empty_axes")
	}
	d.cut(n, 1)
	return nil
}

// number is input i as a number, def where there is none.
func (d *downgrade) number(n *graph.Node, i int, name string, v int64) (x float32, ok bool, err error) {
	t := d.constant(n, i, name, v)
	if t == nil {
		return 0, false, nil
	}
	if !isFloat(t.DType) {
		d.refuse(n, "its %s of %v has no form before opset %d, want a type of floating point", name, t.DType, v)
		return 0, false, nil
	}
	xs, err := t.Float32s()
	if err == nil && len(xs) != 1 {
		d.refuse(n, "its %s has %d elements, want one", name, len(xs))
		return 0, false, nil
	}
	if err != nil {
		return 0, false, op.Errorf(n, "%s: %v", name, err)
	}
	return xs[0], true, nil
}

// clipToAttributes keeps limits that are computed, as Max and Min.
func clipToAttributes(d *downgrade, n *graph.Node, v int64) error {
	low, high := n.Input(1), n.Input(2)
	if low != nil && op.Constant(low) == nil || high != nil && op.Constant(high) == nil {
		x := n.Input(0)
		if low != nil {
			x = d.c.Insert(n, n, part(n, "max"), graph.Op{Type: "Max"}, nil, []*graph.Value{x, low},
				n.Graph().FreshName(n.Output(0).Name()+"_max")).Output(0)
		}
		in := []*graph.Value{x}
		if high != nil {
			in = append(in, high)
		}
		_, err := d.c.Replace(n, graph.Op{Type: "Min"}, nil, in...)
		return err
	}
	for i, name := range []string{"min", "max"} {
		x, ok, err := d.number(n, i+1, name, v)
		if err != nil || d.refused[n] {
			return err
		}
		if ok {
			n.Attrs.Set(name, graph.Float(x))
		}
	}
	d.cut(n, 1)
	return nil
}

func padToAttributes(d *downgrade, n *graph.Node, v int64) error {
	x, stated, err := d.number(n, 2, "value", v)
	if err != nil || d.refused[n] {
		return err
	}
	pads, ok, err := d.ints(n, 1, "pads", v)
	if err != nil || !ok {
		return err
	}
	n.Attrs.Set("pads", graph.Ints(pads))
	if stated {
		n.Attrs.Set("value", graph.Float(x))
	}
	d.cut(n, 1)
	return nil
}

// padAllAxes states the pads of all axes.
func padAllAxes(d *downgrade, n *graph.Node, v int64) error {
	axes, ok, err := d.ints(n, 3, "axes", v)
	if err != nil || !ok {
		return err
	}
	pads, ok, err := d.ints(n, 1, "pads", v)
	rank := len(d.typeOf(n.Input(0)).Shape)
	if err != nil || !ok {
		return err
	}
	if rank == 0 || len(pads) != 2*len(axes) {
		d.refuse(n, "it pads some axes of a tensor of unknown rank, which has no form before opset %d", v)
		return nil
	}
	all := make([]int64, 2*rank)
	for i, a := range axes {
		k, ok := op.Axis(a, rank)
		if !ok {
			return op.Errorf(n, "axis %d of %d", a, rank)
		}
		all[k], all[rank+k] = pads[i], pads[len(axes)+i]
	}
	g := n.Graph()
	d.spend(n.Input(1))
	n.SetInput(1, g.AddInitializer(g.FreshName(n.Output(0).Name()+"_pads"), graph.NewInt64([]int64{int64(len(all))}, all)))
	d.cut(n, 3)
	if n.Input(2) == nil {
		d.cut(n, 2)
	}
	return nil
}

func sliceToAttributes(d *downgrade, n *graph.Node, v int64) error {
	steps, _, err := d.ints(n, 4, "steps", v)
	if err != nil || d.refused[n] {
		return err
	}
	if slices.ContainsFunc(steps, func(x int64) bool { return x != 1 }) {
		d.refuse(n, "it takes steps of %v, which have no form before opset %d, want 1", steps, v)
		return nil
	}
	for i, name := range []string{"starts", "ends", "axes"} {
		xs, ok, err := d.ints(n, i+1, name, v)
		if err != nil || d.refused[n] {
			return err
		}
		if ok {
			n.Attrs.Set(name, graph.Ints(xs))
		}
	}
	d.cut(n, 1)
	return nil
}

func topK(d *downgrade, n *graph.Node, v int64) error {
	xs, ok, err := d.ints(n, 1, "k", v)
	if err != nil || !ok {
		return err
	}
	if len(xs) != 1 {
		return op.Errorf(n, "k has %d elements, want one", len(xs))
	}
	n.Attrs.Set("k", graph.Int(xs[0]))
	d.cut(n, 1)
	return nil
}

// dropoutRatio keeps the ratio, though inference does not use it.
func dropoutRatio(d *downgrade, n *graph.Node, v int64) error {
	training, _, err := d.ints(n, 2, "training_mode", v)
	if err != nil || d.refused[n] {
		return err
	}
	if len(training) > 0 && training[0] != 0 {
		d.refuse(n, "it is in training mode; export the model for inference")
		return nil
	}
	ratio, ok, err := d.number(n, 1, "ratio", v)
	if err != nil || d.refused[n] {
		return err
	}
	if ok {
		n.Attrs.Set("ratio", graph.Float(ratio))
	}
	n.Attrs.Delete("seed")
	d.cut(n, 1)
	return nil
}

// countAxes counts axes from the front, as operators before opset 11 do.
func (d *downgrade) countAxes(n *graph.Node) {
	of := n.Input(0)
	if n.Is("Unsqueeze") {
		of = n.Output(0)
	}
	if of == nil || n.Is("OneHot") {
		return
	}
	rank := int64(len(d.typeOf(of).Shape))
	front := func(a int64) int64 {
		switch {
		case a >= 0:
		case rank == 0:
			d.refuse(n, "its axis %d counts from the back of a tensor of unknown rank, which has no form before opset 11", a)
		default:
			a += rank
		}
		return a
	}
	if a, err := graph.Get(n.Attrs, "axis", graph.Int(0)); err == nil && a < 0 {
		n.Attrs.Set("axis", graph.Int(front(int64(a))))
	}
	axes, err := graph.Get(n.Attrs, "axes", graph.Ints(nil))
	if err != nil || !slices.ContainsFunc(axes, func(a int64) bool { return a < 0 }) {
		return
	}
	list := make(graph.Ints, len(axes))
	for i, a := range axes {
		list[i] = front(a)
	}
	n.Attrs.Set("axes", list)
}

// splitInParts leaves parts of one size to the older form, and states others.
func splitInParts(d *downgrade, n *graph.Node, _ int64) error {
	parts, err := graph.Get(n.Attrs, "num_outputs", graph.Int(0))
	if err != nil {
		return op.Errorf(n, "%v", err)
	}
	n.Attrs.Delete("num_outputs")
	axis, err := graph.Get(n.Attrs, "axis", graph.Int(0))
	if err != nil {
		return op.Errorf(n, "%v", err)
	}
	shape := d.typeOf(n.Input(0)).Shape
	k, ok := op.Axis(int64(axis), len(shape))
	if parts < 1 || !ok || n.Input(1) != nil {
		return nil
	}
	size, known := shape[k].Size()
	if !known || size%int64(parts) == 0 || size > math.MaxInt32 {
		return nil
	}
	each := (size + int64(parts) - 1) / int64(parts)
	sizes := slices.Repeat([]int64{each}, int(parts))
	sizes[parts-1] = size - each*int64(parts-1)
	g := n.Graph()
	n.SetInput(1, g.AddInitializer(g.FreshName(n.Output(0).Name()+"_split"), graph.NewInt64([]int64{int64(parts)}, sizes)))
	return nil
}
