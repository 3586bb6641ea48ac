package kernel

// A patchSource is what the transforms of minimal filtering read: slices,
// [srcH][srcW][channels], in patches of size x size pixels that are 4 pixels apart,
// tilesH x tilesW of them in a slice. The first begins at pixel (-top, -left).
type patchSource struct {
	srcH, srcW, channels int
	top, left, size      int
	tilesH, tilesW       int
}

// tiles is the number of patches of a slice.
func (p *patchSource) tiles() int { return p.tilesH * p.tilesW }

// A tileBand is rows of patches from row y on, of all slices one after the other.
type tileBand struct{ y, rows int }

// all is the band of all rows.
func (p *patchSource) all() tileBand { return tileBand{0, p.tilesH} }

// band is the band of some rows from y on, as far as there are any.
func (p *patchSource) band(y, rows int) tileBand {
	return tileBand{y, max(0, min(rows, p.tilesH-y))}
}

// needs is the number of rows of the source that a band and those before it read.
func (p *patchSource) needs(b tileBand) int {
	if b.rows == 0 {
		return 0
	}
	return max(0, min(p.srcH, (b.y+b.rows-1)*winogradTile-p.top+p.size))
}

// place tells where patch number tile of a band is.
func (p *patchSource) place(b tileBand, tile int) (slice, y, x int) {
	n := b.rows * p.tilesW
	return tile / n, b.y + tile%n/p.tilesW, tile % p.tilesW
}

// A patchInput is slices of numbers, or of spikes, SpikeWords words a slice.
type patchInput struct {
	numbers []float32
	spikes  []uint64
}

// transform lets a kernel transform n patches of a band from at on, the next ones of a
// block, whose numbers go to positions, those of a patch channels apart, or, where that is nil, to the
// terms that the arguments hold. Patches that lie in a source of numbers are read there,
// others from a strip: a copy with zeros round the source.
func (p *patchSource) transform(kernel func(*winogradArgs), sc *TrainScratch, src patchInput, b tileBand, at, n int, positions []float32) {
	a := &sc.transform
	a.channels = p.channels
	for done := 0; done < n; done += a.tiles {
		slice, y, x := p.place(b, at+done)
		count, inside := p.run(y, x)
		if src.numbers == nil {
			count, inside = p.tilesW-x, false
		}
		a.tiles = min(count, n-done)
		y, x = y*winogradTile-p.top, x*winogradTile-p.left
		if inside {
			a.image, a.row = src.numbers[((slice*p.srcH+y)*p.srcW+x)*p.channels:], p.srcW*p.channels
		} else {
			a.image, a.row = sc.strip, ((a.tiles-1)*winogradTile+p.size)*p.channels
			p.fillStrip(sc.strip, src, slice, y, x, a.row)
		}
		if positions != nil {
			a.positions = positions[a.first*p.channels:]
		}
		kernel(a)
		a.first += a.tiles
	}
}

// run is the number of patches from (y, x) to the right that all lie in the source, or
// else all need a copy.
func (p *patchSource) run(y, x int) (count int, inside bool) {
	first := ceilDiv(max(0, p.left), winogradTile)
	end := 0 // behind the last patch in the source
	if room := p.srcW + p.left - p.size; room >= 0 {
		end = min(room/winogradTile+1, p.tilesW)
	}
	top := y*winogradTile - p.top
	switch {
	case top < 0 || top+p.size > p.srcH || first >= end || x >= end:
		return p.tilesW - x, false
	case x < first:
		return first - x, false
	}
	return end - x, true
}

// fillStrip fills rows of row numbers with a slice from pixel (y, x) on, and zeros where
// it has none.
func (p *patchSource) fillStrip(strip []float32, src patchInput, slice, y, x, row int) {
	width := row / p.channels
	from, end := min(max(0, x), p.srcW), max(0, min(p.srcW, x+width))
	for r := range p.size {
		to := strip[r*row:][:row]
		if y+r < 0 || y+r >= p.srcH || from >= end {
			clear(to)
			continue
		}
		clear(to[:(from-x)*p.channels])
		p.fill(to[(from-x)*p.channels:(end-x)*p.channels], src, slice, ((y+r)*p.srcW+from)*p.channels)
		clear(to[(end-x)*p.channels:])
	}
}

// fill copies the elements of a slice from at on.
func (p *patchSource) fill(dst []float32, src patchInput, slice, at int) {
	size := p.srcH * p.srcW * p.channels
	if src.numbers != nil {
		copy(dst, src.numbers[slice*size+at:])
		return
	}
	words := src.spikes[slice*SpikeWords(size)+at/spikeBits:]
	if skip := at % spikeBits; skip > 0 {
		n := min(len(dst), spikeBits-skip)
		for i := range dst[:n] {
			dst[i] = float32(words[0] >> (skip + i) & 1)
		}
		dst, words = dst[n:], words[1:]
	}
	ExpandSpikes(dst, words[:SpikeWords(len(dst))], 1)
}
