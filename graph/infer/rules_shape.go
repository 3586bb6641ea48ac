package infer

import (
	"math"
	"slices"

	"spikingir/graph/op"
)

func concat(c *call) error {
	k, err := op.ConcatOf(c.n)
	if err != nil {
		return err
	}
	elem, err := c.sameElem(k.Xs...)
	if err != nil {
		return err
	}
	var out []Expr
	axis := 0
	for i, v := range k.Xs {
		dims, ok := c.shape(v)
		if !ok {
			return c.set(0, elem, nil, false)
		}
		if i == 0 {
			out = dims
			if axis, err = c.axis(k.Axis, len(dims)); err != nil {
				return err
			}
			continue
		}
		if err := c.rank(v, dims, len(out), "that of the first input"); err != nil {
			return err
		}
		for j, d := range dims {
			if j == axis {
				out[j] = out[j].Add(d)
			} else if out[j], err = c.agree(out[j], d, "a size outside the axis of joining"); err != nil {
				return err
			}
		}
	}
	return c.set(0, elem, out, true)
}

func split(c *call) error {
	s, err := op.SplitOf(c.n, c.opset)
	if err != nil {
		return err
	}
	elem := c.elem(s.X)
	dims, ranked := c.shape(s.X)
	axis := 0
	if ranked {
		if axis, err = c.axis(s.Axis, len(dims)); err != nil {
			return err
		}
	}
	var sizes []Expr
	if ranked {
		if sizes, err = c.splitSizes(s, dims[axis]); err != nil {
			return err
		}
	}
	for i := range c.out {
		out := slices.Clone(dims)
		if ranked {
			out[axis] = sizes[i]
		}
		if err := c.set(i, elem, out, ranked); err != nil {
			return err
		}
	}
	return nil
}

// splitSizes is the size of each output of a Split along its axis.
func (c *call) splitSizes(s op.Split, size Expr) ([]Expr, error) {
	sizes := make([]Expr, len(c.out))
	if s.Sizes.Given {
		list, ok := c.list(s.Sizes)
		if !ok || len(list) != len(sizes) {
			return sizes, nil
		}
		sum := Number(0)
		for _, e := range list {
			sum = sum.Add(e)
		}
		_, err := c.agree(size, sum, "the size that is split")
		return list, err
	}
	n, isNumber := size.Int()
	if isNumber {
		part := (n + s.Parts - 1) / s.Parts
		if part*s.Parts != n && c.opset < 18 {
			return nil, c.failf("size %d in %d parts, want a multiple", n, s.Parts)
		}
		for i := range sizes {
			sizes[i] = Number(min(part, max(n-part*int64(i), 0)))
		}
		return sizes, nil
	}
	part := size.Div(Number(s.Parts))
	if !part.known && c.opset < 18 {
		part = size.FloorDiv(s.Parts) // a size that is no multiple cannot run
	}
	for i := range sizes {
		sizes[i] = part
	}
	return sizes, nil
}

func slice(c *call) error {
	s, err := op.SliceOf(c.n, c.opset)
	if err != nil {
		return err
	}
	elem := c.elem(s.X)
	dims, ranked := c.shape(s.X)
	if !ranked {
		return c.set(0, elem, nil, false)
	}
	starts, okStarts := c.list(s.Starts)
	ends, okEnds := c.list(s.Ends)
	steps, okSteps := c.list(s.Steps)
	axes, okAxes := c.numbers(s.Axes)
	if !s.Axes.Given {
		axes, okAxes = counting(max(len(starts), len(ends))), okStarts || okEnds
	}
	if !okAxes {
		return c.set(0, elem, make([]Expr, len(dims)), true)
	}
	at := func(list []Expr, ok bool, i int, def Expr) Expr {
		switch {
		case list == nil && ok:
			return def
		case !ok || i >= len(list):
			return Expr{}
		}
		return list[i]
	}
	for i, a := range axes {
		axis, err := c.axis(a, len(dims))
		if err != nil {
			return err
		}
		step := Number(1)
		if s.Steps.Given {
			step = at(steps, okSteps, i, step)
		}
		dims[axis] = sliced(dims[axis], at(starts, okStarts, i, Expr{}), at(ends, okEnds, i, Expr{}), step)
	}
	return c.set(0, elem, dims, true)
}

func counting(n int) []int64 {
	list := make([]int64, n)
	for i := range list {
		list[i] = int64(i)
	}
	return list
}

