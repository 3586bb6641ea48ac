//go:build mpi

package cluster

/*
#include <mpi.h>
#include <stdlib.h>

static MPI_Comm everyone, tickets, leavers; // for collectives, Take and Leave

static int begin(int *rank, int *size, int *local, int *given) {
	int e = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, given);
	if (e) return e;
	MPI_Comm machine;
	if ((e = MPI_Comm_dup(MPI_COMM_WORLD, &everyone))) return e;
	if ((e = MPI_Comm_dup(MPI_COMM_WORLD, &tickets))) return e;
	if ((e = MPI_Comm_dup(MPI_COMM_WORLD, &leavers))) return e;
	if ((e = MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine))) return e;
	MPI_Comm_set_errhandler(everyone, MPI_ERRORS_RETURN);
	MPI_Comm_set_errhandler(tickets, MPI_ERRORS_RETURN);
	MPI_Comm_set_errhandler(leavers, MPI_ERRORS_RETURN);
	MPI_Comm_rank(everyone, rank);
	MPI_Comm_size(everyone, size);
	return MPI_Comm_size(machine, local);
}

static int end(void) { return MPI_Finalize(); }
static void stop(int code) { MPI_Abort(MPI_COMM_WORLD, code); }

static int exchange(void *send, int *give, int *from, void *receive, int *take, int *to, MPI_Request *r) {
	return MPI_Ialltoallv(send, give, from, MPI_BYTE, receive, take, to, MPI_BYTE, everyone, r);
}

static int gather(void *part, int n, void *all, int *sizes, int *at, MPI_Request *r) {
	return MPI_Iallgatherv(part, n, MPI_BYTE, all, sizes, at, MPI_BYTE, everyone, r);
}

static int leave(int *code, int *codes, MPI_Request *r) {
	return MPI_Iallgather(code, 1, MPI_INT, codes, 1, MPI_INT, leavers, r);
}

static int broadcast(void *b, int n, MPI_Request *r) { return MPI_Ibcast(b, n, MPI_BYTE, 0, everyone, r); }

// ask asks process 0 for a number; answer gives the next one to whoever asks, up to n, and tells
// whether it was n.
enum { asked, answered };
static int ask(long long *number, MPI_Request *r) {
	int e = MPI_Isend(number, 0, MPI_BYTE, 0, asked, tickets, r);
	return e ? e : MPI_Irecv(number, 1, MPI_LONG_LONG, 0, answered, tickets, r + 1);
}

static int answer(long long *next, long long n, int *last) {
	int waiting;
	MPI_Status s;
	*last = 0;
	int e = MPI_Iprobe(MPI_ANY_SOURCE, asked, tickets, &waiting, &s);
	if (e || !waiting) return e;
	if ((e = MPI_Recv(NULL, 0, MPI_BYTE, s.MPI_SOURCE, asked, tickets, MPI_STATUS_IGNORE))) return e;
	long long number = *next < n ? (*next)++ : n;
	*last = number == n;
	return MPI_Send(&number, 1, MPI_LONG_LONG, s.MPI_SOURCE, answered, tickets);
}

enum { most = 2 }; // requests of an operation

static int test(MPI_Request *r, int *done) {
	MPI_Status s[most];
	return MPI_Testall(most, r, done, s);
}

static MPI_Request *requests(void) {
	MPI_Request *r = malloc(most * sizeof *r);
	for (int i = 0; i < most; i++) r[i] = MPI_REQUEST_NULL;
	return r;
}

static int text(int e, char *to) { int n = 0; MPI_Error_string(e, to, &n); return n; }
enum { longest = MPI_MAX_ERROR_STRING };
*/
import "C"

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"time"
	"unsafe"
)

// operation is one that was begun, or will be: start posts its requests.
type operation struct {
	name     string
	limit    time.Duration // 0 for any time
	start    func(r *C.MPI_Request) C.int
	began    time.Time
	requests *C.MPI_Request
	pinned   runtime.Pinner
	done     chan error
}

// begin initialises MPI, in the thread that will do all that MPI does.
func begin() (*processes, error) {
	// Go has its own handlers of signals, which those of Open MPI would take the place of.
	if err := os.Setenv("OMPI_MCA_opal_signal", ""); err != nil {
		return nil, err
	}
	var rank, size, local, given C.int
	if err := failure("MPI_Init", C.begin(&rank, &size, &local, &given)); err != nil {
		return nil, err
	}
	if given < C.MPI_THREAD_FUNNELED {
		return nil, fmt.Errorf("this MPI allows no threads, want MPI_THREAD_FUNNELED")
	}
	return &processes{rank: int(rank), size: int(size), local: int(local), work: make(chan func())}, nil
}

