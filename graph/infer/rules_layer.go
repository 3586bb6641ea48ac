package infer

import (
	"spikingir/graph"
	"spikingir/graph/op"
)

// conv: X [N, C, spatial...], W [M, C/group, kernel...] -> [N, M, out...].
func conv(c *call, v op.Conv) error {
	return c.convolved(must(c.sameElem(v.X, v.W, v.B)), v)
}

// convolved states that output 0 has the shape of a convolution.
func (c *call) convolved(elem graph.DType, v op.Conv) error {
	x, okX := c.shape(v.X)
	w, okW := c.shape(v.W)
	v.Window = must(c.kernelFrom(v.Window, w, okW))
	if x = must(c.imageDims(v.X, x, okX, v.Window)); x == nil {
		return c.set(0, elem, nil, false)
	}
	channels := Expr{}
	if okW {
		check(c.rank(v.W, w, len(x), "as many axes as the input"))
		must(c.agree("the number of input channels", x[1], v.X, w[1].Times(v.Group), v.W))
		channels = w[0]
		check(c.divides(v.Group, channels, "output channels"))
	}
	check(c.biasFits(v.B, channels, v.W))
	out := must(c.windowed(v.Window, x[2:]))
	return c.set(0, elem, append([]Expr{x[0], channels}, out...), true)
}

// kernelFrom completes a window whose kernel only the weights' shape tells.
func (c *call) kernelFrom(w op.Window, dims []Expr, ok bool) (op.Window, error) {
	if w.Kernel != nil || !ok || len(dims) < 3 {
		return w, nil
	}
	kernel := make([]int64, len(dims)-2)
	for i, d := range dims[2:] {
		if kernel[i], ok = d.Int(); !ok {
			return w, nil
		}
	}
	return w.WithKernel(c.n, kernel)
}

// imageDims is x, or unknown dimensions of the rank that the kernel implies;
// nil when neither is known.
func (c *call) imageDims(v *graph.Value, x []Expr, ok bool, w op.Window) ([]Expr, error) {
	switch {
	case ok && len(x) < 3:
		return nil, c.failf("input %q has rank %d, want 3 or more: [N, C, ...]", v.Name(), len(x))
	case ok && w.Kernel != nil:
		return x, c.rank(v, x, len(w.Kernel)+2, "the kernel's axes and two more")
	case ok:
		return x, nil
	case w.Kernel == nil:
		return nil, nil
	}
	return make([]Expr, len(w.Kernel)+2), nil
}

func (c *call) divides(group int64, channels Expr, what string) error {
	if n, ok := channels.Int(); ok && n%group != 0 {
		return c.failf("%d %s in %d groups, want a multiple", n, what, group)
	}
	return nil
}

func (c *call) biasFits(b *graph.Value, channels Expr, w *graph.Value) error {
	dims, ok := c.shape(b)
	if b == nil || !ok {
		return nil
	}
	check(c.rank(b, dims, 1, "one entry per output channel"))
	_, err := c.agree("the number of output channels", dims[0], b, channels, w)
	return err
}

func (c *call) windowed(w op.Window, in []Expr) ([]Expr, error) {
	out := make([]Expr, len(in))
	if w.Kernel == nil {
		return out, nil
	}
	for i, d := range in {
		out[i] = windowPositions(w, i, d)
		if n, ok := out[i].Int(); ok && n < 1 {
			return nil, c.failf("kernel %v does not fit into size %v of axis %d, want a larger input",
				w.Kernel, d, i+2)
		}
	}
	return out, nil
}

// windowPositions is [op.Window.Out] for a size with symbols.
func windowPositions(w op.Window, i int, in Expr) Expr {
	stride := w.Stride[i]
	if w.AutoPad == op.SameUpper || w.AutoPad == op.SameLower {
		return in.CeilDiv(stride)
	}
	begin, end := w.Pads[i], w.Pads[len(w.Kernel)+i]
	room := in.Plus(begin + end - w.Extent(i))
	if n, ok := room.Int(); ok && n < 0 {
		return Number(0)
	}
	if !w.CeilMode {
		return room.FloorDiv(stride).Plus(1)
	}
	// Windows that cover all, and windows that start before the end padding:
	// the smaller number counts.
	cover, start := room.CeilDiv(stride).Plus(1), in.Plus(begin).CeilDiv(stride)
	n, okN := cover.Int()
	m, okM := start.Int()
	switch {
	case okN && okM:
		return Number(min(n, m))
	case stride <= w.Extent(i)-end:
		return cover
	case cover.Sub(start).atLeast(0):
		return start
	}
	return Expr{}
}

