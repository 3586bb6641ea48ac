package grad

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/runtime/kernel"
	"spikingir/runtime/ops"
)

// bindResize is the transpose of weighted sums along one axis after the other.
func bindResize(n *graph.Node, opset int64) (backward, error) {
	taps, err := ops.ResizeTaps(n, opset)
	return func(c *call) error {
		axes, err := taps(c.in)
		if err != nil {
			return err
		}
		g, dims := c.gout[0].F32, slices.Clone(c.out[0].Dims)
		if len(axes) != len(dims) {
			return fmt.Errorf("output 0 is %v, want rank %d", c.out[0], len(axes))
		}
		for axis := len(axes) - 1; axis >= 0; axis-- {
			if len(axes[axis]) != dims[axis] {
				return fmt.Errorf("output 0 is %v, want %d elements of axis %d",
					c.out[0], len(axes[axis]), axis)
			}
			if in := c.in[0].Dims[axis]; !keeps(axes[axis], in) {
				g = spread(g, dims, axis, in, axes[axis])
				dims[axis] = in
			}
		}
		accumulate(c.gin[0].F32, g)
		return nil
	}, err
}

// keeps reports whether taps copy an axis of size n.
func keeps(taps [][]ops.Tap, n int) bool {
	if len(taps) != n {
		return false
	}
	for o, list := range taps {
		if len(list) != 1 || list[0] != (ops.Tap{Index: o, Weight: 1}) {
			return false
		}
	}
	return true
}

// spread gives every element along an axis, of dims, its weights in the elements of
// an axis of size in that its taps name.
func spread(g []float32, dims []int, axis, in int, taps [][]ops.Tap) []float32 {
	outer, inner := product(dims[:axis]), product(dims[axis+1:])
	y := make([]float32, outer*in*inner)
	for i := range outer {
		for o, list := range taps {
			from := g[(i*len(taps)+o)*inner:][:inner]
			for _, t := range list {
				at := (i*in + t.Index) * inner
				if inner == 1 {
					y[at] += float32(t.Weight * from[0])
					continue
				}
				kernel.Axpy(y[at:at+inner], from, t.Weight)
			}
		}
	}
	return y
}
