package spike

import (
	"time"

	"spikingir/runtime/kernel/machine"
)

// kernels are the innermost loops of spiking convolutions in one
// implementation. An implementation takes expanded spikes and weights either as
// bytes, weights in two planes (see packBytes), or as 16-bit words.
type kernels struct {
	bytes bool
	// step advances the neurons of some blocks of 16 output channels.
	step func(a *stepArgs)
	// expandBytes and expandWords turn each bit of the masks into a cell of 0 or
	// 1; len(dst) is 16*len(masks), a multiple of 64 cells.
	expandBytes func(dst []int8, masks []uint16)
	expandWords func(dst []int16, masks []uint16)
	peak        func(n int) (ops int)
	// lookup, when not nil, is what layers of binary spikes run on instead.
	lookup *lookupKernels
	// events, when not nil, is what layers run on whose sources hardly spike.
	events *eventKernels
}

// family is the family of the kernels that compute fixed-point spiking layers.
var family = machine.Register("spikes", append(accelerated(), machine.Entry[kernels]{
	Name: "generic", Available: true, Kernels: generic,
}))

// stepArgs are the arguments of a step kernel. It computes, for each block b, each
// cell (y, x) of rows x cols and each lane o,
//
//	current = sum over windows w and i < lengths[w] of
//		cells[y*srcRow + x*srcCell + offsets[w] + i] * weight(b, w, i, o)
//	v = v[b*vBlock + (y*cols+x)*16 + o] + current + params[b][0][o]
//	spike = v >= params[b][2][o]
//	if spike { v = v - params[b][1][o] }
//
// in arithmetic modulo 2^32, and stores v and, at mask y*maskRow + x*maskCell + b,
// the spikes of the block, lane 0 lowest. Offsets, rows and cells are counted in
// cells. Kernels may read beyond the last cell that the formula
// names: see tileCells. A window of bytes is windowBytes long whatever its length.
type stepArgs struct {
	bytes   []int8
	words   []int16
	weights []int16 // of words: [block][window][length/2][16][2]
	planes  []int8  // of bytes: [block][window][2][16][16][4]
	offsets []int
	lengths []int
	params  []int32 // [block][3][16] bias, threshold, fire
	v       []int32
	masks   []uint16
	scratch []int32 // tileWords on a cache line

	blocks            int
	weightBlock       int // from one block's weights, of words, to the next
	rows, cols        int
	srcRow, srcCell   int
	maskRow, maskCell int
	vBlock            int
}

const (
	// windowBytes is the length of a window of bytes: a row of an AMX tile.
	windowBytes = 64
	// tileCells is the most output cells that a kernel computes at once: it may read
	// what a tile would that begins at the last one.
	tileCells = 32
	// tileWords is the size of a tile's accumulators, both planes.
	tileWords = 2 * tileCells * maskBits
)

// Peak measures for about d what one thread reaches with the instructions
// that the selected spike kernels multiply with, without touching memory, in 10^9
// operations a second: a product and its addition are two. See [Ops].
func Peak(d time.Duration) float64 { return machine.Best(d, family.Kernels.peak) }

// Sustained is like Peak, but the mean over about d instead of the best: what the
// thread gets beside others.
func Sustained(d time.Duration) float64 { return machine.Mean(d, family.Kernels.peak) }

// Ops is the number of operations that the selected spike kernels spend on
// one weight and one spike: 2 where weights are whole words, 4 where each is two
// bytes.
func Ops() int {
	if family.Kernels.bytes {
		return 4
	}
	return 2
}
