package infer

import (
	"spikingir/graph/op"
)

// encode repeats dimension 0 for every slice.
func encode(c *call, e op.Encode) error {
	dims, ranked := c.shape(e.X)
	if ranked {
		if err := c.batched(dims, "x"); err != nil {
			return err
		}
		dims[0] = dims[0].Times(e.Slices())
	}
	return c.set(0, c.elem(e.X), dims, ranked)
}

// batched requires a dimension 0.
func (c *call) batched(dims []Expr, what string) error {
	if len(dims) == 0 {
		return c.failf("input %s is a scalar, want [N, ...]", what)
	}
	return nil
}

// oneSlice is the dimensions of one slice of a time-major tensor.
func (c *call) oneSlice(dims []Expr, s op.Steps, what string) ([]Expr, error) {
	if err := c.batched(dims, what); err != nil {
		return nil, err
	}
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
	dims, err := c.oneSlice(dims, d.Steps, "y")
	if err != nil {
		return err
	}
	return c.set(0, c.elem(d.X), dims, true)
}

// bias and the parameters of neurons broadcast to the input.
func bias(c *call, b op.Bias) error {
	if err := c.fits(b.B, b.X, "input b"); err != nil {
		return err
	}
	return c.same(0, b.X)
}

// neuron: X [S*N, ...] -> spikes like X, residual potential [N, ...].
func neuron(c *call, s op.Neuron) error {
	elem, err := c.sameElem(s.X, s.Bias, s.Theta, s.Alpha)
	if err != nil {
		return err
	}
	for i, what := range []string{1: "bias", 2: "theta", 3: "alpha"} {
		if v := c.n.Input(i); i > 0 && v != nil {
			if err := c.fits(v, s.X, what); err != nil {
				return err
			}
		}
	}
	dims, ranked := c.shape(s.X)
	if ranked {
		slice, err := c.oneSlice(dims, s.Steps, "x")
		if err != nil {
			return err
		}
		if err := c.set(1, elem, slice, true); err != nil {
			return err
		}
	}
	return c.same(0, s.X)
}

// cpm: Y [S*N, C, H, W] and VRes [N, C, H, W] -> [N, M, H, W].
func cpm(c *call, m op.CPM) error {
	elem, err := c.sameElem(m.Y, m.VRes, m.W, m.B)
	if err != nil {
		return err
	}
	dims, ranked := c.shape(m.Y)
	w, okW := c.shape(m.W)
	v, okV := c.shape(m.VRes)
	if !ranked {
		return c.set(0, elem, v, okV)
	}
	if dims, err = c.imageDims(m.Y, dims, true, m.Window); err != nil {
		return err
	}
	if dims, err = c.oneSlice(dims, m.Steps, "y"); err != nil {
		return err
	}
	if okW {
		if err := c.rank(m.W, w, len(dims), "as many axes as y"); err != nil {
			return err
		}
		if _, err := c.agree(dims[1], w[1], "the number of channels"); err != nil {
			return err
		}
		dims[1] = w[0]
	}
	if err := c.biasFits(m.B, dims[1]); err != nil {
		return err
	}
	if okV {
		if err := c.rank(m.VRes, v, len(dims), "that of y"); err != nil {
			return err
		}
		for i := range dims {
			if dims[i], err = c.agree(dims[i], v[i], "a size of y and vres"); err != nil {
				return err
			}
		}
	}
	return c.set(0, elem, dims, true)
}
