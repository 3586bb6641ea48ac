package widenfloats

import (
	"spikingir/graph"
)

// widening is which values of other float types must be of one type.
type widening struct {
	order []*graph.Value                // in the order of the graph
	tied  map[*graph.Value]*graph.Value // towards what stands for all that is tied
}

// elem is the type of the elements of a tensor, or of the tensors of a sequence or an
// optional.
func elem(t graph.Type) graph.DType {
	switch {
	case t.Kind == graph.TensorType:
		return t.Elem
	case (t.Kind == graph.SequenceType || t.Kind == graph.OptionalType) && t.Of != nil:
		return elem(*t.Of)
	}
	return graph.Undefined
}

// ofFloat32 is t with elements of float32.
func ofFloat32(t graph.Type) graph.Type {
	if t.Of == nil {
		t.Elem = graph.Float32
		return t
	}
	of := ofFloat32(*t.Of)
	t.Of = &of
	return t
}

// add enters a value that may be widened.
func (w *widening) add(v *graph.Value) {
	if v == nil || !isOther(elem(v.Type)) || w.tied[v] != nil {
		return
	}
	w.tied[v] = v
	w.order = append(w.order, v)
}

// root stands for all values that v is tied to; nil for one that stays.
func (w *widening) root(v *graph.Value) *graph.Value {
	r := w.tied[v]
	for r != nil && w.tied[r] != r {
		r = w.tied[r]
	}
	for v != r && r != nil { // what comes next is found at once
		v, w.tied[v] = w.tied[v], r
	}
	return r
}

// tie makes values of one type, those among them that may be widened.
func (w *widening) tie(values []*graph.Value) {
	var first *graph.Value
	for _, v := range values {
		r := w.root(v)
		switch {
		case r == nil:
		case first == nil:
			first = r
		default:
			w.tied[r] = first
		}
	}
}

// graph ties the values of g and of its subgraphs.
func (w *widening) graph(g *graph.Graph) {
	for _, v := range append(g.Values(), g.Outputs()...) {
		w.add(v)
	}
	for n := range g.Nodes() {
		group := append(n.Inputs(), n.Outputs()...)
		switch {
		case n.Is("Cast"):
			group = n.Outputs()
		case n.Is("CastLike"):
			group = append(n.Outputs(), n.Input(1))
		}
		for _, sub := range n.Subgraphs() {
			w.graph(sub)
			group = append(append(group, sub.Inputs()...), sub.Outputs()...)
		}
		w.tie(group)
	}
}

// widened is the values that become float32: all that is tied to a tensor, or to an input or
// an output of the graph.
func (w *widening) widened(g *graph.Graph) map[*graph.Value]bool {
	roots := map[*graph.Value]bool{}
	for _, v := range w.order {
		public := v.Graph() == g && (v.IsInput() || v.IsOutput())
		if public || v.Type.Shape == nil || len(v.Type.Shape) >= 2 {
			roots[w.root(v)] = true
		}
	}
	wide := map[*graph.Value]bool{}
	for _, v := range w.order {
		if roots[w.root(v)] {
			wide[v] = true
		}
	}
	return wide
}
