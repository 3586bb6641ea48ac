package kernel

import (
	"slices"

	"spikingir/runtime/kernel/machine"
)

// blockWidth is the number of output channels that a row kernel computes at
// once. Remainders are blocks of 4, 3, 2 or 1.
const blockWidth = 8

// wideBlock is the width of the blocks that a layer of many channels is made of
// first.
const wideBlock = 32

// A stencil is a convolution or transposed convolution with its weights packed.
type stencil struct {
	Geometry
	groups, inC, outC int // channels of one group

	blocks []block
	// weights holds, for each phase and block, the weights in the order
	// [input channel][tap][channel of the block].
	weights  [][][]float32
	firstTap []int // of each phase: number of taps of the phases before
	banded   bool  // band kernels suit the taps
}

// A block is a run of output channels of one group, computed together.
type block struct {
	group int
	first int // among all output channels
	width int
	bias  []float32 // one for each channel, or nil
}

// newStencil packs bias and weights, which weight gives for an output channel, an input
// channel of its group and a place in the kernel window.
func newStencil(c ConvShape, g Geometry, bias []float32, weight func(out, in, tap int) float32) *stencil {
	s := &stencil{Geometry: g, groups: c.Groups, inC: c.InC / c.Groups, outC: c.OutC / c.Groups}
	s.setBlocks(bias)
	taps := 0
	for _, p := range s.Phases {
		s.firstTap = append(s.firstTap, taps)
		taps += len(p.Taps)
		var blocks [][]float32
		for _, b := range s.blocks {
			packed := machine.Aligned[float32](s.inC * len(p.Taps) * b.width)[:0]
			for in := range s.inC {
				for _, t := range p.Taps {
					for o := range b.width {
						packed = append(packed, weight(b.first+o, in, t.Kernel))
					}
				}
			}
			blocks = append(blocks, packed)
		}
		s.weights = append(s.weights, blocks)
	}
	s.banded = s.suitsBands()
	return s
}

// setBlocks cuts each group's output channels into blocks.
func (s *stencil) setBlocks(bias []float32) {
	for g := range s.groups {
		for o := 0; o < s.outC; {
			b := block{group: g, first: g*s.outC + o, width: blockFor(s.outC - o)}
			if bias != nil {
				b.bias = slices.Clone(bias[b.first : b.first+b.width])
			}
			s.blocks = append(s.blocks, b)
			o += b.width
		}
	}
}

// blockFor returns the widest block that n remaining channels fill.
func blockFor(n int) int {
	switch {
	case n >= wideBlock:
		return wideBlock
	case n >= blockWidth:
		return blockWidth
	case n >= 4:
		return 4
	}
	return n
}
