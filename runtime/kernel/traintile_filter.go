package kernel

// Minimal filtering on tiles: the transformed numbers are split in terms, and the
// products at each of the 36 positions are tiles of terms. Transforms of spikes are
// whole numbers up to 100, which are single terms; of others the first two terms are
// taken, and of their products those that are 2^-16 and more.

// tileFilterArgs are the arguments of the products at all positions. They set, for
// p < positions, r < 32*rows and o < 32*cols,
//
//	c[p*cPosition+r*cStride+o] = sum over steps s, pairs (m, n) of terms, k < tileDeep:
//		a[p*aPosition+m*aPlane+r*aStride+s*tileDeep+k] *
//		b[p*bPosition+n*bPlane+(o/16*steps+s)*tileSize+k/2*32+o%16*2+k%2]
//
// or, with add, add that sum.
type tileFilterArgs struct {
	c                          []float32
	a, b                       []uint16
	positions                  int
	rows, cols                 int // pairs of tiles
	steps                      int
	aPosition, aPlane, aStride int
	bPosition, bPlane          int
	cPosition, cStride         int
	add                        bool
}

// Products of filters, by what the left factor is.
const (
	filterOfSpikes  = iota // one term
	filterOfNumbers        // two
	filterProducts
)

// filterPairs are the pairs of terms whose products are added, in their order.
var filterPairs = [filterProducts][]termPair{
	filterOfSpikes:  {{0, 1}, {0, 0}},
	filterOfNumbers: {{0, 1}, {0, 0}, {1, 0}},
}

const (
	// tileFilterTiles is the number of tiles of pixels that go through a gradient by the
	// input at once, filterDeep of one by the weights: they and the weights, or their
	// sums, fit the second cache.
	tileFilterTiles = 2 * tileRows
	filterDeep      = tileDeep
)

// A tileFilter computes both gradients of a convolution. Its transforms of weights are
// made by one goroutine at a time.
type tileFilter struct {
	backward, forward *winograd
	packed            []uint16  // [36][2][outC/16][inC/2][16][2] of the gradient by the input
	weights, vectors  []float32 // of setWeights
	transform         winogradArgs
}

// newTileFilter makes a filter for a convolution that tiles suit and minimal filtering.
func newTileFilter(c *TrainConv) *tileFilter {
	p := &c.backward
	return &tileFilter{
		backward: p.fast, forward: c.forward.fast,
		packed: aligned[uint16](winogradPositions * 2 * p.inC * p.outC),
	}
}

// filterPitch is the number of floats from one tap, or position, of 16 x 16 weights to
// the next.
const filterPitch = trainLanes*trainLanes + trainLanes

// setWeights transforms weights of the gradient by the input.
func (t *tileFilter) setWeights(k *tileKernels, weights weightOrder) {
	const taps = 9
	p := &t.backward.plan
	plane := p.inC * p.outC
	if t.weights == nil {
		t.weights = aligned[float32]((taps + winogradPositions) * filterPitch)
		t.vectors = aligned[float32](winogradPositions * trainLanes)
	}
	a := &t.transform
	*a = winogradArgs{
		image: t.weights, positions: t.weights[taps*filterPitch:], row: filterPitch, pitch: filterPitch,
		channels: trainLanes * trainLanes, scratch: &t.vectors[0],
	}
	for i := 0; i < p.inC; i += trainLanes {
		for o := 0; o < p.outC; o += trainLanes {
			for lane := range a.channels {
				at := (i+lane/trainLanes)*weights.in + (o+lane%trainLanes)*weights.out
				for tap, w := range weights.weights[at:][:taps] {
					t.weights[(taps-1-tap)*filterPitch+lane] = w // turned round
				}
			}
			k.winogradTaps(a)
			for position := range winogradPositions {
				to := t.packed[position*2*plane+o*p.inC+i*trainLanes:]
				k.pair(to, plane, a.positions[position*filterPitch:], trainLanes, trainLanes)
			}
		}
	}
}

// filterBand is the number of float32 of the output's gradient, of all slices, whose
// tiles go through both gradients before the next: they fit the second cache.
const filterBand = 1 << 18

