// Package kernel holds the inner loops of the executor in float32: convolution,
// transposed convolution, the integrate-and-fire step and a few elementwise operators,
// on planar tensors; one image is [C][H][W], contiguous float32. Spiking layers in
// integers are in package spike, those of two-phase networks in package count, what all kernels
// run on in package machine.
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
// Winograd transforms, whose lanes are neighbouring tiles and whose
// products are those of a row kernel with input channels for taps. Cutting an image
// into strips, gathering padded and strided input, tails of elementwise loops and the
// split over threads are Go, shared by all implementations.
package kernel
