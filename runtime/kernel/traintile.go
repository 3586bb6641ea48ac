package kernel

// tileKernels are the kernels of training convolutions on tiles of bfloat16: 16 rows
// of 32 numbers times 16 pairs of rows of 16. A float32 is the sum of terms in
// bfloat16, 8 bits each: see splitTerms. A spike is one term. Sums of spikes forwards
// are on tiles of bytes.
type tileKernels struct {
	// Products work like tileProductGeneric with tilePairs of the same place.
	products [tileProducts]func(a *tileArgs)
	// The others work like splitTermsGeneric, pairTermsGeneric, turnMasksGeneric and
	// turnPairsGeneric.
	split     func(dst []uint16, plane, terms int, src []float32)
	pair      func(dst []uint16, plane int, src []float32, stride, pixels int)
	turnMasks func(dst []uint16, stride int, masks []uint16)
	turnPairs func(dst []uint16, stride int, pairs []uint16)
	peak      func(n int) (ops int)
	// filters work like filterGeneric with filterPairs of the same place, the transforms
	// like winogradTermsGeneric and so on.
	filters                                                   [filterProducts]func(a *tileFilterArgs)
	winogradTerms, winogradPairs, gradientPairs, winogradTaps func(a *winogradArgs)
	bytes                                                     byteKernels
	// sumBelow and gradientsBelow are the shares of spikes, in percent, below which
	// sums of listed ones are faster.
	sumBelow, gradientsBelow int
}

// Products of tiles, by what the left factor is.
const (
	ofNumbers        = iota // forwards: all of both
	ofSpikesBackward        // gradient of the weights of spikes
	ofBackward              // gradients by numbers
	tileProducts
)

// A termPair is a term of the left factor and one of the right one.
type termPair struct{ left, right int }

// tilePairs are the pairs of terms whose products are added, in their order. Of a
// product of two float32 those left out are less than 2^-23 forwards, and less than
// 2^-16 backwards.
var tilePairs = [tileProducts][]termPair{
	ofNumbers:        {{0, 0}, {0, 1}, {1, 0}, {1, 1}, {2, 0}, {0, 2}},
	ofSpikesBackward: {{0, 0}, {0, 1}},
	ofBackward:       {{0, 0}, {0, 1}, {1, 0}},
}

const (
	tileRows = 16 // of sums, pixels or input channels
	tileCols = 16 // of sums, output channels
	tileDeep = 32 // terms of a sum that a step adds
	// tileSize is the size of a tile of terms, tileSums that of one of sums.
	tileSize = tileRows * tileDeep
	tileSums = tileRows * tileCols
	// tileGroup is the number of tiles of sums that kernels hold at once.
	tileGroup = 4
	// oneTerm is 1 in bfloat16.
	oneTerm = 0x3f80
)

// A tileArgs is the arguments of a product kernel on tiles. It sets, for tiles i of
// rows, r < tileRows and o < tileCols,
//
//	c[sums[i]+r*cStride+o] = sum over steps s, pairs (m, n) of terms, k < tileDeep:
//		a[m*aPlane+rows[i]+steps[s]+r*aStride+k] *
//		b[n*bPlane+s*bStep+k/2*2*tileCols+2*o+k%2]
//
// or, with add, adds that sum. Tiles come in groups of tileGroup.
type tileArgs struct {
	c               []float32
	a, b            []uint16
	rows, sums      []int32
	steps           []int32
	aPlane, aStride int
	bPlane, bStep   int
	cStride         int
	add             bool
}

// A tilePlan is a trainPlan on tiles: the sums of 16 pixels by 16 output channels.
// Pixels are numbered over the rows of the padded copy, whose width is even; the
// sums of pixels that the output has not are dropped.
type tilePlan struct {
	p      *trainPlan
	padW   int
	terms  int // of a weight
	pixels int // of the padded copy, and behind it
	taps   []int32
	rows   []int32 // see tileArgs; all groups
	sums   []int32 // those of a strip
	steps  []int32
	packed []uint16  // [outC/16][taps][inC/32][terms][16][16][2]
	block  []float32 // of setWeights, [taps][16][16][2]
}

