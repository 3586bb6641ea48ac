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
// Output channels are the lanes of vectors, 16 to a block. Where there are 8 or fewer,
// neighbouring output pixels share a block, unless there are strides.
package count
