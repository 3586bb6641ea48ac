package cluster_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"spikingir/runtime/cluster"
	"spikingir/runtime/cluster/clustertest"
)

// ok fails the test where a process did.
func ok(t *testing.T, errs []error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// parts are vectors whose sum depends on the order.
func parts(n, elems int) [][]float32 {
	r := rand.New(rand.NewPCG(7, uint64(elems)))
	list := make([][]float32, n)
	for i := range list {
		for range elems {
			list[i] = append(list[i], float32(r.NormFloat64())*float32(int(1)<<r.IntN(20)))
		}
	}
	return list
}

// TestSum holds that a sum has the bits of adding part after part, with any number of
// processes, and vectors shorter than that too.
func TestSum(t *testing.T) {
	for _, elems := range []int{0, 1, 3, 1000} {
		all := parts(8, elems)
		want := make([]float32, elems)
		for _, p := range all {
			for i, x := range p {
				want[i] += x
			}
		}
		for _, size := range []int{1, 2, 3, 4, 8} {
			ok(t, clustertest.Run(size, func(c cluster.Comm) error {
				from, to := cluster.Span(len(all), size, c.Rank())
				var s cluster.Summer[float32]
				for range 2 { // buffers are used again
					sum := make([]float32, elems)
					if err := s.Sum(c, sum, all[from:to], len(all)); err != nil {
						return err
					}
					if !slices.Equal(sum, want) {
						return fmt.Errorf("the sum of %d numbers in process %d of %d is %v, want %v", elems, c.Rank(), size, sum, want)
					}
				}
				return nil
			}))
		}
	}
	if alone := parts(2, 3); true {
		var s cluster.Summer[float32]
		sum := []float32{9, 9, 9}
		if err := s.Sum(cluster.Alone, sum, alone, 2); err != nil || sum[1] != alone[0][1]+alone[1][1] {
			t.Errorf("alone: %v, %v", sum, err)
		}
	}
}

// TestMap holds that each number is done once, and results come in their order to all.
func TestMap(t *testing.T) {
	const n = 25
	for _, size := range []int{1, 2, 5} {
		counts := make(chan int, 2*n)
		ok(t, clustertest.Run(size, func(c cluster.Comm) error {
			for range 2 {
				last := -1
				list, err := cluster.Map(c, n, func(i int) ([]byte, error) {
					if i <= last {
						return nil, fmt.Errorf("number %d after %d", i, last)
					}
					last = i
					counts <- i
					return fmt.Appendf(nil, "%0*d", i%3, i), nil
				})
				if err != nil {
					return err
				}
				for i, b := range list {
					if want := fmt.Sprintf("%0*d", i%3, i); string(b) != want {
						return fmt.Errorf("result %d is %q, want %q", i, b, want)
					}
				}
			}
			return nil
		}))
		if len(counts) != 2*n {
			t.Errorf("%d processes did %d numbers, want %d", size, len(counts), 2*n)
		}
	}
}

// TestValues holds what goes from process 0 to all, and from all to all.
func TestValues(t *testing.T) {
	ok(t, clustertest.Run(3, func(c cluster.Comm) error {
		rank := int64(c.Rank())
		most, err := cluster.Most(c, 10-rank)
		if err != nil || most != 10 {
			return fmt.Errorf("most %d, %w", most, err)
		}
		if sum, err := cluster.Total(c, rank); err != nil || sum != 3 {
			return fmt.Errorf("total %d, %w", sum, err)
		}
		x := []float64{float64(rank), 5}
		if err := cluster.Lead(c, x); err != nil || x[0] != 0 {
			return fmt.Errorf("led to %v, %w", x, err)
		}
		var b []byte
		if rank == 0 {
			b = []byte("state")
		}
		if b, err = cluster.Bytes(c, b); err != nil || string(b) != "state" {
			return fmt.Errorf("bytes %q, %w", b, err)
		}
		from, to := cluster.Span(7, 3, c.Rank())
		var own []int64
		for i := from; i < to; i++ {
			own = append(own, int64(i), int64(-i))
		}
		all, err := cluster.Join(c, own, 7)
		if err != nil || !slices.Equal(all, []int64{0, 0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6}) {
			return fmt.Errorf("joined %v, %w", all, err)
		}
		return nil
	}))
}
