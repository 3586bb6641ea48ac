package infer

import (
	"math"

	"spikingir/graph/op"
)

// resize: the axes named take the sizes given, or theirs times the factors.
func resize(c *call, z op.Resize) error {
	elem := c.elem(z.X)
	dims, ranked := c.shape(z.X)
	if !ranked {
		return c.set(0, elem, nil, false)
	}
	axes := must(z.AxesFor(c.n, len(dims)))
	by := c.resizeBy
	if z.Sizes.Given {
		by = c.resizeTo
	}
	out := must(by(z, dims, axes))
	for i, axis := range axes {
		dims[axis] = out[i]
	}
	return c.set(0, elem, dims, true)
}

func (c *call) resizeTo(z op.Resize, dims []Expr, axes []int) ([]Expr, error) {
	sizes, ok := c.list(z.Sizes)
	if !ok {
		return make([]Expr, len(axes)), nil
	}
	if len(sizes) != len(axes) {
		return nil, c.failf("sizes are %v, want one for each of %d axes", sizes, len(axes))
	}
	if z.Policy == "stretch" {
		return sizes, nil
	}
	return keepRatio(z.Policy, dims, axes, sizes), nil
}

// keepRatio scales all axes by the smallest or largest of the factors that the
// sizes ask for; it needs numbers.
func keepRatio(policy string, dims []Expr, axes []int, sizes []Expr) []Expr {
	out := make([]Expr, len(axes))
	scale := math.Inf(1)
	if policy == "not_smaller" {
		scale = 0
	}
	for i, axis := range axes {
		from, okFrom := dims[axis].Int()
		to, okTo := sizes[i].Int()
		if !okFrom || !okTo || from == 0 {
			return out
		}
		ratio := float64(float32(to) / float32(from))
		if policy == "not_smaller" {
			scale = max(scale, ratio)
		} else {
			scale = min(scale, ratio)
		}
	}
	for i, axis := range axes {
		n, _ := dims[axis].Int()
		out[i] = Number(int64(math.Floor(float64(float32(n)*float32(scale)) + 0.5)))
	}
	return out
}

func (c *call) resizeBy(z op.Resize, dims []Expr, axes []int) ([]Expr, error) {
	out := make([]Expr, len(axes))
	factors := c.content[z.Scales.From]
	if z.Scales.Known {
		factors = nil
		for _, s := range z.Scales.Value {
			factors = append(factors, fromFloat(s))
		}
	}
	if factors == nil {
		return out, nil
	}
	if len(factors) != len(axes) {
		return nil, c.failf("%d scales, want one for each of %d axes", len(factors), len(axes))
	}
	for i, axis := range axes {
		out[i] = factors[i].scaled(dims[axis])
	}
	return out, nil
}
