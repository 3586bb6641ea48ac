package ops

// arrange copies x into a new tensor of dims whose element along axis i steps
// strides[i] elements of x, from element base on.
func arrange(env *Env, x *Tensor, dims, strides []int, base int) *Tensor {
	y := env.alloc(x.DType, dims)
	w := newWalk(dims, strides)
	if x.DType.IsFloat() {
		gatherRows(env, w, y.F32, x.F32, base)
	} else {
		gatherRows(env, w, y.I64, x.I64, base)
	}
	return y
}

// shortRow is the row length below which gatherTiles is faster.
const shortRow = 16

func gatherRows[T any](env *Env, w *walk, dst, src []T, base int) {
	if last := len(w.dims) - 1; last > 0 && w.dims[last] < shortRow {
		gatherTiles(env, w, dst, src, base)
		return
	}
	step := w.inner()[0]
	w.run(env, func(at, n int, off offsets) {
		row, from := dst[at:at+n], base+off[0]
		switch step {
		case 0:
			fill(row, src[from])
		case 1:
			copy(row, src[from:])
		default:
			for i := range row {
				row[i] = src[from+i*step]
			}
		}
	})
}

// gatherTiles is gatherRows for short rows: the last two axes make a tile, whose
// longer columns are the inner loop.
func gatherTiles[T any](env *Env, w *walk, dst, src []T, base int) {
	outer := len(w.dims) - 2
	m, n := w.dims[outer], w.dims[outer+1]
	down, right := w.strides[outer][0], w.strides[outer+1][0]
	env.each(product(w.dims[:outer]), m*n, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			tile, from := dst[r*m*n:(r+1)*m*n], base+w.locate(r, outer)[0]
			for j := range n {
				at := from + j*right
				for i := range m {
					tile[i*n+j] = src[at]
					at += down
				}
			}
		}
	})
}

// transpose permutes axes: axis i of the result is axis perm[i] of x.
func transpose(env *Env, x *Tensor, perm []int) *Tensor {
	from := stridesOf(x.Dims)
	dims, strides := make([]int, len(perm)), make([]int, len(perm))
	for i, p := range perm {
		dims[i], strides[i] = x.Dims[p], from[p]
	}
	return arrange(env, x, dims, strides, 0)
}

func duplicate(env *Env, x *Tensor) *Tensor {
	y := env.like(x)
	copy(y.F32, x.F32)
	copy(y.I64, x.I64)
	return y
}

// outside marks, in the index lists of pick, a place that no element of the
// input comes to.
const outside = -1

// pick makes a tensor whose element (i, j, ...) is element (index[0][i],
// index[1][j], ...) of x, or value (a tensor of one element) where one of those
// is outside. A nil value is 0.
func pick(env *Env, x *Tensor, index [][]int, value *Tensor) *Tensor {
	dims := make([]int, len(index))
	for i := range index {
		dims[i] = len(index[i])
	}
	y := env.alloc(x.DType, dims)
	if value == nil {
		value = NewTensor(x.DType, nil)
	}
	if len(dims) == 0 {
		copy(y.F32, x.F32)
		copy(y.I64, x.I64)
		return y
	}
	if x.DType.IsFloat() {
		pickRows(env, y.F32, x.F32, x.Dims, index, value.F32[0])
	} else {
		pickRows(env, y.I64, x.I64, x.Dims, index, value.I64[0])
	}
	return y
}

func pickRows[T any](env *Env, dst, src []T, dims []int, index [][]int, value T) {
	strides := stridesOf(dims)
	last := len(index) - 1
	cols := index[last]
	if len(dst) == 0 {
		return
	}
	env.each(len(dst)/len(cols), len(cols), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			row := dst[r*len(cols) : (r+1)*len(cols)]
			base := rowBase(index[:last], strides, r)
			if base == outside {
				fill(row, value)
				continue
			}
			for i, c := range cols {
				if c == outside {
					row[i] = value
				} else {
					row[i] = src[base+c]
				}
			}
		}
	})
}

// rowBase is the input element that row r of the result starts counting from,
// or outside.
func rowBase(index [][]int, strides []int, r int) int {
	base := 0
	for axis := len(index) - 1; axis >= 0; axis-- {
		i := index[axis][r%len(index[axis])]
		r /= len(index[axis])
		if i == outside {
			return outside
		}
		base += i * strides[axis]
	}
	return base
}

func span(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// copyBlocks copies count blocks of n elements: block i of dst starts at
// i*dstStep + dstAt, that of src at i*srcStep + srcAt.
func copyBlocks(dst, src *Tensor, count, n, dstStep, dstAt, srcStep, srcAt int) {
	for i := range count {
		to, from := i*dstStep+dstAt, i*srcStep+srcAt
		if dst.DType.IsFloat() {
			copy(dst.F32[to:to+n], src.F32[from:from+n])
		} else {
			copy(dst.I64[to:to+n], src.I64[from:from+n])
		}
	}
}
