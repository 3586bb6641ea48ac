package infer

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

func propagateGather(c *call, in []content) (content, bool) {
	if in[0] == nil || in[1] == nil || !c.vector(c.n.Input(0)) {
		return nil, false
	}
	out := content{}
	for _, q := range in[1] {
		i, ok := q.num.Int()
		if i < 0 {
			i += int64(len(in[0]))
		}
		if !ok || i < 0 || i >= int64(len(in[0])) {
			return nil, false
		}
		out = append(out, in[0][i])
	}
	return out, true
}

// propagateConcat joins vectors; one of known length may have unknown elements.
func propagateConcat(c *call, in []content) (content, bool) {
	out := content{}
	for i, k := range in {
		if !c.vector(c.n.Input(i)) {
			return nil, false
		}
		if k == nil {
			// Unknown elements, but as many as the type says.
			dims, _ := c.shape(c.n.Input(i))
			n, ok := dims[0].Int()
			if !ok || n < 0 || n > maxContent {
				return nil, false
			}
			k = make(content, n)
			for j := range k {
				k[j].den = 1
			}
		}
		out = append(out, k...)
	}
	return out, true
}

func propagateSlice(c *call, in []content) (content, bool) {
	s, err := op.SliceOf(c.n, c.opset)
	sizes, ok := c.sizes(s.X)
	if err != nil || in[0] == nil || !ok {
		return nil, false
	}
	start, okStart := c.numbers(s.Starts)
	end, okEnd := c.numbers(s.Ends)
	steps, okSteps := c.numbers(s.Steps)
	axes, okAxes := c.numbers(s.Axes)
	if !okStart || !okEnd || !okSteps || !okAxes || len(start) != len(end) {
		return nil, false
	}
	if !s.Axes.Given {
		axes = counting(len(start))
	}
	if !s.Steps.Given {
		steps = slices.Repeat([]int64{1}, len(start))
	}
	out := in[0]
	for i, a := range axes {
		axis, err := c.axis(a, len(sizes))
		if err != nil || i >= len(start) || i >= len(steps) || steps[i] == 0 {
			return nil, false
		}
		first, count := op.SliceRange(sizes[axis], start[i], end[i], steps[i])
		out = out.along(sizes, axis, first, count, steps[i])
		sizes[axis] = count
	}
	return out, true
}

// along takes count places of one axis of a tensor of the given sizes, from
// first by step.
func (k content) along(sizes []int64, axis int, first, count, step int64) content {
	inner, outer := int64(1), int64(1)
	for i, n := range sizes {
		if i < axis {
			outer *= n
		} else if i > axis {
			inner *= n
		}
	}
	out := make(content, 0, outer*count*inner)
	for o := range outer {
		for i := range count {
			at := (o*sizes[axis] + first + i*step) * inner
			out = append(out, k[at:at+inner]...)
		}
	}
	return out
}

// sizes is the dimensions of v where all are numbers and its contents are known.
func (c *call) sizes(v *graph.Value) ([]int64, bool) {
	sizes, ok := c.typeOf(v).Shape.Sizes()
	n, isNumber := total(numbersOf(sizes)).Int()
	return sizes, ok && isNumber && n == int64(len(c.content[v]))
}

// propagateTranspose serves matrices: exporters keep pads as [axes, 2].
func propagateTranspose(c *call, in []content) (content, bool) {
	t, err := op.TransposeOf(c.n)
	sizes, ok := c.sizes(t.X)
	if err != nil || in[0] == nil || !ok || len(sizes) > 2 {
		return nil, false
	}
	if len(sizes) < 2 || slices.Equal(t.PermFor(2), []int64{0, 1}) {
		return in[0], true
	}
	out := make(content, 0, len(in[0]))
	for j := range sizes[1] {
		for i := range sizes[0] {
			out = append(out, in[0][i*sizes[1]+j])
		}
	}
	return out, true
}

func (c *call) vector(v *graph.Value) bool {
	dims, ok := c.shape(v)
	return ok && len(dims) == 1
}

func (k content) at(i, n int) (quantity, bool) {
	if len(k) == 1 {
		return k[0], true
	}
	if len(k) != n {
		return quantity{}, false
	}
	return k[i], true
}

func propagateExpand(c *call, in []content) (content, bool) {
	dims, ok := c.shape(c.n.Output(0))
	n, isNumber := total(dims).Int()
	if !ok || !isNumber || n < 0 || n > maxContent || len(dims) > 1 || in[0] == nil {
		return nil, false
	}
	out := make(content, n)
	for i := range out {
		if out[i], ok = in[0].at(i, int(n)); !ok {
			return nil, false
		}
	}
	return out, true
}
