// Package ops runs the standard ONNX operators on whole tensors: the analog
// parts of a model, one slice of a time-major tensor inside a spiking layer,
// constant folding and calibration all come here. The neurons of domain
// ai.spikingir do not; they keep state between slices.
//
// [Bind] turns a node into an [Op] once: attributes are decoded by package
// graph/op and constant convolution weights are packed. [Op.Run] may then be
// called for any input sizes, batch sizes and numbers of threads.
//
// # Numbers
//
// Tensors of every floating point type are computed in float32 and rounded to
// their own type when an operator is done; double is kept as float32, so that
// its digits beyond the 24th bit are lost. Integers and bools are computed in
// int64 and wrapped to their own type.
//
// Results do not depend on the number of threads: a sum runs in index order in
// one accumulator (float64 in reductions, norms and averages; a float32 chain
// of fused operations in convolutions, as package kernel states; a float32 sum
// of rounded products in matrix products and convolutions of rank other than 1
// and 2). Transcendental functions are Go's float64 ones, rounded.
//
// # Aliasing
//
// Inputs are never modified. Outputs are newly allocated, except where
// [Aliases] says that the first output shares the first input's elements.
package ops
