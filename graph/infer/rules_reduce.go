package infer

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

func reduce(c *call, r op.Reduce) error {
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
	list := must(r.AxesFor(len(dims)))
	return c.set(0, elem, reducedDims(dims, list, r.KeepDims), true)
}

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

func argMax(c *call, a op.Arg) error {
	dims, ranked := c.shape(a.X)
	if !ranked {
		return c.set(0, graph.Int64, nil, false)
	}
	axis := must(c.axis(a.Axis, len(dims)))
	return c.set(0, graph.Int64, reducedDims(dims, []int{axis}, a.KeepDims), true)
}
