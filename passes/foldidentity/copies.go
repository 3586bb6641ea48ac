package foldidentity

import (
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// A finder gives the value that the result of a node certainly equals, nil when it may
// be another.
type finder func(r *ranges, n *graph.Node) (*graph.Value, error)

// copies has the finders by operator.
var copies = map[graph.Op]finder{
	{Type: "Identity"}:     when(always),
	{Type: "Dropout"}:      when(dropout),
	{Type: "Cast"}:         when(cast),
	{Type: "CastLike"}:     when(castLike),
	{Type: "Transpose"}:    when(transpose),
	{Type: "Reshape"}:      view,
	{Type: "Flatten"}:      view,
	{Type: "Squeeze"}:      view,
	{Type: "Unsqueeze"}:    view,
	{Type: "Slice"}:        when(slice),
	{Type: "Expand"}:       when(expand),
	{Type: "Tile"}:         when(tile),
	{Type: "Concat"}:       when(single),
	{Type: "Sum"}:          when(single),
	{Type: "Mean"}:         when(single),
	{Type: "Max"}:          when(single),
	{Type: "Min"}:          when(single),
	{Type: "Split"}:        when(undivided),
	{Type: "Pad"}:          when(pad),
	{Type: "Resize"}:       when(resize),
	{Type: "Upsample"}:     when(resize),
	{Type: "MaxPool"}:      when(pool),
	{Type: "AveragePool"}:  when(pool),
	{Type: "DepthToSpace"}: when(block),
	{Type: "SpaceToDepth"}: when(block),
	{Type: "Add"}:          neutral(0, true),
	{Type: "Sub"}:          neutral(0, false),
	{Type: "Mul"}:          neutral(1, true),
	{Type: "Div"}:          neutral(1, false),
	{Type: "Pow"}:          neutral(1, false),
	{Type: "Relu"}:         limits,
	{Type: "Clip"}:         limits,
	{Type: "SequenceAt"}:   element,
}

// when makes a finder of a test whether a node copies its first input.
func when(is func(n *graph.Node, opset int64) (bool, error)) finder {
	return func(r *ranges, n *graph.Node) (*graph.Value, error) {
		same, err := is(n, r.opset)
		if err != nil || !same {
			return nil, err
		}
		return n.Input(0), nil
	}
}

func always(*graph.Node, int64) (bool, error) { return true, nil }

func dropout(n *graph.Node, opset int64) (bool, error) {
	d, err := op.DropoutOf(n, opset)
	return err == nil && d.Training.Known && !d.Training.Value, err
}

func castLike(n *graph.Node, _ int64) (bool, error) {
	c, err := op.CastLikeOf(n)
	if err != nil {
		return false, err
	}
	x, like := c.X.Type, c.Like.Type
	return x.Kind == graph.TensorType && like.Kind == graph.TensorType && x.Elem == like.Elem && x.Elem != graph.Undefined, nil
}

func cast(n *graph.Node, _ int64) (bool, error) {
	c, err := op.CastOf(n)
	return err == nil && c.X.Type.Kind == graph.TensorType && c.X.Type.Elem == c.To, err
}

func transpose(n *graph.Node, _ int64) (bool, error) {
	t, err := op.TransposeOf(n)
	if err != nil || t.Perm == nil {
		return false, err
	}
	for i, p := range t.Perm {
		if p != int64(i) {
			return false, nil
		}
	}
	return true, nil
}

// slice takes everything, in order. Names of sizes would prove nothing: a model may
// declare one that its slices do not give.
func slice(n *graph.Node, opset int64) (bool, error) {
	s, err := op.SliceOf(n, opset)
	if err != nil || !s.Starts.Known || !s.Ends.Known || !s.Axes.Known || !s.Steps.Known {
		return false, err
	}
	shape := s.X.Type.Shape
	for i, start := range s.Starts.Value {
		axis := int64(i)
		if s.Axes.Given {
			axis = s.Axes.Value[i]
		}
		size := int64(math.MaxInt32) // exporters write such numbers for the end
		if a, ok := op.Axis(axis, len(shape)); ok {
			if n, known := shape[a].Size(); known {
				size = n
			}
		}
		if start != 0 || s.Ends.Value[i] < size || s.Steps.Given && s.Steps.Value[i] != 1 {
			return false, nil
		}
	}
	return true, nil
}

// expand asks for no size but 1 and those that x is known to have.
func expand(n *graph.Node, _ int64) (bool, error) {
	e, err := op.ExpandOf(n)
	return err == nil && e.Shape.Known && within(e.Shape.Value, e.X), err
}

func tile(n *graph.Node, _ int64) (bool, error) {
	t, err := op.TileOf(n)
	return err == nil && t.Repeats.Known && !slices.ContainsFunc(t.Repeats.Value, func(k int64) bool { return k != 1 }), err
}

// within reports whether sizes broadcast to x without making it larger.
func within(sizes []int64, x *graph.Value) bool {
	shape := x.Type.Shape
	if shape == nil || len(sizes) > len(shape) {
		return false
	}
	for i, d := range sizes {
		size, known := shape[len(shape)-len(sizes)+i].Size()
		if d != 1 && !(known && size == d) {
			return false
		}
	}
	return true
}

func single(n *graph.Node, _ int64) (bool, error) { return n.NumInputs() == 1, nil }

func undivided(n *graph.Node, _ int64) (bool, error) { return n.NumOutputs() == 1, nil }

func pad(n *graph.Node, opset int64) (bool, error) {
	p, err := op.PadOf(n, opset)
	if err != nil || !p.Pads.Known {
		return false, err
	}
	return !slices.ContainsFunc(p.Pads.Value, func(k int64) bool { return k != 0 }), nil
}

// resize by 1 keeps every sample at its place, unless it cuts out a region.
func resize(n *graph.Node, opset int64) (bool, error) {
	z, err := op.ResizeOf(n, opset)
	if err != nil || z.Coordinate == "tf_crop_and_resize" {
		return false, err
	}
	if z.Sizes.Given {
		have, ok := z.X.Type.Shape.Sizes()
		return ok && z.Axes == nil && z.Sizes.Known && slices.Equal(z.Sizes.Value, have), nil
	}
	return z.Scales.Known && !slices.ContainsFunc(z.Scales.Value, func(s float32) bool { return s != 1 }), nil
}

// pool with windows of one element takes each.
func pool(n *graph.Node, _ int64) (bool, error) {
	p, err := op.PoolOf(n)
	one := func(list []int64) bool { return !slices.ContainsFunc(list, func(k int64) bool { return k != 1 }) }
	padded := slices.ContainsFunc(p.Pads, func(k int64) bool { return k != 0 })
	return err == nil && one(p.Kernel) && one(p.Stride) && !padded, err
}

func block(n *graph.Node, _ int64) (bool, error) {
	size, err := graph.Get(n.Attrs, "blocksize", graph.Int(0))
	return err == nil && size == 1, err
}

// neutral finds the operand of an operator that a constant, all of one number, leaves as
// it is; on either side where sides says so, else on the right.
func neutral(number float64, sides bool) finder {
	return func(_ *ranges, n *graph.Node) (*graph.Value, error) {
		x, c, left, ok := op.Binary{A: n.Input(0), B: n.Input(1)}.Const()
		if !ok || left && !sides || !all(c, number) || !within(c.Dims, x) {
			return nil, nil
		}
		return x, nil
	}
}

// all reports whether every element of a tensor of floats or integers is one number.
func all(t *graph.Tensor, number float64) bool {
	if xs, err := t.Float32s(); err == nil {
		return !slices.ContainsFunc(xs, func(x float32) bool { return float64(x) != number })
	}
	xs, err := t.Int64s()
	return err == nil && !slices.ContainsFunc(xs, func(x int64) bool { return float64(x) != number })
}

// limits finds the input of a Relu or a Clip that never passes its limits.
func limits(r *ranges, n *graph.Node) (*graph.Value, error) {
	l, ok, err := r.limits(n)
	if err != nil || !ok {
		return nil, err
	}
	x := r.of(n.Input(0))
	if l.lo > x.lo || l.hi < x.hi {
		return nil, nil
	}
	return n.Input(0), nil
}

// mergeTranspose makes a Transpose behind another read what that one reads.
func mergeTranspose(n *graph.Node) bool {
	p := n.Input(0).Producer()
	if p == nil || !p.Is("Transpose") || p.Graph() != n.Graph() {
		return false
	}
	outer, err := op.TransposeOf(n)
	inner, err2 := op.TransposeOf(p)
	if err != nil || err2 != nil || len(outer.Perm) != len(inner.Perm) {
		return false
	}
	perm := make(graph.Ints, len(outer.Perm))
	for i, a := range outer.Perm {
		if a < 0 || a >= int64(len(inner.Perm)) {
			return false
		}
		perm[i] = inner.Perm[a]
	}
	n.SetInput(0, p.Input(0))
	n.Attrs.Set("perm", perm)
	return true
}

// view finds, in front of operators that only give the same elements other shapes, the
// value that has the shape of n's result.
func view(r *ranges, n *graph.Node) (*graph.Value, error) {
	if n.Is("Reshape") {
		if same, err := reshape(n); err != nil || same {
			return n.Input(0), err
		}
	}
	want := n.Output(0).Type.Shape
	same := func(a graph.Shape) bool {
		return a != nil && want != nil && slices.EqualFunc(a, want, graph.Dim.Same)
	}
	for v := n.Input(0); v != nil; {
		if same(v.Type.Shape) {
			return v, nil
		}
		p := v.Producer()
		if p == nil || p.Graph() != n.Graph() ||
			!p.Is("Reshape") && !p.Is("Flatten") && !p.Is("Squeeze") && !p.Is("Unsqueeze") {
			return nil, nil
		}
		v = p.Input(0)
	}
	return nil, nil
}

// reshape compares the requested shape with x's: a 0 copies a dimension, a
// number must be x's, and one -1 is left to stand for what remains.
func reshape(n *graph.Node) (bool, error) {
	r, err := op.ReshapeOf(n)
	if err != nil || !r.Shape.Known {
		return false, err
	}
	have, want := r.X.Type.Shape, r.Shape.Value
	if r.X.Type.Kind != graph.TensorType || have == nil || len(have) != len(want) {
		return false, nil
	}
	open := 0
	for i, w := range want {
		size, known := have[i].Size()
		switch {
		case w == 0 && !r.AllowZero, known && size == w:
		case w == -1:
			open++
		default:
			return false, nil
		}
	}
	return open <= 1, nil
}

// unlimited is beyond all finite floats: exporters write the largest of them for none.
func unlimited(x float32) bool { return math.Abs(float64(x)) >= math.MaxFloat32 }
