package grad

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/ops"
)

// A fold is the gradient of a reduction whose result has the dimensions kept, with
// size 1 along the axes reduced.
type fold func(c *call, kept []int) error

// folded calls f for every element of the input, in index order, with the index of
// the result that it goes into.
func folded(c *call, kept []int, f func(i, o int)) error {
	if product(kept) != c.out[0].Len() {
		return fmt.Errorf("output 0 is %v, want the elements of %v", c.out[0], kept)
	}
	w, err := newWalk(c.in[0].Dims, kept)
	if err != nil {
		return err
	}
	w.rows(func(at, n int, off, step []int) {
		o := off[0]
		for i := at; i < at+n; i++ {
			f(i, o)
			o += step[0]
		}
	})
	return nil
}

func sumOf(c *call, kept []int) error { return shareOf(c, kept, 1) }

func meanOf(c *call, kept []int) error {
	n := float32(c.in[0].Len()) / float32(max(product(kept), 1))
	return shareOf(c, kept, n)
}

// shareOf gives every element the gradient of its result divided by n.
func shareOf(c *call, kept []int, n float32) error {
	g, gx := c.gout[0].F32, c.gin[0].F32
	return folded(c, kept, func(i, o int) { gx[i] += g[o] / n })
}

// extremeOf gives the gradient of a result to the first element that equals it.
func extremeOf(c *call, kept []int) error {
	x, y, g, gx := c.in[0].F32, c.out[0].F32, c.gout[0].F32, c.gin[0].F32
	given := make([]bool, len(y))
	return folded(c, kept, func(i, o int) {
		if !given[o] && x[i] == y[o] {
			given[o] = true
			gx[i] += g[o]
		}
	})
}

// productOf gives every element the product of the others.
func productOf(c *call, kept []int) error {
	x, g, gx := c.in[0].F32, c.gout[0].F32, c.gin[0].F32
	products, zeros := make([]float64, len(g)), make([]int, len(g))
	for o := range products {
		products[o] = 1
	}
	err := folded(c, kept, func(i, o int) {
		if x[i] == 0 {
			zeros[o]++
		} else {
			products[o] *= float64(x[i])
		}
	})
	if err != nil {
		return err
	}
	return folded(c, kept, func(i, o int) {
		switch {
		case zeros[o] == 0:
			gx[i] += float32(float64(g[o]) * (products[o] / float64(x[i])))
		case zeros[o] == 1 && x[i] == 0:
			gx[i] += float32(float64(g[o]) * products[o])
		}
	})
}

// normOf is the gradient of the Euclidean norm.
func normOf(c *call, kept []int) error {
	x, y, g, gx := c.in[0].F32, c.out[0].F32, c.gout[0].F32, c.gin[0].F32
	return folded(c, kept, func(i, o int) {
		if y[o] != 0 {
			gx[i] += float32(float64(g[o]) * (float64(x[i]) / float64(y[o])))
		}
	})
}

// bindReduce binds a Reduce operator.
func bindReduce(f fold) binder {
	return func(n *graph.Node, opset int64) (backward, error) {
		r, err := op.ReduceOf(n, opset)
		return func(c *call) error {
			axes := r.Axes.Value
			if t := c.optional(1); t != nil && !r.Axes.Known {
				axes = t.I64
			}
			if len(axes) == 0 && r.NoOp {
				return pass(c)
			}
			kept, err := keptDims(c.in[0], axes)
			if err != nil {
				return err
			}
			return f(c, kept)
		}, err
	}
}

// keptDims is the dimensions of x with 1 for the axes reduced; none stand for all.
func keptDims(x *ops.Tensor, axes []int64) ([]int, error) {
	kept := slices.Clone(x.Dims)
	for _, a := range axes {
		i, ok := op.Axis(a, x.Rank())
		if !ok {
			return nil, fmt.Errorf("axis %d of %v, want %d to %d", a, x, -x.Rank(), x.Rank()-1)
		}
		kept[i] = 1
	}
	if len(axes) == 0 {
		for i := range kept {
			kept[i] = 1
		}
	}
	return kept, nil
}

// bindSoftmax is y * (g - sum of g * y over the elements that were normalised
// together).
func bindSoftmax(n *graph.Node, opset int64) (backward, error) {
	s, err := op.SoftmaxOf(n, opset)
	return func(c *call) error {
		x, y := c.in[0], c.out[0]
		axis, ok := op.Axis(s.Axis, x.Rank())
		if !ok {
			return fmt.Errorf("axis %d of %v, want %d to %d", s.Axis, x, -x.Rank(), x.Rank()-1)
		}
		if err := wantDims("output 0", y, x.Dims...); err != nil || x.Len() == 0 {
			return err
		}
		count, step := x.Dims[axis], product(x.Dims[axis+1:])
		if s.Flattened {
			count, step = count*step, 1
		}
		for i := range x.Len() / count {
			at := i/step*step*count + i%step
			softmax(c.gin[0].F32[at:], y.F32[at:], c.gout[0].F32[at:], count, step)
		}
		return nil
	}, err
}

// softmax handles count elements, step apart.
func softmax(gx, y, g []float32, count, step int) {
	mean := 0.0
	for i := 0; i < count*step; i += step {
		mean += float64(g[i]) * float64(y[i])
	}
	for i := 0; i < count*step; i += step {
		gx[i] += float32(float64(y[i]) * (float64(g[i]) - mean))
	}
}
