//go:build !purego

package kernel

// ifStepAVX512 works like ifStepGeneric, on multiples of 64 elements.
//
//go:noescape
func ifStepAVX512(spikes []uint64, v, current []float32, bias, threshold, fire float32)

// expandSpikesAVX512 works like expandSpikesGeneric, on multiples of 64 elements.
//
//go:noescape
func expandSpikesAVX512(dst []float32, spikes []uint64, amplitude float32)

// accumulateSpikesAVX512 works like accumulateSpikesGeneric, on multiples of 64 elements.
//
//go:noescape
func accumulateSpikesAVX512(dst []float32, spikes []uint64, amplitude float32)

// ifStepAVX2 works like ifStepGeneric, on multiples of 64 elements.
//
//go:noescape
func ifStepAVX2(spikes []uint64, v, current []float32, bias, threshold, fire float32)

// expandSpikesAVX2 works like expandSpikesGeneric, on multiples of 64 elements.
//
//go:noescape
func expandSpikesAVX2(dst []float32, spikes []uint64, amplitude float32)

// accumulateSpikesAVX2 works like accumulateSpikesGeneric, on multiples of 64 elements.
//
//go:noescape
func accumulateSpikesAVX2(dst []float32, spikes []uint64, amplitude float32)
