package kernel

import "spikingir/runtime/kernel/machine"

// trainKernels are the innermost loops of training convolutions in one
// implementation.
type trainKernels struct {
	product func(a *productArgs)
	// planes and dots work like planesGeneric and dotsGeneric.
	planes func(a *planeArgs)
	dots   func(a *dotArgs)
	// listSpikes, joinSpikes and sumRuns work like listSpikesGeneric,
	// joinSpikesGeneric and sumRunsGeneric.
	listSpikes func(counts, numbers []int32, pieces []uint16, perPixel int)
	joinSpikes func(a *joinArgs)
	sumRuns    func(a *runArgs)
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

// trains is the family of the kernels for training. They do not promise the bits of
// each other: see [TrainConv].
var trains = machine.Register("train", append(acceleratedTrain(), machine.Entry[trainKernels]{
	Name: "generic", Available: true, Kernels: genericTrain,
}))

// productArgs are the arguments of a product kernel: a matrix product whose left
// factor lies anywhere. It sets, for i of rows and o < width,
//
//	out[i*outStride+o] = sum over j of cols: a[rows[i]+cols[j]] * b[j*bStride+o]
//
// or, with add, adds that sum. A vector kernel may read b up to the next multiple of
// trainLanes only if bStride has room for it. width is at most trainBlockLanes.
type productArgs struct {
	out, a, b          []float32
	rows, cols         []int32
	outStride, bStride int
	width              int
	add                bool

	// Of vector kernels: the last rows and what becomes of them.
	lastRows [productTile]int32
	last     [productTile * trainBlockLanes]float32
}

// productTile is the number of rows that the vector product kernels compute at once.
const productTile = 6
