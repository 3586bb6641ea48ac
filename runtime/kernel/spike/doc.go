// Package spike holds spiking layers in integers. A [Conv] advances integrate-and-fire
// neurons whose input is a convolution of spikes. Weights are 16-bit integers in the
// scale of their output channel, membrane potentials, biases and thresholds 32-bit ones.
// A spike is one bit ([Tensor]), or a byte where spikes have values of -128..127. Sums of
// integers do not depend on their order, so all implementations give the same bits.
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
// same cell of each: a tap to the right is another vector, and few output channels leave
// no lane empty. A channel goes through several slices before the next one begins.
//
// Where few neurons of a layer's source fire, by a sample of its spikes, the spikes under
// each row of the kernel are listed and their weights added up: AVX-512 and AVX2 do so
// below rates of 0.12 to 0.2, without strides, groups or columns apart and with more than
// 8 output channels.
//
// Elsewhere output channels come in blocks of 16. Where there are 8 or fewer, neighbouring
// output pixels share a block, unless there are strides. Convolutions in groups run as
// dense ones without the windows in which a block has no weight.
package spike
