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
	size  int // bytes of the padded copy, and behind it
	steps []int32
	// at is where the weights of each step lie within those of an output channel, -1
	// where the step has none.
	at     []int32
	places []int32   // see byteArgs; all groups
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
	args byteArgs
	left []int8
	sums []int32
}

// newBytePlan makes a plan. Sums have less than 2^24 terms, as the weights of 32 output
// channels have no more than trainLimit, so no sum of digits overflows.
func newBytePlan(p *trainPlan) *bytePlan {
	first, end := p.columns()
	b := &bytePlan{p: p, pitch: max(p.left+end, p.padW-p.left-first, p.dstW)}
	taps := make([]int, len(p.taps))
	for i, tap := range p.taps {
		taps[i] = int(tap)/p.padW*b.pitch + int(tap)%p.padW
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
	groups := ceilDiv((p.dstH-1)*b.pitch+p.dstW, bytePixels)
	for pixel := range groups * bytePixels {
		place := int32(-1)
		if y, x := pixel/b.pitch, pixel%b.pitch; y < p.dstH && x < p.dstW {
			place = int32((y*p.dstW + x) * p.outC)
		}
		b.places = append(b.places, place)
	}
	b.size = p.padH * b.pitch * p.inC
	for _, step := range b.steps {
		b.size = max(b.size, (len(b.places)-1)*p.inC+int(step)+byteDeep)
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

// run sets dst to the sums of a slice of spikes.
func (b *bytePlan) run(k *byteKernels, sc *TrainScratch, dst []float32, spikes []uint64) {
	p, s := b.p, &sc.tiles.bytes
	b.expand(k, s, sc.tiles.cut(spikes, p.srcH*p.srcW*p.inC))
	s.sums = growAligned(s.sums, byteGroup*byteDigits*tileSums)
	a := &s.args
	a.steps, a.aStride, a.sums = b.steps, p.inC, s.sums
	block := len(b.steps) * byteDigits * byteSize
	for first := 0; first < len(b.places); first += byteStrip * bytePixels {
		a.a = s.left[first*p.inC:]
		a.places = b.places[first:min(first+byteStrip*bytePixels, len(b.places))]
		for o := 0; o < p.outC; o += tileCols {
			a.b, a.unit, a.dst = b.packed[o/tileCols*block:][:block], b.units[o:o+tileCols], dst[o:]
			k.product(a)
		}
	}
}

// expand makes the padded copy of a slice of spikes, 0 where the source has no pixel.
func (b *bytePlan) expand(k *byteKernels, s *byteScratch, masks []uint16) {
	p := b.p
	s.left = growAligned(s.left, b.size)
	first, end := p.columns()
	done := 0
	for y := range p.srcH {
		row := p.top + y
		if row < 0 || row >= p.padH || first == end {
			continue
		}
		at := (row*b.pitch + p.left + first) * p.inC
		clear(s.left[done:at])
		in := masks[(y*p.srcW+first)*p.inC/maskBits : (y*p.srcW+end)*p.inC/maskBits]
		fours := len(in) / 4 * 4
		k.expand(s.left[at:], in[:fours])
		expandBytesGeneric(s.left[at+fours*maskBits:], in[fours:])
		done = at + len(in)*maskBits
	}
	clear(s.left[done:])
}
