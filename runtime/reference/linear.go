package reference

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// apply keeps the first error of Gorgonia; f runs only while there is none.
func (b *builder) apply(f func() (*gorgonia.Node, error)) *gorgonia.Node {
	if b.err != nil {
		return nil
	}
	n, err := f()
	if err != nil {
		b.err = fmt.Errorf("gorgonia: %w", err)
		return nil
	}
	if b.err = b.size.add(n.Shape()); b.err != nil {
		return nil
	}
	return n
}

func (b *builder) add(x, y *gorgonia.Node) *gorgonia.Node {
	return b.apply(func() (*gorgonia.Node, error) { return gorgonia.Add(x, y) })
}

func (b *builder) sub(x, y *gorgonia.Node) *gorgonia.Node {
	return b.apply(func() (*gorgonia.Node, error) { return gorgonia.Sub(x, y) })
}

func (b *builder) mul(x, y *gorgonia.Node) *gorgonia.Node {
	return b.apply(func() (*gorgonia.Node, error) { return gorgonia.HadamardProd(x, y) })
}

func (b *builder) div(x, y *gorgonia.Node) *gorgonia.Node {
	return b.apply(func() (*gorgonia.Node, error) { return gorgonia.HadamardDiv(x, y) })
}

func (b *builder) matmul(x, y *gorgonia.Node) *gorgonia.Node {
	return b.apply(func() (*gorgonia.Node, error) { return gorgonia.Mul(x, y) })
}

func (b *builder) transpose(x *gorgonia.Node, axes ...int) *gorgonia.Node {
	return b.apply(func() (*gorgonia.Node, error) { return gorgonia.Transpose(x, axes...) })
}

func (b *builder) reshape(x *gorgonia.Node, dims ...int) *gorgonia.Node {
	return b.apply(func() (*gorgonia.Node, error) {
		if slices.Equal(x.Shape(), dims) {
			return x, nil
		}
		return gorgonia.Reshape(x, tensor.Shape(slices.Clone(dims)))
	})
}

func (b *builder) sum(xs []*gorgonia.Node) *gorgonia.Node {
	total := xs[0]
	for _, x := range xs[1:] {
		total = b.add(total, x)
	}
	return total
}

func (b *builder) scale(x *gorgonia.Node, c float64) *gorgonia.Node {
	if b.err != nil {
		return nil
	}
	return b.mul(x, b.full(x.Shape(), c))
}

func (b *builder) full(dims []int, c float64) *gorgonia.Node {
	return b.fixed(fmt.Sprintf("%v of %v", dims, c), dims, func(x []float64) {
		for i := range x {
			x[i] = c
		}
	})
}

// fixed is a constant tensor by name: equal names must mean equal tensors. It is
// an input to Gorgonia, whose constants are told apart by abridged printing.
func (b *builder) fixed(name string, dims []int, fill func(x []float64)) *gorgonia.Node {
	if b.err != nil {
		return nil
	}
	if n := b.constants[name]; n != nil {
		return n
	}
	if b.err = b.size.hold(dims); b.err != nil {
		return nil
	}
	x := make([]float64, product(dims))
	fill(x)
	n := b.variable("constant:"+name, dims, x)
	b.constants[name] = n
	return n
}

// matrix is a linear map along one axis: rows of the result, columns of the
// argument, told apart by name.
type matrix struct {
	name       string
	rows, cols int
	fill       func(set func(row, col int, x float64))
}

func (b *builder) constantMatrix(m matrix, transposed bool) *gorgonia.Node {
	name, dims := fmt.Sprintf("%s %dx%d", m.name, m.rows, m.cols), []int{m.rows, m.cols}
	if transposed {
		name, dims = name+" transposed", []int{m.cols, m.rows}
	}
	return b.fixed(name, dims, func(x []float64) {
		m.fill(func(row, col int, v float64) {
			if transposed {
				row, col = col, row
			}
			x[row*dims[1]+col] = v
		})
	})
}

