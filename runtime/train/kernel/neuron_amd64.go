//go:build !purego

package kernel

import (
	"golang.org/x/sys/cpu"

	"spikingir/runtime/kernel/machine"
)

// acceleratedNeurons lists the implementations in assembly, best first.
func acceleratedNeurons() []machine.Entry[neuronKernels] {
	x := &cpu.X86
	return []machine.Entry[neuronKernels]{{
		Name:      "avx512",
		Available: x.HasAVX512F && x.HasAVX512VL && x.HasAVX512BW && x.HasAVX512DQ,
		Kernels: neuronKernels{
			forward:      neuronForwardAVX512,
			backward:     neuronBackwardAVX512,
			rateForward:  rateForwardAVX512,
			rateBackward: rateBackwardAVX512,
			addSpikes:    addSpikesAVX512,
			adam:         adamAVX512,
		},
	}, {
		Name:      "avx2",
		Available: x.HasAVX2,
		Kernels: neuronKernels{
			forward:      neuronForwardAVX2,
			backward:     neuronBackwardAVX2,
			rateForward:  rateForwardAVX2,
			rateBackward: rateBackwardAVX2,
			addSpikes:    addSpikesAVX2,
			adam:         adamAVX2,
		},
	}}
}

// neuronConstants are the numbers of the kernels, for all lanes of AVX-512. The order is
// known to the assembly.
//
//lint:ignore U1000 only the assembly reads it
var neuronConstants = lanes16(1, roundingFloat, farthest, leastSlope,
	exp2c6, exp2c5, exp2c4, exp2c3, exp2c2, exp2c1)

func lanes16(values ...float32) (table [10][16]float32) {
	for i, v := range values {
		for k := range table[i] {
			table[i][k] = v
		}
	}
	return table
}

// The kernels in assembly work like those in Go whose names end in Generic.
func neuronForwardAVX512(a *neuronForward, n int)
func neuronBackwardAVX512(a *neuronBackward, n int)
func rateForwardAVX512(a *rateArgs, n int)
func rateBackwardAVX512(a *rateArgs, n int)
func adamAVX512(p, g, m, v []float32, a *adamArgs)
func neuronForwardAVX2(a *neuronForward, n int)
func neuronBackwardAVX2(a *neuronBackward, n int)
func rateForwardAVX2(a *rateArgs, n int)
func rateBackwardAVX2(a *rateArgs, n int)
func adamAVX2(p, g, m, v []float32, a *adamArgs)
func addSpikesAVX512(dst []float32, spikes []uint64)
func addSpikesAVX2(dst []float32, spikes []uint64)
