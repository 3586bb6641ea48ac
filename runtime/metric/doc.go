// Package metric measures what a restoration network gives back and what it
// costs: PSNR and SSIM, conversion rates, the agreement of a spiking network
// with its ANN, and energy.
//
// # Quality
//
// [PSNR] and [SSIM] take values with peak 1 and neither clip nor round; [Score]
// prepares an output as the benchmarks do. Results are float64 sums in the order
// of the pixels, so the same images always give the same bits. Identical images
// have a PSNR of +Inf, which JSON cannot hold: marshal it as a [DB].
//
// # Conversion
//
// PSNR against the ground truth misleads as a measure of conversion, since
// quantisation can move an image closer to the truth than its ANN. [Agreement],
// the PSNR between the two networks' outputs, does not.
//
// # Energy
//
// [ANNEnergy] and [SNNEnergy] are arithmetic over a table of [LayerOps] that the
// executor fills, in one of two modes. [Paper] is the formula of the SpikingIR
// paper (k*k*Cin*Cout*H*W multiply-accumulates, no bias, no elementwise work, no
// CPM); [Exact] counts what is computed. Energies of different modes are not
// comparable, and [Saving] refuses to compare them.
package metric
