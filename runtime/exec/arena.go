package exec

import (
	"slices"
	"sync"
	"unsafe"

	"spikingir/graph"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// arena hands out buffers and takes them back. A buffer of floats is counted once
// for every value that lives in it; operators whose output is a view of their input
// share it. The buffers of a counting arena have no elements: it tells what a run
// would take.
type arena struct {
	sizes    []int // of the inputs that the buffers suit
	counting bool
	limit    int64 // bytes that buffers may take; negative for any number
	floats   stock[float32]
	words    stock[uint64] // of planar spikes
	masks    stock[uint16] // of packed spikes
	counts   stock[uint8]  // of counts
	values   stock[int8]   // of spikes of several values
	inUse    map[*float32]*lease
	integers int64                  // bytes of tensors of integers, which are the collector's
	wholes   map[*int64]*wholeLease // those that are in use
}

// stock is buffers with elements of one type.
type stock[T float32 | uint64 | uint16 | uint8 | int8] struct {
	free map[int][][]T // by length
	made int64         // elements of all that were ever made
}

// lease is a buffer that was handed out and the number of values in it.
type lease struct {
	buffer         []float32
	length, values int
}

// wholeLease is a tensor of integers, and the number of values in it.
type wholeLease struct{ bytes, values int64 }

func newArena(sizes []int, counting bool) *arena {
	return &arena{sizes: sizes, counting: counting, limit: -1, inUse: map[*float32]*lease{}, wholes: map[*int64]*wholeLease{},
		floats: stock[float32]{free: map[int][][]float32{}},
		words:  stock[uint64]{free: map[int][][]uint64{}},
		masks:  stock[uint16]{free: map[int][][]uint16{}},
		counts: stock[uint8]{free: map[int][][]uint8{}},
		values: stock[int8]{free: map[int][][]int8{}}}
}

// lend gives a buffer of a stock, with arbitrary contents.
func lend[T float32 | uint64 | uint16 | uint8 | int8](a *arena, s *stock[T], n int) []T {
	if list := s.free[n]; len(list) > 0 {
		s.free[n] = list[:len(list)-1]
		return list[len(list)-1]
	}
	var element T
	a.spend(int64(n) * int64(unsafe.Sizeof(element)))
	s.made += int64(n)
	if a.counting {
		return make([]T, 0, 1)
	}
	return machine.NewArray[T](n)
}

// drop leaves the free buffers to the collector.
func (s *stock[T]) drop() {
	for n, list := range s.free {
		s.made -= int64(n) * int64(len(list))
	}
	clear(s.free)
}

// claim is ops.Env.Claim: an error where so many bytes more are not allowed, beside what is in
// use. Free buffers are dropped first.
func (a *arena) claim(bytes int64) error {
	if a.limit < 0 || a.bytes()+bytes <= a.limit {
		return nil
	}
	a.floats.drop()
	a.words.drop()
	a.masks.drop()
	a.counts.drop()
	a.values.drop()
	if used := a.bytes(); used+bytes > a.limit {
		return &ops.Shortage{Want: bytes, Used: used, Limit: a.limit}
	}
	return nil
}

// spend panics, as ops.Env.Alloc does, where so many bytes more are not allowed.
func (a *arena) spend(bytes int64) {
	if err := a.claim(bytes); err != nil {
		panic(err)
	}
}

// give takes a buffer of n elements back.
func (s *stock[T]) give(n int, buffer []T) { s.free[n] = append(s.free[n], buffer) }

// tensor is ops.Env.Alloc. The buffer is counted zero times.
func (a *arena) tensor(d graph.DType, dims []int) *ops.Tensor {
	t := &ops.Tensor{DType: d, Dims: dims}
	n := t.Len()
	switch {
	case d.IsFloat() && n > 0:
		t.F32 = lend(a, &a.floats, n)
		a.inUse[unsafe.SliceData(t.F32)] = &lease{buffer: t.F32, length: n}
	case d.IsFloat():
	case a.counting:
		a.integers += 8 * int64(n)
	case n > 0:
		bytes := 8 * int64(n)
		a.spend(bytes)
		a.integers += bytes
		t.I64 = make([]int64, n)
		a.wholes[unsafe.SliceData(t.I64)] = &wholeLease{bytes: bytes}
	default:
		t.I64 = []int64{}
	}
	return t
}

// whole is the lease of a tensor of integers; nil when it is none of the arena's.
func (a *arena) whole(t *ops.Tensor) *wholeLease {
	if t == nil || len(t.I64) == 0 {
		return nil
	}
	return a.wholes[unsafe.SliceData(t.I64)]
}

// lease is that of the tensor's buffer; nil when it is none of the arena's.
func (a *arena) lease(t *ops.Tensor) *lease {
	if t == nil {
		return nil
	}
	return a.inUse[unsafe.SliceData(t.F32)]
}

// hold counts a value that lives in the tensor's buffer.
func (a *arena) hold(t *ops.Tensor) {
	if l := a.lease(t); l != nil {
		l.values++
	}
	if l := a.whole(t); l != nil {
		l.values++
	}
}

// release ends the life of a value in the tensor's buffer, which is free once no value
// lives in it.
func (a *arena) release(t *ops.Tensor) {
	if l := a.lease(t); l != nil {
		if l.values--; l.values <= 0 {
			a.reuse(l)
		}
	}
	if l := a.whole(t); l != nil {
		if l.values--; l.values <= 0 {
			a.integers -= l.bytes
			delete(a.wholes, unsafe.SliceData(t.I64))
		}
	}
}

// discard ends the life of a tensor that is no value's.
func (a *arena) discard(t *ops.Tensor) {
	a.hold(t)
	a.release(t)
}

// reuse makes a buffer free again.
func (a *arena) reuse(l *lease) {
	delete(a.inUse, unsafe.SliceData(l.buffer))
	a.floats.give(l.length, l.buffer)
}

// reclaim takes back whatever is still handed out at the end of a run: outputs,
// results that an operator computed and its node omits, and what an error left
// behind.
func (a *arena) reclaim() {
	for _, l := range a.inUse {
		a.reuse(l)
	}
	clear(a.wholes)
	a.integers = 0
}

// bytes is what all buffers take.
func (a *arena) bytes() int64 {
	return 4*a.floats.made + 8*a.words.made + 2*a.masks.made + a.counts.made + a.values.made + a.integers
}

// arenas are those of earlier runs, for the next ones on inputs of the same sizes.
type arenas struct {
	mu    sync.Mutex
	sizes []int
	free  []*arena
}

// take gives a run its arena. When inputs have other sizes than before, which none
// of the buffers would suit, those are dropped.
func (a *arenas) take(sizes []int) *arena {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.Equal(sizes, a.sizes) {
		a.sizes, a.free = sizes, nil
	}
	if last := len(a.free) - 1; last >= 0 {
		x := a.free[last]
		a.free = a.free[:last]
		return x
	}
	return newArena(sizes, false)
}

// give takes the arena of a run back.
func (a *arenas) give(x *arena) {
	x.reclaim()
	a.mu.Lock()
	defer a.mu.Unlock()
	if slices.Equal(x.sizes, a.sizes) {
		a.free = append(a.free, x)
	}
}

// drop leaves all buffers to the collector.
func (a *arenas) drop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sizes, a.free = nil, nil
}
