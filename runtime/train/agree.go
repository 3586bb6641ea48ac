package train

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"

	"spikingir/runtime/cluster"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/train/checkpoint"
)

// Processes do the same steps: what depends on a clock, a signal or a file is agreed upon.

// The reasons to stop, the greatest last.
const (
	goOn = iota
	outOfTime
	interrupted
)

// stopping is why the processes stop before another step: because the context of one of them has
// ended, or because process 0 says that the time is over.
func (t *Trainer) stopping(ctx context.Context) (int64, error) {
	why := int64(goOn)
	switch {
	case ctx.Err() != nil:
		why = interrupted
	case t.cluster.Rank() == 0 && t.late():
		why = outOfTime
	}
	why, err := cluster.Most(t.cluster, why)
	t.interrupted = t.interrupted || why == interrupted
	return why, err
}

// ended is the error of a context that has ended in some process.
func (t *Trainer) ended(ctx context.Context) error {
	if t.cluster.Size() == 1 {
		return ctx.Err()
	}
	why := int64(goOn)
	switch err := ctx.Err(); {
	case errors.Is(err, context.DeadlineExceeded):
		why = outOfTime
	case err != nil:
		why = interrupted
	}
	switch why, err := cluster.Most(t.cluster, why); {
	case err != nil:
		return err
	case why == outOfTime:
		return context.DeadlineExceeded
	case why == interrupted:
		t.interrupted = true
		return ErrStopped
	}
	return nil
}

// Interrupted reports whether the context of a process has ended the run.
func (t *Trainer) Interrupted(ctx context.Context) bool { return t.interrupted || ctx.Err() != nil }

// whole is a context for what the processes do together, which none of them leaves half done.
func (t *Trainer) whole(ctx context.Context) context.Context {
	if t.cluster.Size() > 1 {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// agreePlan gives all processes the plan of process 0, whose clock counts.
func (t *Trainer) agreePlan() error {
	p := t.plan()
	if err := cluster.Lead(t.cluster, p); err != nil || t.cluster.Rank() == 0 {
		return err
	}
	return t.follow(p)
}

// agree gives all processes what process 0 finds.
func (t *Trainer) agree(x bool) (bool, error) {
	n := []int64{0}
	if x {
		n[0] = 1
	}
	err := cluster.Lead(t.cluster, n)
	return n[0] != 0, err
}

// alike refuses processes that would not train the same network.
func (t *Trainer) alike() error {
	id := t.Identity
	for _, x := range []struct{ what, is string }{
		{"program", id.Program}, {"model", id.Model}, {"training data", id.Data}, {"settings", string(id.Settings)},
		{"kind of CPU, whose kernels SPIKINGIR_KERNEL chooses,", machine.Selected("train")},
	} {
		all, err := cluster.All(t.cluster, []byte(x.is))
		if err != nil {
			return err
		}
		for rank, other := range all {
			if !bytes.Equal(other, all[0]) {
				return fmt.Errorf("process %d has another %s than process 0: %.200s, want %.200s", rank, x.what, other, all[0])
			}
		}
	}
	return nil
}

// together refuses to go on with processes whose networks have come to differ.
func (t *Trainer) together() error {
	if t.cluster.Size() == 1 {
		return nil
	}
	h := fnv.New64a()
	for _, p := range t.net.params {
		if err := binary.Write(h, binary.LittleEndian, p.Data); err != nil {
			return err
		}
	}
	all, err := cluster.Join(t.cluster, []uint64{h.Sum64()}, t.cluster.Size())
	for rank, x := range all {
		if x != all[0] {
			return fmt.Errorf("after %d steps process %d has another network than process 0: want the same program and kind of CPU for all",
				t.position.Total, rank)
		}
	}
	return err
}

// readCheckpoint reads the checkpoint in process 0, for all.
func (t *Trainer) readCheckpoint() (*checkpoint.Checkpoint, error) {
	var b bytes.Buffer
	if t.cluster.Rank() == 0 {
		c, err := checkpoint.Read(t.Checkpoint)
		if err != nil || t.cluster.Size() == 1 {
			return c, err
		}
		if err := checkpoint.Encode(&b, c); err != nil {
			return nil, err
		}
	}
	all, err := cluster.Bytes(t.cluster, b.Bytes())
	if err != nil {
		return nil, err
	}
	return checkpoint.Decode(bytes.NewReader(all), int64(len(all)))
}
