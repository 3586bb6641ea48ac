//go:build !purego

package kernel

// fmaPeakAVX512 works like fmaPeakGeneric.
func fmaPeakAVX512(n int) (flops int) {
	fmaChainsAVX512(n)
	return n * 24 * 16 * 2
}

// fmaPeakAVX2 works like fmaPeakGeneric.
func fmaPeakAVX2(n int) (flops int) {
	fmaChainsAVX2(n)
	return n * 12 * 8 * 2
}

// fmaChainsAVX512 runs 24 independent chains of n fused multiply-adds on vectors
// of 16 lanes. n is at least 1.
func fmaChainsAVX512(n int)

// fmaChainsAVX2 runs 12 chains on vectors of 8 lanes.
func fmaChainsAVX2(n int)
