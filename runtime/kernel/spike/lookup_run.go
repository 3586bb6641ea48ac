package spike

import (
	"context"
	"sync/atomic"

	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
)

// lookupScratch is a worker's memory for lookups. It only grows.
type lookupScratch struct {
	args     lookupArgs
	indices  indexArgs
	index    []uint16 // [slice of the chunk][plane][remainder][row][column][lane]
	pixels   []uint64 // of the source: [quad][row of tiles][pixel]
	offsets  []int32  // of a phase's places
	channel  []int32  // of a channel's lookups
	tables   []int16
	v, tried []int32  // [phase][channel][cell][lane], and of one channel
	spikes   []uint32 // [slice of the chunk][channel][cell]
	words    []uint64 // [cell][lane]
}

// A lookupTask is a strip of an image in the hands of a worker.
type lookupTask struct {
	*Conv
	*lookupScratch
	layout lookupLayout
	n      int // image
	i, j   int // first output pixel of the strip, in a phase
	rows   int // of its tiles

	out       *Tensor
	sources   []*Tensor
	neurons   *Neurons
	residuals []Potential
}

// runLookups is Run by lookups, of binary spikes.
func (c *Conv) runLookups(ctx context.Context, p *machine.Pool, task lookupTask, steps Steps) error {
	out, list := task.out, steps.list()
	rows, cols := machine.CeilDiv(out.H, c.OutStepH), machine.CeilDiv(out.W, c.OutStepW)
	l := c.lookupLayoutFor(rows, cols, machine.CeilDiv(p.Threads(), out.N), len(list))
	height, width := l.down*l.rows, l.across*lookupCols
	down, across := machine.CeilDiv(rows, height), machine.CeilDiv(cols, width)
	strips := out.N * down * across
	var next atomic.Int64
	p.Run(min(p.Threads(), strips), func(worker, _, _ int) {
		t := task
		t.Conv, t.layout = c, l
		t.lookupScratch = &scratches.Of(p, worker).lookups
		t.reserve()
		for strip := int(next.Add(1)) - 1; strip < strips && ctx.Err() == nil; strip = int(next.Add(1)) - 1 {
			t.n = strip / (down * across)
			t.i, t.j = strip/across%down*height, strip%across*width
			t.rows = min(l.rows, machine.CeilDiv(rows-t.i, l.down))
			t.run(list)
		}
	})
	return ctx.Err()
}

// size is the number of potentials of a channel.
func (l *lookupLayout) size() int { return l.rows * lookupCols * lookupLanes }

// width is the number of source pixels in a row of a strip that lookups may read.
func (t *lookupTask) width() int {
	return t.layout.across*lookupCols + t.LastCol + t.lookups.side - 1
}

// reserve makes the scratch large enough.
func (t *lookupTask) reserve() {
	l := &t.layout
	t.index = machine.GrowAligned(t.index, l.chunk*l.slice)
	t.reserveRows()
	t.tried = machine.GrowAligned(t.tried, l.size())
	t.v = machine.GrowAligned(t.v, len(t.Phases)*t.shape.OutC*l.size())
	t.spikes = machine.Grow(t.spikes, l.chunk*t.shape.OutC*l.rows*lookupCols)
	t.words = machine.Grow(t.words, l.size())
	most := t.lookups.most()
	t.tables = machine.GrowAligned(t.tables, most*lookupTable)
	t.offsets, t.channel = machine.Grow(t.offsets, most), machine.Grow(t.channel, most)
}

// run advances the strip through time, as many slices at once as fit.
func (t *lookupTask) run(list []sliceStep) {
	for lo := 0; lo < len(list); lo += t.layout.chunk {
		chunk := list[lo:min(lo+t.layout.chunk, len(list))]
		for i, e := range chunk {
			t.expand(t.index[i*t.layout.slice:(i+1)*t.layout.slice], e.slice)
		}
		for k := range t.Phases {
			if rows, cols := t.within(&t.Phases[k]); rows <= 0 || cols <= 0 {
				continue
			}
			t.locate(k)
			for o := range t.shape.OutC {
				t.advance(k, o, chunk, lo == 0)
			}
			for i, e := range chunk {
				t.deliver(&t.Phases[k], i, e.slice)
			}
		}
	}
}

// within is the rows and columns of pixels from the strip's first on that exist in a
// phase.
func (t *lookupTask) within(p *kernel.Phase) (rows, cols int) {
	return machine.CeilDiv(t.out.H-p.Y, t.OutStepH) - t.i, machine.CeilDiv(t.out.W-p.X, t.OutStepW) - t.j
}

// locate finds the places of a phase in the indices of a slice.
func (t *lookupTask) locate(phase int) {
	l := &t.layout
	places := t.lookups.phases[phase].places
	t.offsets = t.offsets[:len(places)]
	for k, p := range places {
		t.offsets[k] = int32(p.plane*l.plane + p.tap.Remainder*l.remainder + p.tap.Row*l.pitch + p.tap.Col*lookupLanes)
	}
}

