package grad

import (
	"fmt"
	"math"

	"spikingir/graph"
	"spikingir/runtime/ops"
)

// always binds an operator whose gradient needs no attributes.
func always(run backward) binder {
	return func(*graph.Node, int64) (backward, error) { return run, nil }
}

// pass is the gradient of an operator that keeps all elements in their order.
func pass(c *call) error {
	if c.gout[0] == nil || c.gin[0] == nil {
		return nil
	}
	if len(c.gin[0].F32) != len(c.gout[0].F32) {
		return fmt.Errorf("output 0 is %v, want as many elements as %v", c.out[0], c.in[0])
	}
	accumulate(c.gin[0].F32, c.gout[0].F32)
	return nil
}

// nothing is the gradient of an operator that is constant almost everywhere.
func nothing(*call) error { return nil }

// partials is the derivatives of z, a function of x and y, by both.
type partials func(x, y, z float64) (dx, dy float64)

// pair binds an operator of two operands that broadcast.
func pair(d partials) binder {
	return always(func(c *call) error {
		x, y, z := c.in[0], c.in[1], c.out[0]
		w, err := newWalk(z.Dims, x.Dims, y.Dims)
		if err != nil {
			return err
		}
		y = asFloats(y)
		gx := totalOf(c.gin[0], x.Len() < z.Len())
		gy := totalOf(c.gin[1], y.Len() < z.Len())
		w.rows(func(at, n int, off, step []int) {
			i, j := off[0], off[1]
			for k, g := range c.gout[0].F32[at : at+n] {
				if g != 0 {
					dx, dy := d(float64(x.F32[i]), float64(y.F32[j]), float64(z.F32[at+k]))
					gx.add(i, float64(g)*dx)
					gy.add(j, float64(g)*dy)
				}
				i, j = i+step[0], j+step[1]
			}
		})
		gx.done()
		gy.done()
		return nil
	})
}

// asFloats is t, or its numbers as floats where they are whole: an exponent.
func asFloats(t *ops.Tensor) *ops.Tensor {
	if t.DType.IsFloat() {
		return t
	}
	f := &ops.Tensor{DType: graph.Float32, Dims: t.Dims, F32: make([]float32, len(t.I64))}
	for i, v := range t.I64 {
		f.F32[i] = float32(v)
	}
	return f
}

func addition(_, _, _ float64) (dx, dy float64)       { return 1, 1 }
func subtraction(_, _, _ float64) (dx, dy float64)    { return 1, -1 }
func multiplication(x, y, _ float64) (dx, dy float64) { return y, x }
func division(x, y, _ float64) (dx, dy float64)       { return 1 / y, -x / (y * y) }

// remainder is x minus a whole multiple of y.
func remainder(x, y, z float64) (dx, dy float64) { return 1, -math.Round((x - z) / y) }

func power(x, y, _ float64) (dx, dy float64) {
	if y != 0 {
		dx = y * math.Pow(x, y-1)
	}
	if x > 0 {
		dy = math.Pow(x, y) * math.Log(x)
	}
	return dx, dy
}

func prelu(x, slope, _ float64) (dx, dslope float64) {
	if x > 0 {
		return 1, 0
	}
	return slope, x
}

// sum is the gradient of a sum of any number of operands that broadcast, or of one.
func sum(c *call) error { return weightedSum(c, 1) }

func mean(c *call) error { return weightedSum(c, 1/float64(len(c.in))) }

// weightedSum gives weight times the gradient of the output to every operand.
func weightedSum(c *call, weight float64) error {
	for i := range c.in {
		if c.wants(i) {
			if err := c.weighted(i, weight); err != nil {
				return err
			}
		}
	}
	return nil
}

// weighted gives weight times the gradient of the output to operand k, which broadcasts.
func (c *call) weighted(k int, weight float64) error {
	w, err := newWalk(c.out[0].Dims, c.in[k].Dims)
	if err != nil {
		return err
	}
	gx := totalOf(c.gin[k], c.in[k].Len() < c.out[0].Len())
	w.rows(func(at, n int, off, step []int) {
		i := off[0]
		for _, g := range c.gout[0].F32[at : at+n] {
			gx.add(i, weight*float64(g))
			i += step[0]
		}
	})
	gx.done()
	return nil
}

// extreme is the gradient of Max and Min: each element of the result comes from
// the last operand that equals it.
func extreme(c *call) error {
	z := c.out[0]
	dims := make([][]int, len(c.in))
	totals := make([]*total, len(c.in))
	for k, x := range c.in {
		dims[k] = x.Dims
		totals[k] = totalOf(c.gin[k], x.Len() < z.Len())
	}
	w, err := newWalk(z.Dims, dims...)
	if err != nil {
		return err
	}
	w.rows(func(at, n int, off, step []int) {
		for i, g := range c.gout[0].F32[at : at+n] {
			for k := len(c.in) - 1; k >= 0; k-- {
				from := off[k] + i*step[k]
				if c.in[k].F32[from] == z.F32[at+i] {
					totals[k].add(from, float64(g))
					break
				}
			}
		}
	})
	for _, t := range totals {
		t.done()
	}
	return nil
}

// where is the gradient of Where: each element of the result comes from one operand.
func where(c *call) error {
	cond, x, y, z := c.in[0], c.in[1], c.in[2], c.out[0]
	w, err := newWalk(z.Dims, cond.Dims, x.Dims, y.Dims)
	if err != nil {
		return err
	}
	gx, gy := totalOf(c.gin[1], x.Len() < z.Len()), totalOf(c.gin[2], y.Len() < z.Len())
	w.rows(func(at, n int, off, step []int) {
		for i, g := range c.gout[0].F32[at : at+n] {
			if cond.I64[off[0]+i*step[0]] != 0 {
				gx.add(off[1]+i*step[1], float64(g))
			} else {
				gy.add(off[2]+i*step[2], float64(g))
			}
		}
	})
	gx.done()
	gy.done()
	return nil
}

// sequence is the gradient of Range: element i is start + i*delta.
func sequence(c *call) error {
	if c.in[0].Len() != 1 || c.in[2].Len() != 1 {
		return fmt.Errorf("inputs are %v and %v, want one number each", c.in[0], c.in[2])
	}
	start, delta := totalOf(c.gin[0], true), totalOf(c.gin[2], true)
	for i, g := range c.gout[0].F32 {
		start.add(0, float64(g))
		delta.add(0, float64(g)*float64(i))
	}
	start.done()
	delta.done()
	return nil
}
