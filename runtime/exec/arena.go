package exec

import (
	"spikingir/graph"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// arena hands out float buffers and takes them back. A buffer is counted once
// for every value that lives in it; operators whose output is a view of their
// input share it.
type arena struct {
	free   map[int][][]float32 // by length
	inUse  map[*float32]*lease
	trains map[int][][]uint64 // the words of spike trains that are done with, by length
	packed map[int][][]uint16 // likewise the masks of packed ones
}

// lease is a buffer that was handed out and the number of values in it.
type lease struct {
	buffer []float32
	values int
}

func newArena() *arena {
	return &arena{free: map[int][][]float32{}, inUse: map[*float32]*lease{},
		trains: map[int][][]uint64{}, packed: map[int][][]uint16{}}
}

// words gives the words of a spike train, with arbitrary contents. Those that
// nobody brings back are the collector's.
func (a *arena) words(n int) []uint64 {
	list := a.trains[n]
	if len(list) == 0 {
		return machine.NewArray[uint64](n)
	}
	a.trains[n] = list[:len(list)-1]
	return list[len(list)-1]
}

// bringBack ends the life of a train.
func (a *arena) bringBack(t *train) {
	if t != nil {
		w := t.Words()
		a.trains[len(w)] = append(a.trains[len(w)], w)
	}
}

// masks gives the masks of a packed train, with arbitrary contents.
func (a *arena) masks(n int) []uint16 {
	list := a.packed[n]
	if len(list) == 0 {
		return machine.NewArray[uint16](n)
	}
	a.packed[n] = list[:len(list)-1]
	return list[len(list)-1]
}

// bringBackMasks ends the life of a packed train.
func (a *arena) bringBackMasks(p *packed) {
	if p != nil {
		a.packed[len(p.Bits)] = append(a.packed[len(p.Bits)], p.Bits)
	}
}

// floats gives a buffer with arbitrary contents, counted zero times.
func (a *arena) floats(n int) []float32 {
	if n == 0 {
		return nil
	}
	if list := a.free[n]; len(list) > 0 {
		b := list[len(list)-1]
		a.free[n] = list[:len(list)-1]
		a.inUse[&b[0]] = &lease{buffer: b}
		return b
	}
	b := machine.NewArray[float32](n)
	a.inUse[&b[0]] = &lease{buffer: b}
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
	if l := a.inUse[&t.F32[0]]; l != nil {
		l.values++
	}
}

// release ends the life of a value in the tensor's buffer; the buffer is free
// once no value lives in it.
func (a *arena) release(t *ops.Tensor) {
	if t == nil || len(t.F32) == 0 {
		return
	}
	l := a.inUse[&t.F32[0]]
	if l == nil {
		return
	}
	if l.values--; l.values <= 0 {
		a.take(l)
	}
}

// take makes a buffer free again.
func (a *arena) take(l *lease) {
	delete(a.inUse, &l.buffer[0])
	a.free[len(l.buffer)] = append(a.free[len(l.buffer)], l.buffer)
}

// reclaim takes back whatever is still handed out at the end of a run: outputs,
// results that an operator computed and its node omits, and what an error left
// behind.
func (a *arena) reclaim() {
	for _, l := range a.inUse {
		a.take(l)
	}
}