// run computes the gradients that b asks for.
func (t *tileFilter) run(c *TrainConv, sc *TrainScratch, b *TrainBackward) {
	f, p := t.forward, &t.backward.plan
	rows := max(1, filterBand/max(1, b.Slices*winogradTile*p.srcW*p.inC))
	if b.GW != nil {
		t.beginWeights(sc, b)
	}
	if b.GX != nil {
		t.beginInput(sc)
	}
	for y := 0; y < max(f.inputs.tilesH, t.backward.inputs.tilesH); y += rows {
		weights, input := f.inputs.band(y, rows), t.backward.inputs.band(y, rows)
		ready := 0
		if b.GW != nil {
			ready = f.outputs.needs(weights)
		}
		if b.GX != nil {
			ready = max(ready, t.backward.inputs.needs(input))
		}
		b.ready(ready)
		if b.GW != nil {
			t.addWeights(c.kernels, sc, b, weights)
		}
		if b.GX != nil {
			t.setInput(c.kernels, sc, b, input)
		}
	}
	b.ready(c.shape.OutH)
	if b.GW != nil && b.Slices > 0 {
		t.endWeights(c, sc, b)
	}
}

// A filterPlanes is where the terms of a block are: left and right have planes of some
// elements, those of turned have all the channels of a position.
type filterPlanes struct{ left, right, turned, terms int }

// beginInput makes room for the gradient by the input.
func (t *tileFilter) beginInput(sc *TrainScratch) {
	w, p, s := t.backward, &t.backward.plan, &sc.tiles
	w.growTransform(sc)
	// The cache lines between planes keep positions from having one place in a cache.
	plane := tileFilterTiles*p.inC + tileDeep
	s.filterSums = tileFilterTiles*p.outC + trainLanes
	s.left = growAligned(s.left, winogradPositions*2*plane)
	sc.outputs = growAligned(sc.outputs, winogradPositions*s.filterSums)
	s.inputFilter = tileFilterArgs{
		c: sc.outputs, a: s.left, b: t.packed, positions: winogradPositions,
		rows: 1, cols: p.outC / (2 * tileCols), steps: p.inC / tileDeep,
		aPosition: 2 * plane, aPlane: plane, aStride: p.inC,
		bPosition: 2 * p.inC * p.outC, bPlane: p.inC * p.outC, cPosition: s.filterSums, cStride: p.outC,
	}
}

// setInput sets the gradient by the input at the tiles of a band.
func (t *tileFilter) setInput(k *trainKernels, sc *TrainScratch, b *TrainBackward, band tileBand) {
	w, s, a := t.backward, &sc.tiles, &sc.transform
	tiles := b.Slices * band.rows * w.inputs.tilesW
	for at := 0; at < tiles; at += tileFilterTiles {
		n := min(tileFilterTiles, tiles-at)
		a.terms, a.plane, a.pitch, a.first = s.left, s.inputFilter.aPlane, s.inputFilter.aPosition, 0
		w.inputs.transform(k.tiles.winogradTerms, sc, patchInput{numbers: b.GY}, band, at, n, nil)
		k.tiles.filters[filterOfNumbers](&s.inputFilter)
		a.pitch = s.filterSums
		w.transformOut(k, sc, b.GX, band, at, n)
	}
}

// beginWeights makes room for the gradient by the weights.
func (t *tileFilter) beginWeights(sc *TrainScratch, b *TrainBackward) {
	w, p, s := t.forward, &t.forward.plan, &sc.tiles
	w.growTransform(sc)
	f := &s.planes
	*f = filterPlanes{left: filterDeep*p.inC + tileDeep, right: filterDeep*p.outC + tileDeep, turned: filterDeep * p.inC, terms: 1}
	if b.X != nil {
		f.terms = 2
	}
	s.pairs = growAligned(s.pairs, winogradPositions*f.terms*f.left)
	s.right = growAligned(s.right, winogradPositions*2*f.right)
	s.turned = growAligned(s.turned, 2*f.turned)
	sc.positions = growAligned(sc.positions, winogradPositions*w.sumPitch())
	s.filled = 0
	s.weightFilter = tileFilterArgs{
		a: s.turned, positions: 1, rows: p.inC / (2 * tileRows), cols: p.outC / (2 * tileCols), steps: filterDeep / tileDeep,
		aPlane: f.turned, aStride: filterDeep, bPosition: 2 * f.right, bPlane: f.right, cStride: p.outC,
	}
}

