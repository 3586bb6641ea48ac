package infer

import (
	"spikingir/graph"
	"spikingir/graph/op"
)

func sequenceOf(t graph.Type) graph.Type { return graph.Type{Kind: graph.SequenceType, Of: &t} }

// element is the type of the tensors of a sequence, as far as known.
func (c *call) element(v *graph.Value) graph.Type {
	t := c.typeOf(v)
	if t.Kind == graph.SequenceType && t.Of != nil {
		return *t.Of
	}
	return graph.TensorOf(graph.Undefined, nil)
}

func sequenceConstruct(c *call) error {
	t := c.typeOf(c.n.Input(0))
	for _, v := range c.n.Inputs()[1:] {
		t = common(t, c.typeOf(v))
	}
	c.out[0] = sequenceOf(t)
	return nil
}

func sequenceEmpty(c *call, s op.SequenceEmpty) error {
	c.out[0] = sequenceOf(graph.TensorOf(s.Elem, nil))
	return nil
}

func sequenceAt(c *call) error {
	c.out[0] = c.element(c.n.Input(0))
	return nil
}

// sequenceInsert: a sequence that was empty says nothing of the shapes.
func sequenceInsert(c *call) error {
	c.out[0] = sequenceOf(graph.TensorOf(c.elem(c.n.Input(1)), nil))
	return nil
}

func splitToSequence(c *call, s op.SplitToSequence) error {
	dims, ranked := c.shape(s.X)
	if ranked {
		axis := must(c.axis(s.Axis, len(dims)))
		if s.Sizes == nil && !s.KeepDims {
			dims = append(dims[:axis:axis], dims[axis+1:]...)
		} else {
			dims[axis] = Expr{}
		}
	}
	check(c.set(0, c.elem(s.X), dims, ranked))
	c.out[0] = sequenceOf(c.out[0])
	return nil
}

func concatFromSequence(c *call, k op.ConcatFromSequence) error {
	return c.set(0, c.element(k.X).Elem, nil, false)
}
