package kernel

import (
	"sync/atomic"

	"spikingir/runtime/kernel/machine"
)

// A scratch is the memory of one worker. It only grows.
type scratch struct {
	strip   []float32 // source cells, laid out by gather
	out     []float32 // outputs that cannot go straight to their place
	offsets []int     // of all phases' taps
	args    rowArgs
	filter  filterScratch
}

var scratches machine.Slot[scratch]

// rowArgs are the arguments of a row kernel, which computes
//
//	for k < width, i < n:
//		acc = 0, or dst[k*dstStride+i] when resume is set
//		for c < channels, t < len(offsets):
//			acc = fma(weights[(c*len(offsets)+t)*weightStep+k],
//				src[c*channelStride+offsets[t]+i], acc)
//		dst[k*dstStride+i] = acc, plus bias[k] when bias is not nil
//
// with n and len(offsets) at least 1. It may read up to overrun floats beyond
// the last element of src that the formula names.
type rowArgs struct {
	dst           []float32
	src           []float32
	offsets       []int
	weights       []float32
	bias          []float32
	dstStride     int
	channelStride int
	weightStep    int
	channels      int
	n             int
	resume        bool
	// Prefetch address, and channel stride in bytes (for a band, row stride). Kernels
	// may ignore them.
	ahead, aheadStride uintptr
	sums               []float32 // what a wide row kernel keeps its sums in
	// What a wide row kernel does to sums with their bias, for the channels from
	// first on; nil for nothing.
	direct *Direct
	first  int
	// Of a band kernel: from a row to the next, and whether the first or the last
	// cells of the rows have a column of padding beside them that src does not hold.
	dstPitch, srcPitch int
	left, right        bool
}

// A task is a share of a stencil that one worker computes at a time: phase rows
// [rowLo, rowHi) of blocks [blockLo, blockHi).
type task struct {
	*stencil
	*scratch
	layout           layout
	dst, src         plane
	tail             Tail
	ahead            ahead
	apart            int // rows from a task of a worker to its next, as a rule
	rowLo, rowHi     int
	blockLo, blockHi int
}

// A cut is the part of a task in hand: phase rows and columns from (i, j) on, and
// input channels from first on.
type cut struct {
	i, j, rows, cols int
	first, channels  int
}

// run computes dst from src.
func (s *stencil) run(p *machine.Pool, dst, src plane, tail Tail) {
	dst.check()
	src.check()
	rows, cols := machine.CeilDiv(dst.h, s.OutStepH), machine.CeilDiv(dst.w, s.OutStepW)
	if rows == 0 || cols == 0 {
		return
	}
	rowParts, blockParts := s.split(p.Threads(), rows)
	l := s.layoutFor(machine.CeilDiv(rows, rowParts), cols)
	taskRows := l.rows
	if blockParts > p.Threads() {
		taskRows = rows
	}
	tasks := cutTasks(rows, taskRows, p.Threads())
	strips := len(tasks) - 1
	var next atomic.Int64
	p.Run(min(p.Threads(), strips*blockParts), func(worker, _, _ int) {
		t := task{
			stencil: s, scratch: scratches.Of(p, worker), layout: l,
			dst: dst, src: src, tail: tail, apart: p.Threads() * l.rows,
		}
		t.reserve()
		// Dynamic scheduling: a preempted worker delays only its own strip.
		for i := int(next.Add(1)) - 1; i < strips*blockParts && !tail.stopped(); i = int(next.Add(1)) - 1 {
			r, b := i/blockParts, i%blockParts
			t.rowLo, t.rowHi = tasks[r], tasks[r+1]
			t.blockLo, t.blockHi = b*len(s.blocks)/blockParts, (b+1)*len(s.blocks)/blockParts
			t.run(cols)
		}
	})
}

// cutTasks cuts rows into tasks of most rows at most, as many for each worker if all
// are as fast, and smaller ones last, lest all wait long for a slow one: task i is
// the rows from element i of the list up to the next.
func cutTasks(rows, most, workers int) []int {
	var list []int
	strips := machine.CeilDiv(machine.CeilDiv(rows, most), workers) * workers
	if strips == workers || 2*strips > rows {
		for i := 0; i < rows; i += most {
			list = append(list, i)
		}
		return append(list, rows)
	}
	for u := 0; u < 2*strips; {
		list = append(list, u*rows/(2*strips))
		if u++; u < 2*(strips-workers) {
			u++
		}
	}
	return append(list, rows)
}

