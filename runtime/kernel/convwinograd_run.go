package kernel

// A filterScratch is the memory of a worker for minimal filtering. It only grows.
type filterScratch struct {
	inputs  []float32 // transformed, [position][input channel][tile]
	sums    []float32 // of a block, [position][channel][tile]
	strip   []float32 // six rows of a channel of the source, or four of outputs
	vectors []float32 // of the transforms
	offsets []int     // from one input channel to the next
	ahead   filterAhead
	product rowArgs
	filter  filterArgs
}

// filterArgs are the arguments of the kernels that transform neighbouring tiles of a
// channel. Lengths are in floats; image and positions are those of the first tile,
// positions are pitch apart.
//
// The input kernel reads patches of 6 x 6 cells, 4 cells apart, from image; the
// output kernel writes tiles of 4 x 4 cells there, after the operations of a tail:
// each only if it is asked for. Tiles are computed by whole vectors of lanes, which
// both image and positions must have room for; what lies in the last ones beyond
// tiles means nothing.
type filterArgs struct {
	image, positions []float32
	row, pitch       int
	tiles            int
	scratch          *float32 // 36 vectors on a cache line

	bias, offset, scale, shift float32
	biased, affine, relu       bool
	ahead                      int // bytes from an output to one that comes soon
}

// A filterTask computes blocks of tiles.
type filterTask struct {
	*WinogradConv
	tileGrid
	*filterScratch
	dst, src plane
	tail     Tail
	apart    int // tiles from a block of a worker to its next, as a rule
}

// stripPitch is the room for a row of a block's patches.
const stripPitch = winogradTile*filterTiles + filterLanes

// inputPitch is the number of floats from one position of the inputs to the next.
func (t *filterTask) inputPitch() int { return t.block*t.shape.InC + filterLanes }

// sumPitch is the same of the sums.
func (t *filterTask) sumPitch() int { return t.block*blockWidth + filterLanes }

func (t *filterTask) reserve() {
	t.inputs = growAligned(t.inputs, winogradPositions*t.inputPitch()+overrun)
	t.sums = growAligned(t.sums, winogradPositions*t.sumPitch()+overrun)
	t.strip = growAligned(t.strip, winogradPatch*stripPitch+overrun)
	t.vectors = growAligned(t.vectors, winogradPositions*filterLanes)
	t.filter.scratch = &t.vectors[0]
	t.offsets = grow(t.offsets, t.tapsOf())
	for c := range t.offsets {
		t.offsets[c] = c * t.block
	}
}

// tapsOf is how many input channels the row kernel takes for one: those between which
// it fetches a line ahead.
func (t *filterTask) tapsOf() int {
	const few = 4
	if t.shape.InC%few == 0 {
		return few
	}
	return t.shape.InC
}

// run computes n tiles from at on. The sums over input channels are chains of fused
// multiply-adds in their order, those of a row kernel whose taps are the channels.
func (t *filterTask) run(at, n int) {
	t.transformIn(at, n)
	a := &t.product
	taps := len(t.offsets)
	a.channels, a.channelStride, a.resume, a.bias, a.direct = t.shape.InC/taps, taps*t.block, false, nil, nil
	a.offsets, a.n, a.dstStride = t.offsets, n, t.block
	t.lookAhead(at+t.apart, a.channels)
	for i := range t.blocks {
		b := &t.blocks[i]
		a.weightStep = b.width
		size := t.shape.InC * b.width
		for position := range winogradPositions {
			a.dst, a.src = t.sums[position*t.sumPitch():], t.inputs[position*t.inputPitch():]
			a.weights = t.weights[i][position*size:][:size]
			t.ahead.next(a)
			float32s.kernels.convRow(a, b.width)
		}
		for k := range b.width {
			t.transformOut(b, k, at, n)
		}
	}
}

// place is where tile at lies, and how many of n tiles from there on are in its row.
func (g tileGrid) place(at, n int) (y, x, tiles int) {
	y, x = at/g.cols, at%g.cols
	return y * winogradTile, x * winogradTile, min(n, g.cols-x)
}