// addWeights adds the tiles of a band to the block at hand, and full blocks to the sums.
func (t *tileFilter) addWeights(k *trainKernels, sc *TrainScratch, b *TrainBackward, band tileBand) {
	w, a, s := t.forward, &sc.transform, &sc.tiles
	f := &s.planes
	tiles := b.Slices * band.rows * w.inputs.tilesW
	for at := 0; at < tiles; {
		n := min(filterDeep-s.filled, tiles-at)
		a.chunk, a.terms, a.plane, a.pitch = filterDeep*tileRows, s.pairs, f.left, f.terms*f.left
		a.first, a.two = s.filled, f.terms == 2
		w.inputs.transform(k.tiles.winogradPairs, sc, patchInput{b.X, b.Spikes}, band, at, n, nil)
		a.terms, a.plane, a.pitch = s.right, f.right, 2*f.right
		a.first, a.two = s.filled, true
		w.outputs.transform(k.tiles.gradientPairs, sc, patchInput{numbers: b.GY}, band, at, n, nil)
		at += n
		if s.filled += n; s.filled == filterDeep {
			t.multiplyWeights(k.tiles, sc)
		}
	}
}

// multiplyWeights adds a block to the sums.
func (t *tileFilter) multiplyWeights(k *tileKernels, sc *TrainScratch) {
	s, f := &sc.tiles, &sc.tiles.weightFilter
	for position := range winogradPositions {
		t.turn(k, s, position)
		f.b, f.c = s.right[position*f.bPosition:], sc.positions[position*t.forward.sumPitch():]
		k.filters[s.planes.terms-1](f)
	}
	f.add, s.filled = true, 0
}

// endWeights adds what is left in the block, and all sums to the gradient.
func (t *tileFilter) endWeights(c *TrainConv, sc *TrainScratch, b *TrainBackward) {
	s, f := &sc.tiles, &sc.tiles.planes
	if s.filled > 0 {
		t.clearRest(s.pairs, f.left, winogradPositions*f.terms, s.filled)
		t.clearRest(s.right, f.right, winogradPositions*2, s.filled)
		t.multiplyWeights(c.kernels.tiles, sc)
	}
	sc.transform.pitch = t.forward.sumPitch()
	c.addTaps(b.GW, c.finishTiles(sc), false)
}

// clearRest makes the terms behind the first tiles of a block 0, those of the last one's
// pair being 0 already.
func (t *tileFilter) clearRest(terms []uint16, plane, planes, tiles int) {
	const chunk = filterDeep * tileRows
	for m := range planes {
		for at := m * plane; at+chunk <= (m+1)*plane; at += chunk {
			clear(terms[at+(tiles+1)/2*2*tileRows : at+chunk])
		}
	}
}

// turn lays out the inputs at a position, [terms][inC][tiles].
func (t *tileFilter) turn(k *tileKernels, s *tileScratch, position int) {
	const chunk = filterDeep * tileRows
	f := &s.planes
	for m := range f.terms {
		for in := 0; in < t.forward.plan.inC; in += tileRows {
			from := s.pairs[(position*f.terms+m)*f.left+in/tileRows*chunk:][:chunk]
			k.turnPairs(s.turned[m*f.turned+in*filterDeep:], filterDeep, from)
		}
	}
}

// genericFilters are the products in Go.
func genericFilters() (products [filterProducts]func(a *tileFilterArgs)) {
	for i, pairs := range filterPairs {
		products[i] = func(a *tileFilterArgs) { filterGeneric(a, pairs) }
	}
	return products
}

// filterGeneric is the kernel of tileFilterArgs in Go.
func filterGeneric(a *tileFilterArgs, pairs []termPair) {
	for p := range a.positions {
		for r := range 2 * tileRows * a.rows {
			for o := 0; o < 2*tileCols*a.cols; o += tileCols {
				var sums [tileCols]float32
				c := a.c[p*a.cPosition+r*a.cStride+o:][:tileCols]
				if a.add {
					copy(sums[:], c)
				}
				for s := range a.steps {
					for _, terms := range pairs {
						left := a.a[p*a.aPosition+terms.left*a.aPlane+r*a.aStride+s*tileDeep:][:tileDeep]
						right := a.b[p*a.bPosition+terms.right*a.bPlane+(o/tileCols*a.steps+s)*tileSize:][:tileSize]
						addTile(sums[:], left, right)
					}
				}
				copy(c, sums[:])
			}
		}
	}
}

