//go:build !purego

package kernel

// wideCells is the number of cells whose sums a wide row kernel keeps at once: whole
// tiles and whole vectors.
const (
	wideTile  = 13
	wideCells = 16 * wideTile
)

// convRowWideAVX512 is the row kernel for a wide block. Sums are computed cell by
// cell, [cell][32], and turned round when they are done.
func convRowWideAVX512(a *rowArgs) {
	if cap(a.sums) < wideCells*wideBlock {
		a.sums = aligned[float32](wideCells * wideBlock)
	}
	sums := a.sums[:wideCells*wideBlock]
	var bias *float32
	if a.bias != nil {
		bias = &a.bias[:wideBlock][0]
	}
	for at := 0; at < a.n; at += wideCells {
		n := min(wideCells, a.n-at)
		if a.resume {
			for i := range n {
				for k := range wideBlock {
					sums[i*wideBlock+k] = a.dst[k*a.dstStride+at+i]
				}
			}
		}
		wideTilesAVX512(a, &sums[0], &a.src[at], &a.dst[at], ceilDiv(n, wideTile))
		wideStoreAVX512(&a.dst[at], a.dstStride, &sums[0], n, bias)
	}
}

// wideTilesAVX512 adds the taps of tiles of 13 cells each to sums, and fetches the
// lines of dst that they will be stored in.
//
//go:noescape
func wideTilesAVX512(a *rowArgs, sums, src, dst *float32, tiles int)

// wideStoreAVX512 stores n cells of sums, plus the bias if it is not nil.
//
//go:noescape
func wideStoreAVX512(dst *float32, dstStride int, sums *float32, n int, bias *float32)
