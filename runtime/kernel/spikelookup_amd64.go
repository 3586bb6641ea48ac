//go:build !purego

package kernel

import "unsafe"

var lookupsAVX512 = lookupKernels{
	tables: lookupTablesAVX512, sum: lookupSumAVX512, fire: lookupFireAVX512,
	fill: lookupFillCopy, mask: lookupMaskAVX512, index: lookupIndexAVX512,
	collect: lookupCollectAVX512,
}

// lookupFillCopy copies, for the first byte of a word is its lowest on this architecture.
func lookupFillCopy(dst []uint64, masks []uint16) {
	if len(dst) > 0 {
		copy(unsafe.Slice((*uint16)(unsafe.Pointer(&dst[0])), 4*len(dst)), masks[:4*len(dst)])
	}
}

//go:noescape
func lookupTablesAVX512(tables []int16, weights []int32)

//go:noescape
func lookupSumAVX512(a *lookupArgs)

//go:noescape
func lookupFireAVX512(a *lookupArgs)

//go:noescape
func lookupMaskAVX512(dst []uint64, masks []uint16, shift uint)

//go:noescape
func lookupIndexAVX512(a *indexArgs)

//go:noescape
func lookupCollectAVX512(dst []uint64, spikes []uint32, channels, cells int)

// lookupPeakAVX512 runs n rounds of 16 lookups of vectors and returns the number of
// operations in them: those of the weights that a lookup stands for.
//
//go:noescape
func lookupPeakAVX512(n int) (ops int)
