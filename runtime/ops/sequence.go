package ops

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// newSequence is a sequence of tensors that nothing changes.
func newSequence(elem graph.DType, list []*Tensor) *Tensor {
	if list == nil {
		list = []*Tensor{}
	}
	return &Tensor{DType: elem, Dims: []int{0}, List: list}
}

func wantSequence(t *Tensor) error {
	if t.List == nil {
		return fmt.Errorf("input 0 is %v, want a sequence", t)
	}
	return nil
}

// position is an index of a sequence of n tensors from an input, def where it is omitted.
func position(in []*Tensor, i, n, def int) (int, error) {
	t := optional(in, i)
	if t == nil {
		return def, nil
	}
	if t.DType.IsFloat() || t.Len() != 1 {
		return 0, fmt.Errorf("input %d (position) is %v, want one integer", i, t)
	}
	return indexOf(t.I64[0], n)
}

// sequenceConstruct copies the tensors: their memory is used again.
func sequenceConstruct(env *Env, in []*Tensor) ([]*Tensor, error) {
	check(wantSameType(in...))
	list := make([]*Tensor, len(in))
	for i, t := range in {
		list[i] = env.copyOf(t)
	}
	return one(newSequence(in[0].DType, list)), nil
}

func sequenceEmpty(s op.SequenceEmpty, _ *Env, _ []*Tensor) ([]*Tensor, error) {
	if !Computable(s.Elem) {
		return nil, fmt.Errorf("elements of type %v are not supported", s.Elem)
	}
	return one(newSequence(s.Elem, nil)), nil
}

func sequenceAt(env *Env, in []*Tensor) ([]*Tensor, error) {
	check(wantSequence(in[0]))
	i := must(position(in, 1, len(in[0].List), 0))
	return one(duplicate(env, in[0].List[i])), nil
}

// sequenceInsert puts a tensor before the one at a position, or behind all.
func sequenceInsert(env *Env, in []*Tensor) ([]*Tensor, error) {
	check(wantSequence(in[0]))
	if in[1].DType != in[0].DType {
		return nil, fmt.Errorf("input 1 is of type %v, want %v as the sequence", in[1].DType, in[0].DType)
	}
	n := len(in[0].List)
	i := n
	if t := optional(in, 2); t == nil || t.DType.IsFloat() || t.Len() != 1 || t.I64[0] != int64(n) {
		i = must(position(in, 2, n, n))
	}
	return one(newSequence(in[0].DType, slices.Insert(slices.Clone(in[0].List), i, env.copyOf(in[1])))), nil
}

// sequenceErase takes out the tensor at a position, or the last.
func sequenceErase(_ *Env, in []*Tensor) ([]*Tensor, error) {
	check(wantSequence(in[0]))
	n := len(in[0].List)
	i := must(position(in, 1, n, n-1))
	if n == 0 {
		return nil, fmt.Errorf("the sequence is empty, want a tensor to take out")
	}
	return one(newSequence(in[0].DType, slices.Delete(slices.Clone(in[0].List), i, i+1))), nil
}

func sequenceLength(env *Env, in []*Tensor) ([]*Tensor, error) {
	check(wantSequence(in[0]))
	y := env.alloc(graph.Int64, nil)
	y.I64[0] = int64(len(in[0].List))
	return one(y), nil
}

// splitToSequence cuts into pieces of a size, of which the last may be smaller, or of listed
// sizes, or into slices.
func splitToSequence(s op.SplitToSequence, env *Env, in []*Tensor) ([]*Tensor, error) {
	x, sizes := in[0], optional(in, 1)
	axis := must(axisOf(s.Axis, x.Rank()))
	n := x.Dims[axis]
	var pieces []int
	switch {
	case sizes == nil:
		env.claim(int64(n) * tensorBytes)
		pieces = make([]int, n)
		fill(pieces, 1)
	case sizes.DType.IsFloat() || sizes.Rank() > 1:
		return nil, fmt.Errorf("input 1 (split) is %v, want one integer or a list", sizes)
	case sizes.Rank() == 1:
		pieces = must(dimsOf(sizes.I64))
	case sizes.I64[0] < 1:
		return nil, fmt.Errorf("pieces of size %d, want 1 or more", sizes.I64[0])
	default:
		env.claim(int64(n) / sizes.I64[0] * tensorBytes)
		for rest := n; rest > 0; rest -= pieces[len(pieces)-1] {
			pieces = append(pieces, int(min(int64(rest), sizes.I64[0])))
		}
	}
	sum := 0
	for _, p := range pieces {
		sum += p
	}
	if sum != n {
		return nil, fmt.Errorf("split sizes %v for axis %d of %v, want them to sum to %d", pieces, axis, x, n)
	}
	list := split(env.scratch(), x, axis, pieces)
	for i, t := range list {
		if sizes == nil && !s.KeepDims {
			list[i] = t.view(slices.Delete(slices.Clone(t.Dims), axis, axis+1))
		}
	}
	return one(newSequence(x.DType, list)), nil
}

func concatFromSequence(c op.ConcatFromSequence, env *Env, in []*Tensor) ([]*Tensor, error) {
	check(wantSequence(in[0]))
	list := slices.Clone(in[0].List)
	if len(list) == 0 {
		return nil, fmt.Errorf("the sequence is empty, want a tensor")
	}
	rank := list[0].Rank()
	if c.New {
		rank++
	}
	axis := must(axisOf(c.Axis, rank))
	for i, t := range list {
		if c.New && t.Rank() == rank-1 {
			list[i] = t.view(slices.Insert(slices.Clone(t.Dims), axis, 1))
		}
	}
	return runConcat(op.Concat{Axis: int64(axis)}, env, list)
}
