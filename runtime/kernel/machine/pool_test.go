package machine

import (
	goruntime "runtime"
	"sync/atomic"
	"testing"

	"spikingir/runtime/kernel/kerneltest"
)

func TestPoolCoversItems(t *testing.T) {
	for threads := 1; threads <= 8; threads++ {
		p := NewPool(threads)
		if p.Threads() != threads {
			t.Errorf("Threads() = %d, want %d", p.Threads(), threads)
		}
		for _, n := range []int{0, 1, 2, 7, 8, 9, 1000} {
			calls := make([]atomic.Int32, n)
			workers := make([]atomic.Int32, threads)
			p.Run(n, func(worker, lo, hi int) {
				if lo >= hi {
					t.Errorf("range [%d, %d) of %d items is empty", lo, hi, n)
				}
				workers[worker].Add(1)
				for i := lo; i < hi; i++ {
					calls[i].Add(1)
				}
			})
			for i := range calls {
				if c := calls[i].Load(); c != 1 {
					t.Errorf("%d threads, %d items: item %d ran %d times", threads, n, i, c)
				}
			}
			for i := range workers {
				if c := workers[i].Load(); c > 1 {
					t.Errorf("%d threads, %d items: worker %d got %d ranges", threads, n, i, c)
				}
			}
		}
		p.Close()
		p.Close()
	}
}

func TestPoolDefaultThreads(t *testing.T) {
	p := NewPool(0)
	defer p.Close()
	if want := goruntime.GOMAXPROCS(0); p.Threads() != want {
		t.Errorf("Threads() = %d, want GOMAXPROCS, %d", p.Threads(), want)
	}
}

func TestPoolConcurrentRuns(t *testing.T) {
	p := NewPool(3)
	defer p.Close()
	var total atomic.Int64
	done := make(chan bool)
	for range 4 {
		go func() {
			for range 50 {
				p.Run(10, func(_, lo, hi int) { total.Add(int64(hi - lo)) })
			}
			done <- true
		}()
	}
	for range 4 {
		<-done
	}
	if total.Load() != 4*50*10 {
		t.Errorf("ran %d items, want %d", total.Load(), 4*50*10)
	}
}

func TestPoolPanics(t *testing.T) {
	p := NewPool(4)
	defer p.Close()
	for bad := range 4 {
		got := kerneltest.Caught(func() {
			p.Run(4, func(_, lo, _ int) {
				if lo == bad {
					panic(lo)
				}
			})
		})
		if got != bad {
			t.Errorf("Run raised %v, want the panic of item %d", got, bad)
		}
	}
	p.Close()
	if kerneltest.Caught(func() { p.Run(1, func(_, _, _ int) {}) }) == nil {
		t.Error("Run of a closed pool did not panic")
	}
}