// tileStrip is the number of groups of tiles whose sums are computed before they are
// copied to the output, while they are in a near cache.
const tileStrip = 4

// tilesSuit tells whether tiles can hold the channels.
func tilesSuit(s TrainShape) bool {
	return s.Group == 1 && s.StrideH == 1 && s.StrideW == 1 && s.InC%tileDeep == 0 && s.OutC%tileDeep == 0
}

// newTilePlan makes a plan for weights of some terms.
func newTilePlan(p *trainPlan, terms int) *tilePlan {
	t := &tilePlan{p: p, terms: terms, padW: (p.padW + 1) / 2 * 2}
	last := int32(0)
	for _, tap := range p.taps {
		at := tap/int32(p.padW)*int32(t.padW) + tap%int32(p.padW)
		t.taps = append(t.taps, at)
		last = max(last, at)
		for k := 0; k < p.inC; k += tileDeep {
			t.steps = append(t.steps, at*int32(p.inC)+int32(k))
		}
	}
	count := ceilDiv((p.dstH-1)*t.padW+p.dstW, tileGroup*tileRows) * tileGroup
	for i := range count {
		t.rows = append(t.rows, int32(i*tileRows*p.inC))
	}
	for i := range min(count, tileStrip*tileGroup) {
		t.sums = append(t.sums, int32(i*tileRows*p.outC))
	}
	t.pixels = max(count*tileRows+int(last), p.padH*t.padW)
	t.packed = aligned[uint16](p.outC / tileCols * len(t.steps) * terms * tileSize)
	return t
}

// setWeights packs all weights.
func (t *tilePlan) setWeights(k *tileKernels, w weightOrder) {
	taps, chunks := len(t.taps), t.p.inC/tileDeep
	t.block = growAligned(t.block, taps*tileSize)
	for out := 0; out < t.p.outC; out += tileCols {
		for in := 0; in < t.p.inC; in += tileDeep {
			t.fillBlock(w, out, in)
			for tap := range taps {
				step := (out/tileCols*taps+tap)*chunks + in/tileDeep
				k.split(t.packed[step*t.terms*tileSize:], tileSize, t.terms, t.block[tap*tileSize:(tap+1)*tileSize])
			}
		}
	}
}

// fillBlock lays out the weights from tileDeep channels from in on to tileCols channels
// from out on, a tile for each tap.
func (t *tilePlan) fillBlock(w weightOrder, out, in int) {
	for i := range tileDeep {
		for o := range tileCols {
			to := t.block[i/2*2*tileCols+2*o+i%2:]
			for tap, x := range w.weights[(in+i)*w.in+(out+o)*w.out:][:len(t.taps)] {
				to[tap*tileSize] = x
			}
		}
	}
}

// trainTiles are the plans of a TrainConv on tiles: of sums of spikes, and for the rest
// either a filter, or else the others.
type trainTiles struct {
	bytes             *bytePlan
	filter            *tileFilter // of both gradients; nil for most shapes
	forward, backward *tilePlan
	weights           *tileWeights
}

// newTiles makes the plans: weights of three terms forwards, which is all of a
// float32, and two backwards.
func (c *TrainConv) newTiles() *trainTiles {
	t := &trainTiles{bytes: newBytePlan(&c.forward)}
	if c.forward.fast != nil && c.backward.fast != nil {
		t.filter = newTileFilter(c)
		return t
	}
	t.forward, t.backward = newTilePlan(&c.forward, 3), newTilePlan(&c.backward, 2)
	t.weights = newTileWeights(t.forward)
	return t
}

// haveTiles tells whether an implementation on this CPU computes on tiles.
func haveTiles() bool {
	for _, e := range trains.entries {
		if e.available && e.kernels.tiles != nil {
			return true
		}
	}
	return false
}

// onTiles tells whether the selected implementation computes the convolution on tiles.
func (c *TrainConv) onTiles() bool { return c.tiles != nil && c.kernels.tiles != nil }

// share tells whether less than a percentage of all spikes fire.
func (c *TrainConv) share(spikes []uint64, slices, percent int) bool {
	return CountSpikes(spikes)*100 < percent*slices*c.shape.InSize()
}

