package foldidentity

import (
	"fmt"
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// mostParts bounds the tensors that a SplitToSequence is taken apart into.
const mostParts = 128

// split makes a Split of a SplitToSequence whose sizes are constant, and a sequence of its
// parts. One that anything else reads than operators of sequences, such as a Loop, stays.
func (t *tensors) split(n *graph.Node) (bool, error) {
	s, err := op.SplitToSequenceOf(n)
	if err != nil || !taken(n.Output(0)) {
		return false, err
	}
	axis, size, ok := axisOf(s)
	sizes, known := parts(s, size)
	if !ok || !known || len(sizes) == 0 {
		return false, nil
	}
	list := t.divide(n, s, axis, sizes)
	if s.Sizes == nil && !s.KeepDims {
		shape := slices.Delete(slices.Clone(s.X.Type.Shape), axis, axis+1)
		for i, x := range list {
			list[i] = t.view(n, "Squeeze", x, int64(axis))
			list[i].Type = graph.TensorOf(s.X.Type.Elem, shape)
		}
	}
	_, err = t.Replace(n, graph.Op{Type: "SequenceConstruct"}, nil, list...)
	return true, err
}

// positions is which input of a reader of sequences is a position, -1 where none is.
var positions = map[string]int{"SequenceAt": 1, "SequenceInsert": 2, "SequenceErase": 1, "SequenceLength": -1, "ConcatFromSequence": -1}

// taken reports whether all that reads a sequence takes tensors out of it at constant
// positions, or makes other sequences of them.
func taken(v *graph.Value) bool {
	if v.IsOutput() {
		return false
	}
	for _, u := range v.Uses() {
		at, reads := positions[u.Node.Op().Type]
		if u.Node.Graph() != v.Graph() || u.Node.Op().Domain != "" || !reads {
			return false
		}
		if at > 0 && u.Node.Input(at) != nil && op.Constant(u.Node.Input(at)) == nil {
			return false
		}
	}
	return v.NumUses() > 0
}

// axisOf is the axis that is cut and its size, -1 where it is not known.
func axisOf(s op.SplitToSequence) (axis int, size int64, ok bool) {
	shape := s.X.Type.Shape
	axis, ok = op.Axis(s.Axis, len(shape))
	if !ok || s.X.Type.Kind != graph.TensorType {
		return 0, 0, false
	}
	if size, ok := shape[axis].Size(); ok {
		return axis, size, true
	}
	return axis, -1, true
}

// parts is the sizes that an axis of a size is cut into, where they are known.
func parts(s op.SplitToSequence, size int64) (sizes []int64, known bool) {
	each := int64(1)
	if s.Sizes != nil {
		c := op.Constant(s.Sizes)
		if c == nil {
			return nil, false
		}
		list, err := c.Int64s()
		if err != nil || len(c.Dims) > 0 {
			return list, err == nil && len(list) <= mostParts
		}
		each = list[0]
	}
	if size < 0 || each < 1 || (size-1)/each >= mostParts {
		return nil, false
	}
	for rest := size; rest > 0; rest -= each {
		sizes = append(sizes, min(rest, each))
	}
	return sizes, true
}

// divide is the parts of the tensor that n cuts; it is one itself where there is no other.
func (t *tensors) divide(n *graph.Node, s op.SplitToSequence, axis int, sizes []int64) []*graph.Value {
	if len(sizes) == 1 {
		return []*graph.Value{s.X}
	}
	g := n.Graph()
	inputs, attrs := []*graph.Value{s.X}, graph.Attrs{{Name: "axis", Value: graph.Int(axis)}}
	if t.opset < 13 {
		attrs.Set("split", graph.Ints(sizes))
	} else {
		inputs = append(inputs, g.AddInitializer(g.FreshName(n.Output(0).Name()+"_sizes"),
			graph.NewInt64([]int64{int64(len(sizes))}, sizes)))
	}
	var names []string
	for i := range sizes {
		names = append(names, g.FreshName(fmt.Sprintf("%s_part%d", n.Output(0).Name(), i+1)))
	}
	m := t.Insert(n, n, "", graph.Op{Type: "Split"}, attrs, inputs, names...)
	for i, v := range m.Outputs() {
		shape := slices.Clone(s.X.Type.Shape)
		shape[axis] = graph.Known(sizes[i])
		v.Type = graph.TensorOf(s.X.Type.Elem, shape)
	}
	return m.Outputs()
}

// cut makes a Slice of a SequenceAt that takes a part, counted from the front, of an axis
// whose size is not known.
func (t *tensors) cut(n *graph.Node) (bool, error) {
	p := n.Input(0).Producer()
	k, ok := number(n.Input(1))
	if p == nil || !p.Is("SplitToSequence") || !ok || k < 0 {
		return false, nil
	}
	s, err := op.SplitToSequenceOf(p)
	axis, size, ok := axisOf(s)
	if err != nil || !ok || size >= 0 {
		return false, err
	}
	each := int64(1)
	if s.Sizes != nil {
		if c := op.Constant(s.Sizes); c == nil || len(c.Dims) > 0 {
			return false, nil
		}
		each, _ = number(s.Sizes)
	}
	if each < 1 || k >= math.MaxInt32/each {
		return false, nil
	}
	old, g := n.Input(0), n.Graph()
	one := func(role string, x int64) *graph.Value {
		return g.AddInitializer(g.FreshName(n.Output(0).Name()+"_"+role), graph.NewInt64([]int64{1}, []int64{x}))
	}
	inputs := []*graph.Value{s.X, one("start", k*each), one("end", (k+1)*each), one("axis", int64(axis))}
	if s.Sizes != nil || s.KeepDims {
		_, err = t.Replace(n, graph.Op{Type: "Slice"}, nil, inputs...)
	} else {
		m := t.Insert(n, n, "", graph.Op{Type: "Slice"}, nil, inputs, g.FreshName(n.Output(0).Name()+"_slice"))
		shape := slices.Clone(s.X.Type.Shape)
		shape[axis] = graph.Known(1)
		m.Output(0).Type = graph.TensorOf(s.X.Type.Elem, shape)
		err = t.SupersedeAll(n, []*graph.Value{t.view(n, "Squeeze", m.Output(0), int64(axis))})
	}
	if err != nil {
		return true, err
	}
	return true, drop(old)
}
