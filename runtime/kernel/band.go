package kernel

// bandRows is the number of rows that a band kernel computes at once.
const bandRows = 6

// suitsBands tells whether the stencil is a window of 3 x 3 neighbours, row by
// row, that moves by one cell.
func (s *stencil) suitsBands() bool {
	one := s.InStepH == 1 && s.InStepW == 1 && s.OutStepH == 1 && s.OutStepW == 1
	if !one || len(s.Phases) != 1 || len(s.Remainders) != 1 || len(s.Phases[0].Taps) != 9 {
		return false
	}
	for i, t := range s.Phases[0].Taps {
		if t.Row != i/3 || t.Col != i%3 {
			return false
		}
	}
	return true
}

// cut computes blocks [lo, hi) of one group: by bands that read the source itself
// where that goes, which spares a single channel of output the copy of many of
// input, and from the strip elsewhere.
func (t *task) cut(c cut, lo, hi int) {
	if hi-lo > 1 || t.blocks[lo].width > 1 || !t.banded || !float32s.Kernels.directBands {
		t.group(c, lo, hi)
		return
	}
	first, last := t.bandRange(c)
	if first == last {
		t.group(c, lo, hi)
		return
	}
	above, below := c, c
	above.rows = first - c.i
	below.i, below.rows = last, c.i+c.rows-last
	c.i, c.rows = first, last-first
	if above.rows > 0 {
		t.group(above, lo, hi)
	}
	t.bands(c, &t.blocks[lo], t.weights[0][lo])
	if below.rows > 0 {
		t.group(below, lo, hi)
	}
}

// bandRange gives the rows of a cut that whole bands cover whose source rows all
// exist. There are none where more than one column of padding takes part.
func (t *task) bandRange(c cut) (first, last int) {
	left := t.OriginX + c.j
	if right := left + c.cols + 2; left < -1 || right > t.src.w+1 {
		return c.i, c.i
	}
	first = max(c.i, -t.OriginY)
	rows := min(c.i+c.rows, t.src.h-2-t.OriginY) - first
	if rows < bandRows {
		return c.i, c.i
	}
	return first, first + rows/bandRows*bandRows
}

// bands computes whole bands of a cut of a single channel, input channel after
// input channel, so that each is read once.
func (t *task) bands(c cut, b *block, weights []float32) {
	a := &t.args
	left := t.OriginX + c.j
	a.left, a.right = left < 0, left+c.cols+2 > t.src.w
	left = max(left, 0)
	a.n, a.channels, a.weightStep = c.cols, 1, 1
	a.dstPitch, a.srcPitch = t.dst.w, t.src.w
	dst := t.dst.channel(b.first)[c.i*t.dst.w+c.j:]
	for k := range t.inC {
		src := t.src.channel(b.group*t.inC + k)
		a.weights, a.resume, a.bias = weights[9*k:9*k+9], k > 0, nil
		if k == t.inC-1 {
			a.bias = t.bias(b)
		}
		for r := 0; r < c.rows; r += bandRows {
			at := (t.OriginY+c.i+r)*t.src.w + left
			a.dst, a.src = dst[r*t.dst.w:], src[at:]
			a.aheadStride = uintptr(t.src.w) * floatBytes
			switch {
			case r+bandRows < c.rows:
				a.aheadAt(&src[at+(bandRows+2)*t.src.w])
			case k+1 < t.inC:
				a.aheadAt(&t.src.channel(b.group*t.inC + k + 1)[(t.OriginY+c.i)*t.src.w+left])
			default:
				a.nothingAhead()
			}
			float32s.Kernels.convBand(a)
		}
	}
	t.finish(b, dst, c.rows, c.cols, t.dst.w, 0)
}

// bandLayout chooses rows and input channels of a strip for a single channel of
// output. Bands leave little to strips, so there are as many rows as a few tasks for
// each thread allow, in whole bands.
func (s *stencil) bandLayout(rows, cols int) (bandsRows, channels int) {
	const floats, tasks = 32 << 10, 6
	r := max(1, min(rows, stripCells/cols, min(floats, stripFloats)/s.pitch(cols)-s.LastRow))
	if few := max(bandRows, rows/tasks); r > few {
		r = few
	}
	if r > bandRows {
		r -= r % bandRows
	}
	return r, max(1, min(s.inC, min(floats, stripFloats)/s.Footprint(r, cols)))
}
