//go:build !purego

package kernel

import (
	"golang.org/x/sys/cpu"

	"spikingir/runtime/kernel/machine"
)

// acceleratedFloat32 lists the implementations in assembly, best first.
func acceleratedFloat32() []machine.Entry[float32Kernels] {
	x := &cpu.X86
	return []machine.Entry[float32Kernels]{{
		Name: "avx512",
		Available: x.HasAVX512F && x.HasAVX512VL && x.HasAVX512BW && x.HasAVX512DQ &&
			x.HasFMA && x.HasBMI2,
		Kernels: float32Kernels{
			lanes:        16,
			convRow:      convRowAVX512,
			convBand:     convBandAVX512,
			directBands:  true,
			directTails:  true,
			filterIn:     filterInAVX512,
			filterOut:    filterOutAVX512,
			fmaPeak:      fmaPeakAVX512,
			ifStep:       ifStepAVX512,
			spikeCounts:  spikeCountsAVX512,
			interleave8:  interleave8AVX2,
			expandSpikes: expandSpikesAVX512,
			clip:         clipAVX512,
			leakyRelu:    leakyReluAVX512,
			add:          addAVX512,
			sub:          subAVX512,
			mul:          mulAVX512,
			div:          divAVX512,
			addScalar:    addScalarAVX512,
			mulScalar:    mulScalarAVX512,
			axpy:         axpyAVX512,
		},
	}, {
		Name:      "avx2",
		Available: x.HasAVX2 && x.HasFMA,
		Kernels: float32Kernels{
			lanes:        8,
			convRow:      convRowAVX2,
			convBand:     convBandAVX2,
			filterIn:     filterInAVX2,
			filterOut:    filterOutAVX2,
			fmaPeak:      fmaPeakAVX2,
			ifStep:       ifStepAVX2,
			spikeCounts:  spikeCountsAVX2,
			interleave8:  interleave8AVX2,
			expandSpikes: expandSpikesAVX2,
			clip:         clipAVX2,
			leakyRelu:    leakyReluAVX2,
			add:          addAVX2,
			sub:          subAVX2,
			mul:          mulAVX2,
			div:          divAVX2,
			addScalar:    addScalarAVX2,
			mulScalar:    mulScalarAVX2,
			axpy:         axpyAVX2,
		},
	}}
}
