package kernel

import "math"

// The operators below work on slices of one length; a shorter or longer operand
// panics. dst may be one of the operands, but must not overlap one otherwise.
// Every operation is rounded to float32 on its own.

// vectorPart is the number of the first elements of n that the selected
// implementation takes.
func vectorPart(n int) int { return n &^ (float32s.Kernels.lanes - 1) }

// Relu sets dst = 0 where x < 0, else x. It keeps -0 and NaN.
func Relu(dst, x []float32) { Clip(dst, x, 0, float32(math.Inf(1))) }

// LeakyRelu sets dst = slope*x where x < 0, else x.
func LeakyRelu(dst, x []float32, slope float32) {
	checkLengths("LeakyRelu", len(dst), len(x))
	n := vectorPart(len(dst))
	float32s.Kernels.leakyRelu(dst[:n], x[:n], slope)
	leakyReluGeneric(dst[n:], x[n:], slope)
}

// Clip sets dst = low where x < low, and then high where that is above high. It
// keeps NaN.
func Clip(dst, x []float32, low, high float32) {
	checkLengths("Clip", len(dst), len(x))
	n := vectorPart(len(dst))
	float32s.Kernels.clip(dst[:n], x[:n], low, high)
	clipGeneric(dst[n:], x[n:], low, high)
}

// Add sets dst = x + y.
func Add(dst, x, y []float32) {
	checkLengths("Add", len(dst), len(x), len(y))
	n := vectorPart(len(dst))
	float32s.Kernels.add(dst[:n], x[:n], y[:n])
	addGeneric(dst[n:], x[n:], y[n:])
}

// Sub sets dst = x - y.
func Sub(dst, x, y []float32) {
	checkLengths("Sub", len(dst), len(x), len(y))
	n := vectorPart(len(dst))
	float32s.Kernels.sub(dst[:n], x[:n], y[:n])
	subGeneric(dst[n:], x[n:], y[n:])
}

// Mul sets dst = x * y.
func Mul(dst, x, y []float32) {
	checkLengths("Mul", len(dst), len(x), len(y))
	n := vectorPart(len(dst))
	float32s.Kernels.mul(dst[:n], x[:n], y[:n])
	mulGeneric(dst[n:], x[n:], y[n:])
}

// Div sets dst = x / y.
func Div(dst, x, y []float32) {
	checkLengths("Div", len(dst), len(x), len(y))
	n := vectorPart(len(dst))
	float32s.Kernels.div(dst[:n], x[:n], y[:n])
	divGeneric(dst[n:], x[n:], y[n:])
}

// AddScalar sets dst = x + a.
func AddScalar(dst, x []float32, a float32) {
	checkLengths("AddScalar", len(dst), len(x))
	n := vectorPart(len(dst))
	float32s.Kernels.addScalar(dst[:n], x[:n], a)
	addScalarGeneric(dst[n:], x[n:], a)
}

// MulScalar sets dst = a * x.
func MulScalar(dst, x []float32, a float32) {
	checkLengths("MulScalar", len(dst), len(x))
	n := vectorPart(len(dst))
	float32s.Kernels.mulScalar(dst[:n], x[:n], a)
	mulScalarGeneric(dst[n:], x[n:], a)
}

// Axpy sets dst = dst + a*x, the product rounded before it is added.
func Axpy(dst, x []float32, a float32) {
	checkLengths("Axpy", len(dst), len(x))
	n := vectorPart(len(dst))
	float32s.Kernels.axpy(dst[:n], x[:n], a)
	axpyGeneric(dst[n:], x[n:], a)
}
