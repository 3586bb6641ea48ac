package kernel

// A bytePlan is the forward plan of sums of spikes on tiles of bytes: the sums of 16
// pixels by 16 output channels, 64 terms a step. A weight is an integer of 24 bits, in
// a unit of its output channel, and that is three digits of 8 bits: see byteUnit.
//
// Pixels are numbered over the rows of a padded copy, as in a tilePlan, but the zeros
// behind a row are those before the next one.
type bytePlan struct {
	p     *trainPlan
	pitch int // pixels of a row of the padded copy
	below int // rows of the padded copy under a row of the output, less that one
	steps []int32
	// at is where the weights of each step lie within those of an output channel, -1
	// where the step has none.
	at     []int32
	packed []int8    // [outC/16][steps][digits][16][16][4]
	units  []float32 // of output channels, as byteArgs has them

	// Of setWeights.
	digits  digitArgs
	inverse [tileCols]float32
}

const (
	byteDeep   = 64 // terms of a sum that a step adds
	byteDigits = 3  // of a weight
	// byteSize is the size of a tile of bytes.
	byteSize = tileRows * byteDeep
	// byteGroup is the number of tiles of pixels that kernels hold at once.
	byteGroup  = 2
	bytePixels = byteGroup * tileRows
	// byteStrip is the number of groups whose sums are computed before those of other
	// channels.
	byteStrip = 16
)

// A byteKernels are the kernels of sums of spikes on tiles of bytes. They work like
// byteProductGeneric, joinDigitsGeneric, expandBytesGeneric (for groups of 4 masks),
// largestBitsGeneric and digitsGeneric.
type byteKernels struct {
	product func(a *byteArgs)
	join    func(a *byteArgs)
	expand  func(dst []int8, masks []uint16)
	largest func(src []float32) uint32
	digits  func(a *digitArgs)
	peak    func(n int) (ops int)
}

// byteArgs are the arguments of the product on bytes. For each pixel i of places that
// is not negative, and o < tileCols, it sets
//
//	dst[places[i]+o] = unit[o] * (d0 + d1/256 + d2/65536)
//
// where digit j of the sum is, over steps s and k < byteDeep,
//
//	dj = sum of a[i*aStride+steps[s]+k] *
//		b[(s*byteDigits+j)*byteSize+k/4*4*tileCols+4*o+k%4]
//
// The digits of the sum are exact. Pixels come in groups of bytePixels.
type byteArgs struct {
	dst     []float32
	a, b    []int8
	steps   []int32
	places  []int32
	unit    []float32
	sums    []int32 // room for the digits of a group, [byteGroup][byteDigits][16][16]
	aStride int
}

// A digitArgs is the arguments of the kernel that packs the weights of 16 output
// channels: for k of at, and o < tileCols, digit j of
//
//	w[o*stride+at[k]] * inverse[o]
//
// rounded to an integer, goes to
//
//	dst[(k/byteDeep*byteDigits+j)*byteSize+k%byteDeep/4*4*tileCols+4*o+k%4]
//
// The weight is 0 where at is negative. The length of at is a multiple of byteDeep.
type digitArgs struct {
	dst     []int8
	w       []float32
	at      []int32
	inverse []float32
	stride  int
}

// A byteScratch is the part of a TrainScratch that a bytePlan needs.
type byteScratch struct {
	args   byteArgs
	left   []int8
	sums   []int32
	places []int32
}

// newBytePlan makes a plan. Sums have less than 2^24 terms, as the weights of 32 output
// channels have no more than trainLimit, so no sum of digits overflows.
func newBytePlan(p *trainPlan) *bytePlan {
	first, end := p.columns()
	b := &bytePlan{p: p, pitch: max(p.left+end, p.padW-p.left-first, p.dstW)}
	taps := make([]int, len(p.taps))
	for i, tap := range p.taps {
		taps[i] = int(tap)/p.padW*b.pitch + int(tap)%p.padW
		b.below = max(b.below, int(tap)/p.padW)
	}
	for i := 0; i < len(taps); {
		// Taps beside each other are one run of bytes.
		next := i + 1
		for next < len(taps) && taps[next] == taps[next-1]+1 {
			next++
		}
		b.addRun(i, next, taps[i]*p.inC)
		i = next
	}
	b.packed = aligned[int8](p.outC / tileCols * len(b.steps) * byteDigits * byteSize)
	b.units = aligned[float32](p.outC)
	return b
}

