//go:build !purego

package kernel

func fmaPeakAVX512(n int) (flops int) {
	fmaChainsAVX512(n)
	return n * 24 * 16 * 2
}

func fmaPeakAVX2(n int) (flops int) {
	fmaChainsAVX2(n)
	return n * 12 * 8 * 2
}

// These run 24 chains of n fused multiply-adds on 16 lanes, 12 on 8. n is at least 1.
func fmaChainsAVX512(n int)
func fmaChainsAVX2(n int)