// sliced is the size that start:end:step leaves of a size. With symbols it
// resolves when start and end certainly lie inside, or when one counts from the
// front and the other from the end: then a size too small for both would leave
// nothing.
func sliced(size, start, end, step Expr) Expr {
	k, ok := step.Int()
	if !ok || k == 0 {
		return Expr{}
	}
	n, isNumber := size.Int()
	from, okFrom := start.Int()
	to, okTo := end.Int()
	if isNumber && okFrom && okTo {
		_, count := sliceRange(n, from, to, k)
		return Number(count)
	}
	if k < 0 {
		if start.is(-1) && okTo && to <= math.MinInt32 {
			return size.CeilDiv(-k)
		}
		return Expr{}
	}
	first, okFirst := place(size, start)
	last, okLast := place(size, end)
	fromFront, fromEnd := okFrom && from >= 0, okTo && to < 0 || last.Equal(size)
	switch {
	case okFirst && okLast:
	case fromFront && fromEnd:
		if !okFirst {
			first = start
		}
		if !okLast {
			last = size.Add(end)
		}
	default:
		return Expr{}
	}
	count := last.Sub(first).CeilDiv(k)
	if m, isNumber := count.Int(); isNumber {
		return Number(max(m, 0))
	}
	return count
}

// place is where a bound of a slice lies, counted from the front; ok is false
// when it may have to be clamped.
func place(size, at Expr) (place Expr, ok bool) {
	n, isNumber := at.Int()
	switch {
	case isNumber && n >= math.MaxInt32:
		return size, true
	case isNumber && n < 0:
		at = size.Add(at)
		return at, at.atLeast(0)
	case size.Sub(at).atLeast(0) && at.atLeast(0):
		return at, true
	case at.Sub(size).atLeast(0):
		return size, true
	}
	return Expr{}, false
}