func (b *builder) along(x *gorgonia.Node, axis int, m matrix) *gorgonia.Node {
	if b.err != nil {
		return nil
	}
	dims := x.Shape()
	pre, d, post := product(dims[:axis]), dims[axis], product(dims[axis+1:])
	if d != m.cols {
		b.err = fmt.Errorf("matrix %q of %d columns along an axis of %d", m.name, m.cols, d)
		return nil
	}
	var y *gorgonia.Node
	switch {
	case pre == 1:
		y = b.matmul(b.constantMatrix(m, false), b.reshape(x, d, post))
	case post == 1:
		y = b.matmul(b.reshape(x, pre, d), b.constantMatrix(m, true))
	default:
		y = b.reshape(b.transpose(b.reshape(x, pre, d, post), 0, 2, 1), pre*post, d)
		y = b.reshape(b.matmul(y, b.constantMatrix(m, true)), pre, post, m.rows)
		y = b.transpose(y, 0, 2, 1)
	}
	dims[axis] = m.rows
	return b.reshape(y, dims...)
}

// place puts n elements at lo, lo+step, ... of size places, or what of them lies
// inside; the rest is 0. A step of 1 pads and crops.
func place(n, lo, step, size int) matrix {
	return matrix{fmt.Sprintf("place %d+%di", lo, step), size, n, func(set func(row, col int, x float64)) {
		for i := range n {
			if at := lo + i*step; at >= 0 && at < size {
				set(at, i, 1)
			}
		}
	}}
}

func repeat(n int) matrix {
	return matrix{"repeat", n, 1, func(set func(row, col int, x float64)) {
		for i := range n {
			set(i, 0, 1)
		}
	}}
}

// repeatEach gives each of n elements s times.
func repeatEach(n, s int) matrix {
	return matrix{fmt.Sprintf("repeat each %d times", s), n * s, n, func(set func(row, col int, x float64)) {
		for i := range n * s {
			set(i, i/s, 1)
		}
	}}
}

func flip(n int) matrix {
	return matrix{"flip", n, n, func(set func(row, col int, x float64)) {
		for i := range n {
			set(i, n-1-i, 1)
		}
	}}
}

func part(n, lo, size int) matrix { return place(n, -lo, 1, size) }

func (b *builder) expand(x *gorgonia.Node, dims []int) *gorgonia.Node {
	if b.err != nil {
		return nil
	}
	from := []int(x.Shape())
	for len(from) > len(dims) && from[0] == 1 {
		from = from[1:]
	}
	for len(from) < len(dims) {
		from = append([]int{1}, from...)
	}
	for i := 0; i < len(dims); i++ {
		if from[i] == dims[i] {
			continue
		}
		end, count := i, 1
		for ; end < len(dims) && from[end] == 1; end++ {
			count *= dims[end]
		}
		if end == i || len(from) != len(dims) {
			b.err = fmt.Errorf("%v does not broadcast to %v", x.Shape(), dims)
			return nil
		}
		x = b.along(b.reshape(x, product(from[:i]), 1, product(from[end:])), 1, repeat(count))
		copy(from[i:end], dims[i:end])
		i = end - 1
	}
	return b.reshape(x, dims...)
}

func (b *builder) broadcast(xs []*gorgonia.Node) []*gorgonia.Node {
	if b.err != nil {
		return make([]*gorgonia.Node, len(xs))
	}
	rank := 0
	for _, x := range xs {
		rank = max(rank, x.Dims())
	}
	dims := slices.Repeat([]int{1}, rank)
	for _, x := range xs {
		for i, d := range x.Shape() {
			at := rank - x.Dims() + i
			if dims[at] == 1 {
				dims[at] = d
			}
		}
	}
	out := make([]*gorgonia.Node, len(xs))
	for i, x := range xs {
		out[i] = b.expand(x, dims)
	}
	return out
}

// concat joins tensors along an axis: each is put in its place, the sum joins.
func (b *builder) concat(xs []*gorgonia.Node, axis int) *gorgonia.Node {
	if b.err != nil {
		return nil
	}
	total := 0
	for _, x := range xs {
		total += x.Shape()[axis]
	}
	at, parts := 0, make([]*gorgonia.Node, len(xs))
	for i, x := range xs {
		d := x.Shape()[axis]
		parts[i] = b.along(x, axis, place(d, at, 1, total))
		at += d
	}
	return b.sum(parts)
}
