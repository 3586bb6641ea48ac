package machine

import (
	goruntime "runtime"
	"sync"
	"time"
)

// A Pool is a fixed set of worker goroutines with the scratch memory that
// kernels keep between calls. Worker 0 is the goroutine that calls Run. Calls of
// Run on one pool take turns; f must not call Run of the same pool.
type Pool struct {
	mu      sync.Mutex
	closed  bool
	workers []*worker
	done    chan any // what a worker's panic carried, nil when there was none
	spin    time.Duration
}

// A worker is one share of a pool: the queue of its goroutine and its scratch memory,
// by slot.
type worker struct {
	jobs  chan job
	slots map[any]any
}

// A Slot is a package's scratch memory, a T, of each worker of each pool. It is for
// variables of packages; the zero value is ready.
type Slot[T any] struct{ _ byte }

// Of is the memory of a worker, which alone may use it while it runs; at first a zero T.
func (s *Slot[T]) Of(p *Pool, worker int) *T {
	slots := p.workers[worker].slots
	if t, ok := slots[s]; ok {
		return t.(*T)
	}
	t := new(T)
	slots[s] = t
	return t
}

// A job is a range of items for one worker.
type job struct {
	f      func(worker, lo, hi int)
	id     int
	lo, hi int
}

// NewPool starts a pool of the given number of threads; 0 or less stands for
// GOMAXPROCS. Close it when it is no longer needed.
func NewPool(threads int) *Pool {
	if threads <= 0 {
		threads = goruntime.GOMAXPROCS(0)
	}
	spin := time.Duration(0)
	if threads <= min(goruntime.GOMAXPROCS(0), goruntime.NumCPU()) {
		spin = patience
	}
	p := &Pool{
		workers: make([]*worker, threads),
		done:    make(chan any, threads),
		spin:    spin,
	}
	for i := range p.workers {
		w := &worker{slots: map[any]any{}}
		p.workers[i] = w
		if i > 0 {
			w.jobs = make(chan job, 1)
			go w.loop(p.done, spin)
		}
	}
	return p
}

// loop serves jobs until the pool is closed.
func (w *worker) loop(done chan<- any, spin time.Duration) {
	for {
		j, ok := receive(w.jobs, spin)
		if !ok {
			return
		}
		done <- j.run()
	}
}

// patience is how long a worker looks for its next job, or for the end of the
// others', before it sleeps, where each thread can have a processor. Layers follow each other within that time, and a
// thread that sleeps on a busy machine waits long for its turn.
const patience = 500 * time.Microsecond

// receive takes a value from a channel, for a while without sleeping.
func receive[T any](c <-chan T, spin time.Duration) (v T, ok bool) {
	for start := time.Now(); time.Since(start) < spin; {
		select {
		case v, ok = <-c:
			return v, ok
		default:
		}
	}
	v, ok = <-c
	return v, ok
}

// run calls the job's function and returns what it panicked with, if it did.
func (j job) run() (caught any) {
	defer func() { caught = recover() }()
	j.f(j.id, j.lo, j.hi)
	return nil
}

// Threads returns the number of workers, the caller of Run included.
func (p *Pool) Threads() int { return len(p.workers) }

// Run cuts the items [0, n) into contiguous ranges, one for each worker, and
// calls f on each that is not empty, at the same time. It returns when all are
// done. The cut depends on the number of workers; what f computes must not. A
// panic of f is raised again in the caller.
func (p *Pool) Run(n int, f func(worker, lo, hi int)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		panic("kernel: Run of a closed Pool")
	}
	threads := min(len(p.workers), n)
	for i := 1; i < threads; i++ {
		p.workers[i].jobs <- job{f, i, i * n / threads, (i + 1) * n / threads}
	}
	var caught any
	if threads > 0 {
		caught = job{f, 0, 0, n / threads}.run()
	}
	for i := 1; i < threads; i++ {
		if r, _ := receive(p.done, p.spin); r != nil {
			caught = r
		}
	}
	if caught != nil {
		panic(caught)
	}
}

// Close ends the workers. The pool must not be used afterwards, except to close
// it again.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	for _, w := range p.workers[1:] {
		close(w.jobs)
	}
}
