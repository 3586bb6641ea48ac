//go:build mpi

package cluster_test

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"spikingir/runtime/cluster"
	"spikingir/runtime/train/checkpoint"
)

// TestCheckpoints holds that the checkpoints that SPIKINGIR_CHECKPOINTS names differ in nothing but
// the time that they took; .ci/mpi has them made by different numbers of processes.
func TestCheckpoints(t *testing.T) {
	names := strings.Fields(os.Getenv("SPIKINGIR_CHECKPOINTS"))
	if len(names) == 0 {
		t.Skip("SPIKINGIR_CHECKPOINTS names none")
	}
	var first *checkpoint.Checkpoint
	for _, name := range names {
		c, err := checkpoint.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		if c.Position.Total == 0 || c.Best == nil {
			t.Errorf("%s is at step %d, with figures %v", name, c.Position.Total, c.Best)
			continue
		}
		c.Position.Seconds, c.Best.Position.Seconds = 0, 0
		if first == nil {
			first = c
		}
		if !reflect.DeepEqual(c, first) {
			t.Errorf("%s is another state than %s", name, names[0])
		}
	}
}

// TestMPI exercises the processes that the test was started in by mpirun; by itself it is one.
// The bits of a sum do not depend on their number.
func TestMPI(t *testing.T) {
	c, err := cluster.Start()
	if err != nil {
		t.Fatal(err)
	}
	code := 0
	for range 20 {
		if err := exercise(c); err != nil {
			t.Errorf("process %d of %d: %v", c.Rank(), c.Size(), err)
			code = 1
			break
		}
	}
	if n := os.Getenv("SPIKINGIR_MPI_PROCESSES"); n != "" && n != fmt.Sprint(c.Size()) {
		t.Errorf("%d processes, want %s", c.Size(), n)
	}
	if codes := c.Leave(code); len(codes) != c.Size() {
		t.Errorf("process %d leaves with %v", c.Rank(), codes)
	}
}

// exercise calls all that there is.
func exercise(c cluster.Comm) error {
	const total, elems = 8, 100_000
	all := parts(total, elems)
	want := make([]float32, elems)
	for _, p := range all {
		for i, x := range p {
			want[i] += x
		}
	}
	from, to := cluster.Span(total, c.Size(), c.Rank())
	var s cluster.Summer[float32]
	sum := make([]float32, elems)
	if err := s.Sum(c, sum, all[from:to], total); err != nil {
		return err
	}
	if !slices.Equal(sum, want) {
		return fmt.Errorf("the sum has other bits")
	}
	if c.Size() > 1 {
		list, err := cluster.Map(c, 50, func(i int) ([]byte, error) { return fmt.Appendf(nil, "%d", i), nil })
		if err != nil {
			return err
		}
		for i, b := range list {
			if string(b) != fmt.Sprint(i) {
				return fmt.Errorf("result %d is %q", i, b)
			}
		}
	}
	b, err := cluster.Bytes(c, fmt.Appendf(nil, "state of %0*d", c.Rank(), c.Rank()))
	if err != nil || string(b) != "state of 0" {
		return fmt.Errorf("bytes %q, %w", b, err)
	}
	return nil
}
