package kernel

import "math"

// genericTiles are the reference kernels of tiles.
var genericTiles = tileKernels{
	products:  genericTileProducts(),
	split:     splitTermsGeneric,
	pair:      pairTermsGeneric,
	turnMasks: turnMasksGeneric,
	turnPairs: turnPairsGeneric,
	peak:      func(int) int { return 0 },

	filters:       genericFilters(),
	winogradTerms: winogradTermsGeneric,
	winogradPairs: winogradPairsGeneric,
	gradientPairs: gradientPairsGeneric,
	winogradTaps:  winogradTapsGeneric,
	bytes:         genericBytes,
}

func genericTileProducts() (products [tileProducts]func(a *tileArgs)) {
	for i, pairs := range tilePairs {
		products[i] = func(a *tileArgs) { tileProductGeneric(a, pairs) }
	}
	return products
}

// nextTerm gives the first term of x in bfloat16, to nearest even, and what is left
// of x. Subnormal numbers count as zeros. A number above the largest of bfloat16,
// 2^128 - 2^119, gives an infinity, and an infinity leaves what is not a number.
func nextTerm(x float32) (term uint16, rest float32) {
	x = flush(x)
	b := math.Float32bits(x)
	if x != x {
		return uint16(b>>16) | 0x40, x
	}
	term = uint16((b + 0x7fff + b>>16&1) >> 16)
	return term, flush(x - termValue(term))
}

// termValue is the number that a term stands for.
func termValue(term uint16) float32 { return math.Float32frombits(uint32(term) << 16) }

// tileProductGeneric is the kernel of tileArgs in Go, in the order in which the
// processor's manual (Intel SDM, TDPBF16PS) has it: those of even k, those of odd k,
// their sum.
func tileProductGeneric(a *tileArgs, pairs []termPair) {
	for i, first := range a.rows {
		var sums [tileSums]float32
		if a.add {
			for r := range tileRows {
				copy(sums[r*tileCols:][:tileCols], a.c[int(a.sums[i])+r*a.cStride:])
			}
		}
		for s, step := range a.steps {
			for _, terms := range pairs {
				left := a.a[terms.left*a.aPlane+int(first+step):]
				right := a.b[terms.right*a.bPlane+s*a.bStep:][:tileSize]
				for r := range tileRows {
					addTile(sums[r*tileCols:][:tileCols], left[r*a.aStride:][:tileDeep], right)
				}
			}
		}
		for r := range tileRows {
			copy(a.c[int(a.sums[i])+r*a.cStride:], sums[r*tileCols:][:tileCols])
		}
	}
}

// addTile adds the products of a row with the columns of a tile.
func addTile(sums []float32, row, right []uint16) {
	var even, odd [tileCols]float32
	for k := 0; k < len(row); k += 2 {
		x, y := termValue(row[k]), termValue(row[k+1])
		b := right[k*tileCols:][:2*tileCols]
		for o := range even {
			even[o] += float32(x * termValue(b[2*o]))
			odd[o] += float32(y * termValue(b[2*o+1]))
		}
	}
	for o := range sums {
		sums[o] += even[o] + odd[o]
	}
}

// splitTermsGeneric writes the first terms of each number, 2 or 3: each is plane
// elements behind the one before. len(src) is a multiple of 32.
func splitTermsGeneric(dst []uint16, plane, terms int, src []float32) {
	for i, x := range src {
		for t := range terms {
			dst[t*plane+i], x = nextTerm(x)
		}
	}
}

// pairTermsGeneric writes the first two terms of 16 channels of pixels that are
// stride numbers apart, two pixels by turns: channel o of pixel i goes to element
// i/2*32 + 2*o + i%2, its second term plane elements further. A pixel that is missing
// at the end is 0.
func pairTermsGeneric(dst []uint16, plane int, src []float32, stride, pixels int) {
	for i := range (pixels + 1) / 2 * 2 {
		for o := range tileCols {
			at := i/2*2*tileCols + 2*o + i%2
			var x float32
			if i < pixels {
				x = src[i*stride+o]
			}
			var rest float32
			dst[at], rest = nextTerm(x)
			dst[plane+at], _ = nextTerm(rest)
		}
	}
}

// turnMasksGeneric writes bit c of mask i as 0 or 1 to element c*stride + i. The
// number of masks is a multiple of 32.
func turnMasksGeneric(dst []uint16, stride int, masks []uint16) {
	for i, m := range masks {
		for c := range maskBits {
			dst[c*stride+i] = m >> c & 1 * oneTerm
		}
	}
}

// turnPairsGeneric writes channel c of pixel i, as pairTermsGeneric has laid them out,
// to element c*stride + i. The number of pixels is a multiple of 32.
func turnPairsGeneric(dst []uint16, stride int, pairs []uint16) {
	for at, v := range pairs {
		i := at/(2*tileCols)*2 + at%2
		dst[at%(2*tileCols)/2*stride+i] = v
	}
}
