package grad

import (
	"fmt"

	"spikingir/runtime/kernel"
	"spikingir/runtime/ops"
)

// A walk goes over the elements of a contiguous tensor in index order and knows
// where the matching elements of operands lie that broadcast to it.
type walk struct {
	dims  []int   // neighbouring axes merged where possible
	steps [][]int // for each of dims, the element steps of the operands
}

// newWalk plans a walk over a tensor of dims beside operands of the dimensions
// listed.
func newWalk(dims []int, operands ...[]int) (*walk, error) {
	w := &walk{}
	steps := make([][]int, len(dims))
	for i := range steps {
		steps[i] = make([]int, len(operands))
	}
	for k, of := range operands {
		skip, step := len(dims)-len(of), 1
		for i := len(of) - 1; i >= 0; i-- {
			if skip < 0 || of[i] != 1 && of[i] != dims[skip+i] {
				return nil, fmt.Errorf("dimensions %v do not broadcast to %v", of, dims)
			}
			if of[i] != 1 {
				steps[skip+i][k] = step
			}
			step *= of[i]
		}
	}
	for i, d := range dims {
		if d == 1 {
			continue
		}
		if last := len(w.dims) - 1; last >= 0 && continues(w.steps[last], steps[i], d) {
			w.dims[last] *= d
			w.steps[last] = steps[i]
			continue
		}
		w.dims, w.steps = append(w.dims, d), append(w.steps, steps[i])
	}
	if len(w.dims) == 0 {
		w.dims, w.steps = []int{1}, [][]int{make([]int, len(operands))}
	}
	return w, nil
}

// continues reports whether an axis of these outer steps goes on where one inside
// it, of size d, ends.
func continues(outer, inner []int, d int) bool {
	for k, s := range outer {
		if s != inner[k]*d {
			return false
		}
	}
	return true
}

// rows calls f for every row: the index of its first element, its length, and
// where the operands' elements of the row start and how far apart they are.
func (w *walk) rows(f func(at, n int, off, step []int)) {
	last := len(w.dims) - 1
	n := w.dims[last]
	count := product(w.dims[:last])
	if n == 0 {
		return
	}
	index := make([]int, last)
	off := make([]int, len(w.steps[last]))
	for r := range count {
		f(r*n, n, off, w.steps[last])
		for a := last - 1; a >= 0; a-- {
			index[a]++
			for k, s := range w.steps[a] {
				off[k] += s
			}
			if index[a] < w.dims[a] {
				break
			}
			for k, s := range w.steps[a] {
				off[k] -= s * w.dims[a]
			}
			index[a] = 0
		}
	}
}

// A total adds up terms of a gradient, in float64 where an element gets many.
// A nil total takes terms and drops them.
type total struct {
	dst  []float32
	wide []float64
}

// totalOf makes the total of a gradient, nil for a gradient that is not wanted.
func totalOf(g *ops.Tensor, many bool) *total {
	if g == nil {
		return nil
	}
	t := &total{dst: g.F32}
	if many {
		t.wide = make([]float64, len(g.F32))
	}
	return t
}

// add adds a term to element i.
func (t *total) add(i int, v float64) {
	switch {
	case t == nil:
	case t.wide != nil:
		t.wide[i] += v
	default:
		t.dst[i] += float32(v)
	}
}

// done rounds the sums and adds them to the gradient.
func (t *total) done() {
	if t != nil {
		addWide(t.dst, t.wide)
	}
}

// addWide adds sums to a gradient.
func addWide(dst []float32, sums []float64) {
	for i, v := range sums {
		dst[i] += float32(v)
	}
}

// accumulate adds terms to a gradient.
func accumulate(dst, terms []float32) { kernel.Add(dst, dst, terms) }
