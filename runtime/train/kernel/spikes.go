package kernel

import (
	"unsafe"

	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/kernel/spike"
)

// maskBits is the channels in a piece of a spikeList.
const maskBits = 16

// A spikeList holds, for each pixel p of a padded copy of a slice of spikes, which
// channels spike: counts[p] numbers from p*room on, ascending.
type spikeList struct {
	counts, numbers []int32
	room            int
	pieces          []uint16 // bits, 16 channels of a pixel in each
}

// fill lists a slice of the source of a plan that has no steps and one group.
func (l *spikeList) fill(k *convKernels, p *plan, spikes []uint64) {
	perPixel := spike.Masks(p.inC)
	l.room = perPixel * maskBits
	l.counts = machine.GrowAligned(l.counts, p.padH*p.padW)
	l.numbers = machine.GrowAligned(l.numbers, p.padH*p.padW*l.room)
	clear(l.counts)
	pieces := l.cut(p, spikes, perPixel)
	first, end := p.columns()
	for y := range p.srcH {
		at := p.top + y
		if at < 0 || at >= p.padH || first == end {
			continue
		}
		pixel := at*p.padW + p.left + first
		counts := l.counts[pixel : pixel+end-first]
		k.lists.List(counts, l.numbers[pixel*l.room:], pieces[(y*p.srcW+first)*perPixel:], perPixel)
	}
}

// cut gives the bits of a slice in pieces of 16, the first of each pixel beginning
// with its channel 0.
func (l *spikeList) cut(p *plan, spikes []uint64, perPixel int) []uint16 {
	pixels := p.srcH * p.srcW
	if p.inC%maskBits == 0 && machine.LittleEndian {
		return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(spikes))), pixels*perPixel)
	}
	l.pieces = machine.GrowAligned(l.pieces, pixels*perPixel)
	for i := range pixels {
		for j := range perPixel {
			c := j * maskBits
			at := i*p.inC + c
			word := spikes[at/spikeBits] >> (at % spikeBits)
			if at/spikeBits+1 < len(spikes) {
				word |= spikes[at/spikeBits+1] << (spikeBits - at%spikeBits)
			}
			l.pieces[i*perPixel+j] = uint16(word & (1<<min(maskBits, p.inC-c) - 1))
		}
	}
	return l.pieces
}
