package kernel

import (
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/kernel/spike"
)

// convKernels are the innermost loops of training convolutions in one
// implementation.
type convKernels struct {
	product func(a *productArgs)
	// planes and dots work like planesGeneric and dotsGeneric.
	planes func(a *planeArgs)
	dots   func(a *dotArgs)
	lists  spike.Lists
	// sumRuns works like sumRunsGeneric.
	sumRuns func(a *runArgs)
	// sumBelow is the share, in percent, of the products' vectors below which sums of
	// spikes are faster.
	sumBelow int
	// copyLanes and sumGradients work like copyLanesGeneric and sumGradientsGeneric.
	copyLanes    func(dst, src []float32, stride, width int)
	sumGradients func(a *spikeGradientArgs)
	// gradientsBelow is the share, in percent, of the products' vectors below which
	// sumGradients is faster.
	gradientsBelow int
	// The transforms work like winogradInGeneric and so on.
	winogradIn, winogradOut, winogradGradient, winogradWeights func(a *winogradArgs)
}

// convFamily is the family of the kernels for training. They do not promise the bits of
// each other: see [Conv].
var convFamily = machine.Register("train", append(acceleratedConvs(), machine.Entry[convKernels]{
	Name: "generic", Available: true, Kernels: genericConvs,
}))

// productArgs are the arguments of a product kernel: a matrix product whose left
// factor lies anywhere. It sets, for i of rows and o < width,
//
//	out[i*outStride+o] = sum over j of cols: a[rows[i]+cols[j]] * b[j*bStride+o]
//
// or, with add, adds that sum. A vector kernel may read b up to the next multiple of
// vectorLanes only if bStride has room for it. width is at most blockLanes.
type productArgs struct {
	out, a, b          []float32
	rows, cols         []int32
	outStride, bStride int
	width              int
	add                bool

	// Of vector kernels: the last rows and what becomes of them.
	lastRows [productTile]int32
	last     [productTile * blockLanes]float32
}

// productTile is the number of rows that the vector product kernels compute at once.
const productTile = 6
