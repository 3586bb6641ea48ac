//go:build !purego

package spike

var lookupsAVX512 = lookupKernels{
	tables: lookupTablesAVX512, sum: lookupSumAVX512, fire: lookupFireAVX512,
	mask: lookupMaskAVX512, index: lookupIndexAVX512,
	collect: lookupCollectAVX512,
}

// lookupPeakAVX512 runs n rounds of 16 lookups of vectors and returns the number of
// operations in them: those of the weights that a lookup stands for.
//
//go:noescape
func lookupPeakAVX512(n int) (ops int)

// The kernels in assembly work like those in Go whose names end in Generic.
func lookupTablesAVX512(tables []int16, weights []int32)
func lookupSumAVX512(a *lookupArgs)
func lookupFireAVX512(a *lookupArgs)
func lookupMaskAVX512(dst []uint64, masks []uint16, shift uint)
func lookupIndexAVX512(a *indexArgs)
func lookupCollectAVX512(dst []uint64, spikes []uint32, channels, cells int)
