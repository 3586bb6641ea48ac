package channelsfirst

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

// form is an operator on [N, C, ...].
type form struct {
	op    graph.Op
	attrs graph.Attrs
	in    []operand
}

// operand is a value, or a constant to be added.
type operand struct {
	v    *graph.Value
	t    *graph.Tensor
	role string
}

func (f *form) inputs(_ *passes.Context, n *graph.Node) []*graph.Value {
	list := make([]*graph.Value, len(f.in))
	g := n.Graph()
	for i, o := range f.in {
		list[i] = o.v
		if o.t != nil {
			list[i] = g.AddInitializer(g.FreshName(n.Label()+"."+o.role), o.t)
		}
	}
	return list
}

// first is n as it works on what its operands were before they were transposed; nil where
// it cannot.
func first(n *graph.Node, perm graph.Ints) *form {
	spec := op.Lookup(n.Op())
	switch {
	case spec == nil || n.Op().Domain != "":
		return nil
	case n.Is("MatMul"):
		return pointwise(n)
	case n.Is("Concat"):
		return alongChannels(n, perm)
	case n.Is("Pad"):
		return padded(n, perm)
	case spec.Elementwise && len(n.Subgraphs()) == 0:
		return elementwise(n, perm)
	}
	return nil
}

func elementwise(n *graph.Node, perm graph.Ints) *form {
	last := func(v *graph.Value) *graph.Value {
		if x := toLast(v); x != nil && len(x.Type.Shape) == len(perm) {
			return x
		}
		return nil
	}
	// Most nodes have no such operand, and to look for constants goes back through Identities.
	if !slices.ContainsFunc(n.Inputs(), func(v *graph.Value) bool { return last(v) != nil }) {
		return nil
	}
	f := &form{op: n.Op(), attrs: slices.Clone(n.Attrs)}
	for i, v := range n.Inputs() {
		x := last(v)
		switch t := op.Constant(v); {
		case v == nil:
			f.in = append(f.in, operand{})
		case x != nil:
			f.in = append(f.in, operand{v: x})
		case t == nil:
			return nil
		case len(t.Dims) == 0:
			f.in = append(f.in, operand{v: v})
		default:
			moved := constant(t, perm)
			if moved == nil {
				return nil
			}
			f.in = append(f.in, operand{t: moved, role: "constant" + string(rune('0'+i%10))})
		}
	}
	return f
}

// constant is a tensor that broadcasts to the channels-last layout as one that broadcasts
// to the other; nil where that would move its elements.
func constant(t *graph.Tensor, perm graph.Ints) *graph.Tensor {
	if len(t.Dims) > len(perm) {
		return nil
	}
	dims := slices.Repeat([]int64{1}, len(perm))
	long := 0
	for i, d := range t.Dims {
		dims[perm[len(perm)-len(t.Dims)+i]] = d
		if d != 1 {
			long++
		}
	}
	if long > 1 {
		return nil
	}
	if xs, err := t.Float32s(); err == nil && t.DType == graph.Float32 {
		return graph.NewFloat32(dims, xs)
	}
	xs, err := t.Int64s()
	if err != nil || t.DType != graph.Int64 {
		return nil
	}
	return graph.NewInt64(dims, xs)
}

// pointwise is a MatMul with constant weights over the last axis as a convolution of 1 by 1.
func pointwise(n *graph.Node) *form {
	x, t := toLast(n.Input(0)), op.Constant(n.Input(1))
	if x == nil || t == nil || t.DType != graph.Float32 || len(t.Dims) != 2 {
		return nil
	}
	ws, err := t.Float32s()
	if err != nil {
		return nil
	}
	k, m := int(t.Dims[0]), int(t.Dims[1])
	turned := make([]float32, len(ws))
	for i := range k {
		for o := range m {
			turned[o*k+i] = ws[i*m+o]
		}
	}
	dims, kernel := []int64{int64(m), int64(k)}, graph.Ints{}
	for range len(x.Type.Shape) - 2 {
		dims, kernel = append(dims, 1), append(kernel, 1)
	}
	attrs := graph.Attrs{{Name: "kernel_shape", Value: kernel}}
	op.StateConv(&attrs, len(kernel))
	return &form{op: graph.Op{Type: "Conv"}, attrs: attrs,
		in: []operand{{v: x}, {t: graph.NewFloat32(dims, turned), role: "weight"}}}
}

// alongChannels is a Concat along the axis that it was.
func alongChannels(n *graph.Node, perm graph.Ints) *form {
	c, err := op.ConcatOf(n)
	if err != nil {
		return nil
	}
	axis, ok := op.Axis(c.Axis, len(perm))
	if !ok {
		return nil
	}
	f := &form{op: n.Op(), attrs: slices.Clone(n.Attrs)}
	f.attrs.Set("axis", graph.Int(perm[axis]))
	for _, v := range c.Xs {
		x := toLast(v)
		if x == nil {
			return nil
		}
		f.in = append(f.in, operand{v: x})
	}
	return f
}

// padded is a Pad of constant pads as an input.
func padded(n *graph.Node, perm graph.Ints) *form {
	x, t := toLast(n.Input(0)), op.Constant(n.Input(1))
	if x == nil || t == nil || n.Input(3) != nil {
		return nil
	}
	pads, err := t.Int64s()
	rank := len(perm)
	if err != nil || len(pads) != 2*rank {
		return nil
	}
	moved := make([]int64, 2*rank)
	for i, p := range perm {
		moved[p], moved[rank+int(p)] = pads[i], pads[rank+i]
	}
	f := &form{op: n.Op(), attrs: slices.Clone(n.Attrs),
		in: []operand{{v: x}, {t: graph.NewInt64([]int64{int64(2 * rank)}, moved), role: "pads"}}}
	if n.Input(2) != nil {
		f.in = append(f.in, operand{v: n.Input(2)})
	}
	return f
}