// addRun adds the steps of taps first to end, whose bytes begin at byte from of a
// window.
func (b *bytePlan) addRun(first, end, from int) {
	p := b.p
	n := (end - first) * p.inC
	for k := 0; k < n; k += byteDeep {
		b.steps = append(b.steps, int32(from+k))
		for i := k; i < k+byteDeep; i++ {
			at := int32(-1)
			if i < n {
				at = int32(i%p.inC*len(p.taps) + first + i/p.inC)
			}
			b.at = append(b.at, at)
		}
	}
}

// setWeights packs weights in ONNX order.
func (b *bytePlan) setWeights(k *byteKernels, weights []float32) {
	stride := len(weights) / b.p.outC
	block := len(b.steps) * byteDigits * byteSize
	a := &b.digits
	a.at, a.inverse, a.stride = b.at, b.inverse[:], stride
	for first := 0; first < b.p.outC; first += tileCols {
		a.w = weights[first*stride : (first+tileCols)*stride]
		for o := range b.inverse {
			b.units[first+o], b.inverse[o] = byteUnit(k.largest(a.w[o*stride : (o+1)*stride]))
		}
		a.dst = b.packed[first/tileCols*block:][:block]
		k.digits(a)
	}
	a.w = nil
}

// byteBand is the number of float32 of all slices that are computed before done is
// called with their rows: they fit the second cache.
const byteBand = 1 << 18

// run sets dst to the sums of all slices of spikes, and calls done as
// TrainConv.ForwardSpikesBy does.
func (b *bytePlan) run(k *byteKernels, sc *TrainScratch, dst []float32, spikes []uint64, slices int, done func(from, end int)) {
	p, s := b.p, &sc.tiles.bytes
	words, out := SpikeWords(p.srcH*p.srcW*p.inC), p.dstH*p.dstW*p.outC
	bands := min(ceilDiv(slices*out, byteBand), p.dstH)
	for i := range bands {
		from, end := p.dstH*i/bands, p.dstH*(i+1)/bands
		b.place(s, end-from)
		for slice := range slices {
			b.expand(k, s, sc.tiles.cut(spikes[slice*words:(slice+1)*words], p.srcH*p.srcW*p.inC), from, end)
			b.products(k, s, dst[slice*out+from*p.dstW*p.outC:(slice+1)*out])
		}
		done(from, end)
	}
}

// place numbers the pixels of some rows of the output, and makes room for the padded
// copy that they need.
func (b *bytePlan) place(s *byteScratch, rows int) {
	p := b.p
	groups := ceilDiv((rows-1)*b.pitch+p.dstW, bytePixels)
	s.places = s.places[:0]
	for pixel := range groups * bytePixels {
		place := int32(-1)
		if y, x := pixel/b.pitch, pixel%b.pitch; y < rows && x < p.dstW {
			place = int32((y*p.dstW + x) * p.outC)
		}
		s.places = append(s.places, place)
	}
	size := (rows + b.below) * b.pitch * p.inC
	for _, step := range b.steps {
		size = max(size, (len(s.places)-1)*p.inC+int(step)+byteDeep)
	}
	s.left = growAligned(s.left, size)
	s.sums = growAligned(s.sums, byteGroup*byteDigits*tileSums)
}

// products sets dst to the sums of the rows in the padded copy.
func (b *bytePlan) products(k *byteKernels, s *byteScratch, dst []float32) {
	p, a := b.p, &s.args
	a.steps, a.aStride, a.sums = b.steps, p.inC, s.sums
	block := len(b.steps) * byteDigits * byteSize
	for first := 0; first < len(s.places); first += byteStrip * bytePixels {
		a.a = s.left[first*p.inC:]
		a.places = s.places[first:min(first+byteStrip*bytePixels, len(s.places))]
		for o := 0; o < p.outC; o += tileCols {
			a.b, a.unit, a.dst = b.packed[o/tileCols*block:][:block], b.units[o:o+tileCols], dst[o:]
			k.product(a)
		}
	}
}

// expand makes the padded copy, for rows from to end of the output, of a slice of spikes,
// 0 where the source has no pixel.
func (b *bytePlan) expand(k *byteKernels, s *byteScratch, masks []uint16, from, end int) {
	p := b.p
	first, last := p.columns()
	done := 0
	for y := range p.srcH {
		row := p.top + y - from
		if row < 0 || row >= end-from+b.below || first == last {
			continue
		}
		at := (row*b.pitch + p.left + first) * p.inC
		clear(s.left[done:at])
		in := masks[(y*p.srcW+first)*p.inC/maskBits : (y*p.srcW+last)*p.inC/maskBits]
		fours := len(in) / 4 * 4
		k.expand(s.left[at:], in[:fours])
		expandBytesGeneric(s.left[at+fours*maskBits:], in[fours:])
		done = at + len(in)*maskBits
	}
	clear(s.left[done:])
}