// transformIn transforms the inputs of n tiles from at on. A kernel writes beyond the
// last of them, where the next row of tiles or channel comes.
func (t *filterTask) transformIn(at, n int) {
	a := &t.filter
	a.pitch = t.inputPitch()
	for c := range t.shape.InC {
		for done := 0; done < n; done += a.tiles {
			y, x, tiles := t.place(at+done, n-done)
			a.tiles = tiles
			a.image, a.row = t.patches(c, y-t.shape.PadTop, x-t.shape.PadLeft, tiles)
			a.positions = t.inputs[c*t.block+done:]
			float32s.kernels.filterIn(a)
		}
	}
}

// patches gives the source cells of the patches from row y, column x of a channel on,
// in a strip where they meet the border.
func (t *filterTask) patches(c, y, x, tiles int) (image []float32, row int) {
	src := t.src.channel(c)
	room := ceilDiv(tiles, filterLanes)*filterLanes*winogradTile + winogradTile
	first := (c*t.src.h+y)*t.src.w + x
	if y >= 0 && y+winogradPatch <= t.src.h && x >= 0 && x+tiles*winogradTile+2 <= t.src.w &&
		first+(winogradPatch-1)*t.src.w+room <= len(t.src.data) {
		return t.src.data[first:], t.src.w
	}
	for i := range winogradPatch {
		row := t.strip[i*stripPitch:][:tiles*winogradTile+2]
		if y+i < 0 || y+i >= t.src.h {
			clear(row)
			continue
		}
		copyStrided(row, src[(y+i)*t.src.w:(y+i+1)*t.src.w], x, 1)
	}
	return t.strip, stripPitch
}

// transformOut transforms the sums of channel k of a block, those of n tiles from at
// on. Tiles of a vector that does not fit in the image are written to a strip and
// copied.
func (t *filterTask) transformOut(b *block, k, at, n int) {
	a := &t.filter
	t.setTail(b, k)
	a.pitch, a.ahead = t.sumPitch(), t.dst.h*t.dst.w*floatBytes
	image, lanes := t.dst.channel(b.first+k), max(float32s.kernels.lanes, 1)
	for done := 0; done < n; {
		y, x, tiles := t.place(at+done, n-done)
		height := min(winogradTile, t.dst.h-y)
		whole := min(tiles, (t.dst.w-x)/winogradTile) / lanes * lanes
		if height < winogradTile {
			whole = 0
		}
		a.positions = t.sums[k*t.block+done:]
		to := image[y*t.dst.w+x:]
		done += tiles
		if whole > 0 {
			a.image, a.row, a.tiles = to, t.dst.w, whole
			float32s.kernels.filterOut(a)
		}
		if whole < tiles {
			a.positions = a.positions[whole:]
			a.image, a.row, a.tiles = t.strip, stripPitch, tiles-whole
			float32s.kernels.filterOut(a)
			from := whole * winogradTile
			width := min(tiles*winogradTile, t.dst.w-x) - from
			for r := range height {
				copy(to[r*t.dst.w+from:][:width], t.strip[r*stripPitch:])
			}
		}
		if t.tail.Finish != nil && t.tail.Direct == nil {
			for r := range height {
				t.tail.Finish(b.first+k, to[r*t.dst.w:][:min(tiles*winogradTile, t.dst.w-x)])
			}
		}
	}
}

// setTail makes the output kernel do what the tail says for channel k of a block.
func (t *filterTask) setTail(b *block, k int) {
	a := &t.filter
	bias := b.bias
	if t.tail.Bias != nil {
		bias = t.tail.Bias[b.first:]
	}
	a.biased, a.affine, a.relu = bias != nil, false, false
	if a.biased {
		a.bias = bias[k]
	}
	if d := t.tail.Direct; d != nil {
		a.relu = d.Relu
		if d.Scale != nil {
			o := b.first + k
			a.affine, a.offset, a.scale, a.shift = true, d.Offset[o], d.Scale[o], d.Shift[o]
		}
	}
}
