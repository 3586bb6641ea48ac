package kernel

import "unsafe"

// filterAhead is what of the source a worker's next block of tiles needs, line by
// line: the row kernel fetches some of it from far memory with every product.
type filterAhead struct {
	first                 uintptr // of the first channel
	row, plane            uintptr // bytes
	lines, parts          int     // of a row; of the channels, as many as a row kernel fetches at once
	part                  uintptr // bytes
	atRow, atLine, atPart int
}

// lookAhead finds the rows of the first tiles of a block; channels is how many lines
// a row kernel fetches.
func (t *filterTask) lookAhead(at, channels int) {
	h := &t.ahead
	*h = filterAhead{}
	if at >= t.count() {
		return
	}
	y, x, tiles := t.place(at, t.block)
	from := max(0, y-t.shape.PadTop)*t.src.w + max(0, x-t.shape.PadLeft)
	if from >= t.src.h*t.src.w {
		return
	}
	h.first = uintptr(unsafe.Pointer(&t.src.data[from]))
	h.row, h.plane = uintptr(t.src.w*floatBytes), uintptr(t.src.h*t.src.w*floatBytes)
	h.lines, h.parts = ceilDiv(tiles*winogradTile, line)+1, t.shape.InC/channels
	h.part = h.plane * uintptr(channels)
	h.atRow = winogradPatch - 1 // the first rows were those of other tiles before
}

// next makes a row kernel fetch lines of one place of several channels, or what it has.
func (h *filterAhead) next(a *rowArgs) {
	if h.lines == 0 || h.atRow < 0 {
		a.nothingAhead()
		return
	}
	a.ahead = h.first + uintptr(h.atRow)*h.row + uintptr(h.atLine*line*floatBytes) + uintptr(h.atPart)*h.part
	a.aheadStride = h.plane
	if h.atPart++; h.atPart < h.parts {
		return
	}
	h.atPart = 0
	if h.atLine++; h.atLine < h.lines {
		return
	}
	h.atLine = 0
	h.atRow--
}