// convTranspose: X [N, C, spatial...], W [C, M/group, kernel...].
func convTranspose(c *call, v op.ConvTranspose) error {
	elem := must(c.sameElem(v.X, v.W, v.B))
	x, okX := c.shape(v.X)
	w, okW := c.shape(v.W)
	if x = must(c.imageDims(v.X, x, okX, v.Window)); x == nil {
		return c.set(0, elem, nil, false)
	}
	channels := Expr{}
	if okW {
		check(c.rank(v.W, w, len(x), "as many axes as the input"))
		must(c.agree("the number of input channels", x[1], v.X, w[0], v.W))
		check(c.divides(v.Group, w[0], "input channels"))
		channels = w[1].Times(v.Group)
	}
	check(c.biasFits(v.B, channels, v.W))
	out := []Expr{x[0], channels}
	for i, d := range x[2:] {
		out = append(out, transposedSize(v, i, d))
	}
	return c.set(0, elem, out, true)
}

// transposedSize is [op.ConvTranspose.Sizes] for a size with symbols.
func transposedSize(v op.ConvTranspose, i int, in Expr) Expr {
	switch {
	case v.Kernel == nil:
		return Expr{}
	case v.OutputShape != nil:
		return Number(v.OutputShape[i])
	case v.AutoPad == op.SameUpper || v.AutoPad == op.SameLower:
		return in.Times(v.Stride[i])
	}
	cut := v.Pads[i] + v.Pads[len(v.Kernel)+i]
	return in.Plus(-1).Times(v.Stride[i]).Plus(v.OutputPadding[i] + v.Extent(i) - cut)
}

// pool: X [N, C, spatial...] -> [N, C, out...], indices likewise.
func pool(c *call, p op.Pool) error {
	x, ok := c.shape(p.X)
	x = must(c.imageDims(p.X, x, ok, p.Window))
	out := must(c.windowed(p.Window, x[2:]))
	out = append([]Expr{x[0], x[1]}, out...)
	check(c.set(1, graph.Int64, out, true))
	return c.set(0, c.elem(p.X), out, true)
}

// globalPool: X [N, C, spatial...] -> [N, C, 1...].
func globalPool(c *call, u op.Unary) error {
	x, ok := c.shape(u.X)
	for i := 2; i < len(x); i++ {
		x[i] = Number(1)
	}
	return c.set(0, c.elem(u.X), x, ok)
}

// gemm: A [M, K], B [K, N], either transposed -> [M, N].
func gemm(c *call, g op.Gemm) error {
	elem := must(c.sameElem(g.A, g.B, g.C))
	side := func(v *graph.Value, trans bool) (rows, cols Expr, err error) {
		d, ok := c.shape(v)
		if !ok {
			return Expr{}, Expr{}, nil
		}
		check(c.rank(v, d, 2, "a matrix"))
		if trans {
			return d[1], d[0], nil
		}
		return d[0], d[1], nil
	}
	m, k, err := side(g.A, g.TransA)
	if err != nil {
		return err
	}
	k2, n, err := side(g.B, g.TransB)
	if err != nil {
		return err
	}
	must(c.agree("the inner size of the product", k, g.A, k2, g.B))
	return c.set(0, elem, []Expr{m, n}, true)
}

// matMul follows NumPy: vectors count as a row on the left and a column on the
// right, and lose that axis again.
func matMul(c *call, v op.MatMul) error {
	return c.product(must(c.sameElem(v.A, v.B)), v.A, v.B)
}

// product states that output 0 has the shape of a product of stacks of matrices.
func (c *call) product(elem graph.DType, left, right *graph.Value) error {
	a, okA := c.shape(left)
	b, okB := c.shape(right)
	if !okA || !okB {
		return c.set(0, elem, nil, false)
	}
	if len(a) == 0 || len(b) == 0 {
		return c.failf("a factor is a scalar, want rank 1 or more")
	}
	rowA, colB := len(a) == 1, len(b) == 1
	if rowA {
		a = []Expr{Number(1), a[0]}
	}
	if colB {
		b = []Expr{b[0], Number(1)}
	}
	i, j := len(a)-2, len(b)-2
	must(c.agree("the inner size of the product", a[i+1], left, b[j], right))
	out := must(c.broadcastDims(a[:i], b[:j]))
	if !rowA {
		out = append(out, a[i])
	}
	if !colB {
		out = append(out, b[j+1])
	}
	return c.set(0, elem, out, true)
}