// failure is the error of a code that MPI has returned.
func failure(name string, code C.int) error {
	if code == C.MPI_SUCCESS {
		return nil
	}
	text := (*C.char)(C.malloc(C.longest))
	defer C.free(unsafe.Pointer(text))
	return fmt.Errorf("%s: %s", name, C.GoStringN(text, C.text(code, text)))
}

// pin keeps memory where it is until the operation is done.
func pin[T any](o *operation, x []T) unsafe.Pointer {
	if len(x) == 0 {
		return nil
	}
	o.pinned.Pin(&x[0])
	return unsafe.Pointer(&x[0])
}

// layout is sizes and places as MPI takes them.
func layout(o *operation, sizes []int) (counts, places *C.int, err error) {
	n, at := make([]C.int, len(sizes)), make([]C.int, len(sizes))
	sum := 0
	for i, x := range sizes {
		n[i], at[i] = C.int(x), C.int(sum)
		if sum += x; sum > math.MaxInt32 {
			return nil, nil, fmt.Errorf("%s of more than 2 GiB at once", o.name)
		}
	}
	return (*C.int)(pin(o, n)), (*C.int)(pin(o, at)), nil
}

func (p *processes) Exchange(send []byte, give []int, receive []byte, take []int) error {
	o := &operation{name: "Exchange", limit: p.limit}
	n, from, err := layout(o, give)
	if err != nil {
		return err
	}
	m, to, err := layout(o, take)
	if err != nil {
		return err
	}
	s, r := pin(o, send), pin(o, receive)
	o.start = func(q *C.MPI_Request) C.int { return C.exchange(s, n, from, r, m, to, q) }
	return p.do(o)
}

func (p *processes) Gather(part, all []byte, sizes []int) error {
	o := &operation{name: "Gather", limit: p.limit}
	n, at, err := layout(o, sizes)
	if err != nil {
		return err
	}
	s, r := pin(o, part), pin(o, all)
	o.start = func(q *C.MPI_Request) C.int { return C.gather(s, C.int(len(part)), r, n, at, q) }
	return p.do(o)
}

// leave gathers exit codes, apart from what others may be waiting for.
func (p *processes) leave(o *operation, code int, codes []int32) error {
	c := []C.int{C.int(code)}
	x, all := (*C.int)(pin(o, c)), (*C.int)(pin(o, codes))
	o.start = func(q *C.MPI_Request) C.int { return C.leave(x, all, q) }
	return p.do(o)
}

func (p *processes) Broadcast(b []byte) error {
	const most = 1 << 30
	for ; len(b) > most; b = b[most:] {
		if err := p.Broadcast(b[:most]); err != nil {
			return err
		}
	}
	o := &operation{name: "Broadcast", limit: p.limit}
	x := pin(o, b)
	o.start = func(q *C.MPI_Request) C.int { return C.broadcast(x, C.int(len(b)), q) }
	return p.do(o)
}

// ask gets a number from process 0.
func (p *processes) ask() (int, error) {
	o := &operation{name: "Take", limit: p.limit}
	number := make([]C.longlong, 1)
	x := (*C.longlong)(pin(o, number))
	o.start = func(q *C.MPI_Request) C.int { return C.ask(x, q) }
	err := p.do(o)
	return int(number[0]), err
}

// answer gives numbers to those that ask. It is called in MPI's thread.
func (p *processes) answer() error {
	next := C.longlong(p.next)
	var last C.int
	err := failure("Take", C.answer(&next, C.longlong(p.end), &last))
	p.next = int(next)
	if last != 0 {
		p.over()
	}
	return err
}

// post begins an operation.
func (o *operation) post() error {
	o.began = time.Now()
	o.requests = C.requests()
	return failure(o.name, o.start(o.requests))
}

// tested reports whether an operation is done.
func (o *operation) tested() (bool, error) {
	var done C.int
	err := failure(o.name, C.test(o.requests, &done))
	return done != 0, err
}

// finish tells who waits for an operation.
func (o *operation) finish(err error) {
	C.free(unsafe.Pointer(o.requests))
	o.pinned.Unpin()
	o.done <- err
}

func finalize()      { C.end() }
func abort(code int) { C.stop(C.int(code)) }
