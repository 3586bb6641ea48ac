package onnxio

import (
	"iter"

	"spikingir/graph"
)

// tensors iterates over all tensors of a model that the IR holds: initializers
// and attributes, those of subgraphs and functions included.
func tensors(m *graph.Model) iter.Seq[*graph.Tensor] {
	return func(yield func(*graph.Tensor) bool) {
		for g := range m.Graphs() {
			for _, v := range g.Initializers() {
				if !yieldTensors(v.Const, v.Sparse, yield) {
					return
				}
			}
			for n := range g.Nodes() {
				if !attrTensors(n.Attrs, yield) {
					return
				}
			}
		}
		for _, f := range m.Functions {
			if !attrTensors(f.Defaults, yield) {
				return
			}
		}
	}
}

func attrTensors(as graph.Attrs, yield func(*graph.Tensor) bool) bool {
	for _, a := range as {
		ok := true
		switch x := a.Value.(type) {
		case *graph.Tensor:
			ok = yield(x)
		case *graph.SparseTensor:
			ok = yieldTensors(nil, x, yield)
		case graph.Tensors:
			for _, t := range x {
				ok = ok && yield(t)
			}
		case graph.SparseTensors:
			for _, s := range x {
				ok = ok && yieldTensors(nil, s, yield)
			}
		}
		if !ok {
			return false
		}
	}
	return true
}

func yieldTensors(t *graph.Tensor, s *graph.SparseTensor, yield func(*graph.Tensor) bool) bool {
	if t != nil && !yield(t) {
		return false
	}
	return s == nil || yield(s.Values) && yield(s.Indices)
}
