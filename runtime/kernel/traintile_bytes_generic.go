package kernel

import "math"

// genericBytes are the reference kernels of tiles of bytes.
var genericBytes = byteKernels{
	product: byteProductGeneric,
	join:    joinDigitsGeneric,
	expand:  expandBytesGeneric,
	largest: largestBitsGeneric,
	digits:  digitsGeneric,
	peak:    func(int) int { return 0 },
}

const (
	// largestByteWeight is the largest integer of three digits from -128 to 127: 2^23
	// less 32897.
	largestByteWeight = 127*65536 + 127*256 + 127
	// digitBias turns an integer into one whose bytes are its digits, each 128 more.
	digitBias = 0x808080
)

// byteUnit gives the unit of an output channel's weights, times 65536, and 1 by it: a
// power of 2 such that the channel's largest weight, whose bits without the sign are
// given, is an integer of three digits. That integer is at least 2^22 - 16449, so that a
// weight is within 2^-22.99 of the largest, or within 2^-128. Where the largest is not
// finite, the unit is NaN.
func byteUnit(largest uint32) (unit, inverse float32) {
	if largest >= 0x7f800000 {
		return float32(math.NaN()), 0
	}
	exponent := int(largest>>23) - 127 - 22
	if largest&0x7fffff|0x800000 > 2*largestByteWeight {
		exponent++
	}
	exponent = max(exponent, -127)
	return math.Float32frombits(uint32(127+16+exponent) << 23), math.Float32frombits(uint32(127-exponent) << 23)
}

// largestBitsGeneric gives the largest bits of numbers without their signs. The length
// of src is a multiple of 16.
func largestBitsGeneric(src []float32) uint32 {
	largest := uint32(0)
	for _, x := range src {
		largest = max(largest, math.Float32bits(x)&0x7fffffff)
	}
	return largest
}

// digitsGeneric is the kernel of digitArgs in Go.
func digitsGeneric(a *digitArgs) {
	for k, at := range a.at {
		to := a.dst[k/byteDeep*byteDigits*byteSize+k%byteDeep/4*4*tileCols+k%4:]
		for o, inverse := range a.inverse {
			x := uint32(0)
			if at >= 0 {
				x = uint32(nearestInteger(a.w[o*a.stride+int(at)] * inverse))
			}
			x = x + digitBias ^ digitBias
			for j := range byteDigits {
				to[j*byteSize+4*o] = int8(x >> (8 * (byteDigits - 1 - j)))
			}
		}
	}
}

// nearestInteger rounds to nearest even; what has no int32 gives the least one.
func nearestInteger(x float32) int32 {
	if !(math.Abs(float64(x)) < 1<<31) {
		return math.MinInt32
	}
	return int32(math.RoundToEven(float64(x)))
}

// byteProductGeneric is the kernel of byteArgs in Go.
func byteProductGeneric(a *byteArgs) {
	group := *a
	for first := 0; first < len(a.places); first += bytePixels {
		clear(a.sums)
		for i := range bytePixels {
			row := a.sums[i/tileRows*byteDigits*tileSums+i%tileRows*tileCols:]
			for s, step := range a.steps {
				left := a.a[(first+i)*a.aStride+int(step):][:byteDeep]
				for j := range byteDigits {
					addBytes(row[j*tileSums:][:tileCols], left, a.b[(s*byteDigits+j)*byteSize:][:byteSize])
				}
			}
		}
		group.places = a.places[first : first+bytePixels]
		joinDigitsGeneric(&group)
	}
}

// addBytes adds the products of a row with the columns of a tile.
func addBytes(sums []int32, row, right []int8) {
	for k, x := range row {
		if x == 0 {
			continue
		}
		b := right[k/4*4*tileCols+k%4:]
		for o := range sums {
			sums[o] += int32(x) * int32(b[4*o])
		}
	}
}

// joinDigitsGeneric sets dst from the digits of the sums of the first group of places.
// It rounds three times, small to large, once by the result's own size and before that
// by that of its lower digits (digits of more than 2^24, of 2^17 terms, besides).
func joinDigitsGeneric(a *byteArgs) {
	for i, place := range a.places[:bytePixels] {
		if place < 0 {
			continue
		}
		sums := a.sums[i/tileRows*byteDigits*tileSums+i%tileRows*tileCols:]
		for o, unit := range a.unit {
			v := fma32(float32(sums[2*tileSums+o]), 1.0/256, float32(sums[tileSums+o]))
			v = fma32(v, 1.0/256, float32(sums[o]))
			a.dst[int(place)+o] = flush(v * unit)
		}
	}
}
