package spike

import (
	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
)

// stripCells bounds the expanded spikes of a strip, so that they stay in a core's
// second-level cache with the potentials: the larger a strip, the fewer pixels are
// expanded for its neighbours too. Tests vary it: the results do not depend on it.
var stripCells = 96 << 10

// stripColumns bounds the columns of a strip, in output cells of the kernels: whole
// tiles of 32. byteColumns does where cells are bytes. Each was the faster one by some
// percent where it was tried, on a CPU with tiles and on Zen 4.
const stripColumns, byteColumns = 128, 64

// stripNeurons bounds the neurons of a strip, for the same reason.
const stripNeurons = 128 << 10

// A layout is the size of a strip in output pixels of a phase, and the place
// of the source pixels it needs, in cells.
type layout struct {
	rows, cols      int
	pitch           int // from a source row to the next
	remainderStride int
	size            int // of all expanded cells, what kernels read beyond them included
}

// layoutFor chooses strips for phases of rows x cols pixels, at least parts of
// them.
func (c *Conv) layoutFor(rows, cols, parts int) layout {
	l := layout{rows: 1, cols: cols}
	tile, columns := tileCells*c.side, stripColumns
	if c.kernels.bytes {
		columns = byteColumns
	}
	if pieces := machine.CeilDiv(cols, columns*c.side); pieces > 1 {
		l.cols = min(cols, machine.CeilDiv(machine.CeilDiv(cols, pieces), tile)*tile)
	}
	fits := func(rows, cols int) bool {
		return c.Footprint(rows, cols)*c.cell <= stripCells && c.neurons(rows, cols) <= stripNeurons
	}
	for l.cols > tile && !fits(4, l.cols) {
		l.cols = max(tile, machine.CeilDiv(l.cols/2, tile)*tile)
	}
	most := machine.CeilDiv(rows, machine.CeilDiv(parts, machine.CeilDiv(cols, l.cols)))
	for l.rows < most && fits(l.rows+1, l.cols) {
		l.rows++
	}
	l.pitch = (l.cols + c.LastCol) * c.cell
	l.remainderStride = (l.rows + c.LastRow) * l.pitch
	l.size = len(c.Remainders)*l.remainderStride + tile*c.cell + windowBytes
	return l
}

// across is the number of the kernels' output cells in a row of pixels.
func (c *Conv) across(cols int) int { return machine.CeilDiv(cols, c.side) }

// neurons is the number of lanes of a strip.
func (c *Conv) neurons(rows, cols int) int {
	return len(c.Phases) * c.outBlocks * rows * c.across(cols) * maskBits
}

// A task is one strip of an image in the hands of a worker.
type task struct {
	*Conv
	*scratch
	layout     layout
	i, j       int // first output pixel of the strip, in a phase
	rows, cols int
	h, w       int // of the sources
	sparse     bool
}

// gatherSpikes expands the pixels of a slice that the strip needs, with zeros
// beyond the border. Every cell is written in the order of addresses, for a pixel
// may be written together with what follows.
func (t *task) gatherSpikes(sources []*Tensor, step, n int) {
	for k, r := range t.Remainders {
		x := t.OriginX + t.j*t.InStepW + r.Col
		for i := range t.rows + t.LastRow {
			y := t.OriginY + (t.i+i)*t.InStepH + r.Row
			at := k*t.layout.remainderStride + i*t.layout.pitch
			if y < 0 || y >= t.h {
				t.clearCells(at, (t.cols+t.LastCol)*t.cell)
				continue
			}
			t.gatherRow(at, sources, step, n, y, x)
		}
	}
}

func (t *task) clearCells(at, n int) {
	if t.kernels.bytes {
		clear(t.args.bytes[at : at+n])
	} else {
		clear(t.args.words[at : at+n])
	}
}

// gatherRow expands the pixels (y, x), (y, x+InStepW), ... of a slice.
func (t *task) gatherRow(at int, sources []*Tensor, step, n, y, x int) {
	count := t.cols + t.LastCol
	from, to := kernel.Existing(x, t.InStepW, count, t.w)
	t.clearCells(at, from*t.cell)
	t.gatherPixels(at+from*t.cell, sources, step, n, y*t.w+x+from*t.InStepW, to-from)
	t.clearCells(at+to*t.cell, (count-to)*t.cell)
}

