// Package count holds the layers of two-phase networks in integers. A [Conv] convolves
// the numbers of spikes that neurons have emitted over all timesteps, one byte each
// ([Tensor]), and hands over the numbers of spikes of its own neurons, or the sums. Weights
// are integers of 16 bits in the scale of their output channel, or of 8 where all of them
// fit. Sums of integers do not depend on their order, so all implementations give the
// same bits.
//
// The image is cut into strips. The pixels that a strip needs, the border round it
// included, are copied to where the taps of a kernel row are one run of neighbouring
// bytes; what of a run meets weights other than 0 are its windows. A weight of 16 bits
// is two signed bytes, w = 256*h + l, so that all products are those of bytes: a sum
// is that of the h, shifted, plus that of the l.
//
//	avx512-vnni
//	        the products of four counts with weights added in one instruction; 12 output
//	        cells by two vectors of weights (a block's two planes, or two blocks), or 24 by one,
//	        in registers, where sums become counts too. CPUs with AMX run on it as well, for
//	        there was none to try tiles on.
//	avx2-vnni
//	        the same instruction on shorter vectors, 6 output cells by one block
//	avx2-madd
//	        products of two counts added in 16 bits, as those of several groups are, as many
//	        as weights and counts let fit; where hardly any fit, they are widened at once
//	generic Go; passes over groups without spikes
//
// The time does not depend on the numbers of spikes, but on avx2-madd on how large they may be.
//
// Kernels of 3x3 with weights of 16 bits, from 32 channels to 16 or more, take four products in the
// place of nine by Winograd F(2x2, 3x3), exactly, and so not much longer than those of 8
// bits, if sums of nine weights fit in 16 bits too: see [LeastScale]. These products are of words, on all
// implementations.
//
// Output channels are the lanes of vectors, 16 to a block. Where there are 8 or fewer,
// neighbouring output pixels share a block, unless there are strides; in a transposed convolution
// with strides also those of a row that have the same source pixels.
package count
