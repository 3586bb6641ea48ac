package kernel

import "math"

// The operators below work on slices of one length; a shorter or longer operand
// panics. dst may be one of the operands, but must not overlap one otherwise.
// Every operation is rounded to float32 on its own.

// vectorPart is the number of the first elements of n that the selected
// implementation takes.
func vectorPart(n int) int { return n &^ (float32s.Kernels.lanes - 1) }

// binary runs a kernel on the vectors of its operands and its Go twin on the rest.
func binary(name string, kernel, generic func(dst, x, y []float32), dst, x, y []float32) {
	checkLengths(name, len(dst), len(x), len(y))
	n := vectorPart(len(dst))
	kernel(dst[:n], x[:n], y[:n])
	generic(dst[n:], x[n:], y[n:])
}

// scalar is binary of an operand and a number.
func scalar(name string, kernel, generic func(dst, x []float32, a float32), dst, x []float32, a float32) {
	checkLengths(name, len(dst), len(x))
	n := vectorPart(len(dst))
	kernel(dst[:n], x[:n], a)
	generic(dst[n:], x[n:], a)
}

// Add sets dst = x + y.
func Add(dst, x, y []float32) { binary("Add", float32s.Kernels.add, addGeneric, dst, x, y) }

// Sub sets dst = x - y.
func Sub(dst, x, y []float32) { binary("Sub", float32s.Kernels.sub, subGeneric, dst, x, y) }

// Mul sets dst = x * y.
func Mul(dst, x, y []float32) { binary("Mul", float32s.Kernels.mul, mulGeneric, dst, x, y) }

// Div sets dst = x / y.
func Div(dst, x, y []float32) { binary("Div", float32s.Kernels.div, divGeneric, dst, x, y) }

// AddScalar sets dst = x + a.
func AddScalar(dst, x []float32, a float32) {
	scalar("AddScalar", float32s.Kernels.addScalar, addScalarGeneric, dst, x, a)
}

// MulScalar sets dst = a * x.
func MulScalar(dst, x []float32, a float32) {
	scalar("MulScalar", float32s.Kernels.mulScalar, mulScalarGeneric, dst, x, a)
}

// Axpy sets dst = dst + a*x, the product rounded before it is added.
func Axpy(dst, x []float32, a float32) {
	scalar("Axpy", float32s.Kernels.axpy, axpyGeneric, dst, x, a)
}

// LeakyRelu sets dst = slope*x where x < 0, else x.
func LeakyRelu(dst, x []float32, slope float32) {
	scalar("LeakyRelu", float32s.Kernels.leakyRelu, leakyReluGeneric, dst, x, slope)
}

// Relu sets dst = 0 where x < 0, else x. It keeps -0 and NaN.
func Relu(dst, x []float32) { Clip(dst, x, 0, float32(math.Inf(1))) }

// Clip sets dst = low where x < low, and then high where that is above high. It
// keeps NaN.
func Clip(dst, x []float32, low, high float32) {
	checkLengths("Clip", len(dst), len(x))
	n := vectorPart(len(dst))
	float32s.Kernels.clip(dst[:n], x[:n], low, high)
	clipGeneric(dst[n:], x[n:], low, high)
}