// advance takes the neurons of an output channel through some slices.
func (t *lookupTask) advance(phase, o int, chunk []sliceStep, first bool) {
	l, nr := &t.layout, t.neurons
	v := t.v[(phase*t.shape.OutC+o)*l.size():][:l.size()]
	if first {
		for i := range v {
			v[i] = nr.V0[o]
		}
	}
	ch := &t.lookups.phases[phase].channels[o]
	t.kernels.lookup.tables(t.tables, ch.weights)
	t.channel = t.channel[:len(ch.places)]
	for k, p := range ch.places {
		t.channel[k] = t.offsets[p]
	}
	a, cells := &t.args, l.rows*lookupCols
	a.rows, a.pitch, a.threshold = t.rows, l.pitch, nr.Threshold[o]
	for i, e := range chunk {
		a.v, a.bias, a.firing = v, nr.Bias[o], nr.Fire[o]
		if e.post {
			copy(t.tried, v)
			a.v, a.bias, a.firing = t.tried, nr.PostBias[o], nr.PostFire[o]
		}
		a.index = t.index[i*l.slice : (i+1)*l.slice]
		a.spikes = t.spikes[(i*t.shape.OutC+o)*cells:][:cells]
		t.segments(ch)
		if e.result >= 0 && t.residuals != nil {
			t.report(t.residuals[e.result], phase, o, a.v)
		}
	}
}

// segments advances the neurons by a slice.
func (t *lookupTask) segments(ch *lookupChannel) {
	a, from := &t.args, 0
	for i, to := range ch.segments {
		a.offsets, a.tables = t.channel[from:to], t.tables[from*lookupTable:to*lookupTable]
		if i < len(ch.segments)-1 {
			t.kernels.lookup.sum(a)
		} else {
			t.kernels.lookup.fire(a)
		}
		from = to
	}
}

// A lookupTile is the tile of a lane: its first output pixel in a phase, and how many
// rows and columns of it exist.
type lookupTile struct{ i, j, rows, cols int }

// tile gives the tile of a lane in a phase.
func (t *lookupTask) tile(p *kernel.Phase, lane int) lookupTile {
	down, right := lane/t.layout.across*t.rows, lane%t.layout.across*lookupCols
	rows, cols := t.within(p)
	if lane >= t.layout.down*t.layout.across || right >= cols {
		rows = 0
	}
	return lookupTile{t.i + down, t.j + right, min(t.rows, rows-down), min(lookupCols, cols-right)}
}

// report hands over the potentials of a channel.
func (t *lookupTask) report(dst Potential, phase, o int, v []int32) {
	var sums laneSums
	p, out := &t.Phases[phase], t.out
	for lane := range lookupLanes {
		tile := t.tile(p, lane)
		top, left := p.Y+tile.i*t.OutStepH, p.X+tile.j*t.OutStepW
		for y := range tile.rows {
			at := (t.n*out.C+o)*out.H*out.W + (top+y*t.OutStepH)*out.W + left
			cells := v[y*lookupCols*lookupLanes+lane:]
			if dst.Data != nil {
				for x := range tile.cols {
					dst.Data[at+x*t.OutStepW] = float32(float64(cells[x*lookupLanes]) * dst.Scale[o])
				}
			}
			if dst.Sums == nil {
				continue
			}
			if part := dst.Sums.Part; part.Top <= top+y*t.OutStepH && top+y*t.OutStepH < part.Bottom {
				to := first(part.Right-left, t.OutStepW, tile.cols)
				for x := first(part.Left-left, t.OutStepW, tile.cols); x < to; x++ {
					sums.add(cells[x*lookupLanes], dst.Sums.Half[o], dst.Sums.Full[o])
				}
			}
		}
	}
	if dst.Sums != nil {
		dst.Sums.merge(o, sums)
	}
}

// deliver hands the spikes of a slice to the tensor, slice i of the chunk.
func (t *lookupTask) deliver(p *kernel.Phase, i, slice int) {
	cells, masks := t.layout.rows*lookupCols, Masks(t.out.C)
	bits, outC := t.out.Slice(slice, t.n), t.shape.OutC
	for first := 0; first < outC; first += quadBits {
		channels := min(quadBits, outC-first)
		t.kernels.lookup.collect(t.words, t.spikes[(i*outC+first)*cells:][:channels*cells], channels, cells)
		for lane := range lookupLanes {
			tile := t.tile(p, lane)
			for y := range tile.rows {
				at := (p.Y+(tile.i+y)*t.OutStepH)*t.out.W + p.X + tile.j*t.OutStepW
				words := t.words[y*lookupCols*lookupLanes+lane:]
				spreadWords(bits[at*masks+first/maskBits:], words, tile.cols, t.OutStepW*masks, Masks(channels))
			}
		}
	}
}

// spreadWords writes the masks of count pixels, step masks apart, from words a vector
// apart.
func spreadWords(dst []uint16, words []uint64, count, step, masks int) {
	switch masks {
	case 1:
		for x := range count {
			dst[x*step] = uint16(words[x*lookupLanes])
		}
	case 4:
		for x := range count {
			w, m := words[x*lookupLanes], (*[4]uint16)(dst[x*step:])
			m[0], m[1], m[2], m[3] = uint16(w), uint16(w>>16), uint16(w>>32), uint16(w>>48)
		}
	default:
		for x := range count {
			w := words[x*lookupLanes]
			for k := range dst[x*step:][:masks] {
				dst[x*step+k] = uint16(w >> (maskBits * k))
			}
		}
	}
}
