package grad

import (
	"fmt"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel"
	"spikingir/runtime/ops"
)

// stretch is the number of terms of a product that are added up in float32 before
// the sum joins others in float64.
const stretch = 64

// multiply adds a [m, k] * b [k, n] to sums [m, n].
func multiply(sums []float64, a, b []float32, m, k, n int) {
	row := make([]float32, n)
	for from := 0; from < k; from += stretch {
		to := min(from+stretch, k)
		for i := range m {
			clear(row)
			for j := from; j < to; j++ {
				if v := a[i*k+j]; v != 0 {
					kernel.Axpy(row, b[j*n:(j+1)*n], v)
				}
			}
			widen(sums[i*n:(i+1)*n], row)
		}
	}
}

// widen adds float32 terms to sums.
func widen(sums []float64, terms []float32) {
	for i, v := range terms {
		sums[i] += float64(v)
	}
}

// turned is the transpose of x [rows, cols].
func turned(x []float32, rows, cols int) []float32 {
	y := make([]float32, len(x))
	for i := range rows {
		for j := range cols {
			y[j*rows+i] = x[i*cols+j]
		}
	}
	return y
}

// matMul is the gradient of NumPy's matmul: stacks of matrices broadcast, a vector
// stands for a row on the left and a column on the right.
func matMul(c *call) error {
	a, b := c.in[0], c.in[1]
	if a.Rank() == 0 || b.Rank() == 0 {
		return fmt.Errorf("inputs are %v and %v, want rank 1 or more", a, b)
	}
	left, right := a.Dims, b.Dims
	if a.Rank() == 1 {
		left = []int{1, a.Dims[0]}
	}
	if b.Rank() == 1 {
		right = []int{b.Dims[0], 1}
	}
	m, k, n := left[len(left)-2], left[len(left)-1], right[len(right)-1]
	if right[len(right)-2] != k {
		return fmt.Errorf("inputs are %v and %v, want equal inner dimensions", a, b)
	}
	stack := c.out[0].Dims[:max(0, min(max(len(left), len(right))-2, c.out[0].Rank()))]
	if product(stack)*m*n != c.out[0].Len() {
		return fmt.Errorf("output 0 is %v, want %v times matrices of %d x %d", c.out[0], stack, m, n)
	}
	w, err := newWalk(stack, left[:len(left)-2], right[:len(right)-2])
	if err != nil {
		return err
	}
	var sumsA, sumsB []float64
	if c.wants(0) {
		sumsA = make([]float64, a.Len())
	}
	if c.wants(1) {
		sumsB = make([]float64, b.Len())
	}
	w.rows(func(at, count int, off, step []int) {
		for i := range count {
			ia, ib, iy := (off[0]+i*step[0])*m*k, (off[1]+i*step[1])*k*n, (at+i)*m*n
			g := c.gout[0].F32[iy : iy+m*n]
			if sumsA != nil {
				multiply(sumsA[ia:ia+m*k], g, turned(b.F32[ib:ib+k*n], k, n), m, n, k)
			}
			if sumsB != nil {
				multiply(sumsB[ib:ib+k*n], turned(a.F32[ia:ia+m*k], m, k), g, k, m, n)
			}
		}
	})
	if sumsA != nil {
		addWide(c.gin[0].F32, sumsA)
	}
	if sumsB != nil {
		addWide(c.gin[1].F32, sumsB)
	}
	return nil
}

// bindGemm is the gradient of alpha * A' * B' + beta * C.
func bindGemm(n *graph.Node, _ int64) (backward, error) {
	p, err := op.GemmOf(n)
	return func(c *call) error { return gemm(c, p) }, err
}

func gemm(c *call, p op.Gemm) error {
	a, b := c.in[0], c.in[1]
	if a.Rank() != 2 || b.Rank() != 2 || c.out[0].Rank() != 2 {
		return fmt.Errorf("tensors are %v, %v and %v, want matrices", a, b, c.out[0])
	}
	m, k := oriented(a, p.TransA)
	l, n := oriented(b, p.TransB)
	if l != k {
		return fmt.Errorf("inputs are %v and %v, want equal inner dimensions", a, b)
	}
	if err := wantDims("output 0", c.out[0], m, n); err != nil {
		return err
	}
	if c.wants(2) {
		if err := c.weighted(2, float64(p.Beta)); err != nil {
			return err
		}
	}
	g := c.gout[0].F32
	if p.Alpha != 1 {
		g = make([]float32, len(g))
		kernel.MulScalar(g, c.gout[0].F32, p.Alpha)
	}
	if c.wants(0) {
		bt := b.F32 // [n, k]
		if !p.TransB {
			bt = turned(bt, k, n)
		}
		sums := make([]float64, m*k)
		multiply(sums, g, bt, m, n, k)
		addOriented(c.gin[0], sums, m, k, p.TransA)
	}
	if c.wants(1) {
		at := a.F32 // [k, m]
		if !p.TransA {
			at = turned(at, m, k)
		}
		sums := make([]float64, k*n)
		multiply(sums, at, g, k, m, n)
		addOriented(c.gin[1], sums, k, n, p.TransB)
	}
	return nil
}

// oriented is the numbers of rows and columns of a matrix that may be stored
// transposed.
func oriented(t *ops.Tensor, transposed bool) (rows, cols int) {
	if transposed {
		return t.Dims[1], t.Dims[0]
	}
	return t.Dims[0], t.Dims[1]
}

// addOriented adds sums [rows, cols] to the gradient of a matrix that may be stored
// transposed.
func addOriented(g *ops.Tensor, sums []float64, rows, cols int, transposed bool) {
	if !transposed {
		addWide(g.F32, sums)
		return
	}
	for i := range rows {
		for j := range cols {
			g.F32[j*rows+i] += float32(sums[i*cols+j])
		}
	}
}