func reshape(c *call) error {
	r, err := op.ReshapeOf(c.n)
	if err != nil {
		return err
	}
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

// divideOut is the product of in over the product of out, common factors taken
// out first.
func divideOut(in, out []Expr) Expr {
	in = slices.Clone(in)
	rest := Number(1)
	for _, e := range out {
		if i := slices.IndexFunc(in, e.Equal); i >= 0 {
			in = slices.Delete(in, i, i+1)
		} else {
			rest = rest.Mul(e)
		}
	}
	return total(in).Div(rest)
}

func flatten(c *call) error {
	f, err := op.FlattenOf(c.n)
	if err != nil {
		return err
	}
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

func transpose(c *call) error {
	t, err := op.TransposeOf(c.n)
	if err != nil {
		return err
	}
	dims, ranked := c.shape(t.X)
	if !ranked {
		if t.Perm != nil {
			return c.set(0, c.elem(t.X), make([]Expr, len(t.Perm)), true)
		}
		return c.set(0, c.elem(t.X), nil, false)
	}
	perm := t.PermFor(len(dims))
	if err := c.rank(t.X, dims, len(perm), "the length of perm"); err != nil {
		return err
	}
	out := make([]Expr, len(dims))
	for i, p := range perm {
		out[i] = dims[p]
	}
	return c.set(0, c.elem(t.X), out, true)
}

func squeeze(c *call) error {
	s, err := op.SqueezeOf(c.n, c.opset)
	if err != nil {
		return err
	}
	elem := c.elem(s.X)
	dims, ranked := c.shape(s.X)
	axes, ok := c.numbers(s.Axes)
	if !ranked || !ok {
		return c.set(0, elem, nil, false)
	}
	drop := make([]bool, len(dims))
	for _, a := range axes {
		axis, err := c.axis(a, len(dims))
		if err != nil {
			return err
		}
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

func unsqueeze(c *call) error {
	s, err := op.SqueezeOf(c.n, c.opset)
	if err != nil {
		return err
	}
	elem := c.elem(s.X)
	dims, ranked := c.shape(s.X)
	axes, ok := c.numbers(s.Axes)
	if !ranked || !ok {
		return c.set(0, elem, nil, false)
	}
	out := make([]Expr, len(dims)+len(axes))
	added := make([]bool, len(out))
	for _, a := range axes {
		axis, err := c.axis(a, len(out))
		if err != nil {
			return err
		}
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

func pad(c *call) error {
	p, err := op.PadOf(c.n, c.opset)
	if err != nil {
		return err
	}
	elem := c.elem(p.X)
	dims, ranked := c.shape(p.X)
	pads, ok := c.list(p.Pads)
	axes, okAxes := c.numbers(p.Axes)
	switch {
	case !ranked && ok && !p.Axes.Given:
		return c.set(0, elem, make([]Expr, len(pads)/2), true)
	case !ranked:
		return c.set(0, elem, nil, false)
	case !ok || !okAxes:
		return c.set(0, elem, make([]Expr, len(dims)), true)
	case !p.Axes.Given:
		axes = counting(len(dims))
	}
	if len(pads) != 2*len(axes) {
		return c.failf("pads are %v, want %d for an input of rank %d", pads, 2*len(axes), len(dims))
	}
	for i, a := range axes {
		axis, err := c.axis(a, len(dims))
		if err != nil {
			return err
		}
		dims[axis] = dims[axis].Add(pads[i]).Add(pads[len(axes)+i])
	}
	return c.set(0, elem, dims, true)
}

func depthToSpace(c *call) error {
	return c.block(func(d []Expr, b int64) ([]Expr, int64) {
		return []Expr{d[0], d[1].FloorDiv(b * b), d[2].Times(b), d[3].Times(b)}, d2s(d[1], b*b)
	})
}

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

func (c *call) block(f func(dims []Expr, b int64) (out []Expr, bad int64)) error {
	b, err := op.BlockOf(c.n)
	if err != nil {
		return err
	}
	dims, ranked := c.shape(b.X)
	if !ranked {
		dims = make([]Expr, 4)
	}
	if err := c.rank(b.X, dims, 4, "[N, C, H, W]"); err != nil {
		return err
	}
	out, bad := f(dims, b.Size)
	if bad != 0 {
		return c.failf("size %d in blocks of %d, want a multiple", bad, b.Size)
	}
	return c.set(0, c.elem(b.X), out, true)
}

func gather(c *call) error {
	g, err := op.GatherOf(c.n)
	if err != nil {
		return err
	}
	elem := c.elem(g.X)
	dims, ranked := c.shape(g.X)
	index, okIndex := c.shape(c.n.Input(1))
	if !ranked || !okIndex {
		return c.set(0, elem, nil, false)
	}
	axis, err := c.axis(g.Axis, len(dims))
	if err != nil {
		return err
	}
	size, isNumber := dims[axis].Int()
	for _, i := range g.Indices.Value {
		if isNumber && (i >= size || i < -size) {
			return c.failf("index %d along axis %d, want one below %d", i, axis, size)
		}
	}
	return c.set(0, elem, slices.Concat(dims[:axis], index, dims[axis+1:]), true)
}

func expand(c *call) error {
	e, err := op.ExpandOf(c.n)
	if err != nil {
		return err
	}
	elem := c.elem(e.X)
	dims, ranked := c.shape(e.X)
	shape, ok := c.list(e.Shape)
	if !ranked || !ok {
		return c.set(0, elem, nil, false)
	}
	out, err := c.broadcastDims(dims, shape)
	if err != nil {
		return err
	}
	return c.set(0, elem, out, true)
}

func tile(c *call) error {
	t, err := op.TileOf(c.n)
	if err != nil {
		return err
	}
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

func reduce(c *call) error {
	r, err := op.ReduceOf(c.n, c.opset)
	if err != nil {
		return err
	}
	elem := c.elem(r.X)
	dims, ranked := c.shape(r.X)
	axes, ok := c.numbers(r.Axes)
	switch {
	case !ranked && !r.Axes.Given && !r.KeepDims && !r.NoOp:
		return c.set(0, elem, []Expr{}, true)
	case !ranked:
		return c.set(0, elem, nil, false)
	case !ok && r.KeepDims:
		return c.set(0, elem, make([]Expr, len(dims)), true)
	case !ok:
		return c.set(0, elem, nil, false)
	}
	r.Axes.Known, r.Axes.Value = true, axes
	list, err := r.AxesFor(len(dims))
	if err != nil {
		return err
	}
	return c.set(0, elem, reducedDims(dims, list, r.KeepDims), true)
}

// reducedDims is dims with the axes as 1, or left out.
func reducedDims(dims []Expr, axes []int, keep bool) []Expr {
	out := []Expr{}
	for i, d := range dims {
		switch {
		case !slices.Contains(axes, i):
			out = append(out, d)
		case keep:
			out = append(out, Number(1))
		}
	}
	return out
}
