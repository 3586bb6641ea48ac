// Package grad gives the vector-Jacobian products (reverse mode) of the standard ONNX
// operators that package ops runs on floating point tensors.
//
// [Bind] turns a node into an [Operator]. Its Backward takes the tensors that the
// operator read and wrote and the gradient of a loss by its outputs, and adds
//
//	gin[i] += sum over j of transpose(d out[j] / d in[i]) * gout[j]
//
// to the gradients of those inputs that the caller wants, all in ONNX layout.
//
// Derivatives are those of the function that package ops computes, in real numbers;
// rounding has derivative 1. Where the function has none:
//
//   - Relu, LeakyRelu, PRelu and Elu take the derivative from the left at 0, Abs takes
//     0, Clip and ThresholdedRelu that of the branch the operator takes;
//   - of equal elements one gets the gradient: the first in MaxPool, GlobalMaxPool,
//     ReduceMax and ReduceMin, the last operand in Max and Min;
//   - norms (ReduceL2, LpPool) have gradient 0 where they are 0;
//   - Pow has gradient 0 for the exponent where the base is not positive;
//   - an element of gout that is 0 adds nothing, also where a derivative is infinite.
//
// Floor, Ceil, Round and Sign have gradient 0: what lies before them cannot be trained.
// The table without says what has no gradient, and why; nor have integer inputs, the
// scales of Resize, the ratio of Dropout, and what package ops refuses. The spiking
// operators belong to package train.
//
// Sums over images, pixels and broadcast axes run in float64 (products of matrices and
// convolutions: in float32 over up to 64 terms), sums over the taps of a window in
// float32. The order is fixed, so that the same inputs give the same bits.
package grad
