package reference

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"spikingir/graph"
	"spikingir/graph/op"
)

// convolution is how weights move over an image.
type convolution struct {
	op.Window
	group int
}

func (b *builder) convLayer(n *graph.Node, c op.Conv) []*series {
	w, bias := b.weights(n, c.W, c.B)
	return b.slicewise(n, []*graph.Value{c.X}, func(xs []*gorgonia.Node) *gorgonia.Node {
		return b.addChannels(b.conv(convolution{c.Window, int(c.Group)}, xs[0], w), bias)
	})
}

func (b *builder) transposedLayer(n *graph.Node, c op.ConvTranspose) []*series {
	w, bias := b.weights(n, c.W, c.B)
	return b.slicewise(n, []*graph.Value{c.X}, func(xs []*gorgonia.Node) *gorgonia.Node {
		return b.addChannels(b.transposed(c, xs[0], w), bias)
	})
}

func (b *builder) weights(n *graph.Node, weights, biases *graph.Value) (w, bias *gorgonia.Node) {
	w = b.constant(n, weights)
	if b.err == nil && w.Dims() != 4 {
		b.failf(n, "weights %v, want rank 4", w.Shape())
	}
	if biases != nil && b.err == nil {
		bias = b.constant(n, biases)
	}
	return w, bias
}

// addChannels adds one number a channel to x [N, C, H, W]; bias may be nil.
func (b *builder) addChannels(x, bias *gorgonia.Node) *gorgonia.Node {
	if bias == nil || b.err != nil {
		return x
	}
	return b.add(x, b.perChannel(bias, x.Shape()))
}

func (b *builder) perChannel(p *gorgonia.Node, dims []int) *gorgonia.Node {
	return b.expand(b.reshape(p, 1, product(p.Shape()), 1, 1), dims)
}

// conv is the convolution of x [N, C, H, W] with w [M, C/group, kh, kw]. Gorgonia
// pads both sides alike, so that the rest of the padding comes before it.
func (b *builder) conv(c convolution, x, w *gorgonia.Node) *gorgonia.Node {
	if b.err != nil {
		return nil
	}
	dims := x.Shape()
	if len(dims) != 4 {
		b.err = fmt.Errorf("an image %v, want rank 4", dims)
		return nil
	}
	spatial := []int64{int64(dims[2]), int64(dims[3])}
	for _, size := range c.Out(spatial) {
		if size < 1 {
			b.err = fmt.Errorf("kernel %v does not fit an image of %v", c.Kernel, spatial)
			return nil
		}
	}
	pads, same := c.PadsFor(spatial), make([]int, 2)
	for i := range 2 {
		lo, hi := int(pads[i]), int(pads[2+i])
		if lo == hi {
			same[i] = lo
		} else {
			x = b.along(x, 2+i, place(dims[2+i], lo, 1, dims[2+i]+lo+hi))
		}
	}
	stride := []int{int(c.Stride[0]), int(c.Stride[1])}
	return b.grouped(c.group, x, b.dilated(c.Window, w), func(x, w *gorgonia.Node) *gorgonia.Node {
		return b.conv2d(x, w, same, stride)
	})
}

// conv2d is Gorgonia's convolution, which copies x for each weight of a kernel.
func (b *builder) conv2d(x, w *gorgonia.Node, pad, stride []int) *gorgonia.Node {
	if b.err != nil {
		return nil
	}
	y := b.apply(func() (*gorgonia.Node, error) {
		return gorgonia.Conv2d(x, w, tensor.Shape(w.Shape()[2:]), pad, stride, []int{1, 1})
	})
	if b.err == nil {
		out := y.Shape()
		b.err = b.size.add([]int{out[0], out[2], out[3], product(w.Shape()[1:])})
	}
	return y
}

func (b *builder) dilated(c op.Window, w *gorgonia.Node) *gorgonia.Node {
	for i := range 2 {
		if c.Dilation[i] > 1 {
			w = b.along(w, 2+i, place(int(c.Kernel[i]), 0, int(c.Dilation[i]), int(c.Extent(i))))
		}
	}
	return w
}

