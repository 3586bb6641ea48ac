package kernel

import "spikingir/runtime/kernel/machine"

// neuronKernels are the innermost loops of one implementation. All but adam take the
// first n elements, n a multiple of 64; the exported functions do the rest with the
// generic ones.
type neuronKernels struct {
	forward      func(a *neuronForward, n int)
	backward     func(a *neuronBackward, n int)
	rateForward  func(a *rateArgs, n int)
	rateBackward func(a *rateArgs, n int)
	// addSpikes takes words of spikes for the whole of dst.
	addSpikes func(dst []float32, spikes []uint64)
	// adam takes slices of one length, a multiple of 64.
	adam func(p, g, m, v []float32, a *adamArgs)
}

// neuronFamily is the family of the kernels of neurons in training.
var neuronFamily = machine.Register("trainneuron", append(acceleratedNeurons(), machine.Entry[neuronKernels]{
	Name: "generic", Available: true, Kernels: genericNeurons,
}))

// neuronForward is the arguments of a forward kernel: slices are size elements
// apart, words of spikes, currents currentStep. The current of the post step is
// post[i*postMove]. theta, bias, v0, fire and none (zeros) have the length of the
// period, a multiple of 64. A nil amplitude, counts or residual is not written.
type neuronForward struct {
	theta, bias, v0, fire, none []float32
	current, post               []float32
	u                           []float32
	spikes                      []uint64
	amplitude, counts, residual []float32

	currentStep, postMove     int
	size, words, main, slices int
}

// neuronBackward is the arguments of a backward kernel, as Backward explains them.
// Element i of amplitude at step t is amplitude[t*amplitudeStep + i*amplitudeMove];
// counts and residual move likewise.
type neuronBackward struct {
	level, postLevel, center, postCenter []float32 // of the period, as the next line
	inverse, gain, spike                 []float32
	u, amplitude, counts, residual       []float32
	current                              []float32
	sumBias, sumTheta, sumAlpha, sumV0   []float32 // of the period

	amplitudeStep, amplitudeMove, countsMove, residualMove int
	size, main, slices                                     int
	surrogate, detach, steady                              int
	scale, height                                          float32
}

// rateArgs is the arguments of the kernels of the rate stage. bias, inverse, gain
// and shift have the length of the period, as have the sums; out is the result
// forward, and the gradient of the current backward.
type rateArgs struct {
	bias, inverse, gain, shift []float32
	x, grad, out               []float32
	sumBias, sumTheta          []float32
	// steps is T, part 1/T, most the highest level and top that times 1/T.
	steps, part, most, top float32
}

// Constants of the surrogates in the kernels: 2^-h = 2^n * 2^-r with a whole n = r-h
// and |r| <= 1/2. Adding roundingFloat leaves n in the low bits. The polynomial in r
// interpolates (2^-r - 1)/r at the six Chebyshev nodes; with its rounding, the error
// of 2^-r is below 2^-23 of it.
const (
	farthest      = 64    // h is cut off there
	leastSlope    = 1e-12 // surrogates below count as 0
	roundingFloat = 3 << 22

	exp2c1 = -0x1.62e43p-1
	exp2c2 = 0x1.ebfbep-3
	exp2c3 = -0x1.c6af6cp-5
	exp2c4 = 0x1.3b2a54p-7
	exp2c5 = -0x1.5f089p-10
	exp2c6 = 0x1.44138ap-13
)
