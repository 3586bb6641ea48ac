package ops

import "fmt"

// broadcastDims is the dimensions of the result of NumPy's broadcasting: aligned
// at the last axis, sizes are equal or 1.
func broadcastDims(in ...*Tensor) ([]int, error) {
	rank := 0
	for _, t := range in {
		rank = max(rank, t.Rank())
	}
	dims := make([]int, rank)
	for i := range dims {
		dims[i] = 1
	}
	for _, t := range in {
		skip := rank - t.Rank()
		for i, d := range t.Dims {
			switch have := &dims[skip+i]; {
			case *have == d || d == 1:
			case *have == 1:
				*have = d
			default:
				return nil, fmt.Errorf("dimensions do not broadcast: %v", in)
			}
		}
	}
	return dims, nil
}

// maxOperands is the most tensors that a walk follows: those of Where.
const maxOperands = 3

// offsets is one element index for each operand of a walk.
type offsets [maxOperands]int

// A walk goes over the elements of a contiguous tensor row by row, and knows
// where the matching elements of up to three operands lie.
type walk struct {
	dims    []int     // of the tensor, neighbouring axes merged where possible
	strides []offsets // of the operands, one for each of dims
}

// newWalk plans a walk over a tensor of dims; strides lists each operand's
// element step along each axis.
func newWalk(dims []int, strides ...[]int) *walk {
	w := &walk{}
	for i, d := range dims {
		if d == 1 {
			continue
		}
		var s offsets
		for k := range strides {
			s[k] = strides[k][i]
		}
		if last := len(w.dims) - 1; last >= 0 && w.continues(last, s, d) {
			w.dims[last] *= d
			w.strides[last] = s
			continue
		}
		w.dims, w.strides = append(w.dims, d), append(w.strides, s)
	}
	if len(w.dims) == 0 {
		w.dims, w.strides = []int{1}, []offsets{{}}
	}
	return w
}

// continues reports whether merged axis a steps over exactly the elements of an
// axis inside it of size d and strides s.
func (w *walk) continues(a int, s offsets, d int) bool {
	for k, step := range w.strides[a] {
		if step != s[k]*d {
			return false
		}
	}
	return true
}

// broadcastWalk plans a walk over a result of dims that operands broadcast to.
func broadcastWalk(dims []int, in ...*Tensor) *walk {
	strides := make([][]int, len(in))
	for k, t := range in {
		strides[k] = broadcastStrides(dims, t.Dims)
	}
	return newWalk(dims, strides...)
}

// broadcastStrides is the element steps of a contiguous tensor along the axes of
// a result that it broadcasts to: 0 where it is repeated.
func broadcastStrides(dims, of []int) []int {
	strides := make([]int, len(dims))
	skip := len(dims) - len(of)
	step := 1
	for i := len(of) - 1; i >= 0; i-- {
		if of[i] != 1 {
			strides[skip+i] = step
		}
		step *= of[i]
	}
	return strides
}

func stridesOf(dims []int) []int {
	strides := make([]int, len(dims))
	step := 1
	for i := len(dims) - 1; i >= 0; i-- {
		strides[i] = step
		step *= dims[i]
	}
	return strides
}

func (w *walk) inner() offsets { return w.strides[len(w.strides)-1] }

// run calls f for every part of every row: n elements of the result from dst
// on, and the operands' offsets of the first of them.
func (w *walk) run(env *Env, f func(dst, n int, off offsets)) {
	row := w.dims[len(w.dims)-1]
	if row == 0 {
		return
	}
	rows := product(w.dims[:len(w.dims)-1])
	parts := (row + grain - 1) / grain
	size := (row + parts - 1) / parts
	step := w.inner()
	env.each(rows*parts, size, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			r, from := i/parts, i%parts*size
			off := w.locate(r, len(w.dims)-1)
			for k := range off {
				off[k] += from * step[k]
			}
			if n := min(size, row-from); n > 0 {
				f(r*row+from, n, off)
			}
		}
	})
}

// locate is the operands' offsets at index r of the first axes taken together.
func (w *walk) locate(r, axes int) offsets {
	var off offsets
	for a := axes - 1; a >= 0; a-- {
		i := r % w.dims[a]
		r /= w.dims[a]
		for k, s := range w.strides[a] {
			off[k] += i * s
		}
	}
	return off
}
