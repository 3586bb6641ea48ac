package cluster

// A Comm is this process among those that work together. All of them call the same
// methods in the same order, but Take, and none calls two at a time.
type Comm interface {
	// Rank is the number of this process, from 0; Size is how many there are.
	Rank() int
	Size() int
	// Local is how many of them run on this machine, this one included.
	Local() int
	// Exchange sends give[i] bytes to process i and receives take[i] from it; both lie in
	// the order of the processes.
	Exchange(send []byte, give []int, receive []byte, take []int) error
	// Gather joins a part of each process, of sizes[i] bytes, in their order, in all of them.
	Gather(part, all []byte, sizes []int) error
	// Broadcast gives all processes what process 0 has in b, which is as long in all.
	Broadcast(b []byte) error
	// Take gives each number below n to one process, in rising order, and then n to each
	// process once, which ends it: what comes after begins anew.
	Take(n int) (int, error)
	// Leave ends the part of this process, which has come to an exit code. It gives the codes of all,
	// or none where others do not leave soon: they wait for what this one will not do, and want Abort.
	// With code 0 it waits for the others as long as collectives do.
	Leave(code int) (codes []int)
	// Abort ends all processes, this one too.
	Abort(code int)
}

// Alone is a process without others.
var Alone Comm = alone{}

type alone struct{}

func (alone) Rank() int  { return 0 }
func (alone) Size() int  { return 1 }
func (alone) Local() int { return 1 }

func (alone) Exchange(send []byte, _ []int, receive []byte, _ []int) error {
	copy(receive, send)
	return nil
}

func (alone) Gather(part, all []byte, _ []int) error {
	copy(all, part)
	return nil
}

func (alone) Broadcast([]byte) error       { return nil }
func (alone) Take(int) (int, error)        { panic("cluster: Take of a process that is alone") }
func (alone) Leave(code int) (codes []int) { return []int{code} }
func (alone) Abort(int)                    { panic("cluster: Abort of a process that is alone") }

// Or is c, or Alone where there is none.
func Or(c Comm) Comm {
	if c == nil {
		return Alone
	}
	return c
}

// Span is the numbers, from one to before another, that part i of n has of so many.
func Span(total, n, i int) (from, to int) { return total * i / n, total * (i + 1) / n }
