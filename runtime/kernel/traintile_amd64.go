//go:build !purego

package kernel

// amxTiles are the kernels on AMX, with AVX-512 for the rest.
var amxTiles = tileKernels{
	products: [tileProducts]func(a *tileArgs){
		ofNumbers:        tileNumbersAMX,
		ofSpikesBackward: tileSpikesBackwardAMX,
		ofBackward:       tileBackwardAMX,
	},
	split:     splitTermsAVX512,
	pair:      pairTermsAVX512,
	turnMasks: turnMasksAVX512,
	turnPairs: turnPairsAVX512,
	peak:      tilePeakAMX,
	bytes:     amxBytes,

	filters:       [filterProducts]func(a *tileFilterArgs){filterOfSpikes: filterSpikesAMX, filterOfNumbers: filterNumbersAMX},
	winogradTerms: winogradTermsAVX512,
	winogradPairs: winogradPairsAVX512,
	gradientPairs: gradientPairsAVX512,
	winogradTaps:  winogradTapsAVX512,

	// Of 64 to 64 channels, 3 x 3, on 11 slices of 40 x 40, listed sums take 0.47 ms and
	// some 15 ms times the share; the products of bytes, of 16 cycles, take 0.75 ms.
	sumBelow:       2,
	gradientsBelow: 6,
}

// tileNumbersAMX works like tileProductGeneric.
//
//go:noescape
func tileNumbersAMX(a *tileArgs)

// tileSpikesBackwardAMX works like tileProductGeneric.
//
//go:noescape
func tileSpikesBackwardAMX(a *tileArgs)

// tileBackwardAMX works like tileProductGeneric.
//
//go:noescape
func tileBackwardAMX(a *tileArgs)

// tilePeakAMX runs n rounds of 4 products of tiles and returns the number of
// operations in them.
//
//go:noescape
func tilePeakAMX(n int) (ops int)

// splitTermsAVX512 works like splitTermsGeneric.
//
//go:noescape
func splitTermsAVX512(dst []uint16, plane, terms int, src []float32)

// pairTermsAVX512 works like pairTermsGeneric.
//
//go:noescape
func pairTermsAVX512(dst []uint16, plane int, src []float32, stride, pixels int)

// turnMasksAVX512 works like turnMasksGeneric.
//
//go:noescape
func turnMasksAVX512(dst []uint16, stride int, masks []uint16)

// turnPairsAVX512 works like turnPairsGeneric.
//
//go:noescape
func turnPairsAVX512(dst []uint16, stride int, pairs []uint16)

// filterSpikesAMX works like filterGeneric.
//
//go:noescape
func filterSpikesAMX(a *tileFilterArgs)

// filterNumbersAMX works like filterGeneric.
//
//go:noescape
func filterNumbersAMX(a *tileFilterArgs)

// winogradTermsAVX512 works like winogradTermsGeneric.
//
//go:noescape
func winogradTermsAVX512(a *winogradArgs)

// winogradPairsAVX512 works like winogradPairsGeneric.
//
//go:noescape
func winogradPairsAVX512(a *winogradArgs)

// gradientPairsAVX512 works like gradientPairsGeneric.
//
//go:noescape
func gradientPairsAVX512(a *winogradArgs)

// winogradTapsAVX512 works like winogradTapsGeneric.
//
//go:noescape
func winogradTapsAVX512(a *winogradArgs)
