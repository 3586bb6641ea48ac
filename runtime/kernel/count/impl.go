package count

import (
	"math"
	"time"

	"spikingir/runtime/kernel/machine"
)

// kernels are the innermost loops of convolutions of counts in one implementation.
type kernels struct {
	// conv convolves: see args.
	conv func(a *args)
	// settle takes sums of a block for potentials: see args.
	settle func(a *args)
	// toTiles and fromTiles transform rows of tiles: see tileArgs.
	toTiles, fromTiles func(a *tileArgs)
	mul                func(a *mulArgs)
	peak               func(n int) (ops int)
	// narrow tells that conv wants chunks.
	narrow bool
}

// family is the family of the kernels that compute two-phase layers.
var family = machine.Register("counts", append(accelerated(), machine.Entry[kernels]{
	Name: "generic", Available: true, Kernels: generic,
}))

// args are the arguments of the kernels. For each cell (y, x) of rows x cols and each lane
// o of a unit's blocks b, conv computes
//
//	v = params[b][0][o] + sum over windows w and i < 4*lengths[w] of
//		cells[y*srcRow + x*srcCell + offsets[w] + i] * weight(b, w, i, o)
//
// in arithmetic modulo 2^32. With sums it stores v at sums[y*sumRow + x*sumCell +
// 16*b + o]; settle takes it from there, for one block. Without, conv goes on as settle
// does:
//
//	k = clip(floor(v/params[b][1][o]), 0, top+1)
//	s = v - k*params[b][1][o] >= params[b][2][o]
//	sums = v - (k+s)*params[b][1][o]         // settle alone
//	counts[y*countRow + x*countCell + 16*b + o] = k + s
//
// for the first lanes[b] lanes. The rest of the parameters serves kernels that do not
// divide: see derive. Kernels may read cells beyond the last one that the
// formula names: see tileCells. They write nothing else.
type args struct {
	cells   []uint8
	weights []int8 // see unit
	offsets []int
	lengths []int
	params  []int32 // [block][6][16]
	sums    []int32
	counts  []uint8
	top     float32 // the most spikes of phase two, less 1

	vectors, planes     int // see unit
	rows, cols          int
	srcRow, srcCell     int
	sumRow, sumCell     int
	countRow, countCell int
	lanes               [2]int
	// chunk is, for each vector of weights, the number of groups whose products may be added
	// in 16 bits: as many from each multiple of it on; 0 for none.
	chunk [2]int
}

const (
	// paramWords is the parameters of a block.
	paramWords = 6 * blockLanes
	// tileCells is the most output cells that a kernel computes at once: it may read
	// what a tile would that begins at the last one.
	tileCells = 24
)

// derive sets the last three parameters of a lane. The first is the bits of a float32 number
// by which a potential is multiplied for the number of thresholds in it, up to top: with
// the product rounded, of a potential that is rounded, it is never too large, and less than 1
// too small where the quotient is below 2^19. So the floor k is at most 1 too small, and
// of what k thresholds leave it is still to be found out whether it is a threshold, and
// whether what then is left fires. With fire at the threshold at most, one spike more is
// emitted above the second parameter, two above the third.
func (p *laneParams) derive() {
	p.below = int32(math.Float32bits(float32((1 - 0x1p-20) / float64(p.threshold))))
	p.one = min(p.fire, p.threshold) - 1
	p.two = int32(min(int64(p.fire)+int64(p.threshold)-1, math.MaxInt32))
}

// laneParams is the parameters of a lane.
type laneParams struct{ potential, threshold, fire, below, one, two int32 }

// Peak measures for about d what one thread reaches with the instructions that the
// selected kernels multiply with, without touching memory, in 10^9 operations a second:
// a product of bytes and its addition are two, and a weight of 16
// bits takes two of both.
func Peak(d time.Duration) float64 { return machine.Best(d, family.Kernels.peak) }

// Sustained is like Peak, but the mean over about d instead of the best: what the thread
// gets beside others.
func Sustained(d time.Duration) float64 { return machine.Mean(d, family.Kernels.peak) }
