package foldidentity

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

// A rewriter puts tensors in the place of a sequence that n makes or reads, where it is
// certain which they are.
type rewriter func(t *tensors, n *graph.Node) (done bool, err error)

// sequences has the rewriters by operator. SequenceAt copies one of the tensors, and has a
// finder too.
var sequences = map[graph.Op]rewriter{
	{Type: "SplitToSequence"}:    (*tensors).split,
	{Type: "SequenceAt"}:         (*tensors).cut,
	{Type: "SequenceInsert"}:     (*tensors).insert,
	{Type: "SequenceErase"}:      (*tensors).erase,
	{Type: "SequenceLength"}:     (*tensors).length,
	{Type: "ConcatFromSequence"}: (*tensors).concat,
}

// makers is what gives a sequence and nothing else, so that it goes once nothing reads it.
var makers = []string{"SequenceConstruct", "SequenceEmpty", "SplitToSequence"}

// tensors is one run of the pass, as far as sequences go.
type tensors struct {
	*passes.Context
	opset int64
}

// of is the tensors that a sequence is made of, nil where that is not certain.
func of(v *graph.Value) (list []*graph.Value, known bool) {
	p := v.Producer()
	if p != nil && p.Is("SequenceConstruct") {
		return p.Inputs(), true
	}
	return nil, p != nil && p.Is("SequenceEmpty")
}

// place is input i of n, a position among count tensors; def where it is omitted.
func place(n *graph.Node, i, count, def int) (at int, known bool) {
	if n.Input(i) == nil {
		return def, true
	}
	k, known := number(n.Input(i))
	if k < 0 {
		k += int64(count)
	}
	return int(k), known && k >= 0 && k <= int64(count)
}

// number is a constant integer.
func number(v *graph.Value) (int64, bool) {
	t := op.Constant(v)
	if t == nil {
		return 0, false
	}
	list, err := t.Int64s()
	if err != nil || len(list) != 1 {
		return 0, false
	}
	return list[0], true
}

// element finds the tensor that a SequenceAt takes out of a sequence.
func element(_ *ranges, n *graph.Node) (*graph.Value, error) {
	list, known := of(n.Input(0))
	i, ok := place(n, 1, len(list), 0)
	if !known || !ok || i >= len(list) {
		return nil, nil
	}
	return list[i], nil
}

// sequence puts a sequence of tensors in the place of n, which makes one of another.
func (t *tensors) sequence(n *graph.Node, list []*graph.Value) (bool, error) {
	old := n.Input(0)
	_, err := t.Replace(n, graph.Op{Type: "SequenceConstruct"}, nil, list...)
	if err == nil {
		err = drop(old)
	}
	return true, err
}

// drop removes what makes a sequence that nothing reads any more.
func drop(v *graph.Value) error {
	p := v.Producer()
	if p == nil || v.NumUses() > 0 || v.IsOutput() || !slices.ContainsFunc(makers, p.Is) {
		return nil
	}
	return p.Graph().Remove(p)
}

func (t *tensors) insert(n *graph.Node) (bool, error) {
	list, known := of(n.Input(0))
	i, ok := place(n, 2, len(list), len(list))
	if !known || !ok {
		return false, nil
	}
	return t.sequence(n, slices.Insert(slices.Clone(list), i, n.Input(1)))
}

func (t *tensors) erase(n *graph.Node) (bool, error) {
	list, known := of(n.Input(0))
	i, ok := place(n, 1, len(list), len(list)-1)
	if !known || !ok || i >= len(list) || len(list) < 2 { // a SequenceConstruct has one at least
		return false, nil
	}
	return t.sequence(n, slices.Delete(slices.Clone(list), i, i+1))
}

func (t *tensors) length(n *graph.Node) (bool, error) {
	list, known := of(n.Input(0))
	if !known || n.Output(0).IsOutput() {
		return false, nil
	}
	g, old := n.Graph(), n.Input(0)
	count := g.AddInitializer(g.FreshName(n.Output(0).Name()+"_const"), graph.NewInt64([]int64{}, []int64{int64(len(list))}))
	if err := t.SupersedeAll(n, []*graph.Value{count}); err != nil {
		return true, err
	}
	return true, drop(old)
}

func (t *tensors) concat(n *graph.Node) (bool, error) {
	k, err := op.ConcatFromSequenceOf(n)
	list, known := of(k.X)
	if err != nil || !known || len(list) == 0 {
		return false, err
	}
	if k.New {
		list = slices.Clone(list)
		for i, x := range list {
			list[i] = t.view(n, "Unsqueeze", x, k.Axis)
			if shape := n.Output(0).Type.Shape; shape != nil {
				shape = slices.Clone(shape)
				if a, ok := op.Axis(k.Axis, len(shape)); ok {
					shape[a] = graph.Known(1)
				}
				list[i].Type = graph.TensorOf(x.Type.Elem, shape)
			}
		}
	}
	old := n.Input(0)
	if _, err := t.Replace(n, graph.Op{Type: "Concat"}, graph.Attrs{{Name: "axis", Value: graph.Int(k.Axis)}}, list...); err != nil {
		return true, err
	}
	return true, drop(old)
}

// view is an Unsqueeze or a Squeeze of x by an axis, in front of n.
func (t *tensors) view(n *graph.Node, typ string, x *graph.Value, axis int64) *graph.Value {
	g := n.Graph()
	inputs, attrs := []*graph.Value{x}, graph.Attrs(nil)
	if t.opset < 13 {
		attrs = graph.Attrs{{Name: "axes", Value: graph.Ints{axis}}}
	} else {
		inputs = append(inputs, g.AddInitializer(g.FreshName(x.Name()+"_axis"), graph.NewInt64([]int64{1}, []int64{axis})))
	}
	return t.Insert(n, n, "", graph.Op{Type: typ}, attrs, inputs, g.FreshName(x.Name()+"_view")).Output(0)
}
