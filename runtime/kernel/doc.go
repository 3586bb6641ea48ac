// Package kernel holds the inner loops of the executor and of training. In float32:
// convolution, transposed convolution, the integrate-and-fire step and a few
// elementwise operators, on planar tensors; one image is [C][H][W], contiguous
// float32. In whole numbers: layers of spiking neurons behind a convolution of spikes.
// For training: convolutions and their gradients, channels last.
//
// # One answer
//
// A spike is a threshold crossing, and one unit in the last place moves it.
// For the executor every implementation (AVX-512, AVX2, Go), every number of threads and every
// strip size therefore gives the same bits. The order of operations is part of
// the contract. An output of [Conv.Run] is one chain of fused multiply-adds,
//
//	acc = 0
//	for c in input channels of the group
//		for ky in kernel rows
//			for kx in kernel columns
//				acc = fma(weight[c][ky][kx], x[c][ky][kx], acc)
//	acc = acc + bias   (only when a bias is given)
//
// with one rounding, to nearest even, for each fma and one for the bias. A tap
// in the zero padding takes part as fma(w, 0, acc), so that an infinite weight
// there gives NaN. The vector implementations keep one chain in one lane. Where
// the working set is cut over input channels, a chain waits in memory between
// two cuts, which loses nothing.
//
// Where last bits need not be those of this chain, because no spike hangs on them, a
// [WinogradConv] takes a quarter of the products. Its order of operations is fixed
// too, so that it keeps the same promise: transforms whose every operation is rounded,
// or is a fused product with a power of two, and at each of the 36 positions one chain
// of fused multiply-adds over the input channels.
//
// A [Tail] replaces the bias and works on outputs before they leave the caches; it
// sees the same numbers that would be stored without it.
//
// Elementwise operators round every operation to float32; none is fused.
//
// Signed zeros and infinities agree between implementations too, subnormal
// numbers are never flushed. Only the sign and payload of a NaN are left open.
//
// On AVX-512 the lanes are cells of a row, or, in wide blocks of 32 output channels,
// channels: weights are then whole vectors and source cells single numbers, which no
// cache line splits. A wide block does what a [Direct] tail says, normalisation and
// Relu, before it stores.
//
// # Spiking layers in whole numbers
//
// A [SpikeConv] advances integrate-and-fire neurons whose input is a convolution of
// spikes. Weights are 16-bit whole numbers in the scale of their output channel,
// membrane potentials, biases and thresholds 32-bit ones. A spike is one bit
// ([SpikeTrain]), or a byte where spikes have values of -128..127. Sums of whole
// numbers do not depend on their order, so nothing has to be fixed for every
// implementation to give the same bits.
//
// The image is cut into strips, and a strip goes through all timesteps before the
// next one begins: its potentials stay in the cache, and its currents exist for one
// tile of output cells. The spikes of a slice that a strip needs, the border round
// it included, are expanded to cells of one or two bytes, pixel by pixel, so that
// the taps of a kernel row are one run of neighbouring cells: a window.
//
//	amx     weights as two signed bytes, w = 256*h + l; 32 output cells by 16
//	        channels in four tiles of sums. The neurons of a tile advance while
//	        the products of the next are computed.
//	avx512-vnni
//	        weights as words, pairs of products added in one instruction; 12 output
//	        cells by 32 channels, or 24 by 16, in registers
//	avx512-lookup
//	        no products: the spikes of 6 channels are the index of a table of their
//	        weights' sums, which two vector registers hold; where the CPU permutes
//	        words fast, as AMD's do. Multi-valued spikes run as on avx512-vnni.
//	avx2    as avx512-vnni in 6 cells by 16 channels, with products and sums apart
//	generic Go; passes over what does not spike
//
// With lookups the lanes of a vector are 32 tiles of the strip, 8 cells wide, at the
// same cell of each: a tap to the right is then another vector, never one that is
// shifted, and few output channels leave no lane empty. A channel goes through several
// slices before the next one begins; its tables are made each time, for that costs a
// few hundredths of what they are used for.
//
// Where few neurons of a layer's source fire, by a sample of its spikes, no kernel
// multiplies at all: the spikes under each row of the kernel are listed and their weights
// added up, so that a layer's time follows its firing rate. AVX-512 and AVX2 do so below
// rates of 0.12 to 0.2, for convolutions without strides, groups or columns apart and
// with more than 8 output channels.
//
// Elsewhere output channels come in blocks of 16. Where there are 8 or fewer, neighbouring
// output pixels share a block, 5 of them for the 3 channels of AOD-Net, and their
// windows are one that is wider; with strides each pixel has its own block, mostly
// empty. Convolutions in groups run as dense ones without the windows in which a
// block has no weight.
//
// # Training
//
// A [TrainConv] is a convolution and its gradients on channel-last slices, for
// backpropagation through time. Here the order of sums is left open, so that each
// layer can take the fastest way, and implementations differ in the last bits; one
// implementation repeats its own. There are five ways:
//
//	products   of a padded copy of a slice and the weights, 6 pixels by 64 output
//	           channels in registers, or for the gradient of the weights 6 weights
//	           by 64 channels; strides, dilations and groups differ in offsets only
//	filtering  by Winograd's F(4x4, 3x3), a quarter of the products, where both sides
//	           have 32 channels or more
//	planes     turned from channels to runs of pixels, which are the lanes then, where
//	           there are few output channels
//	sums       of the weights of the neurons that spike, listed pixel by pixel
//	sums       of the gradients of the pixels that spike, listed channel by channel
//
// Spikes take the last two ways while they are few. A convolution in groups takes one
// group after the other, which suits few, wide groups; with strides, the gradient of
// the input spends products on zeros between the pixels.
//
// # Implementations
//
// The best implementation that the CPU offers is selected when the program
// starts. The environment variable SPIKINGIR_KERNEL (generic, avx2, avx512, amx, or a
// full name such as avx512-vnni) names another one; [machine.EnvError] tells when it could not be followed. The build
// tag purego leaves the assembly out.
//
// Assembly exists for innermost loops only: row kernels for blocks of output
// channels, which read strips, padded copies of part of the source; band kernels for
// single channels, as the last layer of a network or a depthwise one has, which load
// each cell once for three rows of outputs and may read the source itself; the
// transforms of minimal filtering, whose lanes are neighbouring tiles and whose
// products are those of a row kernel with input channels for taps. Cutting an image
// into strips, gathering padded and strided input, tails of elementwise loops and the
// split over threads are Go, shared by all implementations.
package kernel
