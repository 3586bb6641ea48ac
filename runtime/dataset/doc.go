// Package dataset reads the images that a restoration network is calibrated,
// trained and measured on, and degrades clean ones the way the benchmarks do.
//
// # Images
//
// An [Image] is planar [C][H][W] float32, C being 1 (gray) or 3 (RGB), with
// values nominally in [0,1] that nothing clips except [Image.Clip],
// [Image.Quantize8] and [Encode]. [Read] takes PNG, JPEG, TIFF, WebP and uncompressed
// BMP, told apart by their content and not by their name, and turns images as their
// Exif data say; alpha is dropped, not composited. A [Picture] keeps alpha and whether
// samples have 16 bits, so that results can be written as files of the same kind.
//
// # Tasks
//
// A [Task] says how samples come about: a plain folder, added Gaussian noise,
// super-resolution, dehazing or given pairs. [Open] lists the samples in byte
// order of their file names and [Set.At] makes one: the network's input, the
// target and the border that scoring leaves out. Images are loaded one at a
// time.
//
// # Super-resolution protocol
//
// The luma Y is MATLAB's rgb2ycbcr of the 8-bit file, rounded to 8 bit as
// MATLAB does on uint8. It is cropped to a multiple of the scale ([ByScale]) or
// of 2, 3, ... up to the scale in turn ([Cumulative]), shrunk by an antialiased
// bicubic ([Resize]) and, for [Bicubic] input, enlarged again; neither step
// rounds or clips. Scoring leaves out a border of the scale and rounds the
// network's output to 8 bit. Of all variants this is the one that gives the
// published figures of bicubic interpolation itself on Set5, 33.66 dB at x2 and
// 28.42 dB at x4; [Cumulative] gives 28.40 dB at x4.
//
// # Determinism
//
// The same file, task and seed give the same bits on every CPU: noise is drawn
// from PCG through an inverse normal distribution written here, because
// math.Log and math.Exp are assembly on some CPUs, and every product is rounded
// before it is added, because Go may otherwise fuse the two.
package dataset
