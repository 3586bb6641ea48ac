// Package reference builds a network a second time, in Gorgonia
// (gorgonia.org/gorgonia), as an independent oracle of the forward pass and of
// the gradients: it shares no arithmetic with packages exec and kernel, and its
// derivatives are Gorgonia's own, symbolic ones. It computes in float64, so that
// a difference tells of the other side's rounding. It is slow, and meant for
// networks of a few layers on images of some dozen pixels.
//
// # Meaning
//
// A value over time is a list of slices [N, C, H, W], one Gorgonia node for each
// timestep; the neurons are unrolled:
//
//	u(t) = v(t-1) + x(t) + b       v(0) = v0*theta; no b at the post step
//	s(t) = H(u(t)/theta - 1)       at the post step of an MPRN H(u(t)/theta - alpha)
//	y(t) = theta*s(t)
//	v(t) = u(t) - theta*s(t)
//
// H is the Heaviside step, H(0) = 1. Its derivative, which is zero or infinite,
// is replaced by the surrogate's ([Surrogate]) in the argument of H as it stands
// above, that is, in units of theta. The s(t) that v(t) loses is held constant
// unless [Options.ThroughReset] is set; theta beside it carries gradient either
// way. The derivatives of Relu, LeakyRelu and PRelu at 0 are those of x < 0, and
// that of Clip at its bounds is 1, as in PyTorch.
//
// With [Options.Smooth], H is replaced by the function whose derivative the
// surrogate is. Nothing is discontinuous then, and with ThroughReset the
// gradients are those of what is computed: finite differences can check them.
//
// # What Gorgonia is trusted with
//
// Convolutions (Im2Col and matrix products, their derivatives by Col2Im), matrix
// products, element by element arithmetic, reshaping, transposition, and the
// chain rule. Everything that is linear along an axis (concatenation, padding,
// pooling, broadcasting, the zeros between the elements of a transposed
// convolution, groups, dilation) is a product with a constant matrix: Gorgonia
// 0.9.18 has no such operators, or Slice, which drops axes of size 1, or Im2Col,
// whose dilation is not in its hash, so that two of equal sizes are taken for one
// node. The one operator of our own is the Heaviside step.
package reference
