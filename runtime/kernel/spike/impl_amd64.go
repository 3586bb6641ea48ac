//go:build !purego

package spike

import (
	"golang.org/x/sys/cpu"

	"spikingir/runtime/kernel/machine"
)

// accelerated lists the implementations in assembly, best first. The firing rates
// below which they list spikes come from Zen 4, from 64 to 64 channels by 3x3 weights: the
// times meet near 0.18 with lookups, and beyond 0.2, where it was not tried, with products
// of words; the limit of AVX-512's is lower, for CPUs that have more of those. On tiles
// lists were not tried.
func accelerated() []machine.Entry[kernels] {
	x := &cpu.X86
	avx512 := x.HasAVX512F && x.HasAVX512VL && x.HasAVX512BW && x.HasAVX512DQ
	words := kernels{
		step:        stepsAVX512,
		expandBytes: expandBytesAVX512,
		expandWords: expandWordsAVX512,
		peak:        peakAVX512,
	}
	tiles, lookups := words, words
	words.events, lookups.events = eventsAVX512(0.12), eventsAVX512(0.15)
	tiles.bytes, tiles.step, tiles.peak = true, stepAMX, peakAMX
	lookups.lookup, lookups.peak = &lookupsAVX512, lookupPeakAVX512
	list := []machine.Entry[kernels]{
		{Name: "amx", Available: avx512 && machine.AMX(x.HasAMXInt8), Kernels: tiles},
		{Name: "avx512-vnni", Available: avx512 && x.HasAVX512VNNI, Kernels: words},
		// Multi-valued spikes take the products here too.
		{Name: "avx512-lookup", Available: avx512 && x.HasAVX512VNNI, Kernels: lookups},
		{Name: "avx2", Available: x.HasAVX2, Kernels: kernels{
			step:        stepsAVX2,
			expandBytes: expandBytesGeneric,
			expandWords: expandWordsGeneric,
			peak:        peakAVX2,
			events:      eventsAVX2(0.2),
		}},
	}
	if fastPermutations() {
		list[1], list[2] = list[2], list[1]
	}
	return list
}

// fastPermutations reports whether the CPU permutes the words of two vectors in one
// operation, as AMD's do: lookups take half the time of products on Zen 4. Elsewhere
// that was not measured.
func fastPermutations() bool { return cpuVendor() == [3]uint32{0x68747541, 0x69746e65, 0x444d4163} }

// cpuVendor is the vendor of the CPU, "AuthenticAMD" for AMD, as CPUID gives it in EBX,
// EDX and ECX.
func cpuVendor() (name [3]uint32)

// block is the arguments for the blocks from b on.
func (a *stepArgs) block(b int) stepArgs {
	c := *a
	c.weights = a.weights[b*a.weightBlock:]
	c.params, c.v, c.masks = a.params[b*48:], a.v[b*a.vBlock:], a.masks[b:]
	return c
}

// stepsAVX512 works like stepGeneric, two blocks at a time.
func stepsAVX512(a *stepArgs) {
	for b := 0; b < a.blocks; b += 2 {
		c := a.block(b)
		if b+1 == a.blocks {
			stepAVX512(&c)
			return
		}
		pairAVX512(&c)
	}
}

// stepsAVX2 works like stepGeneric.
func stepsAVX2(a *stepArgs) {
	for b := range a.blocks {
		c := a.block(b)
		stepAVX2(&c)
	}
}

// stepAVX512 advances one block.
//
//go:noescape
func stepAVX512(a *stepArgs)

// peakAMX runs n rounds of 4 products of tiles and returns the number of
// operations in them.
//
//go:noescape
func peakAMX(n int) (ops int)

// pairAVX512 advances two blocks.
//
//go:noescape
func pairAVX512(a *stepArgs)

// peakAVX512 runs n rounds of 24 products of vectors and returns the number
// of operations in them.
//
//go:noescape
func peakAVX512(n int) (ops int)

// stepAVX2 advances one block.
//
//go:noescape
func stepAVX2(a *stepArgs)

// peakAVX2 runs n rounds of 6 products of vectors and returns the number of
// operations in them.
//
//go:noescape
func peakAVX2(n int) (ops int)

// The kernels in assembly work like those in Go whose names end in Generic.
func stepAMX(a *stepArgs)
func expandBytesAVX512(dst []int8, masks []uint16)
func expandWordsAVX512(dst []int16, masks []uint16)
