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

// A stencil is what convolution and transposed convolution have in common: an
// output cell (i, j) of a phase is a weighted sum of the source cells
// (i*inStepH + dy, j*inStepW + dx) over the phase's taps and the input channels
// of the group, and lands in row y + i*outStepH, column x + j*outStepW.
type stencil struct {
	groups, inC, outC  int // channels of one group
	inStepH, inStepW   int
	outStepH, outStepW int

	// The source cells that a strip needs are stored apart by their remainders
	// modulo the input step, so that neighbouring outputs read neighbouring
	// cells. Remainders are counted from (originY, originX), the smallest tap.
	originY, originX int
	remainders       []remainder // those that some tap reads
	reachH, reachW   int         // largest tap.row and tap.col

	blocks []block
	phases []phase
	banded bool // band kernels suit the taps
}

// A remainder is the part of a strip that holds the source cells
// (row + i*inStepH, column + j*inStepW), counted from the origin. When taps are
// far apart, every tap has a remainder of its own, and row and col may exceed the
// step.
type remainder struct{ row, col int }

// A block is a run of output channels of one group, computed together.
type block struct {
	group int
	first int // among all output channels
	width int
	bias  []float32 // one for each channel, or nil
}

// A phase is the outputs that share taps. weights holds, for each block, the
// weights in the order [input channel][tap][channel of the block].
type phase struct {
	y, x     int
	taps     []tap
	firstTap int // number of taps of the phases before
	weights  [][]float32
}

// A tap is the place of a source cell in a strip, relative to its output cell:
// the index of its remainder, and rows and columns within.
type tap struct{ remainder, row, col int }

// A reachPhase is a phase before packing: its taps as offsets into the source.
type reachPhase struct {
	y, x int
	taps []reachTap
}

type reachTap struct {
	dy, dx int
	kernel int // index in the kernel window
}

func (p *reachPhase) add(dy, dx, kernel int) {
	p.taps = append(p.taps, reachTap{dy, dx, kernel})
}

func newStencil(s ConvShape, inStepH, inStepW, outStepH, outStepW int) *stencil {
	return &stencil{
		groups: s.Groups, inC: s.InC / s.Groups, outC: s.OutC / s.Groups,
		inStepH: inStepH, inStepW: inStepW,
		outStepH: outStepH, outStepW: outStepW,
	}
}

// build lays out the phases' taps in a strip and packs bias and weights, which
// weight gives for an output channel, an input channel of its group and a place
// in the kernel window.
func (s *stencil) build(
	phases []reachPhase, bias []float32, weight func(out, in, tap int) float32,
) {
	s.setOrigin(phases)
	far := s.farApart(phases)
	s.setBlocks(bias)
	taps := 0
	for _, r := range phases {
		p := phase{y: r.y, x: r.x, firstTap: taps}
		taps += len(r.taps)
		for _, t := range r.taps {
			p.taps = append(p.taps, s.place(t, far))
		}
		for _, b := range s.blocks {
			packed := machine.Aligned[float32](s.inC * len(r.taps) * b.width)[:0]
			for in := range s.inC {
				for _, t := range r.taps {
					for o := range b.width {
						packed = append(packed, weight(b.first+o, in, t.kernel))
					}
				}
			}
			p.weights = append(p.weights, packed)
		}
		s.phases = append(s.phases, p)
	}
	s.banded = s.suitsBands()
}

// setOrigin finds the smallest tap offsets of all phases.
func (s *stencil) setOrigin(phases []reachPhase) {
	first := true
	for _, p := range phases {
		for _, t := range p.taps {
			if first {
				s.originY, s.originX, first = t.dy, t.dx, false
			}
			s.originY, s.originX = min(s.originY, t.dy), min(s.originX, t.dx)
		}
	}
}

// farApart tells whether a strip is smaller when it holds the source cells of each
// tap apart, instead of all cells between the first tap and the last. Only then
// is its size bounded for large dilations.
func (s *stencil) farApart(phases []reachPhase) bool {
	const rows, cols = 8, minColumns // a typical strip
	together := &stencil{
		inStepH: s.inStepH, inStepW: s.inStepW, originY: s.originY, originX: s.originX,
	}
	apart := &stencil{
		inStepH: s.inStepH, inStepW: s.inStepW, originY: s.originY, originX: s.originX,
	}
	for _, p := range phases {
		for _, t := range p.taps {
			together.place(t, false)
			apart.place(t, true)
		}
	}
	return apart.footprint(rows, cols) < together.footprint(rows, cols)
}

// place returns where a tap lies in a strip, and makes the strip large enough.
func (s *stencil) place(t reachTap, far bool) tap {
	dy, dx := t.dy-s.originY, t.dx-s.originX
	row, col := dy/s.inStepH, dx/s.inStepW
	r := remainder{dy % s.inStepH, dx % s.inStepW}
	if far {
		row, col = 0, 0
		r = remainder{dy, dx}
	}
	i := slices.Index(s.remainders, r)
	if i < 0 {
		i = len(s.remainders)
		s.remainders = append(s.remainders, r)
	}
	s.reachH, s.reachW = max(s.reachH, row), max(s.reachW, col)
	return tap{i, row, col}
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
