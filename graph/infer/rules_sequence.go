package infer

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

func sequenceOf(t graph.Type) graph.Type { return graph.Type{Kind: graph.SequenceType, Of: &t} }

// maxTensors bounds the sequences of which each tensor is known.
const maxTensors = maxContent

// Tensors is the types of the tensors of a sequence, in order; ok is false where their
// number is not known.
func (s *Sizes) Tensors(v *graph.Value) (list []graph.Type, ok bool) {
	list, ok = s.state.tensors[v]
	return list, ok
}

// sequence states what the tensors of the sequence that n gives are, where that is known.
func (c *call) sequence(list []graph.Type, known bool) {
	if v := c.n.Output(0); known && v != nil && len(list) <= maxTensors {
		c.tensors[v] = list
	}
}

// element is the type of the tensors of a sequence, as far as known.
func (c *call) element(v *graph.Value) graph.Type {
	t := c.typeOf(v)
	if t.Kind == graph.SequenceType && t.Of != nil {
		return *t.Of
	}
	return graph.TensorOf(graph.Undefined, nil)
}

func sequenceConstruct(c *call) error {
	var list []graph.Type
	for _, v := range c.n.Inputs() {
		list = append(list, c.typeOf(v))
	}
	t := list[0]
	for _, other := range list[1:] {
		t = common(t, other)
	}
	c.out[0] = sequenceOf(t)
	c.sequence(list, true)
	return nil
}

func sequenceEmpty(c *call, s op.SequenceEmpty) error {
	c.out[0] = sequenceOf(graph.TensorOf(s.Elem, nil))
	c.sequence([]graph.Type{}, true)
	return nil
}

func sequenceAt(c *call) error {
	c.out[0] = c.element(c.n.Input(0))
	list, known := c.tensors[c.n.Input(0)]
	if i, ok := c.position(1, list, known, 0); ok {
		if i >= int64(len(list)) {
			return c.failf("position %d is outside a sequence of %d tensors", i, len(list))
		}
		c.out[0] = list[i]
	}
	return nil
}

// position is input i, an index of a sequence of tensors that may count from the end, as
// one from 0 to their number; def stands for an omitted one.
func (c *call) position(i int, list []graph.Type, known bool, def int64) (at int64, ok bool) {
	n := int64(len(list))
	switch k := c.content[c.n.Input(i)]; {
	case !known:
		return 0, false
	case c.n.Input(i) == nil:
		at = def
	case len(k) != 1:
		return 0, false
	default:
		if at, ok = k[0].num.Int(); !ok {
			return 0, false
		}
	}
	if at < -n || at > n {
		check(c.failf("position %d is outside a sequence of %d tensors", at, n))
	}
	if at < 0 {
		at += n
	}
	return at, true
}

// sequenceInsert: a sequence that was empty says nothing of the shapes.
func sequenceInsert(c *call) error {
	c.out[0] = sequenceOf(graph.TensorOf(c.elem(c.n.Input(1)), nil))
	list, known := c.tensors[c.n.Input(0)]
	if i, ok := c.position(2, list, known, int64(len(list))); ok {
		c.sequence(slices.Insert(slices.Clone(list), int(i), c.typeOf(c.n.Input(1))), true)
	}
	return nil
}

func sequenceErase(c *call) error {
	check(c.same(0, c.n.Input(0)))
	list, known := c.tensors[c.n.Input(0)]
	if i, ok := c.position(1, list, known, int64(len(list)-1)); ok {
		if i >= int64(len(list)) {
			return c.failf("position %d is outside a sequence of %d tensors", i, len(list))
		}
		c.sequence(slices.Delete(slices.Clone(list), int(i), int(i)+1), true)
	}
	return nil
}

func sequenceLength(c *call) error {
	if list, known := c.tensors[c.n.Input(0)]; known && c.n.Output(0) != nil {
		c.content[c.n.Output(0)] = content{whole(Number(int64(len(list))))}
	}
	return sizeOf(c)
}

func splitToSequence(c *call, s op.SplitToSequence) error {
	dims, ranked := c.shape(s.X)
	elem := c.elem(s.X)
	if !ranked {
		check(c.set(0, elem, nil, false))
		c.out[0] = sequenceOf(c.out[0])
		return nil
	}
	axis := must(c.axis(s.Axis, len(dims)))
	sizes, known := c.pieces(s, dims[axis])
	of := func(size Expr) graph.Type {
		own := slices.Clone(dims)
		own[axis] = size
		if s.Sizes == nil && !s.KeepDims {
			own = slices.Delete(own, axis, axis+1)
		}
		check(c.set(0, elem, own, true))
		return c.out[0]
	}
	var list []graph.Type
	for _, size := range sizes {
		list = append(list, of(size))
	}
	c.out[0] = sequenceOf(of(Expr{}))
	c.sequence(list, known)
	return nil
}

// pieces is the sizes that an axis of a size is cut into, where their number is known.
func (c *call) pieces(s op.SplitToSequence, size Expr) (sizes []Expr, ok bool) {
	each := int64(1)
	if s.Sizes != nil {
		k, known := c.content[s.Sizes]
		dims, ranked := c.shape(s.Sizes)
		if !known || !ranked {
			return nil, false
		}
		if len(dims) > 0 {
			sum := Number(0)
			for _, e := range k.whole() {
				sum = sum.Add(e)
			}
			_, err := c.agree("the size that is split", size, s.X, sum, s.Sizes)
			check(err)
			return k.whole(), true
		}
		if each, ok = k[0].num.Int(); !ok {
			return nil, false
		}
		if each < 1 {
			check(c.failf("input 1 (split) is %d, want pieces of size 1 or more", each))
		}
	}
	n, isNumber := size.Int()
	if !isNumber || (n+each-1)/each > maxTensors {
		return nil, false
	}
	for rest := n; rest > 0; rest -= each {
		sizes = append(sizes, Number(min(rest, each)))
	}
	return sizes, true
}

func concatFromSequence(c *call, k op.ConcatFromSequence) error {
	list, known := c.tensors[k.X]
	if !known {
		list = []graph.Type{c.element(k.X)}
	}
	if known && len(list) == 0 {
		return c.failf("the sequence is empty, want a tensor")
	}
	elem, axis := c.element(k.X).Elem, 0
	var out []Expr
	for i, t := range list {
		dims, ranked := DimsOf(t)
		if !ranked {
			return c.set(0, elem, nil, false)
		}
		if i == 0 {
			rank := len(dims)
			if k.New {
				rank++
			}
			axis = must(c.axis(k.Axis, rank))
		}
		if k.New {
			dims = slices.Insert(dims, axis, Number(1))
		}
		if i == 0 {
			out = dims
			continue
		}
		if len(dims) != len(out) {
			return c.failf("tensor %d of the sequence has rank %d, want that of the first, %d", i, len(dims), len(out))
		}
		for j, d := range dims {
			if j == axis {
				out[j] = out[j].Add(d)
			} else {
				out[j] = must(c.agree("a size outside the axis of joining", out[j], k.X, d, k.X))
			}
		}
	}
	if !known {
		out[axis] = Expr{}
	}
	return c.set(0, elem, out, true)
}
