package kernel

import (
	"unsafe"

	"spikingir/runtime/kernel/machine"
)

// ahead is what of the source the next strip needs: while the row kernels compute
// one strip, they fetch the cells of another, line by line, so that it is gathered
// from a near cache.
type ahead struct {
	address uintptr // of the first line that is left, in the first channel
	lines   int     // that are left
	cells   int     // of a row
	stride  uintptr // bytes between channels
}

// floatBytes is the size of a float32.
const floatBytes = 4

// lookAhead finds the cells that the strip after this one will begin with. first is
// the first of the cut's input channels.
func (t *task) lookAhead(c cut, first int) {
	const few = 8 // channels for which it is not worth it
	t.ahead = ahead{}
	y := t.OriginY + (c.i+t.apart)*t.InStepH
	lo := max(0, y)
	hi := min(t.src.h, y+(t.layout.rows-1)*t.InStepH+t.LastRow+1)
	if c.channels < max(few, t.inC) || c.cols < t.dst.w || lo >= hi {
		return
	}
	cell := &t.src.channel(first)[lo*t.src.w]
	t.ahead = ahead{
		address: uintptr(unsafe.Pointer(cell)),
		lines:   machine.CeilDiv((hi-lo)*t.src.w, line),
		cells:   c.cols,
		stride:  uintptr(t.src.h*t.src.w) * floatBytes,
	}
}

// next makes a row kernel for a block of some width fetch lines that are left, or
// none: one for each of its tiles.
func (h *ahead) next(a *rowArgs, width int) {
	if h.lines <= 0 {
		a.nothingAhead()
		return
	}
	tile := 48
	if width == wideBlock {
		tile = 13
	}
	tiles := machine.CeilDiv(h.cells, tile)
	a.ahead, a.aheadStride = h.address, h.stride
	h.lines -= tiles
	h.address += uintptr(tiles * line * floatBytes)
}

// aheadAt makes kernels fetch lines from a cell on.
func (a *rowArgs) aheadAt(cell *float32) { a.ahead = uintptr(unsafe.Pointer(cell)) }

// nothingAhead disables prefetching.
func (a *rowArgs) nothingAhead() {
	a.aheadAt(&a.src[0])
	a.aheadStride = 0
}