// split chooses how many parts to cut the rows and the blocks into, at most one
// pair for each thread, so that the largest part is smallest. Where there are many
// channels that have nothing to do with each other each is a part, so that memory
// is read and written in its order.
func (s *stencil) split(threads, rows int) (rowParts, blockParts int) {
	if s.outC == 1 && s.groups >= 4*threads {
		return 1, s.groups
	}
	best := 0
	for r := min(threads, rows); r > 0; r-- {
		b := min(threads/r, len(s.blocks))
		size := machine.CeilDiv(rows, r) * machine.CeilDiv(len(s.blocks), b)
		if best == 0 || size < best {
			best, rowParts, blockParts = size, r, b
		}
	}
	return rowParts, blockParts
}

// reserve makes the scratch large enough for the task's strips.
func (t *task) reserve() {
	l := t.layout
	t.strip = machine.Grow(t.strip, line+l.channels*l.channelStride+overrun)
	t.out = machine.Grow(t.out, t.slots()*l.rows*l.pitch)
	t.offsets = l.offsets(t.offsets[:0], t.Phases)
}

// slots is the number of channels kept in t.out at once: one block's, or all of
// a group while they wait for further input channels.
func (t *task) slots() int {
	if t.layout.channels == t.inC {
		return blockFor(t.outC) // the first is the widest
	}
	return len(t.Phases) * t.outC
}

// run computes the task, strip by strip.
func (t *task) run(cols int) {
	l := t.layout
	for i := t.rowLo; i < t.rowHi; i += l.rows {
		for j := 0; j < cols; j += l.cols {
			c := cut{i: i, j: j, rows: min(l.rows, t.rowHi-i), cols: min(l.cols, cols-j)}
			for lo := t.blockLo; lo < t.blockHi; {
				hi := lo + 1
				for hi < t.blockHi && t.blocks[hi].group == t.blocks[lo].group {
					hi++
				}
				t.cut(c, lo, hi)
				lo = hi
			}
		}
	}
}

// group computes blocks [lo, hi), which belong to one group, of a cut.
func (t *task) group(c cut, lo, hi int) {
	group := t.blocks[lo].group
	for first := 0; first < t.inC; first += t.layout.channels {
		c.first, c.channels = first, min(t.layout.channels, t.inC-first)
		t.gather(t.strip, t.layout, t.src, c, group*t.inC+first)
		t.lookAhead(c, group*t.inC+first)
		for b := lo; b < hi; b++ {
			for p := range t.Phases {
				t.block(c, b, p)
			}
		}
	}
}

// block computes one phase of a block, or adds the cut's input channels to it.
func (t *task) block(c cut, b, p int) {
	ph, bl := &t.Phases[p], &t.blocks[b]
	c.rows = min(c.rows, machine.CeilDiv(t.dst.h-ph.Y, t.OutStepH)-c.i)
	c.cols = min(c.cols, machine.CeilDiv(t.dst.w-ph.X, t.OutStepW)-c.j)
	if c.rows <= 0 || c.cols <= 0 {
		return
	}
	a := &t.args
	a.offsets = t.offsets[t.firstTap[p]:][:len(ph.Taps)]
	a.channels, a.channelStride = c.channels, t.layout.channelStride
	a.weights, a.weightStep = t.weights[p][b][c.first*len(ph.Taps)*bl.width:], bl.width
	a.resume, a.bias = c.first > 0, nil
	last := c.first+c.channels == t.inC
	if last {
		a.bias = t.bias(bl)
	}
	if t.direct(c) {
		size := t.dst.h * t.dst.w
		flat := c.cols == t.layout.pitch && c.cols == t.dst.w
		t.rows(c, bl, flat, t.dst.data[bl.first*size+c.i*t.dst.w+c.j:], t.dst.w, size)
		return
	}
	out := t.out
	if t.layout.channels < t.inC {
		slot := p*t.outC + bl.first - bl.group*t.outC
		out = out[slot*t.layout.rows*t.layout.pitch:]
	}
	flat := t.flatVectors(c) <= t.rowVectors(c)
	t.rows(c, bl, flat, out, t.layout.pitch, t.layout.rows*t.layout.pitch)
	if last {
		t.scatter(c, ph, bl, out)
	}
}

