package spike

import (
	"slices"

	"spikingir/runtime/kernel"
)

// A lookup adds up to lookupInputs weights at once: the spikes of as many source
// channels at a place are the index of a table that holds the sums of all subsets of
// their weights. (The method of Four Russians: Arlazarov et al. 1970; with permutations
// of vector registers for tables: T-MAC, Wei et al. 2024, arXiv:2407.00088.)
//
// A table's sums t are stored as 16-bit words in two planes, t modulo 2^16 and
// round(t/2^lookupShift), and both planes are added up in 16 bits. The second sum
// tells which of the numbers that are equal modulo 2^16 the exact sum is, so long as
// it fits itself and the rounding of all lookups together stays below 2^15: segments
// of a layer's lookups are as long as that allows.
const (
	lookupInputs  = 6
	lookupEntries = 1 << lookupInputs
	lookupTable   = 2 * lookupEntries // words of a table
	lookupShift   = 9
	// lookupRun is the most lookups of a segment: each is rounded by at most
	// 2^lookupShift/2.
	lookupRun = 127
	// lookupWeights is the room of a lookup's weights.
	lookupWeights = 8

	// lookupLanes is the number of cells that a vector of words holds: the same cell
	// of as many tiles of a strip.
	lookupLanes = 32
	// lookupCols is the width of a tile: what a kernel keeps sums of at once.
	lookupCols = 8
	// quadBits is the channels of a pixel that are expanded together, and quadPlanes
	// the planes of indices that they make.
	quadBits   = 64
	quadPlanes = (quadBits + lookupInputs - 1) / lookupInputs
)

// lookupKernels are the innermost loops of spiking convolutions by lookups.
type lookupKernels struct {
	// tables makes the tables of lookups, [lookup][2][lookupEntries], of their weights,
	// [lookup][lookupWeights].
	tables func(tables []int16, weights []int32)
	// sum adds the lookups' sums to the potentials; fire does so, adds the bias and
	// takes the spikes.
	sum, fire func(a *lookupArgs)
	// mask adds masks to words, shifted to the left.
	mask func(dst []uint64, masks []uint16, shift uint)
	// index writes the indices of cols cells, plane by plane, each for all lanes.
	index func(a *indexArgs)
	// collect turns the spikes of up to quadBits channels, of each cell and for all
	// lanes, into one number for each lane and cell, channel 0 lowest.
	collect func(dst []uint64, spikes []uint32, channels, cells int)
}

// genericLookups are the lookup kernels in Go.
var genericLookups = lookupKernels{
	tables: lookupTablesGeneric, sum: lookupSumGeneric, fire: lookupFireGeneric,
	mask: lookupMaskGeneric, index: lookupIndexGeneric,
	collect: lookupCollectGeneric,
}

// lookupArgs are the arguments of sum and fire. For each row y, column x < lookupCols
// and lane l,
//
//	v[y][x][l] += sum over k of tables[k][index[y*pitch + x*lookupLanes + offsets[k] + l] % lookupEntries]
//
// in arithmetic modulo 2^32, exact for one segment. fire goes on as kernels of
// [stepArgs] do, with one channel's parameters, and sets bit l of spikes[y][x].
type lookupArgs struct {
	index   []uint16
	offsets []int32
	tables  []int16
	v       []int32
	spikes  []uint32

	rows, pitch             int
	bias, threshold, firing int32
}

// indexArgs are the arguments of index: for each plane g < planes, column x < cols and
// lane l,
//
//	dst[g*plane + x*lookupLanes + l] = src[lanes[l] + x] >> (lookupInputs*g)
//
// of which only the lowest lookupInputs bits are of interest.
type indexArgs struct {
	dst                 []uint16
	src                 []uint64
	lanes               [lookupLanes]int64
	planes, plane, cols int
}

