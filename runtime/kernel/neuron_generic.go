package kernel

func ifStepGeneric(spikes []uint64, v, current []float32, bias, threshold, fire float32) {
	for i := range SpikeWords(len(v)) {
		lo := i * spikeBits
		hi := min(lo+spikeBits, len(v))
		spikes[i] = ifWordGeneric(v[lo:hi], current[lo:hi], bias, threshold, fire)
	}
}

// ifWordGeneric advances up to 64 neurons and returns their spikes.
func ifWordGeneric(v, current []float32, bias, threshold, fire float32) uint64 {
	var word uint64
	for i, c := range current {
		u := v[i] + float32(c+bias)
		if u >= fire {
			word |= 1 << i
			u -= threshold
		}
		v[i] = u
	}
	return word
}

func expandSpikesGeneric(dst []float32, spikes []uint64, amplitude float32) {
	for i := range dst {
		dst[i] = 0
		if spikes[i/spikeBits]>>(i%spikeBits)&1 != 0 {
			dst[i] = amplitude
		}
	}
}
