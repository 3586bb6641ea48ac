package ops

import "spikingir/graph/op"

// A cell pairs an element of a kernel window with one of the input plane.
type cell struct{ kernel, in int }

// A stencil lists, for windows over any number of spatial axes, the input cells
// that each output element sees.
type stencil struct {
	// axes lists, for each axis and each output coordinate, the kernel and input
	// coordinates that meet there, in kernel order.
	axes            [][][]cell
	in, kernel, out []int
}

// forwardStencil is the stencil of a convolution or a pool over an input and an
// output plane of the given sizes; padding holds no cells.
func forwardStencil(in, out []int, w op.Window, pads []int64) *stencil {
	return newStencil(in, out, w, func(axis, o, k int) (int, bool) {
		i := o*int(w.Stride[axis]) + k*int(w.Dilation[axis]) - int(pads[axis])
		return i, i >= 0 && i < in[axis]
	})
}

// backwardStencil is that of a transposed convolution, with pads of either sign.
func backwardStencil(in, out []int, w op.Window, pads []int64) *stencil {
	return newStencil(in, out, w, func(axis, o, k int) (int, bool) {
		i, stride := o+int(pads[axis])-k*int(w.Dilation[axis]), int(w.Stride[axis])
		return i / stride, i >= 0 && i%stride == 0 && i/stride < in[axis]
	})
}

// newStencil asks source for the input coordinate that kernel coordinate k of
// output coordinate o lies on, if it does on any.
func newStencil(in, out []int, w op.Window, source func(axis, o, k int) (int, bool)) *stencil {
	s := &stencil{in: in, out: out, axes: make([][][]cell, len(in))}
	for axis := range in {
		s.kernel = append(s.kernel, int(w.Kernel[axis]))
		s.axes[axis] = make([][]cell, out[axis])
		for o := range out[axis] {
			for k := range s.kernel[axis] {
				if i, ok := source(axis, o, k); ok {
					s.axes[axis][o] = append(s.axes[axis][o], cell{k, i})
				}
			}
		}
	}
	return s
}

// cells is the cells of output element o, in kernel order. The result lies in
// buf and holds until the next call.
func (s *stencil) cells(o int, buf *[2][]cell) []cell {
	coords := make([]int, 0, 8)
	for axis := len(s.out) - 1; axis >= 0; axis-- {
		coords = append(coords, o%s.out[axis])
		o /= s.out[axis]
	}
	list := append(buf[0][:0], cell{})
	next := buf[1][:0]
	for axis := range s.axes {
		for _, at := range list {
			for _, c := range s.axes[axis][coords[len(coords)-1-axis]] {
				next = append(next, cell{
					at.kernel*s.kernel[axis] + c.kernel,
					at.in*s.in[axis] + c.in,
				})
			}
		}
		list, next = next, list[:0]
	}
	buf[0], buf[1] = list, next
	return list
}

// correlate is convolution over any number of spatial axes: y [N, M, out...] of
// x [N, C, in...] and weight [M, C/group, kernel...]. A sum runs over input
// channels and kernel cells in order, rounding every product and every sum.
func correlate(env *Env, y, x, weight *Tensor, s *stencil, group int) {
	taps, inC, outC := weight.Dims[1], x.Dims[1], y.Dims[1]
	convolve(env, y, weight, s, taps, func(image, m, c int) (plane, kernel int) {
		return image*inC + m/(outC/group)*taps + c, m*taps + c
	}, x.F32)
}

// transposed is transposed convolution over any number of spatial axes: y
// [N, M, out...] of x [N, C, in...] and weight [C, M/group, kernel...]; the
// order of sums is that of correlate.
func transposed(env *Env, y, x, weight *Tensor, s *stencil, group int) {
	perGroup, inC := weight.Dims[1], x.Dims[1]
	taps := inC / group
	convolve(env, y, weight, s, taps, func(image, m, c int) (plane, kernel int) {
		c += m / perGroup * taps
		return image*inC + c, c*perGroup + m%perGroup
	}, x.F32)
}

// convolve sums, for every output element, over taps input planes and the
// stencil's cells. where tells the input plane and the kernel that tap c of
// output channel m takes.
func convolve(env *Env, y, weight *Tensor, s *stencil, taps int,
	where func(image, m, c int) (plane, kernel int), x []float32,
) {
	area, plane, size := product(s.kernel), product(s.in), product(s.out)
	outC := y.Dims[1]
	env.each(y.Dims[0]*outC, size*taps*area, func(lo, hi int) {
		var buf [2][]cell
		for i := lo; i < hi; i++ {
			for o := range size {
				acc := float32(0)
				cells := s.cells(o, &buf)
				for c := range taps {
					p, k := where(i/outC, i%outC, c)
					xs, ws := x[p*plane:(p+1)*plane], weight.F32[k*area:(k+1)*area]
					for _, at := range cells {
						acc += float32(ws[at.kernel] * xs[at.in])
					}
				}
				y.F32[i*size+o] = acc
			}
		}
	})
}
