package kernel

import "spikingir/runtime/kernel/machine"

// A patchSource is what the Winograd transforms read: slices,
// [srcH][srcW][channels], in patches of size x size pixels that are 4 pixels apart,
// tilesH x tilesW of them in a slice. The first begins at pixel (-top, -left).
type patchSource struct {
	srcH, srcW, channels int
	top, left, size      int
	tilesH, tilesW       int
}

// tiles is the number of patches of a slice.
func (p *patchSource) tiles() int { return p.tilesH * p.tilesW }

// place tells where patch number tile of all slices is.
func (p *patchSource) place(tile int) (slice, y, x int) {
	n := p.tiles()
	return tile / n, tile % n / p.tilesW, tile % p.tilesW
}

// transform lets a kernel transform n patches from at on to positions, those of a patch
// channels apart. Patches that lie in the source are read there, others from a strip: a
// copy with zeros round the source.
func (p *patchSource) transform(kernel func(*winogradArgs), sc *Scratch, src []float32, at, n int, positions []float32) {
	a := &sc.transform
	a.channels = p.channels
	for done := 0; done < n; done += a.tiles {
		slice, y, x := p.place(at + done)
		count, inside := p.run(y, x)
		a.tiles = min(count, n-done)
		y, x = y*winogradTile-p.top, x*winogradTile-p.left
		if inside {
			a.image, a.row = src[((slice*p.srcH+y)*p.srcW+x)*p.channels:], p.srcW*p.channels
		} else {
			a.image, a.row = sc.strip, ((a.tiles-1)*winogradTile+p.size)*p.channels
			p.fillStrip(sc.strip, src[slice*p.srcH*p.srcW*p.channels:], y, x, a.row)
		}
		a.positions = positions[done*p.channels:]
		kernel(a)
	}
}

// run is the number of patches from (y, x) to the right that all lie in the source, or
// else all need a copy.
func (p *patchSource) run(y, x int) (count int, inside bool) {
	first := machine.CeilDiv(max(0, p.left), winogradTile)
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
func (p *patchSource) fillStrip(strip []float32, src []float32, y, x, row int) {
	width := row / p.channels
	from, end := min(max(0, x), p.srcW), max(0, min(p.srcW, x+width))
	for r := range p.size {
		to := strip[r*row:][:row]
		if y+r < 0 || y+r >= p.srcH || from >= end {
			clear(to)
			continue
		}
		clear(to[:(from-x)*p.channels])
		copy(to[(from-x)*p.channels:(end-x)*p.channels], src[((y+r)*p.srcW+from)*p.channels:])
		clear(to[(end-x)*p.channels:])
	}
}
