//go:build !purego

package kernel

// amxBytes are the kernels of tiles of bytes on AMX, with AVX-512 for the rest.
var amxBytes = byteKernels{
	product: byteProductAMX,
	join:    joinDigitsAVX512,
	expand:  expandBytesAVX512,
	largest: largestBitsAVX512,
	digits:  digitsAVX512,
	peak:    spikePeakAMX,
}

// byteProductAMX works like byteProductGeneric.
//
//go:noescape
func byteProductAMX(a *byteArgs)

// joinDigitsAVX512 works like joinDigitsGeneric.
//
//go:noescape
func joinDigitsAVX512(a *byteArgs)

// largestBitsAVX512 works like largestBitsGeneric.
//
//go:noescape
func largestBitsAVX512(src []float32) uint32

// digitsAVX512 works like digitsGeneric.
//
//go:noescape
func digitsAVX512(a *digitArgs)
