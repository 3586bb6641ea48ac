package train

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"

	"spikingir/runtime/cluster"
)

// bucketSize is the numbers that are sent at once, or the next more.
const bucketSize = 1 << 16

// An exchange adds up the gradients of a batch whose parts lie in several processes, while the
// last patches of the parts are still on their way back: what the layers from one on have
// is complete when the patch has passed it.
type exchange struct {
	comm    cluster.Comm
	parts   []*accumulated // of this process
	total   int            // parts of all processes
	sum     *accumulated   // of all
	buckets []bucket
	next    []int // of each part, the first bucket that is not complete
	done    chan error
	stopped chan struct{}
	vectors [][]float32 // of each part, and of the sum: a bucket in a row
	summer  cluster.Summer[float32]
	took    Exchanged
}

// Exchanged is what adding up the gradients of several processes has taken.
type Exchanged struct {
	Steps int   // that were exchanged
	Bytes int64 // that this process has sent in each
	// Busy is the time that sums were under way, and Waited that after the last patch, which the
	// way back of the layers did not hide.
	Busy, Waited time.Duration
}

// A bucket is the gradients that are sent together.
type bucket struct {
	layer    int // the last one, on the way back, that adds to them
	segments []segment
	size     int
	missing  atomic.Int32  // parts that are not complete
	complete chan struct{} // closed when none is
}

// A segment is the gradient of a parameter, or with unit that by bits of a layer.
type segment struct {
	layer, at, size int
	unit            bool
}

func (s segment) of(a *accumulated) []float32 {
	if s.unit {
		return a.units[s.at]
	}
	return a.grads[s.at]
}

// segments is what a batch of a kind adds to, in the order in which it is complete.
func (n *Net) segments(k kind) []segment {
	var list []segment
	bits := k.mode == Spikes && !k.byRates // else spikes are amplitudes on the way back
	readers := make([]int, len(n.params))  // layers that read a parameter by bits alone
	for i, l := range n.layers {
		c, ok := l.(*convLayer)
		if !ok || c.scaled == nil || c.w == nil || !bits {
			continue
		}
		list = append(list, segment{layer: i, at: i, size: len(c.fixed), unit: true})
		readers[c.w.grad]++
	}
	for i, p := range n.params {
		if p.layers > readers[i] || p.layers == 0 {
			list = append(list, segment{layer: p.first, at: i, size: len(p.elems)})
		}
	}
	slices.SortStableFunc(list, func(a, b segment) int { return cmp.Compare(b.layer, a.layer) })
	return list
}

// newExchange makes the sums of batches of a kind ready.
func newExchange(n *Net, c cluster.Comm, parts []*accumulated, total int, k kind) *exchange {
	x := &exchange{comm: c, parts: parts, total: total, sum: n.newAccumulated(), next: make([]int, len(parts))}
	var open []segment
	size := 0
	flush := func() {
		if len(open) > 0 {
			x.buckets = append(x.buckets, bucket{layer: open[len(open)-1].layer, segments: open, size: size})
			open, size = nil, 0
		}
	}
	for _, s := range n.segments(k) {
		open = append(open, s)
		if size += s.size; size >= bucketSize {
			flush()
		}
	}
	flush()
	most, all := 0, 0
	for i := range x.buckets {
		most = max(most, x.buckets[i].size)
		all += x.buckets[i].size
	}
	// To each of the others a piece of each part, and the sums of a piece.
	others := float64(c.Size()-1) / float64(c.Size())
	x.took.Bytes = int64(4 * float64(all) * others * float64(len(parts)+1))
	for range len(parts) + 1 {
		x.vectors = append(x.vectors, make([]float32, most))
	}
	return x
}

// start begins a batch. Each part must then be passed, or the exchange stopped, before wait.
func (x *exchange) start() {
	clear(x.next)
	for i := range x.buckets {
		x.buckets[i].missing.Store(int32(len(x.parts)))
		x.buckets[i].complete = make(chan struct{})
	}
	x.done, x.stopped = make(chan error, 1), make(chan struct{})
	go func() { x.done <- x.run() }()
}

// pass notes that the last patch of a part is through all layers from one on.
func (x *exchange) pass(part, layer int) {
	for ; x.next[part] < len(x.buckets) && x.buckets[x.next[part]].layer >= layer; x.next[part]++ {
		if b := &x.buckets[x.next[part]]; b.missing.Add(-1) == 0 {
			close(b.complete)
		}
	}
}

// run adds the buckets up, one after the other.
func (x *exchange) run() error {
	for i := range x.buckets {
		b := &x.buckets[i]
		select {
		case <-b.complete:
		case <-x.stopped:
			return nil
		}
		begin := time.Now()
		if err := x.add(b); err != nil {
			return err
		}
		x.took.Busy += time.Since(begin)
	}
	return nil
}

// add adds a bucket up.
func (x *exchange) add(b *bucket) error {
	vectors := make([][]float32, len(x.parts))
	for k, part := range x.parts {
		vectors[k] = x.vectors[k][:b.size]
		at := 0
		for _, s := range b.segments {
			at += copy(vectors[k][at:], s.of(part))
		}
	}
	sum := x.vectors[len(x.parts)][:b.size]
	if err := x.summer.Sum(x.comm, sum, vectors, x.total); err != nil {
		return err
	}
	for _, s := range b.segments {
		sum = sum[copy(s.of(x.sum), sum):]
	}
	return nil
}

// wait gives the sum of all parts.
func (x *exchange) wait() (*accumulated, error) {
	begin := time.Now()
	err := <-x.done
	x.took.Waited += time.Since(begin)
	x.took.Steps++
	return x.sum, err
}

// stop ends a batch that has failed in this process, which then ends all.
func (x *exchange) stop() { close(x.stopped) }
