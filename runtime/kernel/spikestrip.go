package kernel

// spikeCells bounds the expanded spikes of a strip, so that they stay in a core's
// second-level cache with the potentials: the larger a strip, the fewer pixels are
// expanded for its neighbours too. Tests vary it: the results do not depend on it.
var spikeCells = 96 << 10

// spikeColumns bounds the columns of a strip, in output cells: whole tiles of 32.
const spikeColumns = 128

// spikeNeurons bounds the neurons of a strip, for the same reason.
const spikeNeurons = 128 << 10

// A spikeLayout is the size of a strip in output cells of a phase, and the place
// of the source pixels it needs, in cells.
type spikeLayout struct {
	rows, cols      int
	pitch           int // from a source row to the next
	remainderStride int
	size            int // of all expanded cells, what kernels read beyond them included
}

// spikeLayoutFor chooses strips for phases of rows x cols cells, at least parts of
// them.
func (c *SpikeConv) spikeLayoutFor(rows, cols, parts int) spikeLayout {
	l := spikeLayout{rows: 1, cols: cols}
	if pieces := ceilDiv(cols, spikeColumns); pieces > 1 {
		l.cols = min(cols, ceilDiv(ceilDiv(cols, pieces), tileCells)*tileCells)
	}
	fits := func(rows, cols int) bool { return c.footprint(rows, cols)*c.cell <= spikeCells }
	for l.cols > tileCells && !fits(4, l.cols) {
		l.cols = max(tileCells, ceilDiv(l.cols/2, tileCells)*tileCells)
	}
	most := ceilDiv(rows, ceilDiv(parts, ceilDiv(cols, l.cols)))
	for l.rows < most && fits(l.rows+1, l.cols) && (l.rows+1)*l.cols*c.outBlocks*len(c.phases)*maskBits <= spikeNeurons {
		l.rows++
	}
	l.pitch = (l.cols + c.reachW) * c.cell
	l.remainderStride = (l.rows + c.reachH) * l.pitch
	l.size = len(c.remainders)*l.remainderStride + tileCells*c.cell + windowBytes
	return l
}

// A spikeTask is one strip of an image in the hands of a worker.
type spikeTask struct {
	*SpikeConv
	*spikeScratch
	layout     spikeLayout
	i, j       int // first cell of the strip
	rows, cols int
	h, w       int // of the sources
}

// gatherSpikes expands the pixels of a slice that the strip needs, with zeros
// beyond the border. Every cell is written in the order of addresses, for a pixel
// may be written together with what follows.
func (t *spikeTask) gatherSpikes(sources []*SpikeTrain, step, n int) {
	for k, r := range t.remainders {
		x := t.originX + t.j*t.inStepW + r.col
		for i := range t.rows + t.reachH {
			y := t.originY + (t.i+i)*t.inStepH + r.row
			at := k*t.layout.remainderStride + i*t.layout.pitch
			if y < 0 || y >= t.h {
				t.clearCells(at, (t.cols+t.reachW)*t.cell)
				continue
			}
			t.gatherRow(at, sources, step, n, y, x)
		}
	}
}

func (t *spikeTask) clearCells(at, n int) {
	if t.kernels.bytes {
		clear(t.args.bytes[at : at+n])
	} else {
		clear(t.args.words[at : at+n])
	}
}

// gatherRow expands the pixels (y, x), (y, x+inStepW), ... of a slice.
func (t *spikeTask) gatherRow(at int, sources []*SpikeTrain, step, n, y, x int) {
	count := t.cols + t.reachW
	before := 0
	if x < 0 {
		before = min(ceilDiv(-x, t.inStepW), count)
	}
	inside := before
	if from := x + before*t.inStepW; from < t.w {
		inside = min(before+ceilDiv(t.w-from, t.inStepW), count)
	}
	t.clearCells(at, before*t.cell)
	first := y*t.w + x + before*t.inStepW
	pixels, to := inside-before, at+before*t.cell
	src := sources[0]
	masks := SpikeMasks(src.C)
	switch {
	case pixels == 0:
	case len(sources) == 1 && src.Values == nil && t.inStepW == 1 && masks*maskBits == t.cell:
		t.expand(to, src.bitsAt(step, n)[first*masks:(first+pixels)*masks])
	default:
		for i := range pixels {
			t.gatherPixel(to+i*t.cell, sources, step, n, first+i*t.inStepW)
		}
	}
	t.clearCells(at+inside*t.cell, (count-inside)*t.cell)
}

// expand turns masks into cells: whole lines by the kernels, the rest one by one.
func (t *spikeTask) expand(to int, masks []uint16) {
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
func (t *spikeTask) gatherPixel(at int, sources []*SpikeTrain, step, n, pixel int) {
	end := at + t.cell
	for _, s := range sources {
		if s.Values != nil {
			t.gatherValues(at, s.valuesAt(step, n)[pixel*s.C:(pixel+1)*s.C])
			at += s.C
			continue
		}
		masks := SpikeMasks(s.C)
		bits := s.bitsAt(step, n)[pixel*masks : (pixel+1)*masks]
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

func (t *spikeTask) gatherValues(at int, values []int8) {
	if t.kernels.bytes {
		copy(t.args.bytes[at:], values)
		return
	}
	for i, v := range values {
		t.args.words[at+i] = int16(v)
	}
}
