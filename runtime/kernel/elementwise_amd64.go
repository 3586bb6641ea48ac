//go:build !purego

package kernel

// The kernels in assembly work like those in Go whose names end in Generic.
func clipAVX512(dst, x []float32, low, high float32)
func leakyReluAVX512(dst, x []float32, slope float32)
func addAVX512(dst, x, y []float32)
func subAVX512(dst, x, y []float32)
func mulAVX512(dst, x, y []float32)
func divAVX512(dst, x, y []float32)
func addScalarAVX512(dst, x []float32, a float32)
func mulScalarAVX512(dst, x []float32, a float32)
func axpyAVX512(dst, x []float32, a float32)
func clipAVX2(dst, x []float32, low, high float32)
func leakyReluAVX2(dst, x []float32, slope float32)
func addAVX2(dst, x, y []float32)
func subAVX2(dst, x, y []float32)
func mulAVX2(dst, x, y []float32)
func divAVX2(dst, x, y []float32)
func addScalarAVX2(dst, x []float32, a float32)
func mulScalarAVX2(dst, x []float32, a float32)
func axpyAVX2(dst, x []float32, a float32)
