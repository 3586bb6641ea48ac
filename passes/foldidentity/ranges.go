package foldidentity

import (
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
)

// interval is what the elements of a value lie in.
type interval struct{ lo, hi float64 }

var anything = interval{math.Inf(-1), math.Inf(1)}

func (a interval) join(b interval) interval {
	return interval{math.Min(a.lo, b.lo), math.Max(a.hi, b.hi)}
}

// ranges finds the intervals of values, each once.
type ranges struct {
	opset int64
	known map[*graph.Value]interval
}

// limits is what a Relu or a Clip of constant limits limits to; ok is false for anything
// else.
func (r *ranges) limits(n *graph.Node) (l interval, ok bool, err error) {
	if n.Is("Relu") {
		return interval{0, math.Inf(1)}, true, nil
	}
	if !n.Is("Clip") {
		return l, false, nil
	}
	c, err := op.ClipOf(n, r.opset)
	if err != nil || !c.Min.Known || !c.Max.Known {
		return l, false, err
	}
	l = interval{float64(c.Min.Value), float64(c.Max.Value)}
	if unlimited(c.Min.Value) && l.lo < 0 {
		l.lo = math.Inf(-1)
	}
	if unlimited(c.Max.Value) && l.hi > 0 {
		l.hi = math.Inf(1)
	}
	return l, l.lo <= l.hi, nil
}

// of is an interval that v lies in, as far as the operators in front of it tell. What
// only rearranges elements is followed, however long the way.
func (r *ranges) of(v *graph.Value) interval {
	way := []*graph.Value{v}
	var found interval
	for {
		v := way[len(way)-1]
		if known, ok := r.known[v]; ok {
			found = known
			break
		}
		n := v.Producer()
		if n == nil || !rearranges[n.Op()] || n.Input(0) == nil {
			found = r.made(n)
			break
		}
		way = append(way, n.Input(0))
	}
	for _, v := range way {
		r.known[v] = found
	}
	return found
}

// rearranges is operators whose results are elements of their first input, or means of
// them.
var rearranges = map[graph.Op]bool{
	{Type: "Identity"}: true, {Type: "Transpose"}: true, {Type: "Reshape"}: true, {Type: "Flatten"}: true,
	{Type: "Squeeze"}: true, {Type: "Unsqueeze"}: true, {Type: "Slice"}: true, {Type: "Gather"}: true,
	{Type: "Split"}: true, {Type: "Expand"}: true, {Type: "Tile"}: true, {Type: "DepthToSpace"}: true,
	{Type: "SpaceToDepth"}: true, {Type: "MaxPool"}: true, {Type: "GlobalMaxPool"}: true,
	{Type: "GlobalAveragePool"}: true,
}

// made is the interval of what n makes.
func (r *ranges) made(n *graph.Node) interval {
	if n == nil {
		return anything
	}
	switch {
	case n.Is("Relu"), n.Is("Clip"):
		return r.limited(n)
	case n.Is("Abs"), n.Is("Sqrt"), n.Is("Exp"), n.Is("Softplus"), n.Is("ReduceL2"):
		return interval{0, math.Inf(1)}
	case n.Is("Sigmoid"), n.Is("HardSigmoid"), n.Is("Softmax"):
		return interval{0, 1}
	case n.Is("Tanh"), n.Is("Sin"), n.Is("Cos"), n.Is("Sign"), n.Is("Softsign"), n.Is("Erf"):
		return interval{-1, 1}
	case n.Is("Concat"):
		return r.joined(n)
	case n.Is("AveragePool"):
		return r.of(n.Input(0)).join(interval{})
	}
	return anything
}

// limited is the limits of n, or what its input keeps to itself.
func (r *ranges) limited(n *graph.Node) interval {
	l, ok, err := r.limits(n)
	if err != nil || !ok {
		return anything
	}
	x := r.of(n.Input(0))
	clamp := func(x float64) float64 { return math.Min(math.Max(x, l.lo), l.hi) }
	return interval{clamp(x.lo), clamp(x.hi)}
}

func (r *ranges) joined(n *graph.Node) interval {
	var all interval
	for i, v := range n.Inputs() {
		if v == nil {
			return anything
		}
		if x := r.of(v); i == 0 {
			all = x
		} else {
			all = all.join(x)
		}
	}
	return all
}