// A tileScratch is the part of a TrainScratch that tiles need.
type tileScratch struct {
	args        tileArgs
	left, right []uint16
	masks       []uint16
	pairs       []uint16
	sums        []float32
	bytes       byteScratch

	// Of a tileFilter.
	inputFilter, weightFilter tileFilterArgs
	planes                    filterPlanes
	filterSums                int // from one position of the input's gradient to the next
	filled                    int // tiles in the block of the weights' gradient
	turned                    []uint16
}

// numbers sets dst to the sums of some slices of numbers, ofNumbers or ofBackward.
func (t *tilePlan) numbers(k *tileKernels, sc *TrainScratch, dst, src []float32, slices, product int) {
	p := t.p
	in, out := p.srcH*p.srcW*p.inC, p.dstH*p.dstW*p.outC
	for s := range slices {
		t.split(k, sc, t.terms, src[s*in:(s+1)*in])
		t.products(k, sc, dst[s*out:(s+1)*out], product)
	}
}

// split makes the padded copies of some terms of a slice.
func (t *tilePlan) split(k *tileKernels, sc *TrainScratch, terms int, src []float32) {
	left := t.clearLeft(sc, terms)
	row := t.p.srcW * t.p.inC
	t.eachRow(func(at, y, first, end int) {
		k.split(left[at*t.p.inC:], t.pixels*t.p.inC, terms, src[y*row+first*t.p.inC:y*row+end*t.p.inC])
	})
}

// clearLeft gives memory for some terms of the padded copy, 0 where the source has no
// pixel.
func (t *tilePlan) clearLeft(sc *TrainScratch, terms int) []uint16 {
	n := t.pixels * t.p.inC
	s := &sc.tiles
	s.left = growAligned(s.left, terms*n)
	for m := range terms {
		plane, done := s.left[m*n:(m+1)*n], 0
		t.eachRow(func(at, _, first, end int) {
			clear(plane[done*t.p.inC : at*t.p.inC])
			done = at + end - first
		})
		clear(plane[done*t.p.inC:])
	}
	return s.left
}

// eachRow calls f for each row y of the source that is in the padded copy: pixels
// first to end of it belong at pixel at.
func (t *tilePlan) eachRow(f func(at, y, first, end int)) {
	p := t.p
	first, end := p.columns()
	if first == end {
		return
	}
	for y := range p.srcH {
		if row := p.top + y; row >= 0 && row < p.padH {
			f(row*t.padW+p.left+first, y, first, end)
		}
	}
}

// products sets dst to the sums, of the padded copy in the scratch.
func (t *tilePlan) products(k *tileKernels, sc *TrainScratch, dst []float32, product int) {
	p, s, a := t.p, &sc.tiles, &sc.tiles.args
	s.sums = growAligned(s.sums, len(t.sums)*tileRows*p.outC)
	a.a, a.aPlane, a.aStride = s.left, t.pixels*p.inC, p.inC
	a.bPlane, a.bStep = tileSize, t.terms*tileSize
	a.steps, a.cStride, a.add = t.steps, p.outC, false
	for first := 0; first < len(t.rows); first += len(t.sums) {
		a.rows = t.rows[first:min(first+len(t.sums), len(t.rows))]
		a.sums = t.sums[:len(a.rows)]
		for o := 0; o < p.outC; o += tileCols {
			a.b = t.packed[o/tileCols*len(t.steps)*t.terms*tileSize:]
			a.c = s.sums[o:]
			k.products[product](a)
		}
		t.store(dst, s.sums, first*tileRows, (first+len(a.rows))*tileRows)
	}
}

// store copies the sums of pixels from to end to the output, where it has them.
func (t *tilePlan) store(dst, sums []float32, from, end int) {
	p := t.p
	for pixel := from; pixel < end; {
		y, x := pixel/t.padW, pixel%t.padW
		n := min(t.padW-x, end-pixel)
		if y >= p.dstH {
			return
		}
		if x < p.dstW {
			row := sums[(pixel-from)*p.outC:]
			copy(dst[(y*p.dstW+x)*p.outC:][:min(n, p.dstW-x)*p.outC], row)
		}
		pixel += n
	}
}