// bias is what is added to a block's outputs, nil for nothing.
func (t *task) bias(b *block) []float32 {
	if t.tail.Bias != nil {
		return t.tail.Bias[b.first : b.first+b.width]
	}
	return b.bias
}

// lanes is the vector width that the choice between the ways to run over a cut
// assumes. The choice does not change the results.
const lanes = 16

// flatVectors is the number of vectors in a cut that is run over as one row, the
// cells between two rows of the strip included.
func (t *task) flatVectors(c cut) int {
	return machine.CeilDiv((c.rows-1)*t.layout.pitch+c.cols, lanes)
}

// rowVectors is the number of vectors in a cut that is run over row by row.
func (t *task) rowVectors(c cut) int { return c.rows * machine.CeilDiv(c.cols, lanes) }

// direct tells whether the outputs of a cut go straight to their place. Otherwise
// they are computed in scratch memory, as one long row, and copied from there:
// narrow images are faster so, and phases that skip columns need it.
func (t *task) direct(c cut) bool {
	if t.OutStepH != 1 || t.OutStepW != 1 {
		return false
	}
	if c.cols == t.layout.pitch && c.cols == t.dst.w {
		return true
	}
	return t.flatVectors(c)*10 >= t.rowVectors(c)*9
}

// rows runs the row kernel over a cut, as one row if flat is set. dst is the
// place of its first output, rowStride and channelStride lead to the next row and
// channel.
func (t *task) rows(c cut, b *block, flat bool, dst []float32, rowStride, channelStride int) {
	a := &t.args
	last := c.first+c.channels == t.inC
	rows, n := c.rows, c.cols
	if flat {
		rows, n = 1, (rows-1)*rowStride+n
	}
	strip := t.strip[t.lead(t.layout.cols, c.j):]
	a.direct, a.first = nil, b.first
	if last && b.width == wideBlock && float32s.Kernels.directTails && len(a.offsets) > 0 {
		a.direct = t.tail.Direct
	}
	a.dstStride, a.n = channelStride, n
	a.dstPitch, a.srcPitch, a.left, a.right = rowStride, t.layout.pitch, false, false
	for r := 0; r < rows; r++ {
		a.dst, a.src = dst[r*rowStride:], strip[r*t.layout.pitch:]
		switch {
		case len(a.offsets) == 0:
			fillRow(a, b.width)
		case t.banded && b.width == 1 && rows-r >= bandRows:
			a.nothingAhead()
			float32s.Kernels.convBand(a)
			r += bandRows - 1
		default:
			t.ahead.next(a, b.width)
			float32s.Kernels.convRow(a, b.width)
		}
	}
	if last && a.direct == nil {
		t.finish(b, dst, rows, n, rowStride, channelStride)
	}
}

// finish applies the tail to rows of n outputs of a block.
func (t *task) finish(b *block, dst []float32, rows, n, rowStride, channelStride int) {
	if t.tail.Finish == nil {
		return
	}
	if rowStride == n {
		rows, n = 1, rows*n
	}
	for k := range b.width {
		for r := range rows {
			t.tail.Finish(b.first+k, dst[k*channelStride+r*rowStride:][:n])
		}
	}
}

// fillRow is the row kernel of a phase without taps.
func fillRow(a *rowArgs, width int) {
	for k := range width {
		value := float32(0)
		if a.bias != nil {
			value = a.bias[k]
		}
		row := a.dst[k*a.dstStride:][:a.n]
		for i := range row {
			row[i] = value
		}
	}
}

// scatter copies a block's outputs from scratch memory to their place.
func (t *task) scatter(c cut, p *Phase, b *block, out []float32) {
	pitch := t.layout.pitch
	for k := range b.width {
		image := t.dst.channel(b.first + k)
		for r := range c.rows {
			from := out[(k*t.layout.rows+r)*pitch:][:c.cols]
			to := image[(p.Y+(c.i+r)*t.OutStepH)*t.dst.w+p.X+c.j*t.OutStepW:]
			if t.OutStepW == 1 {
				copy(to, from)
				continue
			}
			for i, v := range from {
				to[i*t.OutStepW] = v
			}
		}
	}
}
