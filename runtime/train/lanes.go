package train

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"spikingir/runtime/cluster"
)

// A lane is a micro-batch: every n-th patch of a batch, whose gradients are summed in their order.
// Those of the lanes are then added in theirs, so that sums depend on the number of lanes alone, and
// not on who computes which.
type lane struct {
	*accumulated
	measured sums
}

// lanes finds out which micro-batches this process has: by default one for each thread.
func (t *Trainer) makeLanes() error {
	t.cluster = cluster.Or(t.Cluster)
	size := t.cluster.Size()
	if t.MicroBatches == 0 {
		t.MicroBatches = len(t.threads) * size
	}
	if t.MicroBatches < size {
		return fmt.Errorf("%d micro-batches in %d processes, want one for each at least", t.MicroBatches, size)
	}
	from, to := cluster.Span(t.MicroBatches, size, t.cluster.Rank())
	t.firstLane = from
	for k := range to - from {
		l := &lane{}
		if k < len(t.threads) {
			l.accumulated = t.threads[k].net.accumulated
		} else {
			l.accumulated = t.net.newAccumulated()
		}
		t.lanes = append(t.lanes, l)
	}
	return nil
}

// share calls f for those numbers below n that the lanes of this process have. Lane k of K takes k, k+K, ...
// one after the other, in a thread, so that sums are the same every time.
func (t *Trainer) share(ctx context.Context, n int, f func(c *workers, lane, i int) error) error {
	errs := make([]error, len(t.threads))
	var group sync.WaitGroup
	for k, c := range t.threads {
		group.Go(func() {
			for lane := k; lane < len(t.lanes); lane += len(t.threads) {
				for i := t.firstLane + lane; i < n && errs[k] == nil && ctx.Err() == nil; i += t.MicroBatches {
					errs[k] = f(c, lane, i)
				}
			}
		})
	}
	group.Wait()
	return cmp.Or(errs...)
}

// batch computes the gradients of the next batch.
func (t *Trainer) batch(ctx context.Context) (sums, error) {
	var all sums
	x, err := t.begin()
	if err != nil {
		return all, err
	}
	ctx = t.whole(ctx) // processes stop between steps, all after the same one
	err = t.share(ctx, t.Batch, func(c *workers, lane, i int) error {
		l := t.lanes[lane]
		c.net.accumulated, c.net.passed = l.accumulated, nil
		if x != nil && i+t.MicroBatches >= t.Batch {
			c.net.passed = func(layer int) { x.pass(lane, layer) }
		}
		return t.patch(c, t.position.Patch+uint64(i), &l.measured)
	})
	if err != nil {
		if x != nil {
			x.stop()
		}
		return all, err
	}
	parts, err := t.parts(x)
	if err != nil {
		return all, err
	}
	if all, err = t.measured(); err != nil {
		return all, err
	}
	t.net.gradients(t.grads, parts)
	return all, ctx.Err()
}

// begin clears what the lanes have, and begins to add it up over the processes; nil where
// there is one.
func (t *Trainer) begin() (*exchange, error) {
	for _, l := range t.lanes {
		l.Clear()
		l.measured = sums{}
	}
	if t.cluster.Size() == 1 {
		return nil, nil
	}
	k, err := t.stage().kind()
	if err != nil {
		return nil, err
	}
	if t.exchange == nil || t.exchanged != k {
		var parts []*accumulated
		for _, l := range t.lanes {
			parts = append(parts, l.accumulated)
		}
		t.exchange, t.exchanged = newExchange(t.net, t.cluster, parts, t.MicroBatches, k), k
	}
	t.exchange.start()
	for lane := range t.lanes {
		if t.firstLane+lane >= t.Batch { // which has no patch to wait for
			t.exchange.pass(lane, 0)
		}
	}
	return t.exchange, nil
}

// parts is the gradients of a batch: those of each lane or, where there are several
// processes, their sum.
func (t *Trainer) parts(x *exchange) (parts []*accumulated, err error) {
	if x != nil {
		sum, err := x.wait()
		return []*accumulated{sum}, err
	}
	for _, l := range t.lanes {
		parts = append(parts, l.accumulated)
	}
	return parts, nil
}

// measured is what all lanes have measured.
func (t *Trainer) measured() (all sums, err error) {
	var own []float64
	for _, l := range t.lanes {
		own = append(own, l.measured.loss, l.measured.square, l.measured.rate)
	}
	list, err := cluster.Join(t.cluster, own, t.MicroBatches)
	for ; len(list) > 0; list = list[3:] {
		all.loss += list[0]
		all.square += list[1]
		all.rate += list[2]
	}
	return all, err
}
