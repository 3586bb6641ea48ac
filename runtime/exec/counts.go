package exec

import (
	"math"

	"spikingir/graph"
	"spikingir/runtime/kernel/count"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// counted is the numbers of spikes of the elements of a value of a two-phase network, for
// one result: one byte each, pixel by pixel.
type counted struct {
	*count.Tensor
	amplitude []float32 // of a spike, one for all or one per channel
}

// newCounts makes room for counts of dims [N,C,H,W], of at most most.
func (r *run) newCounts(dims []int, most int, amplitude []float32) *counted {
	t := &count.Tensor{N: dims[0], C: dims[1], H: dims[2], W: dims[3], Most: most}
	t.Data = lend(r.arena, &r.arena.counts, t.Size())
	return &counted{t, amplitude}
}

// dims is the dimensions of the value.
func (c *counted) dims() []int { return []int{c.N, c.C, c.H, c.W} }

// putCounts makes c the counts of v for the result that is computed. Its floats are
// computed when something reads them.
func (r *run) putCounts(v *graph.Value, c *counted) {
	if v == nil {
		r.freeCounts(c)
		return
	}
	s := r.slots[v]
	if s == nil {
		s = &slot{counts: make([]*counted, len(r.timing.results))}
		r.slots[v] = s
	}
	s.counts[r.result()] = c
}

func (r *run) freeCounts(c *counted) { r.arena.counts.give(c.Size(), c.Data) }

// countsOf is the counts of v for the result that is computed; nil where it has none.
func (r *run) countsOf(v *graph.Value) *counted {
	if s := r.slots[v]; s != nil && s.counts != nil {
		return s.counts[r.result()]
	}
	return nil
}

// floatsOf is the value that counts stand for, amplitude times count, computed once.
func (r *run) floatsOf(s *slot) *ops.Tensor {
	y, results := &s.tensor, len(r.timing.results)
	if results > 1 {
		if r.at == every {
			return nil
		}
		if s.each == nil {
			s.each = make([]*ops.Tensor, results)
		}
		y = &s.each[r.at]
	}
	if c := s.counts[r.result()]; *y == nil && c != nil {
		*y = r.expand(c, c.amplitude)
		r.arena.hold(*y)
	}
	return *y
}

// expand writes counts times an amplitude, one for all or one per channel, channel by
// channel.
func (r *run) expand(c *counted, amplitude []float32) *ops.Tensor {
	y := r.arena.tensor(graph.Float32, c.dims())
	if r.areas != nil {
		return y
	}
	const some = 256 // pixels, whose counts stay in the first-level cache
	plane := c.H * c.W
	runs := machine.CeilDiv(plane, some)
	together := max(1, 1<<16/max(some*c.C, 1)) // a task is no shorter than in parts
	r.pool.Run(machine.CeilDiv(c.N*runs, together), func(_, lo, hi int) {
		for i := lo * together; i < min(hi*together, c.N*runs); i++ {
			c.expandPixels(y.F32, amplitude, i/runs, i%runs*some, min(some, plane-i%runs*some))
		}
	})
	return y
}

// expandPixels is expand for n pixels of an image.
func (c *counted) expandPixels(dst, amplitude []float32, image, first, n int) {
	plane := c.H * c.W
	pixels := c.Data[(image*plane+first)*c.C:][:n*c.C]
	for k := range c.C {
		a := amplitude[min(k, len(amplitude)-1)]
		if math.IsInf(float64(a), 1) {
			a = 0 // of spikes that never come
		}
		row := dst[(image*c.C+k)*plane+first:][:n]
		for x := range row {
			row[x] = a * float32(pixels[x*c.C+k])
		}
	}
}

// row is the counts of a row in view.
func (c *counted) row(q view, n, y int) []uint8 {
	return c.Data[((n*c.H+y)*c.W+q.Left)*c.C : ((n*c.H+y)*c.W+q.Right)*c.C]
}

// spikes is the number of spikes in view, and how many elements have more than top.
func (c *counted) spikes(q view, top int) (all, above int64) {
	for n := range c.N {
		for y := q.Top; y < q.Bottom; y++ {
			for _, k := range c.row(q, n, y) {
				all += int64(k)
				if int(k) > top {
					above++
				}
			}
		}
	}
	return all, above
}

// countCounts notes the spikes in view that drive a node with weights. Channels do not
// matter, for those of a pixel reach as many outputs.
func (k *counter) countCounts(c *counted, q view) {
	t := k.taps
	if t == nil || t.plane() == 0 {
		all, _ := c.spikes(q, count.Most)
		k.unplaced(float64(all))
		return
	}
	for n := range c.N {
		for y := q.Top; y < q.Bottom; y++ {
			row, spikes, synapses := c.row(q, n, y), int64(0), 0.0
			for x := range q.Right - q.Left {
				pixel := int64(0)
				for _, s := range row[x*c.C : (x+1)*c.C] {
					pixel += int64(s)
				}
				spikes += pixel
				synapses += float64(pixel) * t.cols[q.left+q.Left+x]
			}
			k.report.SpikesIn += float64(spikes)
			k.report.ExactOps += synapses * t.rows[q.top+y] * t.channels
		}
	}
}