// winogradTermsGeneric is the input kernel to two terms in Go: those of channel c of
// tile i are element i*channels+c.
func winogradTermsGeneric(a *winogradArgs) {
	eachPosition(a, winogradPatch, func(tile, c, position int, v float32) {
		at := position*a.pitch + (a.first+tile)*a.channels + c
		var rest float32
		a.terms[at], rest = nextTerm(v)
		a.terms[a.plane+at], _ = nextTerm(rest)
	})
}

// winogradPairsGeneric is the input kernel to terms of pairs of tiles in Go: those of
// channel c of tile i are element c/16*chunk + i/2*32 + c%16*2 + i%2. The first tile
// of a pair makes those of the second 0.
func winogradPairsGeneric(a *winogradArgs) { pairsGeneric(a, winogradPatch, a.two) }

// gradientPairsGeneric does so with tiles of gradients, always to two terms.
func gradientPairsGeneric(a *winogradArgs) { pairsGeneric(a, winogradTile, true) }

func pairsGeneric(a *winogradArgs, size int, two bool) {
	eachPosition(a, size, func(tile, c, position int, v float32) {
		tile += a.first
		at := position*a.pitch + c/tileRows*a.chunk + tile/2*2*tileRows + c%tileRows*2
		var rest float32
		for m := range 2 {
			if m == 1 && !two {
				return
			}
			if tile%2 == 0 {
				a.terms[m*a.plane+at+1] = 0
			}
			a.terms[m*a.plane+at+tile%2], rest = nextTerm(v)
			v = rest
		}
	})
}

// winogradTapsGeneric is the kernel in Go that transforms taps of 3 x 3 weights, which are
// row numbers apart, to positions, pitch apart, for a multiple of 16 channels.
func winogradTapsGeneric(a *winogradArgs) {
	for c := range a.channels {
		var half [3 * winogradPatch]float32
		for x := range 3 {
			at := x*a.row + c
			filterTaps(half[x:], 3, a.image[at], a.image[at+3*a.row], a.image[at+6*a.row])
		}
		for y := range winogradPatch {
			h := half[y*3:]
			filterTaps(a.positions[y*winogradPatch*a.pitch+c:], a.pitch, h[0], h[1], h[2])
		}
	}
}

// filterTaps is winogradWeights in float32, which is enough for terms, to numbers that
// are step apart.
func filterTaps(to []float32, step int, a, b, c float32) {
	outer, wide := float32((a+c)*(-1./6)), float32((a+float32(4*c))*(1./24))
	b6, b12 := float32(b*(1./6)), float32(b*(1./12))
	to[0], to[step], to[2*step] = a*0.25, outer-b6, outer+b6
	to[3*step], to[4*step], to[5*step] = wide+b12, wide-b12, c
}

// eachPosition calls f with the numbers of all tiles and channels after the transform of
// patches of size x size pixels.
func eachPosition(a *winogradArgs, size int, f func(tile, c, position int, v float32)) {
	var patch [winogradPositions]float32
	for tile := range a.tiles {
		for c := range a.channels {
			for i := range size * size {
				patch[i] = a.image[i/size*a.row+(tile*winogradTile+i%size)*a.channels+c]
			}
			if size == winogradPatch {
				winogradInputs(&patch)
			} else {
				winogradGradients(&patch)
			}
			for i, v := range patch {
				f(tile, c, i, v)
			}
		}
	}
}

// winogradInputs transforms a patch.
func winogradInputs(patch *[winogradPositions]float32) {
	var half [winogradPositions]float32
	for x := range winogradPatch {
		winogradInput(half[x:], patch[x:], winogradPatch)
	}
	for y := 0; y < winogradPositions; y += winogradPatch {
		winogradInput(patch[y:], half[y:], 1)
	}
}

// winogradGradients transforms a tile, the first 16 numbers of patch.
func winogradGradients(patch *[winogradPositions]float32) {
	var half [winogradTile * winogradPatch]float32
	for x := range winogradTile {
		winogradFilter(half[x:], patch[x:], winogradTile)
	}
	for y := range winogradPatch {
		winogradFilter(patch[y*winogradPatch:], half[y*winogradTile:], 1)
	}
}
