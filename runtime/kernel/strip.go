package kernel

import (
	"fmt"

	"spikingir/runtime/kernel/machine"
)

// stripFloats bounds the source cells of a strip, so that they stay in a
// core's second-level cache together with one block's weights. A strip is never
// less than what one output cell of one input channel needs. Tests vary it: the
// results do not depend on it.
var stripFloats = 128 << 10

const (
	// stripCells bounds the output cells of a strip for one channel.
	stripCells = 8 << 10
	// minColumns is the width below which strips are cut in channels rather than
	// in columns: narrower ones waste vectors.
	minColumns = 192
	// line is the floats in a cache line.
	line = 16
	// alignedColumns is the width from which on the rows of a strip begin where
	// those of the source lie in their cache lines. Copies and aligned loads are
	// faster so, but narrow strips, which are run over as one row, would be larger.
	alignedColumns = 64
	// overrun is how far beyond its last cell a row kernel may read, in floats:
	// the widest tile.
	overrun = 128
)

// A layout is the size of a strip: output rows and columns of a phase, input
// channels, and the place of the cells they need in memory.
type layout struct {
	rows, cols, channels int

	pitch           int // from a source row to the next
	remainderStride int
	channelStride   int
}

// Footprint is the number of source cells of a strip, padding between channels
// left out.
func (s *Geometry) Footprint(rows, cols int) int {
	return len(s.Remainders) * (rows + s.LastRow) * s.pitch(cols)
}

// pitch is the distance of the rows of a strip.
func (s *Geometry) pitch(cols int) int {
	n := cols + s.LastCol
	if s.LastCol > 0 && cols >= alignedColumns {
		n = machine.CeilDiv(n, line) * line
	}
	return n
}

// lead is how far into the strip a cut from column j on begins.
func (s *Geometry) lead(cols, j int) int {
	if s.InStepW > 1 || cols < alignedColumns {
		return 0
	}
	return (s.OriginX + j) & (line - 1)
}

// layoutFor chooses the strip size for phases of rows x cols output cells: all
// channels and the full width if two rows of them fit, else fewer columns, then
// fewer channels, then as many rows as fit.
func (s *stencil) layoutFor(rows, cols int) layout {
	two := min(2, rows)
	fits := func(rows, cols, channels int) bool {
		return channels*s.Footprint(rows, cols) <= stripFloats && rows*cols <= stripCells
	}
	l := layout{rows: two, cols: cols, channels: s.inC}
	for l.cols > minColumns && !fits(two, l.cols, s.inC) {
		l.cols = max(minColumns, l.cols/2)
	}
	for l.channels > 1 && !fits(two, l.cols, l.channels) {
		l.channels = (l.channels + 1) / 2
	}
	for l.rows > 1 && !fits(l.rows, l.cols, l.channels) {
		l.rows--
	}
	for l.rows < rows && fits(l.rows+1, l.cols, l.channels) {
		l.rows++
	}
	l.rows = machine.CeilDiv(rows, machine.CeilDiv(rows, l.rows)) // as many strips, of one size
	if s.banded && s.outC == 1 {
		l.rows, l.channels = s.bandLayout(rows, l.cols)
	}
	l.pitch = s.pitch(l.cols)
	l.remainderStride = l.pitch * (l.rows + s.LastRow)
	// An odd number of cache lines keeps channels off each other's cache sets.
	lines := (len(s.Remainders)*l.remainderStride + line - 1) / line
	l.channelStride = (lines | 1) * line
	return l
}

// offsets appends to list, phase by phase, the distance of each tap from its
// output cell's place in the strip.
func (l layout) offsets(list []int, phases []Phase) []int {
	for _, p := range phases {
		for _, t := range p.Taps {
			list = append(list, t.Remainder*l.remainderStride+t.Row*l.pitch+t.Col)
		}
	}
	return list
}

// A plane is a tensor [channels][h][w].
type plane struct {
	data           []float32
	channels, h, w int
}

// check panics when the tensor is too short.
func (p plane) check() {
	if p.h < 0 || p.w < 0 || len(p.data) < p.channels*p.h*p.w {
		panic(fmt.Sprintf("kernel: tensor of %d floats, want %d x %d x %d",
			len(p.data), p.channels, p.h, p.w))
	}
}

// channel returns the cells of one channel.
func (p plane) channel(c int) []float32 {
	return p.data[c*p.h*p.w : (c+1)*p.h*p.w]
}

// gather copies the source cells that a cut needs, with zeros beyond the border.
// first is the cut's first input channel, among those of all groups.
func (s *stencil) gather(strip []float32, l layout, src plane, c cut, first int) {
	for k := range c.channels {
		image := src.channel(first + k)
		for n, r := range s.Remainders {
			base := s.lead(l.cols, c.j) + k*l.channelStride + n*l.remainderStride
			x := s.OriginX + c.j*s.InStepW + r.Col
			for i := range c.rows + s.LastRow {
				y := s.OriginY + (c.i+i)*s.InStepH + r.Row
				at := base + i*l.pitch
				row := strip[at : at+c.cols+s.LastCol]
				if y < 0 || y >= src.h {
					clear(row)
					continue
				}
				copyStrided(row, image[y*src.w:(y+1)*src.w], x, s.InStepW)
			}
		}
	}
}

// copyRow sets dst[k] = src[x+k], or 0 where src has no such element.
func copyRow(dst, src []float32, x int) {
	before := min(max(-x, 0), len(dst))
	inside := max(before, min(len(src)-x, len(dst)))
	clear(dst[:before])
	clear(dst[inside:])
	if before < inside {
		copy(dst[before:inside], src[x+before:])
	}
}

// copyStrided sets dst[k] = src[x + k*step], or 0 where src has no such element.
func copyStrided(dst, src []float32, x, step int) {
	if step == 1 {
		copyRow(dst, src, x)
		return
	}
	before := 0
	if x < 0 {
		before = min(machine.CeilDiv(-x, step), len(dst))
	}
	inside := before
	if from := x + before*step; from < len(src) {
		inside = min(before+machine.CeilDiv(len(src)-from, step), len(dst))
	}
	clear(dst[:before])
	clear(dst[inside:])
	for k := before; k < inside; k++ {
		dst[k] = src[x+k*step]
	}
}
