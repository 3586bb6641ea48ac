package kernel

import "fmt"

// AddSpikes adds 1 to dst[i] where element i spikes, bit i%64 of spikes[i/64].
func AddSpikes(dst []float32, spikes []uint64) {
	if want := (len(dst) + spikeBits - 1) / spikeBits; len(spikes) < want {
		panic(fmt.Sprintf("kernel: AddSpikes of %d elements with %d words of spikes, want %d", len(dst), len(spikes), want))
	}
	n := len(dst) &^ (spikeBits - 1)
	neuronFamily.Kernels.addSpikes(dst[:n], spikes)
	addSpikesGeneric(dst[n:], spikes[n/spikeBits:])
}

func addSpikesGeneric(dst []float32, spikes []uint64) {
	for i := range dst {
		if spikes[i/spikeBits]>>(i%spikeBits)&1 != 0 {
			dst[i]++
		}
	}
}
