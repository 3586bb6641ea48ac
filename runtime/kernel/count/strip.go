package count

import (
	"math"

	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
)

// stripBytes bounds the source bytes of a strip, so that they stay in a core's second-level
// cache: the larger a strip, the fewer pixels are copied for its neighbours too. Tests vary
// it: the results do not depend on it.
var stripBytes = 176 << 10

// stripSums bounds the sums of a strip, where they are kept, for the same reason.
const stripSums = 128 << 10

// stripColumns bounds the columns of a strip, in output cells of the kernels.
const stripColumns = 256

// A layout is the size of a strip in output pixels of a phase, and the place of the
// source pixels it needs, in bytes.
type layout struct {
	rows, cols      int
	pitch           int // from a source row to the next
	remainderStride int
	size            int // of all source bytes, what kernels read beyond them included
}

// layoutFor chooses strips for phases of rows x cols pixels, at least parts of them.
func (c *Conv) layoutFor(rows, cols, parts int, sums, tiled bool) layout {
	l := layout{rows: 1, cols: cols}
	cell := c.shape.InC
	unit := tileCells * c.step
	columns := stripColumns * c.step
	if tiled {
		columns = tileColumns
	}
	if pieces := machine.CeilDiv(cols, columns); pieces > 1 {
		l.cols = min(cols, machine.CeilDiv(machine.CeilDiv(cols, pieces), unit)*unit)
	}
	fits := func(rows, cols int) bool {
		return c.Footprint(rows, cols)*cell <= stripBytes && (!sums || c.sumsFor(rows, cols, tiled) <= stripSums)
	}
	for l.cols > unit && !fits(4, l.cols) {
		l.cols = max(unit, machine.CeilDiv(l.cols/2, unit)*unit)
	}
	most := machine.CeilDiv(rows, machine.CeilDiv(parts, machine.CeilDiv(cols, l.cols)))
	for l.rows < most && fits(l.rows+1, l.cols) {
		l.rows++
	}
	l.rows = c.balanced(l.rows, rows, machine.CeilDiv(cols, l.cols), parts, tiled)
	l.pitch = (l.cols + c.LastCol) * cell
	l.remainderStride = (l.rows + c.LastRow) * l.pitch
	l.size = len(c.Remainders)*l.remainderStride + (tileCells+1)*c.step*cell + groupBytes
	if tiled { // half tiles, and vectors of their last pixels
		l.size = (l.rows+4)*l.pitch + 2*cell + vectorBytes
	}
	return l
}

// balanced chooses the rows of a strip, most or fewer, so that the last of some workers is done soonest: as
// many strips for each, and not many rows copied for two strips.
func (c *Conv) balanced(most, rows, across, workers int, tiled bool) int {
	const copied = 16 // rows that are copied while one is computed
	best, soonest := most, math.MaxInt
	for n := most; n > most/2; n-- {
		if tiled && n > 1 && n%2 == 1 {
			continue
		}
		strips := machine.CeilDiv(machine.CeilDiv(rows, n)*across, workers)
		if end := strips * (copied*n + c.LastRow); end < soonest {
			best, soonest = n, end
		}
	}
	return best
}

// across is the number of the kernels' output cells in a row of columns of a phase.
func (c *Conv) across(cols int) int { return machine.CeilDiv(cols, c.step) }

// sumsFor is the number of sums of a phase of a strip, of whole tiles if it is tiled.
func (c *Conv) sumsFor(rows, cols int, tiled bool) int {
	if tiled {
		rows, cols = even(rows), even(cols)
	}
	return c.outBlocks * rows * c.across(cols) * blockLanes
}

// even is n, or one more.
func even(n int) int { return n + n&1 }

// gather copies the source pixels of image n that the strip needs, with zeros beyond the
// border.
func (t *task) gather(n int) {
	for k, r := range t.Remainders {
		x := t.OriginX + t.j*t.InStepW + r.Col
		count := t.cols + t.LastCol
		from, to := kernel.Existing(x, t.InStepW, count, t.w)
		for i := range t.rows + t.LastRow {
			y := t.OriginY + (t.i+i)*t.InStepH + r.Row
			row := t.cells[k*t.layout.remainderStride+i*t.layout.pitch:][:count*t.shape.InC]
			if y < 0 || y >= t.h || from >= to {
				clear(row)
				continue
			}
			clear(row[:from*t.shape.InC])
			t.gatherPixels(row[from*t.shape.InC:to*t.shape.InC], (n*t.h+y)*t.w+x+from*t.InStepW)
			clear(row[to*t.shape.InC:])
		}
	}
}

// gatherPixels copies pixels that exist, InStepW apart, from the first on.
func (t *task) gatherPixels(dst []uint8, first int) {
	if len(t.sources) == 1 && t.InStepW == 1 {
		copy(dst, t.sources[0].Data[first*t.shape.InC:])
		return
	}
	at := 0
	for _, s := range t.sources {
		copyPixels(dst[at:], s.Data[first*s.C:], t.shape.InC, t.InStepW*s.C, s.C)
		at += s.C
	}
}

// copyPixels copies pixels of n bytes, dstStep and srcStep bytes apart, as many as dst has room
// for.
func copyPixels(dst, src []uint8, dstStep, srcStep, n int) {
	count := (len(dst) + dstStep - n) / dstStep
	if n == 3 { // of colour images
		for i := range count {
			*(*[3]uint8)(dst[i*dstStep:]) = *(*[3]uint8)(src[i*srcStep:])
		}
		return
	}
	for i := range count {
		copy(dst[i*dstStep:][:n], src[i*srcStep:])
	}
}
