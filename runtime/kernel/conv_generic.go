package kernel

import "spikingir/runtime/kernel/machine"

// genericFloat32 are the reference kernels, which need no particular CPU.
var genericFloat32 = float32Kernels{
	lanes:        1,
	convRow:      convRowGeneric,
	convBand:     convBandGeneric,
	filterIn:     filterInGeneric,
	filterOut:    filterOutGeneric,
	fmaPeak:      fmaPeakGeneric,
	ifStep:       ifStepGeneric,
	spikeCounts:  spikeCountsGeneric,
	interleave8:  interleave8Generic,
	expandSpikes: expandSpikesGeneric,
	clip:         clipGeneric,
	leakyRelu:    leakyReluGeneric,
	add:          addGeneric,
	sub:          subGeneric,
	mul:          mulGeneric,
	div:          divGeneric,
	addScalar:    addScalarGeneric,
	mulScalar:    mulScalarGeneric,
	axpy:         axpyGeneric,
}

// convRowGeneric is the row kernel in Go.
func convRowGeneric(a *rowArgs, width int) {
	var acc [256]float32
	for k := range width {
		dst := a.dst[k*a.dstStride:][:a.n]
		for i := 0; i < a.n; i += len(acc) {
			part := acc[:min(len(acc), a.n-i)]
			if a.resume {
				copy(part, dst[i:])
			} else {
				clear(part)
			}
			a.chain(part, i, k)
			if a.bias != nil {
				for j := range part {
					part[j] += a.bias[k]
				}
			}
			copy(dst[i:], part)
		}
	}
}

// chain adds all taps to the accumulators of cells i on, of channel k.
func (a *rowArgs) chain(acc []float32, i, k int) {
	for c := range a.channels {
		for t, offset := range a.offsets {
			w := a.weights[(c*len(a.offsets)+t)*a.weightStep+k]
			x := a.src[c*a.channelStride+offset+i:][:len(acc)]
			for j, v := range x {
				acc[j] = machine.FMA32(w, v, acc[j])
			}
		}
	}
}

// convBandGeneric is the band kernel in Go.
func convBandGeneric(a *rowArgs) { rowByRow(a, convRowGeneric) }

// rowByRow is a band kernel made of a row kernel.
func rowByRow(a *rowArgs, convRow func(a *rowArgs, width int)) {
	row := *a
	for r := range bandRows {
		row.dst, row.src = a.dst[r*a.dstPitch:], a.src[r*a.srcPitch:]
		convRow(&row, 1)
	}
}
