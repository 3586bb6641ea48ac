package cluster

import "unsafe"

// number is what is sent as it lies in memory: all processes are of one kind.
type number interface {
	~float32 | ~float64 | ~int64 | ~uint64
}

// bytes is the memory of numbers.
func bytes[T number](x []T) []byte {
	if len(x) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), len(x)*int(unsafe.Sizeof(x[0])))
}

// A Summer adds vectors up; it keeps its buffers. The zero value is ready.
type Summer[T float32 | float64] struct{ send, receive []T }

// Sum sets sum, in all processes, to the sum of so many parts, the first one first and
// beginning with 0. Each process has those of its [Span] of them, all as long as sum.
func (s *Summer[T]) Sum(c Comm, sum []T, parts [][]T, total int) error {
	size := c.Size()
	if size == 1 {
		clear(sum)
		for _, p := range parts {
			add(sum, p)
		}
		return nil
	}
	width := int(unsafe.Sizeof(*new(T)))
	from, to := Span(len(sum), size, c.Rank())
	own := to - from
	s.send, s.receive = grow(s.send, len(sum)*len(parts)), grow(s.receive, own*total)
	give, take, pieces := make([]int, size), make([]int, size), make([]int, size)
	at := 0
	for i := range size {
		lo, hi := Span(len(sum), size, i)
		for _, p := range parts {
			at += copy(s.send[at:], p[lo:hi])
		}
		first, last := Span(total, size, i)
		give[i], take[i], pieces[i] = width*(hi-lo)*len(parts), width*own*(last-first), width*(hi-lo)
	}
	if err := c.Exchange(bytes(s.send), give, bytes(s.receive), take); err != nil {
		return err
	}
	piece := grow(s.send, own)
	clear(piece)
	for i := range total {
		add(piece, s.receive[i*own:(i+1)*own])
	}
	return c.Gather(bytes(piece), bytes(sum), pieces)
}

func add[T float32 | float64](sum, x []T) {
	x = x[:len(sum)]
	for i := range sum {
		sum[i] += x[i]
	}
}

func grow[T any](b []T, n int) []T {
	if cap(b) < n {
		return make([]T, n)
	}
	return b[:n]
}

// Join is the numbers of all processes, in their order; process i has those of its [Span] of
// total, so many for each.
func Join[T number](c Comm, own []T, total int) ([]T, error) {
	if c.Size() == 1 {
		return own, nil
	}
	var sizes []int
	each, all := 0, 0
	if from, to := Span(total, c.Size(), c.Rank()); to > from {
		each = len(own) / (to - from)
	}
	width := int(unsafe.Sizeof(*new(T)))
	for i := range c.Size() {
		from, to := Span(total, c.Size(), i)
		sizes = append(sizes, (to-from)*each*width)
		all += (to - from) * each
	}
	list := make([]T, all)
	return list, c.Gather(bytes(own), bytes(list), sizes)
}

// Most is the largest of what the processes have.
func Most(c Comm, x int64) (int64, error) {
	all, err := Join(c, []int64{x}, c.Size())
	for _, y := range all {
		x = max(x, y)
	}
	return x, err
}

// Total is the sum of what the processes have.
func Total(c Comm, x int64) (sum int64, err error) {
	all, err := Join(c, []int64{x}, c.Size())
	for _, y := range all {
		sum += y
	}
	return sum, err
}

// Lead sets x, in all processes, to what process 0 has.
func Lead[T number](c Comm, x []T) error {
	if c.Size() == 1 {
		return nil
	}
	return c.Broadcast(bytes(x))
}
