//go:build !purego

package count

import (
	"golang.org/x/sys/cpu"

	"spikingir/runtime/kernel/machine"
)

// accelerated lists the implementations in assembly, best first.
func accelerated() []machine.Entry[kernels] {
	x := &cpu.X86
	avx512 := x.HasAVX512F && x.HasAVX512VL && x.HasAVX512BW && x.HasAVX512DQ
	return []machine.Entry[kernels]{
		{Name: "avx512-vnni", Available: avx512 && x.HasAVX512VNNI && x.HasBMI2, Kernels: kernels{
			conv:   convAVX512,
			settle: settleAVX512,
			peak:   peakAVX512,
		}},
		{Name: "avx2", Available: x.HasAVX2, Kernels: kernels{
			conv:   convAVX2,
			settle: settleAVX2,
			peak:   peakAVX2,
		}},
	}
}

// convAVX512 works like convGeneric.
func convAVX512(a *args) {
	if a.vectors == 2 {
		pairAVX512(a)
	} else {
		singleAVX512(a)
	}
}

// pairAVX512 is convAVX512 for two vectors of weights, singleAVX512 for one.
//
//go:noescape
func pairAVX512(a *args)

//go:noescape
func singleAVX512(a *args)

// settleAVX512 works like settleGeneric.
//
//go:noescape
func settleAVX512(a *args)

// peakAVX512 runs n rounds of 24 products of vectors and returns the number of operations in
// them.
//
//go:noescape
func peakAVX512(n int) (ops int)

// convAVX2 works like convGeneric, a block at a time.
func convAVX2(a *args) {
	for b := range a.vectors / a.planes {
		c := *a
		c.weights, c.params, c.lanes[0] = a.weights[min(b*vectorBytes, len(a.weights)):], a.params[b*paramWords:], a.lanes[b]
		if a.sums != nil {
			c.sums = a.sums[b*blockLanes:]
		} else {
			c.counts = a.counts[b*blockLanes:]
		}
		convBlockAVX2(&c)
	}
}

// convBlockAVX2 is convAVX2 for one block.
//
//go:noescape
func convBlockAVX2(a *args)

// settleAVX2 works like settleGeneric.
//
//go:noescape
func settleAVX2(a *args)

// peakAVX2 runs n rounds of 6 products of vectors and returns the number of operations in them.
//
//go:noescape
func peakAVX2(n int) (ops int)
