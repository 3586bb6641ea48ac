package infer

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

func concat(c *call, k op.Concat) error {
	elem := must(c.sameElem(k.Xs...))
	var out []Expr
	axis := 0
	for i, v := range k.Xs {
		dims, ok := c.shape(v)
		if !ok {
			return c.set(0, elem, nil, false)
		}
		if i == 0 {
			out = dims
			axis = must(c.axis(k.Axis, len(dims)))
			continue
		}
		check(c.rank(v, dims, len(out), "that of the first input"))
		for j, d := range dims {
			if j == axis {
				out[j] = out[j].Add(d)
			} else {
				out[j] = must(c.agree("a size outside the axis of joining", out[j], k.Xs[0], d, v))
			}
		}
	}
	return c.set(0, elem, out, true)
}

// reshape reads the shape from the contents of its second input: 0 keeps a
// dimension, -1 takes what remains.
func reshape(c *call, r op.Reshape) error {
	elem := c.elem(r.X)
	in, ranked := c.shape(r.X)
	out, ok := c.list(r.Shape)
	if !ok {
		return c.set(0, elem, nil, false)
	}
	open, unknown := -1, 0
	for i, e := range out {
		switch {
		case e.is(0) && !r.AllowZero:
			if ranked && i >= len(in) {
				return c.failf("shape %v keeps dimension %d of an input of rank %d", out, i, len(in))
			}
			out[i] = Expr{}
			if ranked {
				out[i] = in[i]
			}
		case e.is(-1):
			if open >= 0 {
				return c.failf("shape %v leaves two dimensions open, want at most one", out)
			}
			open = i
			out[i] = Expr{}
		}
		if !out[i].known {
			unknown++
		}
	}
	return c.fillReshape(elem, in, ranked, out, open, unknown)
}

// fillReshape resolves the open dimension of a Reshape, or the only unknown
// one: the number of elements stays.
func (c *call) fillReshape(elem graph.DType, in []Expr, ranked bool, out []Expr,
	open, unknown int) error {
	if !ranked {
		return c.set(0, elem, out, true)
	}
	if unknown != 1 {
		before, okIn := total(in).Int()
		after, okOut := total(out).Int()
		if okIn && okOut && before != after {
			return c.failf("cannot view %v as %v: %d elements as %d", in, out, before, after)
		}
		if all := total(out); all.known {
			c.demand(total(in), all)
		}
		return c.set(0, elem, out, true)
	}
	rest := make([]Expr, 0, len(out))
	at := open
	for i, e := range out {
		if e.known {
			rest = append(rest, e)
		} else {
			at = i
		}
	}
	out[at] = divideOut(in, rest)
	if left, parts := splitOne(in, rest); !out[at].known && left.known {
		out[at] = left.FloorDiv(parts)
		c.demand(left, out[at].Times(parts))
	} else if n, isNumber := total(rest).Int(); isNumber && n > 0 && !out[at].known {
		c.demand(total(in), Expr{})
	} else if q := total(in).divMultiples(total(rest)); q.known && !out[at].known {
		c.demand(total(in), q.Mul(total(rest)))
	}
	before, okIn := total(in).Int()
	others, okOut := total(rest).Int()
	if okIn && okOut && !out[at].known && others != 0 {
		return c.failf("cannot view %v with an open dimension beside %d: %d elements", in, others, before)
	}
	return c.set(0, elem, out, true)
}

// divideOut is the product of in over the product of out, common factors taken
// out first.
func divideOut(in, out []Expr) Expr {
	left, rest := cancel(in, out)
	return total(left).Div(rest)
}

// cancel takes the factors that both lists have out of them. It is what is left of the first, and the
// product of what is left of the second.
func cancel(in, out []Expr) (left []Expr, rest Expr) {
	left, rest = slices.Clone(in), Number(1)
	for _, e := range out {
		if i := slices.IndexFunc(left, e.Equal); i >= 0 {
			left = slices.Delete(left, i, i+1)
		} else {
			rest = rest.Mul(e)
		}
	}
	return left, rest
}

// splitOne is the only size that a view beside others takes apart, and the number of its parts: of
// [N, C, H, W] seen as [N, C, -1, 2, W] it is H and 2. It is unknown of a view that joins sizes: whoever
// flattens an image means one size of it. The batch is no such size.
func splitOne(in, out []Expr) (size Expr, parts int64) {
	left, rest := cancel(in, out)
	left = slices.DeleteFunc(left, func(e Expr) bool { return e.is(1) })
	parts, isNumber := rest.Int()
	if len(left) != 1 || !isNumber || parts < 2 || len(in) < 2 || left[0].Equal(in[0]) {
		return Expr{}, 0
	}
	return left[0], parts
}

func flatten(c *call, f op.Flatten) error {
	dims, ranked := c.shape(f.X)
	if !ranked {
		return c.set(0, c.elem(f.X), []Expr{{}, {}}, true)
	}
	axis := f.Axis
	if axis < 0 {
		axis += int64(len(dims))
	}
	if axis < 0 || axis > int64(len(dims)) {
		return c.failf("axis %d is outside a tensor of rank %d", f.Axis, len(dims))
	}
	return c.set(0, c.elem(f.X), []Expr{total(dims[:axis]), total(dims[axis:])}, true)
}

