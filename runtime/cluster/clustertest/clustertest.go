// Package clustertest has processes that are goroutines, for tests: they show that results
// do not depend on the number of processes, without MPI.
package clustertest

import (
	"fmt"
	"sync"

	"spikingir/runtime/cluster"
)

// world is what the processes share. Each collective is a meeting of all of them.
type world struct {
	mu    sync.Mutex
	all   *sync.Cond
	size  int
	here  int // processes that have come to the meeting
	round int
	posts []post
	next  int // number to take
	ended int // processes that have got the end of them
}

// post is what a process brings to a meeting.
type post struct {
	what  string
	bytes []byte
	sizes []int
}

// Run runs f in so many processes, and gives the errors of all.
func Run(size int, f func(c cluster.Comm) error) []error {
	w := &world{size: size, posts: make([]post, size)}
	w.all = sync.NewCond(&w.mu)
	errs := make([]error, size)
	var group sync.WaitGroup
	for rank := range size {
		group.Go(func() { errs[rank] = f(&process{w, rank}) })
	}
	group.Wait()
	return errs
}

type process struct {
	*world
	rank int
}

func (p *process) Rank() int  { return p.rank }
func (p *process) Size() int  { return p.size }
func (p *process) Local() int { return p.size }

// meet waits until all processes have posted, lets each read, and waits until all have.
func (p *process) meet(own post, read func(posts []post) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.posts[p.rank] = own
	p.wait()
	var err error
	for rank, other := range p.posts {
		if other.what != own.what {
			err = fmt.Errorf("process %d is at %s and process %d at %s", p.rank, own.what, rank, other.what)
		}
	}
	if err == nil {
		err = read(p.posts)
	}
	p.wait()
	return err
}

// wait is a barrier.
func (p *process) wait() {
	round := p.round
	if p.here++; p.here == p.size {
		p.here = 0
		p.round++
		p.all.Broadcast()
	}
	for round == p.round {
		p.all.Wait()
	}
}

func (p *process) Exchange(send []byte, give []int, receive []byte, take []int) error {
	return p.meet(post{"Exchange", send, give}, func(posts []post) error {
		for i, other := range posts {
			at := 0
			for _, n := range other.sizes[:p.rank] {
				at += n
			}
			if other.sizes[p.rank] != take[i] || len(receive) < take[i] {
				return fmt.Errorf("process %d sends %d bytes to process %d, which takes %d", i, other.sizes[p.rank], p.rank, take[i])
			}
			receive = receive[copy(receive, other.bytes[at:at+take[i]]):]
		}
		return nil
	})
}

func (p *process) Gather(part, all []byte, sizes []int) error {
	return p.meet(post{"Gather", part, sizes}, func(posts []post) error {
		for i, other := range posts {
			if len(other.bytes) != sizes[i] || len(all) < sizes[i] {
				return fmt.Errorf("process %d gives %d bytes, and process %d takes %d", i, len(other.bytes), p.rank, sizes[i])
			}
			all = all[copy(all, other.bytes):]
		}
		return nil
	})
}

func (p *process) Broadcast(b []byte) error {
	return p.meet(post{"Broadcast", b, nil}, func(posts []post) error {
		if len(posts[0].bytes) != len(b) {
			return fmt.Errorf("process 0 gives %d bytes, and process %d takes %d", len(posts[0].bytes), p.rank, len(b))
		}
		copy(b, posts[0].bytes)
		return nil
	})
}

func (p *process) Take(n int) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := min(p.next, n)
	p.next++
	if i == n {
		if p.ended++; p.ended == p.size {
			p.next, p.ended = 0, 0
		}
	}
	return i, nil
}

func (p *process) Leave(code int) (codes []int) {
	all, err := cluster.Join(p, []int64{int64(code)}, p.size)
	if err != nil {
		return nil
	}
	for _, c := range all {
		codes = append(codes, int(c))
	}
	return codes
}

func (p *process) Abort(code int) { panic(fmt.Sprintf("process %d aborts with code %d", p.rank, code)) }
