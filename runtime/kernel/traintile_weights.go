package kernel

import "unsafe"

// A tileWeights is the plan of the gradient of the weights on tiles: sums over
// pixels of 16 input channels by 16 output channels. Pixels are numbered like those
// of the forward plan; in the input after shift more, so that each row begins at an
// even one.
type tileWeights struct {
	f      *tilePlan
	deep   int // pixels of the output, whole tiles
	shift  int
	stride int // from a channel of the input to the next
	rows   []int32
	sums   []int32
	steps  []int32
}

func newTileWeights(f *tilePlan) *tileWeights {
	p := f.p
	w := &tileWeights{f: f}
	w.deep = ceilDiv((p.dstH-1)*f.padW+p.dstW, tileDeep) * tileDeep
	from, _ := p.columns()
	w.shift = (p.left + from) % 2
	last := 0
	for _, tap := range f.taps {
		last = max(last, int(tap))
	}
	// An odd number of cache lines, so that the rows of a tile are in different
	// sets of a cache.
	lines := ceilDiv(w.shift+max(w.deep+last, p.padH*f.padW), tileDeep)
	w.stride = (lines | 1) * tileDeep
	for in := 0; in < p.inC; in += tileRows {
		for _, tap := range f.taps {
			w.rows = append(w.rows, int32(in*w.stride+w.shift)+tap)
		}
	}
	for len(w.rows)%tileGroup != 0 {
		w.rows = append(w.rows, 0) // sums that nobody reads
	}
	for i := range w.rows {
		w.sums = append(w.sums, int32(i*tileSums))
	}
	for k := 0; k < w.deep; k += tileDeep {
		w.steps = append(w.steps, int32(k))
	}
	return w
}

// add adds the gradient of all slices.
func (w *tileWeights) add(k *tileKernels, sc *TrainScratch, b *TrainBackward) {
	p := w.f.p
	in, out := p.srcH*p.srcW*p.inC, p.dstH*p.dstW*p.outC
	words := SpikeWords(in)
	for slice := range b.Slices {
		product := ofBackward
		if b.X != nil {
			w.turnNumbers(k, &sc.tiles, b.X[slice*in:(slice+1)*in])
		} else {
			product = ofSpikesBackward
			w.turnSpikes(k, &sc.tiles, b.Spikes[slice*words:(slice+1)*words])
		}
		w.pair(k, &sc.tiles, b.GY[slice*out:(slice+1)*out])
		w.products(k.products[product], &sc.tiles, slice > 0)
	}
	if b.Slices > 0 {
		w.finish(b.GW, sc.tiles.sums)
	}
}

// products sets the sums to those of a slice, or adds those.
func (w *tileWeights) products(product func(a *tileArgs), s *tileScratch, add bool) {
	p, a := w.f.p, &s.args
	size := len(w.rows) * tileSums
	s.sums = growAligned(s.sums, p.outC/tileCols*size)
	a.a, a.aPlane, a.aStride = s.left, p.inC*w.stride, w.stride
	a.bPlane, a.bStep = w.deep*tileCols, tileSize
	a.rows, a.sums, a.steps, a.cStride, a.add = w.rows, w.sums, w.steps, tileCols, add
	for o := range p.outC / tileCols {
		a.b, a.c = s.right[o*2*a.bPlane:], s.sums[o*size:]
		product(a)
	}
}

// turnSpikes lays out the padded spikes of a slice, [inC][stride].
func (w *tileWeights) turnSpikes(k *tileKernels, s *tileScratch, spikes []uint64) {
	p := w.f.p
	masks, perPixel := s.cut(spikes, p.srcH*p.srcW*p.inC), p.inC/maskBits
	s.left = growAligned(s.left, p.inC*w.stride)
	s.masks = growAligned(s.masks, w.stride)
	for m := range perPixel {
		done := 0
		w.f.eachRow(func(at, y, first, end int) {
			at += w.shift
			clear(s.masks[done:at])
			done = at + end - first
			from := masks[(y*p.srcW+first)*perPixel+m:]
			for i := range s.masks[at:done] {
				s.masks[at+i] = from[i*perPixel]
			}
		})
		clear(s.masks[done:])
		k.turnMasks(s.left[m*maskBits*w.stride:], w.stride, s.masks)
	}
}

// turnNumbers lays out two terms of a padded slice, [2][inC][stride].
func (w *tileWeights) turnNumbers(k *tileKernels, s *tileScratch, x []float32) {
	p := w.f.p
	plane := w.stride * tileRows
	s.left = growAligned(s.left, 2*p.inC*w.stride)
	s.pairs = growAligned(s.pairs, 2*plane)
	for in := 0; in < p.inC; in += tileRows {
		done := 0
		w.f.eachRow(func(at, y, first, end int) {
			from := (at + w.shift) * tileRows
			clear(s.pairs[done:from])
			clear(s.pairs[plane+done : plane+from])
			k.pair(s.pairs[from:], plane, x[(y*p.srcW+first)*p.inC+in:], p.inC, end-first)
			done = from + (end-first+1)/2*2*tileRows
		})
		clear(s.pairs[done:plane])
		clear(s.pairs[plane+done:])
		for m := range 2 {
			k.turnPairs(s.left[(m*p.inC+in)*w.stride:], w.stride, s.pairs[m*plane:(m+1)*plane])
		}
	}
}

// pair lays out the terms of an output gradient, pixels in pairs,
// [outC/16][2][deep/2][16][2].
func (w *tileWeights) pair(k *tileKernels, s *tileScratch, gy []float32) {
	p, padW := w.f.p, w.f.padW
	plane := w.deep * tileCols
	s.right = growAligned(s.right, p.outC/tileCols*2*plane)
	for o := 0; o < p.outC; o += tileCols {
		terms := s.right[o/tileCols*2*plane:][:2*plane]
		for y := range p.dstH {
			at := y * padW * tileCols
			row := (p.dstW + 1) / 2 * 2 * tileCols
			k.pair(terms[at:], plane, gy[y*p.dstW*p.outC+o:], p.outC, p.dstW)
			end := min(at+padW*tileCols, plane)
			if y == p.dstH-1 {
				end = plane
			}
			clear(terms[at+row : end])
			clear(terms[plane+at+row : plane+end])
		}
	}
}

// finish adds the sums to gw, in ONNX order.
func (w *tileWeights) finish(gw, sums []float32) {
	p, taps := w.f.p, len(w.f.taps)
	size := len(w.rows) * tileSums
	for o := range p.outC {
		for i := range p.inC {
			from := sums[o/tileCols*size+i/tileRows*taps*tileSums+i%tileRows*tileCols+o%tileCols:]
			to := gw[(o*p.inC+i)*taps:][:taps]
			for t := range to {
				to[t] += from[t*tileSums]
			}
		}
	}
}

// cut gives the first n bits of a slice of spikes in masks.
func (s *tileScratch) cut(spikes []uint64, n int) []uint16 {
	return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(spikes))), n/maskBits)
}
