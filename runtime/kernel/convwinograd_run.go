package kernel

import "spikingir/runtime/kernel/machine"

// A filterScratch is the memory of a worker for Winograd's convolution. It only grows.
type filterScratch struct {
	inputs  []float32   // transformed, [position][input channel][tile]
	sums    []float32   // of a block, [position][channel][tile]
	strip   []float32   // six rows of a channel of the source, or four of outputs
	vectors []float32   // of the transforms
	offsets []int       // from one input channel to the next
	reads   []tilePiece // of the block in hand
	writes  []tilePiece
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
}

// A filterTask computes blocks of tiles.
type filterTask struct {
	*WinogradConv
	tileGrid
	*filterScratch
	dst, src plane
	tail     Tail
}

// stripPitch is the room for a row of a block's patches.
const stripPitch = WinogradTile*filterTiles + filterLanes

// inputPitch is the number of floats from one position of the inputs to the next.
func (t *filterTask) inputPitch() int { return t.block*t.shape.InC + filterLanes }

// sumPitch is the same of the sums.
func (t *filterTask) sumPitch() int { return t.block*blockWidth + filterLanes }

func (t *filterTask) reserve() {
	t.inputs = machine.GrowAligned(t.inputs, WinogradPositions*t.inputPitch()+overrun)
	t.sums = machine.GrowAligned(t.sums, WinogradPositions*t.sumPitch()+overrun)
	t.strip = machine.GrowAligned(t.strip, WinogradPatch*stripPitch+overrun)
	t.vectors = machine.GrowAligned(t.vectors, WinogradPositions*filterLanes)
	t.filter.scratch = &t.vectors[0]
	t.offsets = machine.Grow(t.offsets, t.shape.InC)
	for c := range t.offsets {
		t.offsets[c] = c * t.block
	}
}

// run computes n tiles from at on. The sums over input channels are chains of fused
// multiply-adds in their order, those of a row kernel whose taps are the channels.
func (t *filterTask) run(at, n int) {
	t.cut(at, n)
	t.transformIn()
	a := &t.product
	a.channels, a.channelStride, a.resume, a.bias, a.direct = 1, 0, false, nil, nil
	a.offsets, a.n, a.dstStride = t.offsets, n, t.block
	for i := range t.blocks {
		b := &t.blocks[i]
		a.weightStep = b.width
		size := t.shape.InC * b.width
		for position := range WinogradPositions {
			a.dst, a.src = t.sums[position*t.sumPitch():], t.inputs[position*t.inputPitch():]
			a.weights = t.weights[i][position*size:][:size]
			a.nothingAhead()
			float32s.Kernels.convRow(a, b.width)
		}
		for k := range b.width {
			t.transformOut(b, k)
		}
	}
}

// transformIn transforms the inputs of the block. A kernel writes beyond the last tile
// of a piece, where the next piece or channel comes.
func (t *filterTask) transformIn() {
	a := &t.filter
	a.pitch = t.inputPitch()
	for c := range t.shape.InC {
		for i := range t.reads {
			p := &t.reads[i]
			a.image, a.row = t.patches(c, p)
			a.positions, a.tiles = t.inputs[c*t.block+p.at:], p.tiles
			float32s.Kernels.filterIn(a)
		}
	}
}

// patches gives the source cells of a piece, in a strip where they meet the border.
func (t *filterTask) patches(c int, p *tilePiece) (image []float32, row int) {
	w := t.src.w
	room := machine.CeilDiv(p.tiles, filterLanes)*filterLanes*WinogradTile + WinogradTile
	first := (c*t.src.h+p.y)*w + p.x
	if p.inside && first+(WinogradPatch-1)*w+room <= len(t.src.data) {
		return t.src.data[first:], w
	}
	src := t.src.channel(c)
	for i := range WinogradPatch {
		to := t.strip[i*stripPitch:][:p.tiles*WinogradTile+WinogradPatch-WinogradTile]
		if y := p.y + i; y >= 0 && y < t.src.h {
			copyRow(to, src[y*w:(y+1)*w], p.x)
		} else {
			clear(to)
		}
	}
	return t.strip, stripPitch
}

// transformOut transforms the sums of channel k of a block of channels. Vectors of
// tiles that do not fit in the image are written to a strip and copied.
func (t *filterTask) transformOut(b *block, k int) {
	a := &t.filter
	t.setTail(b, k)
	a.pitch = t.sumPitch()
	image := t.dst.channel(b.first + k)
	for i := range t.writes {
		p := &t.writes[i]
		to := image[p.y*t.dst.w+p.x:]
		a.image, a.row = to, t.dst.w
		if !p.inside {
			a.image, a.row = t.strip, stripPitch
		}
		a.positions, a.tiles = t.sums[k*t.block+p.at:], p.tiles
		float32s.Kernels.filterOut(a)
		height, width := min(WinogradTile, t.dst.h-p.y), min(p.tiles*WinogradTile, t.dst.w-p.x)
		for r := range height {
			row := to[r*t.dst.w:][:width]
			if !p.inside {
				copy(row, t.strip[r*stripPitch:])
			}
			if t.tail.Finish != nil && t.tail.Direct == nil {
				t.tail.Finish(b.first+k, row)
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
