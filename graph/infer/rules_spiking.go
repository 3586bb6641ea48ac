package infer

import (
	"spikingir/graph/op"
)

func encode(c *call, e op.Encode) error {
	dims, ranked := c.shape(e.X)
	if ranked {
		check(c.batched(dims, "x"))
		dims[0] = dims[0].Times(e.Slices())
	}
	return c.set(0, c.elem(e.X), dims, ranked)
}

func (c *call) batched(dims []Expr, what string) error {
	if len(dims) == 0 {
		return c.failf("input %s is a scalar, want [N, ...]", what)
	}
	return nil
}

func (c *call) oneSlice(dims []Expr, s op.Steps, what string) ([]Expr, error) {
	check(c.batched(dims, what))
	n, isNumber := dims[0].Int()
	if isNumber && n%s.Slices() != 0 {
		return nil, c.failf("dimension 0 of %s is %d, want a multiple of the %d slices",
			what, n, s.Slices())
	}
	out := append([]Expr{dims[0].Div(Number(s.Slices()))}, dims[1:]...)
	return out, nil
}

// decode: [S*N, ...] -> [N, ...].
func decode(c *call, d op.Decode) error {
	dims, ranked := c.shape(d.X)
	if !ranked {
		return c.set(0, c.elem(d.X), nil, false)
	}
	return c.set(0, c.elem(d.X), must(c.oneSlice(dims, d.Steps, "y")), true)
}

func bias(c *call, b op.Bias) error {
	check(c.fits(b.B, b.X, "input b"))
	return c.same(0, b.X)
}

// neuron: X [S*N, ...] -> spikes like X, residual potential [N, ...].
func neuron(c *call, s op.Neuron) error {
	elem := must(c.sameElem(s.X, s.Bias, s.Theta, s.Alpha))
	for i, what := range []string{1: "bias", 2: "theta", 3: "alpha"} {
		if v := c.n.Input(i); i > 0 && v != nil {
			check(c.fits(v, s.X, what))
		}
	}
	dims, ranked := c.shape(s.X)
	if ranked {
		slice := must(c.oneSlice(dims, s.Steps, "x"))
		check(c.set(1, elem, slice, true))
	}
	return c.same(0, s.X)
}

// cpm: Y [S*N, C, H, W] and VRes [N, C, H, W] -> [N, M, H, W].
func cpm(c *call, m op.CPM) error {
	elem := must(c.sameElem(m.Y, m.VRes, m.W, m.B))
	dims, ranked := c.shape(m.Y)
	w, okW := c.shape(m.W)
	v, okV := c.shape(m.VRes)
	if !ranked {
		return c.set(0, elem, v, okV)
	}
	dims = must(c.imageDims(m.Y, dims, true, m.Window))
	dims = must(c.oneSlice(dims, m.Steps, "y"))
	if okW {
		check(c.rank(m.W, w, len(dims), "as many axes as y"))
		must(c.agree("the number of channels", dims[1], m.Y, w[1], m.W))
		dims[1] = w[0]
	}
	check(c.biasFits(m.B, dims[1], m.W))
	if okV {
		check(c.rank(m.VRes, v, len(dims), "that of y"))
		for i := range dims {
			dims[i] = must(c.agree("a size of y and vres", dims[i], m.Y, v[i], m.VRes))
		}
	}
	return c.set(0, elem, dims, true)
}
