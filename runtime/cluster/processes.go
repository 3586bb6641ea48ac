//go:build mpi

package cluster

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"time"
)

// processes are those of MPI. One thread does all that MPI does, so that MPI needs no
// locks, and collectives go on while the others compute: it asks whether they are done,
// and sleeps in between.
type processes struct {
	rank, size, local int
	limit             time.Duration // of a collective
	work              chan func()   // what MPI's thread is to do next
	active            []*operation
	next, end, ended  int  // of Take, in process 0: next number, their end, processes that have got it
	open              bool // others may ask
}

const (
	// eager is how long an operation is asked for without a pause.
	eager = 100 * time.Microsecond
	// pause is that between questions, and idle that between looks for who asks for a number.
	pause = 50 * time.Microsecond
	idle  = 300 * time.Microsecond
	// leaving is how long a process that has failed waits for the others to leave too.
	leaving = 3 * time.Second
	// defaultLimit is how long a process waits for the others in a collective.
	defaultLimit = 10 * time.Minute
)

// limitEnv is the environment variable of the limit.
const limitEnv = "SPIKINGIR_MPI_TIMEOUT"

// Start is the processes that this one was started with by mpirun or srun; [Alone] where it was
// not.
func Start() (Comm, error) {
	_, pmix := os.LookupEnv("PMIX_RANK")
	if launched() == 0 && !pmix {
		return Alone, nil
	}
	limit := defaultLimit
	if text := os.Getenv(limitEnv); text != "" {
		var err error
		if limit, err = time.ParseDuration(text); err != nil || limit <= 0 {
			return nil, fmt.Errorf("%s=%s, want a time such as 10m", limitEnv, text)
		}
	}
	type result struct {
		p   *processes
		err error
	}
	begun := make(chan result)
	go func() {
		runtime.LockOSThread()
		p, err := begin()
		if err == nil {
			p.limit = limit
		}
		begun <- result{p, err}
		if err == nil {
			p.loop()
		}
	}()
	r := <-begun
	if r.err != nil {
		return nil, r.err
	}
	return r.p, nil
}

func (p *processes) Rank() int  { return p.rank }
func (p *processes) Size() int  { return p.size }
func (p *processes) Local() int { return p.local }

// loop does what it is given, and looks after what is under way.
func (p *processes) loop() {
	for {
		switch {
		case len(p.active) == 0 && !p.open:
			(<-p.work)()
			continue
		default:
			select {
			case f := <-p.work:
				f()
			default:
			}
		}
		p.check()
		if p.open {
			if err := p.answer(); err != nil {
				p.fail(err.Error())
			}
		}
		p.rest()
	}
}

// check finishes what is done, and ends all processes where one lets the others wait for too
// long.
func (p *processes) check() {
	left := p.active[:0]
	for _, o := range p.active {
		done, err := o.tested()
		switch {
		case done || err != nil:
			o.finish(err)
			continue
		case o.limit > 0 && time.Since(o.began) > o.limit:
			p.fail(fmt.Sprintf("has waited for the others for %v (%s): one of them hangs, or %s is too short", o.limit, o.name, limitEnv))
		}
		left = append(left, o)
	}
	clear(p.active[len(left):])
	p.active = left
}

// fail ends all processes.
func (p *processes) fail(why string) {
	fmt.Fprintf(os.Stderr, "spikingir: process %d of %d: %s\n", p.rank, p.size, why)
	p.stop(1)
}

// stop ends all processes, this one if need be without MPI.
func (p *processes) stop(code int) {
	time.AfterFunc(leaving, func() { os.Exit(code) })
	abort(code)
	os.Exit(code)
}

// rest gives the processor to who computes.
func (p *processes) rest() {
	for _, o := range p.active {
		if time.Since(o.began) < eager {
			runtime.Gosched()
			return
		}
	}
	switch {
	case len(p.active) > 0:
		time.Sleep(pause)
	case p.open:
		time.Sleep(idle)
	}
}

// do has an operation done, and waits for it.
func (p *processes) do(o *operation) error {
	o.done = make(chan error, 1)
	p.work <- func() {
		if err := o.post(); err != nil {
			o.finish(err)
			return
		}
		p.active = append(p.active, o)
	}
	return <-o.done
}

// Take asks process 0, whose MPI thread answers while the rest of it computes.
func (p *processes) Take(n int) (int, error) {
	if p.rank > 0 {
		return p.ask()
	}
	taken := make(chan int)
	p.work <- func() {
		if !p.open {
			p.open, p.next, p.end, p.ended = true, 0, n, 0
		}
		i := min(p.next, n)
		p.next++
		if i == n {
			p.over()
		}
		taken <- i
	}
	return <-taken, nil
}

// over counts the processes that have got the end.
func (p *processes) over() {
	if p.ended++; p.ended == p.size {
		p.open = false
	}
}

func (p *processes) Leave(code int) (codes []int) {
	o, all := &operation{name: "Leave"}, make([]int32, p.size)
	gathered := make(chan error, 1)
	go func() { gathered <- p.leave(o, code, all) }()
	var soon <-chan time.Time
	if code != 0 {
		soon = time.After(leaving)
	}
	select {
	case err := <-gathered:
		if err != nil {
			return nil
		}
	case <-soon:
		return nil
	}
	ended := make(chan struct{})
	p.work <- func() {
		finalize()
		close(ended)
	}
	select {
	case <-ended:
	case <-time.After(leaving):
	}
	for _, c := range all {
		codes = append(codes, int(c))
	}
	return codes
}

func (p *processes) Abort(code int) {
	done := make(chan struct{})
	select {
	case p.work <- func() { p.stop(cmp.Or(code, 1)) }:
		<-done
	case <-time.After(leaving):
		os.Exit(cmp.Or(code, 1))
	}
}
