package ops

import (
	"fmt"
	"slices"

	"spikingir/graph/op"
)

func identity(_ *Env, in []*Tensor) ([]*Tensor, error) { return one(in[0].view(in[0].Dims)), nil }

func runReshape(r op.Reshape, _ *Env, in []*Tensor) ([]*Tensor, error) {
	shape, _ := mustBoth(intsParam(r.Shape, in, 1))
	dims := must(reshaped(in[0], shape, r.AllowZero))
	return one(in[0].view(dims)), nil
}

// reshaped resolves a target shape: 0 keeps x's dimension unless allowZero, one
// -1 is what remains.
func reshaped(x *Tensor, shape []int64, allowZero bool) ([]int, error) {
	dims := make([]int, len(shape))
	known, infer := 1, -1
	for i, s := range shape {
		switch {
		case s == 0 && !allowZero && i < x.Rank():
			dims[i] = x.Dims[i]
		case s == -1 && infer < 0:
			infer = i
			continue
		case s < 0 || s > maxElements || s == 0 && !allowZero:
			return nil, fmt.Errorf("shape %v for %v: entry %d is %d", shape, x, i, s)
		default:
			dims[i] = int(s)
		}
		if known *= dims[i]; known > maxElements {
			return nil, fmt.Errorf("cannot view %v as %v", x, shape)
		}
	}
	if infer >= 0 && known > 0 {
		dims[infer] = x.Len() / known
	}
	if product(dims) != x.Len() || infer >= 0 && known == 0 {
		return nil, fmt.Errorf("cannot view %v as %v", x, shape)
	}
	return dims, nil
}

func runFlatten(f op.Flatten, _ *Env, in []*Tensor) ([]*Tensor, error) {
	axis, rank := f.Axis, int64(in[0].Rank())
	if axis < 0 {
		axis += rank
	}
	if axis < 0 || axis > rank {
		return nil, fmt.Errorf("axis %d of %v, want %d to %d", f.Axis, in[0], -rank, rank)
	}
	d := in[0].Dims
	return one(in[0].view([]int{product(d[:axis]), product(d[axis:])})), nil
}

func runTranspose(t op.Transpose, env *Env, in []*Tensor) ([]*Tensor, error) {
	perm := t.PermFor(in[0].Rank())
	if len(perm) != in[0].Rank() {
		return nil, fmt.Errorf("perm %v for %v, want %d entries", perm, in[0], in[0].Rank())
	}
	axes := must(dimsOf(perm))
	return one(transpose(env, in[0], axes)), nil
}

// runSqueeze drops axes of size 1, all of them when none are named.
func runSqueeze(s op.Squeeze, _ *Env, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	list, given := mustBoth(intsParam(s.Axes, in, 1))
	axes := must(axesOf(list, x.Rank()))
	var dims []int
	for i, d := range x.Dims {
		named := slices.Contains(axes, i)
		if named && d != 1 {
			return nil, fmt.Errorf("axis %d of %v is squeezed, want its size to be 1", i, x)
		}
		if !named && (given || d != 1) {
			dims = append(dims, d)
		}
	}
	return one(x.view(dims)), nil
}

// runUnsqueeze inserts axes of size 1, counted in the result.
func runUnsqueeze(s op.Squeeze, _ *Env, in []*Tensor) ([]*Tensor, error) {
	list, _ := mustBoth(intsParam(s.Axes, in, 1))
	axes := must(axesOf(list, in[0].Rank()+len(list)))
	dims := slices.Clone(in[0].Dims)
	for _, a := range axes {
		dims = slices.Insert(dims, a, 1)
	}
	return one(in[0].view(dims)), nil
}

func runConcat(c op.Concat, env *Env, in []*Tensor) ([]*Tensor, error) {
	check(wantSameType(in...))
	axis := must(axisOf(c.Axis, in[0].Rank()))
	dims := slices.Clone(in[0].Dims)
	dims[axis] = 0
	for i, t := range in {
		want := slices.Clone(in[0].Dims)
		if t.Rank() == len(want) {
			want[axis] = t.Dims[axis]
		}
		if !slices.Equal(t.Dims, want) {
			return nil, fmt.Errorf("input %d is %v, want it to equal %v but for axis %d",
				i, t, in[0], axis)
		}
		dims[axis] += t.Dims[axis]
	}
	y := env.alloc(in[0].DType, dims)
	count, row, at := product(dims[:axis]), product(dims[axis:]), 0
	for _, t := range in {
		block := product(t.Dims[axis:])
		copyBlocks(y, t, count, block, row, at, block, 0)
		at += block
	}
	return one(y), nil
}