func transpose(c *call, t op.Transpose) error {
	dims, ranked := c.shape(t.X)
	if !ranked {
		if t.Perm != nil {
			return c.set(0, c.elem(t.X), make([]Expr, len(t.Perm)), true)
		}
		return c.set(0, c.elem(t.X), nil, false)
	}
	perm := t.PermFor(len(dims))
	check(c.rank(t.X, dims, len(perm), "the length of perm"))
	out := make([]Expr, len(dims))
	for i, p := range perm {
		out[i] = dims[p]
	}
	return c.set(0, c.elem(t.X), out, true)
}

// squeeze drops axes of size 1. Without axes named, a symbol that may be 1 leaves
// the rank open.
func squeeze(c *call, s op.Squeeze) error {
	elem := c.elem(s.X)
	dims, ranked := c.shape(s.X)
	axes, ok := c.numbers(s.Axes)
	if !ranked || !ok {
		return c.set(0, elem, nil, false)
	}
	drop := make([]bool, len(dims))
	for _, a := range axes {
		axis := must(c.axis(a, len(dims)))
		if n, isNumber := dims[axis].Int(); isNumber && n != 1 {
			return c.failf("axis %d has size %d, want 1", a, n)
		}
		drop[axis] = true
	}
	var out []Expr
	for i, d := range dims {
		if !s.Axes.Given {
			if _, isNumber := d.Int(); !isNumber && !d.atLeast(2) {
				return c.set(0, elem, nil, false)
			}
			drop[i] = d.is(1)
		}
		if !drop[i] {
			out = append(out, d)
		}
	}
	return c.set(0, elem, out, true)
}

// unsqueeze inserts axes of size 1, counted in the result.
func unsqueeze(c *call, s op.Squeeze) error {
	elem := c.elem(s.X)
	dims, ranked := c.shape(s.X)
	axes, ok := c.numbers(s.Axes)
	if !ranked || !ok {
		return c.set(0, elem, nil, false)
	}
	out := make([]Expr, len(dims)+len(axes))
	added := make([]bool, len(out))
	for _, a := range axes {
		axis := must(c.axis(a, len(out)))
		if added[axis] {
			return c.failf("axes %v name axis %d twice", axes, axis)
		}
		added[axis] = true
	}
	for i, next := 0, 0; i < len(out); i++ {
		if added[i] {
			out[i] = Number(1)
			continue
		}
		out[i] = dims[next]
		next++
	}
	return c.set(0, elem, out, true)
}

// depthToSpace: [N, C, H, W] -> [N, C/b^2, H*b, W*b].
func depthToSpace(c *call) error {
	return c.block(func(d []Expr, b int64) ([]Expr, int64) {
		return []Expr{d[0], d[1].FloorDiv(b * b), d[2].Times(b), d[3].Times(b)}, d2s(d[1], b*b)
	})
}

// spaceToDepth: [N, C, H, W] -> [N, C*b^2, H/b, W/b].
func spaceToDepth(c *call) error {
	return c.block(func(d []Expr, b int64) ([]Expr, int64) {
		bad := max(d2s(d[2], b), d2s(d[3], b))
		return []Expr{d[0], d[1].Times(b * b), d[2].FloorDiv(b), d[3].FloorDiv(b)}, bad
	})
}

// d2s is the size when it is a number that b does not divide, else 0.
func d2s(size Expr, b int64) int64 {
	if n, ok := size.Int(); ok && n%b != 0 {
		return n
	}
	return 0
}

// block serves both: f gives the dimensions, and a size that is no multiple.
func (c *call) block(f func(dims []Expr, b int64) (out []Expr, bad int64)) error {
	b := must(op.BlockOf(c.n))
	dims, ranked := c.shape(b.X)
	if !ranked {
		dims = make([]Expr, 4)
	}
	check(c.rank(b.X, dims, 4, "[N, C, H, W]"))
	out, bad := f(dims, b.Size)
	if bad != 0 {
		return c.failf("size %d in blocks of %d, want a multiple", bad, b.Size)
	}
	if c.n.Is("SpaceToDepth") {
		for _, d := range dims[2:] {
			c.demand(d, d.FloorDiv(b.Size).Times(b.Size))
		}
	}
	return c.set(0, c.elem(b.X), out, true)
}

func expand(c *call, e op.Expand) error {
	elem := c.elem(e.X)
	dims, ranked := c.shape(e.X)
	shape, ok := c.list(e.Shape)
	if !ranked || !ok {
		return c.set(0, elem, nil, false)
	}
	out := must(c.broadcastDims(dims, shape))
	return c.set(0, elem, out, true)
}

func tile(c *call, t op.Tile) error {
	elem := c.elem(t.X)
	dims, ranked := c.shape(t.X)
	repeats, ok := c.list(t.Repeats)
	if !ranked {
		return c.set(0, elem, make([]Expr, len(repeats)), ok)
	}
	if !ok {
		return c.set(0, elem, make([]Expr, len(dims)), true)
	}
	if len(repeats) != len(dims) {
		return c.failf("repeats are %v, want one for each axis of %v", repeats, dims)
	}
	for i := range dims {
		dims[i] = dims[i].Mul(repeats[i])
	}
	return c.set(0, elem, dims, true)
}
