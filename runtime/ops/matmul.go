package ops

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel"
)

// multiply sets dst [m, n] = a [m, k] * b [k, n]. A sum runs over k in order from
// 0, rounding every product and every sum.
func multiply(env *Env, dst, a, b []float32, m, k, n int) {
	env.each(m, k*n, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row := dst[i*n : (i+1)*n]
			clear(row)
			for j, x := range a[i*k : (i+1)*k] {
				kernel.Axpy(row, b[j*n:(j+1)*n], x)
			}
		}
	})
}

func multiplyInts(dst, a, b []int64, m, k, n int) {
	for i := range m {
		row := dst[i*n : (i+1)*n]
		clear(row)
		for j, x := range a[i*k : (i+1)*k] {
			for c, y := range b[j*n : (j+1)*n] {
				row[c] += x * y
			}
		}
	}
}

// matMulVectors is NumPy's matmul: stacks of matrices broadcast, a vector stands
// for a row on the left and a column on the right.
func matMulVectors(env *Env, in []*Tensor) ([]*Tensor, error) {
	a, b := in[0], in[1]
	check(wantSameType(a, b))
	if a.Rank() == 0 || b.Rank() == 0 || a.DType == graph.Bool {
		return nil, fmt.Errorf("inputs are %v and %v, want numbers of rank 1 or more", a, b)
	}
	left, right := a, b
	if a.Rank() == 1 {
		left = a.view([]int{1, a.Dims[0]})
	}
	if b.Rank() == 1 {
		right = b.view([]int{b.Dims[0], 1})
	}
	y := must(matMul(env, left, right))
	dims := slices.Clone(y.Dims[:y.Rank()-2])
	if a.Rank() > 1 {
		dims = append(dims, y.Dims[y.Rank()-2])
	}
	if b.Rank() > 1 {
		dims = append(dims, y.Dims[y.Rank()-1])
	}
	return one(y.view(dims)), nil
}

func matMul(env *Env, a, b *Tensor) (*Tensor, error) {
	ra, rb := a.Rank()-2, b.Rank()-2
	m, k, n := a.Dims[ra], a.Dims[ra+1], b.Dims[rb+1]
	if b.Dims[rb] != k {
		return nil, fmt.Errorf("inputs are %v and %v, want equal inner dimensions", a, b)
	}
	stackA, stackB := &Tensor{Dims: a.Dims[:ra]}, &Tensor{Dims: b.Dims[:rb]}
	stack := must(broadcastDims(stackA, stackB))
	y := env.alloc(a.DType, append(slices.Clone(stack), m, n))
	w := broadcastWalk(stack, stackA, stackB)
	step := w.inner()
	w.run(&Env{}, func(at, count int, off offsets) {
		for i := range count {
			ia, ib, iy := (off[0]+i*step[0])*m*k, (off[1]+i*step[1])*k*n, (at+i)*m*n
			if a.DType.IsFloat() {
				multiply(env, y.F32[iy:iy+m*n], a.F32[ia:ia+m*k], b.F32[ib:ib+k*n], m, k, n)
			} else {
				multiplyInts(y.I64[iy:iy+m*n], a.I64[ia:ia+m*k], b.I64[ib:ib+k*n], m, k, n)
			}
		}
	})
	return y, nil
}

// runGemm is alpha * A' * B' + beta * C.
func runGemm(g op.Gemm, env *Env, in []*Tensor) ([]*Tensor, error) {
	a, b, c := in[0], in[1], optional(in, 2)
	check(wantFloat(a, b, c))
	if a.Rank() != 2 || b.Rank() != 2 {
		return nil, fmt.Errorf("inputs are %v and %v, want matrices", a, b)
	}
	if g.TransA {
		a = transpose(env.scratch(), a, []int{1, 0})
	}
	if g.TransB {
		b = transpose(env.scratch(), b, []int{1, 0})
	}
	y := must(matMul(env, a, b))
	if g.Alpha != 1 {
		kernel.MulScalar(y.F32, y.F32, g.Alpha)
	}
	return one(y), addScaled(env, y, c, g.Beta)
}

// addScaled adds beta * c, broadcast, to y in place. A nil c adds nothing.
func addScaled(env *Env, y, c *Tensor, beta float32) error {
	if c == nil || beta == 0 {
		return nil
	}
	dims, err := broadcastDims(y, c)
	if err != nil || !slices.Equal(dims, y.Dims) {
		return fmt.Errorf("input 2 (C) is %v, want it to broadcast to %v", c, y.Dims)
	}
	if beta != 1 {
		c = mapFloats(env.scratch(), c, func(dst, x []float32) { kernel.MulScalar(dst, x, beta) })
	}
	addition.floats(env, broadcastWalk(dims, y, c), y.F32, y.F32, c.F32)
	return nil
}
