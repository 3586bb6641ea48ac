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
			conv:    convAVX512,
			settle:  settleAVX512,
			toTiles: toTilesAVX512, fromTiles: fromTilesAVX512,
			mul:  mulAVX512,
			peak: peakAVX512,
		}},
		{Name: "avx2-vnni", Available: x.HasAVX2 && x.HasAVXVNNI, Kernels: kernels{
			conv:    func(a *args) { eachBlock(a, convBlockVNNI) },
			settle:  settleAVX2,
			toTiles: toTilesAVX2, fromTiles: fromTilesAVX2,
			mul:  func(a *mulArgs) { eachProduct(a, mulBlockVNNI) },
			peak: peakVNNI,
		}},
		{Name: "avx2-madd", Available: x.HasAVX2, Kernels: kernels{
			conv:    func(a *args) { eachBlock(a, convBlockAVX2) },
			settle:  settleAVX2,
			toTiles: toTilesAVX2, fromTiles: fromTilesAVX2,
			mul:    func(a *mulArgs) { eachProduct(a, mulBlockAVX2) },
			peak:   peakAVX2,
			narrow: true,
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

// eachBlock works like convGeneric, a block at a time.
func eachBlock(a *args, conv func(a *args)) {
	all := *a
	for b := range all.vectors / all.planes {
		a.weights, a.params = all.weights[min(b*vectorBytes, len(all.weights)):], all.params[b*paramWords:]
		if all.planes == 1 {
			a.lanes[0], a.chunk[0] = all.lanes[b], all.chunk[b]
		}
		if all.sums != nil {
			a.sums = all.sums[b*blockLanes:]
		} else {
			a.counts = all.counts[b*blockLanes:]
		}
		conv(a)
	}
	*a = all
}

// convBlockAVX2 is convGeneric for one block.
//
//go:noescape
func convBlockAVX2(a *args)

// convBlockVNNI works like convBlockAVX2.
//
//go:noescape
func convBlockVNNI(a *args)

// settleAVX2 works like settleGeneric.
//
//go:noescape
func settleAVX2(a *args)

// peakAVX2 runs n rounds of 6 products of vectors and returns the number of operations in them.
//
//go:noescape
func peakAVX2(n int) (ops int)

// peakVNNI runs n rounds of 12 products of vectors and returns the number of operations in them.
//
//go:noescape
func peakVNNI(n int) (ops int)

// The kernels for tiles work like those in Go whose names end in Generic.
//
//go:noescape
func toTilesAVX512(a *tileArgs)

//go:noescape
func fromTilesAVX512(a *tileArgs)

//go:noescape
func toTilesAVX2(a *tileArgs)

//go:noescape
func fromTilesAVX2(a *tileArgs)

// mulAVX512 works like mulGeneric.
func mulAVX512(a *mulArgs) {
	if a.blocks == 2 {
		mulPairAVX512(a)
	} else {
		mulSingleAVX512(a)
	}
}

// mulPairAVX512 is mulAVX512 for two blocks, mulSingleAVX512 for one.
//
//go:noescape
func mulPairAVX512(a *mulArgs)

//go:noescape
func mulSingleAVX512(a *mulArgs)

// eachProduct works like mulGeneric, a block at a time.
func eachProduct(a *mulArgs, mul func(a *mulArgs)) {
	all := *a
	for b := range all.blocks {
		a.weights, a.products = all.weights[b*2*blockLanes:], all.products[b*all.blockStride:]
		mul(a)
	}
	*a = all
}

// mulBlockAVX2 is mulGeneric for one block, and so is mulBlockVNNI.
//
//go:noescape
func mulBlockAVX2(a *mulArgs)

//go:noescape
func mulBlockVNNI(a *mulArgs)
