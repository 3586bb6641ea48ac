//go:build !purego

package kernel

// The kernels in assembly work like those in Go whose names end in Generic.
func ifStepAVX512(spikes []uint64, v, current []float32, bias, threshold, fire float32)
func expandSpikesAVX512(dst []float32, spikes []uint64, amplitude float32)
func ifStepAVX2(spikes []uint64, v, current []float32, bias, threshold, fire float32)
func expandSpikesAVX2(dst []float32, spikes []uint64, amplitude float32)

func spikeCountsAVX512(counts []uint8, residual, current []float32, p *TwoPhase)
func spikeCountsAVX2(counts []uint8, residual, current []float32, p *TwoPhase)
func interleave8AVX2(dst, planes []uint8, c, n, count int)
