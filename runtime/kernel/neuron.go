package kernel

import (
	"fmt"
	"math/bits"
)

// spikeBits is the number of spikes in a word: element i is bit i%64 of word i/64.
const spikeBits = 64

// IFStep advances the membrane potentials v of n integrate-and-fire neurons by
// one timestep (SpikingIR, AAAI 2026, Eq. 1-3, reset by subtraction):
//
//	c = current[i] + bias
//	v[i] = v[i] + c
//	spike = v[i] >= fire
//	if spike { v[i] = v[i] - threshold }
//
// each operation rounded to float32. fire is the threshold, or the part of it from
// which an MPRN fires in the post step (Eq. 16). Spike i
// is bit i%64 of spikes[i/64]; the bits past n are cleared. A NaN never fires.
// v and current have one length, spikes at least a word for each 64 elements.
func IFStep(spikes []uint64, v, current []float32, bias, threshold, fire float32) {
	checkLengths("IFStep", len(v), len(current))
	spikes = checkSpikes("IFStep", spikes, len(v))
	n := len(v) &^ (spikeBits - 1)
	float32s.Kernels.ifStep(spikes, v[:n], current[:n], bias, threshold, fire)
	ifStepGeneric(spikes[n/spikeBits:], v[n:], current[n:], bias, threshold, fire)
}

// ExpandSpikes sets dst[i] to amplitude where element i spikes, else to 0.
func ExpandSpikes(dst []float32, spikes []uint64, amplitude float32) {
	spikes = checkSpikes("ExpandSpikes", spikes, len(dst))
	n := len(dst) &^ (spikeBits - 1)
	float32s.Kernels.expandSpikes(dst[:n], spikes, amplitude)
	expandSpikesGeneric(dst[n:], spikes[n/spikeBits:], amplitude)
}

// CountSpikes returns the number of set bits.
func CountSpikes(spikes []uint64) int {
	n := 0
	for _, word := range spikes {
		n += bits.OnesCount64(word)
	}
	return n
}

// SpikeWords returns the number of words that hold the spikes of n elements.
func SpikeWords(n int) int { return (n + spikeBits - 1) / spikeBits }

// checkLengths panics when an operand has another length than the first.
func checkLengths(name string, n int, others ...int) {
	for _, m := range others {
		if m != n {
			panic(fmt.Sprintf("kernel: %s of %d and %d elements", name, n, m))
		}
	}
}

// checkSpikes returns the words that hold the spikes of n elements and panics
// when there are fewer.
func checkSpikes(name string, spikes []uint64, n int) []uint64 {
	want := SpikeWords(n)
	if len(spikes) < want {
		panic(fmt.Sprintf("kernel: %s of %d elements with %d words of spikes, want %d",
			name, n, len(spikes), want))
	}
	return spikes[:want]
}