// runSplit cuts along an axis into pieces of stated or of equal sizes.
func runSplit(s op.Split, env *Env, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	axis := must(axisOf(s.Axis, x.Rank()))
	sizes, given := mustBoth(intsParam(s.Sizes, in, 1))
	if !given {
		sizes = equalParts(int64(x.Dims[axis]), s.Parts)
		if !s.Uneven && int64(x.Dims[axis])%s.Parts != 0 {
			return nil, fmt.Errorf("axis %d of %v in %d parts, want a multiple of that", axis, x, s.Parts)
		}
	}
	pieces := must(dimsOf(sizes))
	sum := 0
	for _, p := range pieces {
		sum += p
	}
	if sum != x.Dims[axis] || int64(len(pieces)) != s.Parts {
		return nil, fmt.Errorf("split sizes %v for axis %d of %v, want %d that sum to %d",
			sizes, axis, x, s.Parts, x.Dims[axis])
	}
	return split(env, x, axis, pieces), nil
}

// equalParts cuts n into parts of one size, of which the last may be smaller.
func equalParts(n, parts int64) []int64 {
	size := (n + parts - 1) / parts
	list := make([]int64, parts)
	for i := range list {
		list[i] = max(min(size, n), 0)
		n -= list[i]
	}
	return list
}

func split(env *Env, x *Tensor, axis int, pieces []int) []*Tensor {
	var out []*Tensor
	count, row, at := product(x.Dims[:axis]), product(x.Dims[axis:]), 0
	for _, p := range pieces {
		dims := slices.Clone(x.Dims)
		dims[axis] = p
		y := env.alloc(x.DType, dims)
		block := product(dims[axis:])
		copyBlocks(y, x, count, block, block, 0, row, at)
		at += block
		out = append(out, y)
	}
	return out
}

// bindBlock is DepthToSpace, or SpaceToDepth when toDepth.
func bindBlock(toDepth bool) binder {
	return viewed(op.BlockOf, func(b op.Block, env *Env, in []*Tensor) ([]*Tensor, error) {
		x := in[0]
		if x.Rank() != 4 {
			return nil, fmt.Errorf("input 0 is %v, want rank 4", x)
		}
		if toDepth {
			return spaceToDepth(env, x, int(b.Size))
		}
		return depthToSpace(env, x, int(b.Size), b.CRD)
	})
}

func depthToSpace(env *Env, x *Tensor, size int, crd bool) ([]*Tensor, error) {
	n, c, h, w := x.Dims[0], x.Dims[1], x.Dims[2], x.Dims[3]
	if c%(size*size) != 0 {
		return nil, fmt.Errorf("input 0 is %v, want a multiple of %d channels", x, size*size)
	}
	c /= size * size
	view, perm := x.view([]int{n, size, size, c, h, w}), []int{0, 3, 4, 1, 5, 2}
	if crd {
		view, perm = x.view([]int{n, c, size, size, h, w}), []int{0, 1, 4, 2, 5, 3}
	}
	return one(transpose(env, view, perm).view([]int{n, c, h * size, w * size})), nil
}

func spaceToDepth(env *Env, x *Tensor, size int) ([]*Tensor, error) {
	n, c, h, w := x.Dims[0], x.Dims[1], x.Dims[2], x.Dims[3]
	if h%size != 0 || w%size != 0 {
		return nil, fmt.Errorf("input 0 is %v, want height and width to be multiples of %d", x, size)
	}
	view := x.view([]int{n, c, h / size, size, w / size, size})
	y := transpose(env, view, []int{0, 3, 5, 1, 2, 4})
	return one(y.view([]int{n, c * size * size, h / size, w / size})), nil
}
