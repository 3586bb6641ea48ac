package infer

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// question gives a bool for each element.
func question(c *call, u op.Unary) error {
	dims, ranked := c.shape(u.X)
	return c.set(0, graph.Bool, dims, ranked)
}

func castLike(c *call, k op.CastLike) error {
	dims, ranked := c.shape(k.X)
	return c.set(0, c.elem(k.Like), dims, ranked)
}

// topK gives values and indices, K of them along the axis.
func topK(c *call, t op.TopK) error {
	dims, ranked := c.shape(t.X)
	if ranked {
		axis := must(c.axis(t.Axis, len(dims)))
		k, ok := c.list(t.K)
		dims[axis] = Expr{}
		if ok && len(k) == 1 {
			dims[axis] = k[0]
		}
	}
	check(c.set(1, graph.Int64, dims, ranked))
	return c.set(0, c.elem(t.X), dims, ranked)
}

// gatherElements has the size of the indices.
func gatherElements(c *call, g op.Along) error {
	dims, ranked := c.shape(c.n.Input(1))
	return c.set(0, c.elem(g.X), dims, ranked)
}

// gatherND: the indices without their last axis, then the axes of X that it does not name.
func gatherND(c *call, g op.GatherND) error {
	dims, ranked := c.shape(g.X)
	index, ok := c.shape(c.n.Input(1))
	if !ranked || !ok || len(index) == 0 {
		return c.set(0, c.elem(g.X), nil, false)
	}
	last := len(index) - 1
	depth, ok := index[last].Int()
	if !ok {
		return c.set(0, c.elem(g.X), nil, false)
	}
	named := int(g.Batch + depth)
	if named > len(dims) {
		return c.failf("indices name %d axes of a tensor of rank %d", named, len(dims))
	}
	return c.set(0, c.elem(g.X), slices.Concat(index[:last], dims[named:]), true)
}

// oneHot inserts an axis of the depth, whose content is known where it is a constant.
func oneHot(c *call, o op.Along) error {
	elem := c.elem(c.n.Input(2))
	dims, ranked := c.shape(o.X)
	if !ranked {
		return c.set(0, elem, nil, false)
	}
	axis := must(c.axis(o.Axis, len(dims)+1))
	depth := Expr{}
	if k := c.content[c.n.Input(1)]; len(k) == 1 {
		depth = k.whole()[0]
	}
	return c.set(0, elem, slices.Insert(dims, axis, depth), true)
}

// compress keeps as many slices as only the condition tells.
func compress(c *call, k op.Compress) error {
	if k.Flat {
		return c.set(0, c.elem(k.X), []Expr{{}}, true)
	}
	dims, ranked := c.shape(k.X)
	if ranked {
		dims[must(c.axis(k.Axis, len(dims)))] = Expr{}
	}
	return c.set(0, c.elem(k.X), dims, ranked)
}

func nonZero(c *call, u op.Unary) error {
	rank := Expr{}
	if dims, ranked := c.shape(u.X); ranked {
		rank = Number(int64(len(dims)))
	}
	return c.set(0, graph.Int64, []Expr{rank, {}}, true)
}

func eyeLike(c *call, e op.EyeLike) error {
	elem := e.To
	if elem == graph.Undefined {
		elem = c.elem(e.X)
	}
	dims, ranked := c.shape(e.X)
	return c.set(0, elem, dims, ranked)
}

// einsum has the sizes that the operands give to the letters of the result.
func einsum(c *call, e op.Einsum) error {
	elem := must(c.sameElem(e.Xs...))
	sizes := map[rune]Expr{}
	var spelled []Expr // of the ellipsis
	for i, v := range e.Xs {
		dims, ranked := c.shape(v)
		if !ranked {
			return c.set(0, elem, nil, false)
		}
		rest := len(dims) - len(e.Terms[i])
		if slices.Contains(e.Terms[i], '.') {
			rest++
		}
		if rest < 0 || rest > 0 && !slices.Contains(e.Terms[i], '.') {
			return c.failf("input %d has rank %d, want an axis for each letter of %q", i, len(dims), string(e.Terms[i]))
		}
		at, own := 0, map[rune]Expr{}
		for _, l := range e.Terms[i] {
			if l == '.' {
				spelled = must(c.broadcastDims(spelled, dims[at:at+rest]))
				at += rest
				continue
			}
			if d, twice := own[l]; twice { // a diagonal
				own[l] = must(c.agree(fmt.Sprintf("the size of axis %c", l), d, e.Xs[i], dims[at], e.Xs[i]))
			} else {
				own[l] = dims[at]
			}
			at++
		}
		for _, l := range e.Terms[i] {
			d, first := own[l]
			if delete(own, l); !first {
				continue
			}
			if have, known := sizes[l]; known {
				d = must(c.broadcastDims([]Expr{have}, []Expr{d}))[0]
			}
			sizes[l] = d
		}
	}
	out := []Expr{}
	for _, l := range e.Out {
		if l == '.' {
			out = append(out, spelled...)
		} else {
			out = append(out, sizes[l])
		}
	}
	return c.set(0, elem, out, true)
}

// gridSample: batch and channels of X, the places of the grid.
func gridSample(c *call, g op.GridSample) error {
	dims, ranked := c.shape(g.X)
	grid, ok := c.shape(c.n.Input(1))
	if !ranked || !ok || len(grid) != len(dims) || len(dims) < 3 {
		return c.set(0, c.elem(g.X), nil, false)
	}
	return c.set(0, c.elem(g.X), slices.Concat(dims[:2], grid[1:len(grid)-1]), true)
}

func dynamicQuantize(c *call) error {
	dims, ranked := c.shape(c.n.Input(0))
	check(c.set(0, graph.Uint8, dims, ranked))
	check(c.set(1, c.elem(c.n.Input(0)), []Expr{}, true))
	return c.set(2, graph.Uint8, []Expr{}, true)
}

// matMulInteger has the shape of a MatMul, and sums of int32.
func matMulInteger(c *call) error {
	return c.product(graph.Int32, c.n.Input(0), c.n.Input(1))
}

// qLinearMatMul has the type of the result's zero point.
func qLinearMatMul(c *call) error {
	return c.product(c.elem(c.n.Input(7)), c.n.Input(0), c.n.Input(3))
}

// deformConv has the shape of a Conv.
func deformConv(c *call, v op.DeformConv) error {
	elem := must(c.sameElem(v.X, v.W, v.Offset, v.B, v.Mask))
	return c.convolved(elem, op.Conv{Window: v.Window, Group: v.Group, X: v.X, W: v.W, B: v.B})
}

func convInteger(c *call, v op.Conv) error { return c.convolved(graph.Int32, v) }

func qLinearConv(c *call, v op.Conv) error { return c.convolved(c.elem(c.n.Input(7)), v) }