// grouped applies f to each group of channels of x with its rows of w.
func (b *builder) grouped(group int, x, w *gorgonia.Node, f func(x, w *gorgonia.Node) *gorgonia.Node) *gorgonia.Node {
	if group == 1 || b.err != nil {
		return f(x, w)
	}
	c, m := x.Shape()[1], w.Shape()[0]
	if c%group != 0 || m%group != 0 {
		b.err = fmt.Errorf("%d channels and %d kernels in %d groups", c, m, group)
		return nil
	}
	parts := make([]*gorgonia.Node, group)
	for i := range parts {
		parts[i] = f(b.along(x, 1, part(c, i*c/group, c/group)), b.along(w, 0, part(m, i*m/group, m/group)))
	}
	return b.concat(parts, 1)
}

// transposed is the transposed convolution of x [N, C, H, W] with w [C, M/group,
// kh, kw]: a convolution with the flipped kernel of x with zeros between and
// around its elements.
func (b *builder) transposed(c op.ConvTranspose, x, w *gorgonia.Node) *gorgonia.Node {
	if b.err != nil {
		return nil
	}
	dims := x.Shape()
	if len(dims) != 4 {
		b.err = fmt.Errorf("an image %v, want rank 4", dims)
		return nil
	}
	out, pads := c.Sizes([]int64{int64(dims[2]), int64(dims[3])})
	for i := range 2 {
		if out[i] < 1 {
			b.err = fmt.Errorf("kernel %v gives an image of %v", c.Kernel, out)
			return nil
		}
		reach := int(c.Extent(i))
		x = b.along(x, 2+i, place(dims[2+i], reach-1-int(pads[i]), int(c.Stride[i]), int(out[i])+reach-1))
	}
	return b.grouped(int(c.Group), x, w, func(x, w *gorgonia.Node) *gorgonia.Node {
		w = b.transpose(w, 1, 0, 2, 3)
		for i := range 2 {
			w = b.along(w, 2+i, flip(int(c.Kernel[i])))
		}
		w = b.dilated(c.Window, w)
		return b.conv2d(x, w, []int{0, 0}, []int{1, 1})
	})
}

// averagePool is a product with the means of the windows, axis by axis: the
// divisor of a window is the product of those along its axes.
func (b *builder) averagePool(n *graph.Node, p op.Pool) []*series {
	if len(p.Kernel) != 2 {
		return b.failf(n, "kernel %v, want two axes", p.Kernel)
	}
	return b.slicewise(n, []*graph.Value{p.X}, func(xs []*gorgonia.Node) *gorgonia.Node {
		x := xs[0]
		dims := x.Shape()
		spatial := []int64{int64(dims[2]), int64(dims[3])}
		out, pads := p.Out(spatial), p.PadsFor(spatial)
		for i := range 2 {
			if out[i] < 1 {
				b.err = fmt.Errorf("kernel %v does not fit an image of %v", p.Kernel, spatial)
				return nil
			}
			x = b.along(x, 2+i, means(p, i, dims[2+i], int(out[i]), int(pads[i]), int(pads[2+i])))
		}
		return x
	})
}

// means is the windows of a pool along one axis. Padding counts in the divisor
// where the pool says so; what ceil mode adds behind it never does.
func means(p op.Pool, axis, size, out, before, after int) matrix {
	stride, step, kernel := int(p.Stride[axis]), int(p.Dilation[axis]), int(p.Kernel[axis])
	name := fmt.Sprintf("mean of %d by %d every %d from %d to %d counting %t", kernel, step, stride, -before, after, p.CountPad)
	return matrix{name, out, size, func(set func(row, col int, x float64)) {
		for o := range out {
			var inside []int
			count := 0
			for k := range kernel {
				at := o*stride - before + k*step
				if at >= 0 && at < size {
					inside = append(inside, at)
				}
				if at < size+after {
					count++
				}
			}
			if !p.CountPad {
				count = len(inside)
			}
			for _, at := range inside {
				set(o, at, 1/float64(count))
			}
		}
	}}
}

func (b *builder) globalPool(n *graph.Node) []*series {
	return b.slicewise(n, n.Inputs(), func(xs []*gorgonia.Node) *gorgonia.Node {
		dims := xs[0].Shape()
		size := product(dims[2:])
		m := matrix{"mean of all", 1, size, func(set func(row, col int, x float64)) {
			for i := range size {
				set(0, i, 1/float64(size))
			}
		}}
		return b.reshape(b.along(b.reshape(xs[0], dims[0], dims[1], size), 2, m), dims[0], dims[1], 1, 1)
	})
}
