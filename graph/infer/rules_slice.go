package infer

import (
	"math"
	"slices"

	"spikingir/graph/op"
)

func split(c *call, s op.Split) error {
	elem := c.elem(s.X)
	dims, ranked := c.shape(s.X)
	if !ranked {
		for i := range c.out {
			check(c.set(i, elem, nil, false))
		}
		return nil
	}
	axis := must(c.axis(s.Axis, len(dims)))
	sizes := must(c.splitSizes(s, dims[axis]))
	for i, size := range sizes {
		dims[axis] = size
		check(c.set(i, elem, dims, true))
	}
	return nil
}

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
		_, err := c.agree("the size that is split", size, s.X, sum, s.Sizes.From)
		return list, err
	}
	n, isNumber := size.Int()
	if isNumber {
		part := (n + s.Parts - 1) / s.Parts
		if part*s.Parts != n && !s.Uneven {
			return nil, c.failf("size %d in %d parts, want a multiple", n, s.Parts)
		}
		for i := range sizes {
			sizes[i] = Number(min(part, max(n-part*int64(i), 0)))
		}
		return sizes, nil
	}
	if !s.Uneven {
		c.demand(size, size.FloorDiv(s.Parts).Times(s.Parts))
	}
	return evenly(size, s.Parts, c.opset < 18), nil
}

// evenly splits a size with symbols into equal parts. Where it need not be a
// multiple of them, the last part is smaller.
func evenly(size Expr, parts int64, multiple bool) []Expr {
	part := size.Div(Number(parts))
	if !part.known && multiple {
		part = size.FloorDiv(parts)
	}
	if part.known {
		return slices.Repeat([]Expr{part}, int(parts))
	}
	sizes := make([]Expr, parts)
	part = size.CeilDiv(parts)
	last := size.Sub(part.Times(parts - 1))
	if !last.atLeast(0) {
		return sizes
	}
	for i := range sizes {
		sizes[i] = part
	}
	sizes[parts-1] = last
	return sizes
}

func slice(c *call, s op.Slice) error {
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
		axis := must(c.axis(a, len(dims)))
		step := Number(1)
		if s.Steps.Given {
			step = at(steps, okSteps, i, step)
		}
		start, end := at(starts, okStarts, i, Expr{}), at(ends, okEnds, i, Expr{})
		dims[axis] = sliced(dims[axis], start, end, step)
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
		_, count := op.SliceRange(n, from, to, k)
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
	switch m, isNumber := count.Int(); {
	case isNumber:
		return Number(max(m, 0))
	case first.Sub(last).atLeast(0): // the end lies in front of the start
		return Number(0)
	case okFrom && from < 0 && okTo && to >= 0 && !count.atLeast(0):
		return Expr{} // nothing, but of small sizes
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

func pad(c *call, p op.Pad) error {
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
		axis := must(c.axis(a, len(dims)))
		dims[axis] = dims[axis].Add(pads[i]).Add(pads[len(axes)+i])
	}
	return c.set(0, elem, dims, true)
}

func gather(c *call, g op.Gather) error {
	elem := c.elem(g.X)
	dims, ranked := c.shape(g.X)
	index, okIndex := c.shape(c.n.Input(1))
	if !ranked || !okIndex {
		return c.set(0, elem, nil, false)
	}
	axis := must(c.axis(g.Axis, len(dims)))
	size, isNumber := dims[axis].Int()
	for _, i := range g.Indices.Value {
		if isNumber && (i >= size || i < -size) {
			return c.failf("index %d along axis %d, want one below %d", i, axis, size)
		}
	}
	return c.set(0, elem, slices.Concat(dims[:axis], index, dims[axis+1:]), true)
}