// gatherPixels expands count pixels that exist, InStepW apart.
func (t *task) gatherPixels(at int, sources []*Tensor, step, n, first, count int) {
	switch masks := Masks(sources[0].C); {
	case count == 0:
	case !t.merges(sources):
		for i := range count {
			t.gatherPixel(at+i*t.cell, sources, step, n, first+i*t.InStepW)
		}
	case len(sources) == 1 && t.InStepW == 1 && masks*maskBits == t.cell:
		t.expand(at, sources[0].Slice(step, n)[first*masks:(first+count)*masks])
	default:
		t.expand(at, t.merge(sources, step, n, first, count))
	}
}

// merges reports whether the bits of a pixel can be put together from masks: those
// of few channels, or of sources whose channels fill their masks.
func (t *task) merges(sources []*Tensor) bool {
	whole := true
	for i, s := range sources {
		if s.Values != nil {
			return false
		}
		whole = whole && (s.C%maskBits == 0 || i == len(sources)-1)
	}
	return whole || t.cell <= maskBits
}

// merge puts the bits of count pixels together, as many for each as it has cells.
func (t *task) merge(sources []*Tensor, step, n, first, count int) []uint16 {
	t.merged = machine.Grow(t.merged, machine.CeilDiv(count*t.cell, maskBits))
	if t.cell <= maskBits {
		t.mergeFew(sources, step, n, first, count)
		return t.merged
	}
	clear(t.merged)
	perPixel, at := t.cell/maskBits, 0
	for _, s := range sources {
		masks := Masks(s.C)
		bits := s.Slice(step, n)
		for i := range count {
			copy(t.merged[i*perPixel+at:][:masks], bits[(first+i*t.InStepW)*masks:])
		}
		at += masks
	}
	return t.merged
}

// mergeFew is merge for pixels of 4, 8 or 16 cells.
func (t *task) mergeFew(sources []*Tensor, step, n, first, count int) {
	t.pixels = machine.Grow(t.pixels, count+3)
	pixels := t.pixels[:count]
	clear(t.pixels)
	at := 0
	for _, s := range sources {
		bits := s.Slice(step, n)[first:]
		if t.InStepW == 1 {
			bits = bits[:len(pixels)]
			for i, b := range bits {
				pixels[i] |= b << at
			}
		} else {
			for i := range pixels {
				pixels[i] |= bits[i*t.InStepW] << at
			}
		}
		at += s.C
	}
	switch t.cell {
	case 4:
		for i := range t.merged {
			p := (*[4]uint16)(t.pixels[4*i:])
			t.merged[i] = p[0] | p[1]<<4 | p[2]<<8 | p[3]<<12
		}
	case 8:
		for i := range t.merged {
			t.merged[i] = t.pixels[2*i] | t.pixels[2*i+1]<<8
		}
	default:
		copy(t.merged, pixels)
	}
}

// expand turns masks into cells: whole lines by the kernels, the rest one by one.
// It may write up to 16 cells more than there are pixels.
func (t *task) expand(to int, masks []uint16) {
	whole := len(masks) &^ 3
	if t.kernels.bytes {
		t.kernels.expandBytes(t.args.bytes[to:to+whole*maskBits], masks[:whole])
		expandBytesGeneric(t.args.bytes[to+whole*maskBits:], masks[whole:])
	} else {
		t.kernels.expandWords(t.args.words[to:to+whole*maskBits], masks[:whole])
		expandWordsGeneric(t.args.words[to+whole*maskBits:], masks[whole:])
	}
}

// gatherPixel expands the channels of all sources at one pixel, 8 at a time. What
// lies beyond a source's last channel is 0 until the next one is written.
func (t *task) gatherPixel(at int, sources []*Tensor, step, n, pixel int) {
	end := at + t.cell
	for _, s := range sources {
		if s.Values != nil {
			t.gatherValues(at, s.Slots(step, n)[pixel*s.C:(pixel+1)*s.C])
			at += s.C
			continue
		}
		masks := Masks(s.C)
		bits := s.Slice(step, n)[pixel*masks : (pixel+1)*masks]
		for c := 0; c < s.C; c += 8 {
			b := byte(bits[c/maskBits] >> (c % maskBits))
			if t.kernels.bytes {
				*(*[8]int8)(t.args.bytes[at+c:]) = spread8[b]
			} else {
				*(*[8]int16)(t.args.words[at+c:]) = spread16[b]
			}
		}
		at += s.C
	}
	if at < end {
		t.clearCells(at, end-at)
	}
}

func (t *task) gatherValues(at int, values []int8) {
	if t.kernels.bytes {
		copy(t.args.bytes[at:], values)
		return
	}
	for i, v := range values {
		t.args.words[at+i] = int16(v)
	}
}
