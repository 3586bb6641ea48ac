package kernel

import "spikingir/runtime/kernel/machine"

// float32Kernels are the innermost loops of one implementation. Elementwise
// loops take slices of one length that is a multiple of lanes, or of 64 where
// spikes are involved; the exported functions do the rest with the generic ones.
type float32Kernels struct {
	lanes   int
	convRow func(a *rowArgs, width int)
	// convBand is convRow for bandRows rows of one channel and nine taps, those of
	// three neighbours in each of three rows. directBands tells whether it heeds
	// left and right.
	convBand    func(a *rowArgs)
	directBands bool
	// directTails tells that convRow does for wide blocks what the arguments' direct
	// says.
	directTails bool
	// filterIn and filterOut work like filterInGeneric and filterOutGeneric, by vectors
	// of lanes tiles.
	filterIn, filterOut func(a *filterArgs)
	fmaPeak             func(n int) (flops int)

	spikeCounts  func(counts []uint8, residual, current []float32, p *TwoPhase)
	interleave8  func(dst, planes []uint8, c, n, count int)
	ifStep       func(spikes []uint64, v, current []float32, bias, threshold, fire float32)
	expandSpikes func(dst []float32, spikes []uint64, amplitude float32)

	clip                       func(dst, x []float32, low, high float32)
	leakyRelu                  func(dst, x []float32, slope float32)
	add, sub, mul, div         func(dst, x, y []float32)
	addScalar, mulScalar, axpy func(dst, x []float32, a float32)
}

// float32s is the family of all kernels on float32 tensors.
var float32s = machine.Register("float32", append(acceleratedFloat32(), machine.Entry[float32Kernels]{
	Name: "generic", Available: true, Kernels: genericFloat32,
}))
