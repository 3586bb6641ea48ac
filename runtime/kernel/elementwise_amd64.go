//go:build !purego

package kernel

// clipAVX512 works like clipGeneric, on multiples of 16 elements.
//
//go:noescape
func clipAVX512(dst, x []float32, low, high float32)

// leakyReluAVX512 works like leakyReluGeneric, on multiples of 16 elements.
//
//go:noescape
func leakyReluAVX512(dst, x []float32, slope float32)

// addAVX512 works like addGeneric, on multiples of 16 elements.
//
//go:noescape
func addAVX512(dst, x, y []float32)

// subAVX512 works like subGeneric, on multiples of 16 elements.
//
//go:noescape
func subAVX512(dst, x, y []float32)

// mulAVX512 works like mulGeneric, on multiples of 16 elements.
//
//go:noescape
func mulAVX512(dst, x, y []float32)

// divAVX512 works like divGeneric, on multiples of 16 elements.
//
//go:noescape
func divAVX512(dst, x, y []float32)

// addScalarAVX512 works like addScalarGeneric, on multiples of 16 elements.
//
//go:noescape
func addScalarAVX512(dst, x []float32, a float32)

// mulScalarAVX512 works like mulScalarGeneric, on multiples of 16 elements.
//
//go:noescape
func mulScalarAVX512(dst, x []float32, a float32)

// axpyAVX512 works like axpyGeneric, on multiples of 16 elements.
//
//go:noescape
func axpyAVX512(dst, x []float32, a float32)

// clipAVX2 works like clipGeneric, on multiples of 8 elements.
//
//go:noescape
func clipAVX2(dst, x []float32, low, high float32)

// leakyReluAVX2 works like leakyReluGeneric, on multiples of 8 elements.
//
//go:noescape
func leakyReluAVX2(dst, x []float32, slope float32)

// addAVX2 works like addGeneric, on multiples of 8 elements.
//
//go:noescape
func addAVX2(dst, x, y []float32)

// subAVX2 works like subGeneric, on multiples of 8 elements.
//
//go:noescape
func subAVX2(dst, x, y []float32)

// mulAVX2 works like mulGeneric, on multiples of 8 elements.
//
//go:noescape
func mulAVX2(dst, x, y []float32)

// divAVX2 works like divGeneric, on multiples of 8 elements.
//
//go:noescape
func divAVX2(dst, x, y []float32)

// addScalarAVX2 works like addScalarGeneric, on multiples of 8 elements.
//
//go:noescape
func addScalarAVX2(dst, x []float32, a float32)

// mulScalarAVX2 works like mulScalarGeneric, on multiples of 8 elements.
//
//go:noescape
func mulScalarAVX2(dst, x []float32, a float32)

// axpyAVX2 works like axpyGeneric, on multiples of 8 elements.
//
//go:noescape
func axpyAVX2(dst, x []float32, a float32)
