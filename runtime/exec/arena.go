package exec

import (
	"spikingir/graph"
	"spikingir/runtime/ops"
)

// arena hands out float buffers and takes them back. A buffer is counted once
// for every value that lives in it; operators whose output is a view of their
// input share it.
type arena struct {
	free  map[int][][]float32 // by length
	inUse map[*float32]int
}

func newArena() *arena {
	return &arena{free: map[int][][]float32{}, inUse: map[*float32]int{}}
}

// floats gives a buffer with arbitrary contents, counted zero times.
func (a *arena) floats(n int) []float32 {
	if n == 0 {
		return nil
	}
	if list := a.free[n]; len(list) > 0 {
		b := list[len(list)-1]
		a.free[n] = list[:len(list)-1]
		a.inUse[&b[0]] = 0
		return b
	}
	b := make([]float32, n)
	a.inUse[&b[0]] = 0
	return b
}

// tensor is ops.Env.Alloc.
func (a *arena) tensor(d graph.DType, dims []int) *ops.Tensor {
	n := 1
	for _, k := range dims {
		n *= k
	}
	t := &ops.Tensor{DType: d, Dims: dims}
	if d.IsFloat() {
		t.F32 = a.floats(n)
	} else {
		t.I64 = make([]int64, n)
	}
	return t
}

// hold counts a value that lives in the tensor's buffer.
func (a *arena) hold(t *ops.Tensor) {
	if t == nil || len(t.F32) == 0 {
		return
	}
	if _, ours := a.inUse[&t.F32[0]]; ours {
		a.inUse[&t.F32[0]]++
	}
}

// release ends the life of a value in the tensor's buffer; the buffer is free
// once no value lives in it.
func (a *arena) release(t *ops.Tensor) {
	if t == nil || len(t.F32) == 0 {
		return
	}
	key := &t.F32[0]
	count, ours := a.inUse[key]
	if !ours {
		return
	}
	if count > 1 {
		a.inUse[key] = count - 1
		return
	}
	delete(a.inUse, key)
	n := cap(t.F32)
	a.free[n] = append(a.free[n], t.F32[:n])
}
