package spike

import (
	"unsafe"

	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
)

// reserveRows makes room for rows of source pixels, and finds the lanes' tiles in them.
func (t *lookupTask) reserveRows() {
	width := t.width()
	t.pixels = machine.Grow(t.pixels, t.quads()*t.layout.down*width)
	for lane := range t.indices.lanes {
		at := 0 // lanes without a tile take that of another
		if lane < t.layout.across*t.layout.down {
			at = lane/t.layout.across*width + lane%t.layout.across*lookupCols
		}
		t.indices.lanes[lane] = int64(at)
	}
}

// quads is the number of times that the channels of a pixel fill a word.
func (c *Conv) quads() int { return machine.CeilDiv(c.shape.InC, quadBits) }

// expand makes the indices of a slice of the sources.
func (t *lookupTask) expand(index []uint16, slice int) {
	l := &t.layout
	for k, r := range t.Remainders {
		for y := range t.rows + t.LastRow {
			for band := range l.down {
				row := t.OriginY + (t.i+band*t.rows+y)*t.InStepH + r.Row
				t.fillRow(band, row, t.OriginX+t.j*t.InStepW+r.Col, slice)
			}
			t.join()
			a, size := &t.indices, l.down*t.width()
			a.cols, a.plane = lookupCols+t.LastCol, l.plane
			for q := range t.quads() {
				first := q * quadPlanes
				a.planes = min(quadPlanes, len(t.lookups.planes)-first)
				a.dst = index[first*l.plane+k*l.remainder+y*l.pitch:]
				a.src = t.pixels[q*size : (q+1)*size]
				t.kernels.lookup.index(a)
			}
		}
	}
}

// join puts the bits of neighbouring pixels behind those of each where an index covers
// several.
func (t *lookupTask) join() {
	channels := t.shape.InC
	switch p := t.pixels; t.lookups.side {
	case 1:
	case 2:
		for i, next := range p[1:] {
			p[i] |= next << (channels & 63)
		}
	case 3:
		for i, next := range p[1 : len(p)-1] {
			p[i] |= next<<(channels&63) | p[i+2]<<(2*channels&63)
		}
	default:
		for i := range p {
			for k := 1; k < t.lookups.side && i+k < len(p); k++ {
				p[i] |= p[i+k] << (k * channels & 63)
			}
		}
	}
}

// fillRow writes the bits of the source pixels (y, x), (y, x+InStepW), ... of a row of
// the tiles, a word for each pixel and quad; zeros beyond the border.
func (t *lookupTask) fillRow(band, y, x, slice int) {
	width := t.width()
	from, to := 0, 0
	if y >= 0 && y < t.sources[0].H {
		from, to = kernel.Existing(x, t.InStepW, width, t.sources[0].W)
	}
	first := (y*t.sources[0].W + x) + from*t.InStepW
	quad := func(q int) []uint64 { return t.pixels[(q*t.layout.down+band)*width:][:width] }
	for q := range t.quads() {
		row := quad(q)
		clear(row[:from])
		clear(row[to:])
		if !t.whole(q) {
			clear(row[from:to])
		}
	}
	bit := 0
	for _, s := range t.sources {
		masks := Masks(s.C)
		bits := s.Slice(slice, t.n)
		for m := 0; m < masks && from < to; m++ {
			q, shift := (bit+m*maskBits)/quadBits, (bit+m*maskBits)%quadBits
			if shift == 0 && t.whole(q) {
				fillWhole(quad(q)[from:to], bits[first*masks+m:], t.InStepW*masks)
				m += quadBits/maskBits - 1
				continue
			}
			t.fillMask(quad(q)[from:to], bits[first*masks+m:], t.InStepW*masks, shift)
			if shift > quadBits-maskBits && q+1 < t.quads() {
				t.fillMask(quad(q + 1)[from:to], bits[first*masks+m:], t.InStepW*masks, shift-quadBits)
			}
		}
		bit += s.C
	}
}

// whole reports whether four masks of a pixel make a quad of its own.
func (t *lookupTask) whole(quad int) bool {
	return len(t.sources) == 1 && Masks(t.sources[0].C) >= (quad+1)*quadBits/maskBits
}

// fillWhole sets words to four masks each, step masks from one word's to the next.
func fillWhole(dst []uint64, bits []uint16, step int) {
	if step == 4 && machine.LittleEndian && len(dst) > 0 {
		copy(unsafe.Slice((*uint16)(unsafe.Pointer(&dst[0])), 4*len(dst)), bits[:4*len(dst)])
		return
	}
	for i := range dst {
		m := (*[4]uint16)(bits[i*step:])
		dst[i] = uint64(m[0]) | uint64(m[1])<<16 | uint64(m[2])<<32 | uint64(m[3])<<48
	}
}

// fillMask adds a mask to each word, step masks from one word's to the next, shifted to
// the left, or to the right where shift is negative.
func (t *lookupTask) fillMask(dst []uint64, bits []uint16, step, shift int) {
	if step == 1 && shift >= 0 {
		t.kernels.lookup.mask(dst, bits, uint(shift))
		return
	}
	left, right := uint(max(shift, 0))&63, uint(max(-shift, 0))&63
	for i := range dst {
		dst[i] |= uint64(bits[i*step]) << left >> right
	}
}
