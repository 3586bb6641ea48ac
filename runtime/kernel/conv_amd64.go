//go:build !purego

package kernel

// convRowAVX512 works like convRowGeneric.
func convRowAVX512(a *rowArgs, width int) {
	switch width {
	case wideBlock:
		convRowWideAVX512(a)
	case 8:
		convRow8AVX512(a)
	case 4:
		convRow4AVX512(a)
	case 3:
		convRow3AVX512(a)
	case 2:
		convRow2AVX512(a)
	case 1:
		convRow1AVX512(a)
	}
}

// convRowAVX2 works like convRowGeneric. It takes blocks of more than 4 channels in
// parts, for want of registers.
func convRowAVX2(a *rowArgs, width int) {
	switch width {
	case wideBlock, 8:
		for k := 0; k < width; k += 4 {
			part := *a
			part.dst, part.weights = a.dst[k*a.dstStride:], a.weights[k:]
			if a.bias != nil {
				part.bias = a.bias[k:]
			}
			convRow4AVX2(&part)
		}
	case 4:
		convRow4AVX2(a)
	case 3:
		convRow3AVX2(a)
	case 2:
		convRow2AVX2(a)
	case 1:
		convRow1AVX2(a)
	}
}

// These are the row kernels for a block of as many channels, in tiles of up to 6 vectors
// of cells (3 for 8 channels), and that of bands, in tiles of 3 vectors of each row.
func convRow8AVX512(a *rowArgs)
func convRow4AVX512(a *rowArgs)
func convRow3AVX512(a *rowArgs)
func convRow2AVX512(a *rowArgs)
func convRow1AVX512(a *rowArgs)
func convBandAVX512(a *rowArgs)

// convRowNAVX2 is the row kernel for a block of N channels, in tiles of up to 3
// vectors of cells (6 for 1 and 2 channels).
//
//go:noescape
func convRow4AVX2(a *rowArgs)

//go:noescape
func convRow3AVX2(a *rowArgs)

//go:noescape
func convRow2AVX2(a *rowArgs)

//go:noescape
func convRow1AVX2(a *rowArgs)

// convBandAVX2 works like convBandGeneric. It goes row by row: the weights would
// leave no registers for a band.
func convBandAVX2(a *rowArgs) { rowByRow(a, convRowAVX2) }