// A lookupPlan is the lookups of a spiking convolution.
type lookupPlan struct {
	// side is the number of source cells side by side that an index covers: several
	// where they have few channels.
	side   int
	planes []lookupPlane
	phases []lookupPhase
}

// A lookupPlane is a plane of indices: the count channels from first on.
type lookupPlane struct{ first, count int }

// A lookupPhase is the lookups of a phase's channels.
type lookupPhase struct {
	places   []lookupPlace
	channels []lookupChannel
}

// A lookupPlace is where a lookup finds its index in a strip.
type lookupPlace struct {
	plane int
	tap   kernel.Tap
}

// A lookupChannel is the lookups of one output channel that have a weight other than
// 0: their places, weights and the ends of their segments, of which there is one at
// least.
type lookupChannel struct {
	places   []int32
	weights  []int32
	segments []int
}

// packLookups plans the lookups of the convolution for runs of taps, one list for
// each phase.
func (c *Conv) packLookups(phases [][]kernel.TapRun, at func(out, in, tap int) int16) *lookupPlan {
	p := &lookupPlan{side: max(1, lookupInputs/c.shape.InC)}
	if p.side > 1 {
		p.planes = []lookupPlane{{0, c.shape.InC}}
	} else {
		for q := 0; q < c.shape.InC; q += quadBits {
			end := min(q+quadBits, c.shape.InC)
			for first := q; first < end; first += lookupInputs {
				p.planes = append(p.planes, lookupPlane{first, min(lookupInputs, end-first)})
			}
		}
	}
	for _, runs := range phases {
		p.phases = append(p.phases, c.packLookupPhase(p, runs, at))
	}
	return p
}

func (c *Conv) packLookupPhase(p *lookupPlan, runs []kernel.TapRun, at func(out, in, tap int) int16) lookupPhase {
	var phase lookupPhase
	var kernels [][]int // of a place: the taps that it covers, in the kernel window
	for _, r := range runs {
		for i := 0; i < len(r.Kernel); i += p.side {
			for plane := range p.planes {
				t := r.First
				t.Col += i
				phase.places = append(phase.places, lookupPlace{plane, t})
				kernels = append(kernels, r.Kernel[i:min(i+p.side, len(r.Kernel))])
			}
		}
	}
	for out := range c.shape.OutC {
		var ch lookupChannel
		for k, place := range phase.places {
			plane := p.planes[place.plane]
			var w [lookupWeights]int32
			for i, tap := range kernels[k] {
				for in := range plane.count {
					w[i*plane.count+in] = int32(at(out, plane.first+in, tap))
				}
			}
			if w != [lookupWeights]int32{} {
				ch.places = append(ch.places, int32(k))
				ch.weights = append(ch.weights, w[:]...)
			}
		}
		ch.segments = lookupSegments(ch.weights)
		phase.channels = append(phase.channels, ch)
	}
	return phase
}

// lookupSegments cuts lookups into segments whose sums are exact: see lookupShift.
func lookupSegments(weights []int32) []int {
	var ends []int
	count, low, high := 0, int32(0), int32(0)
	for k := range len(weights) / lookupWeights {
		w := weights[k*lookupWeights:][:lookupWeights]
		var least, most int32
		for _, x := range w {
			least, most = least+min(x, 0), most+max(x, 0)
		}
		least, most = lookupHigh(least), lookupHigh(most)
		if count == lookupRun || low+least < -1<<15 || high+most >= 1<<15 {
			ends = append(ends, k)
			count, low, high = 0, 0, 0
		}
		count, low, high = count+1, low+least, high+most
	}
	return slices.Clip(append(ends, len(weights)/lookupWeights))
}

// lookupHigh is the upper plane's word of a sum.
func lookupHigh(sum int32) int32 { return (sum + 1<<(lookupShift-1)) >> lookupShift }

// most is the largest number of lookups of an output channel.
func (p *lookupPlan) most() int {
	most := 0
	for _, phase := range p.phases {
		most = max(most, len(phase.places))
	}
	return most
}
