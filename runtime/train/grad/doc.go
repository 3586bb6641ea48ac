// Package grad gives the vector-Jacobian products (reverse mode) of the
// standard ONNX operators that package ops runs on floating point tensors.
//
// [Bind] turns a node into an [Operator] once. Its Backward takes the tensors that
// the operator read and wrote in the forward pass and the gradient of a loss L with
// respect to its outputs, and adds
//
//	gin[i] += sum over j of transpose(d out[j] / d in[i]) * gout[j]
//
// to the gradients of those inputs that the caller wants. All tensors are row-major
// and have ONNX layout; gradients have the dimensions of what they belong to.
//
// # Conventions
//
// Derivatives are those of the function that package ops computes, in real numbers:
// rounding, also that to a narrower type by Cast, has derivative 1. Where the
// function has none:
//
//   - Relu, LeakyRelu, PRelu and Elu take the derivative from the left at 0, Abs takes
//     0, Clip and ThresholdedRelu that of the branch the operator takes;
//   - of equal elements one gets the gradient: the first in MaxPool, GlobalMaxPool,
//     ReduceMax and ReduceMin, the last operand in Max and Min;
//   - norms (ReduceL2, LpPool) have gradient 0 where they are 0;
//   - Pow has gradient 0 for the exponent where the base is not positive;
//   - an element of gout that is 0 adds nothing, also where a derivative is infinite.
//
// Floor, Ceil, Round and Sign are constant almost everywhere, and so their gradient
// is 0: what lies before them cannot be trained. Statistics of BatchNormalization are
// inputs with gradients like others.
//
// # Numbers
//
// Sums over images, pixels and broadcast axes run in float64 (products of matrices
// and convolutions: in float32 over up to 64 terms, in float64 over those), sums over
// the taps of a window in float32. The order is fixed, and kernels are used that agree
// in all implementations, so that the same inputs give the same bits. Everything runs
// on the goroutine that calls.
//
// # Without gradient
//
//   - Comparisons, logic, ArgMax, Shape and Size have results of integers or bools;
//     so have Cast to one of those types, the indices of MaxPool and the mask of
//     Dropout.
//   - Constant and ConstantOfShape have no floating point input.
//   - BatchNormalization in training mode is not supported, nor is what package ops
//     refuses (control flow, Dropout in training mode).
//   - Integer inputs (axes, shapes, indices, pads) have none, nor have the scales and
//     the region of Resize and Upsample and the ratio of Dropout.
//   - The spiking operators belong to package train.
package grad
