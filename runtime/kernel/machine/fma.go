package machine

import "math"

const (
	// belowHalf masks the 29 significand bits that float64 has and float32 has not.
	belowHalf = 1<<29 - 1
	// midpoint is their pattern halfway between two neighbouring float32 numbers.
	midpoint = 1 << 28
	// smallestNormal32 is twice the bits of the float64 2^-126, the smallest
	// normal float32; doubled because the sign is shifted out to compare.
	smallestNormal32 = 2 * (1023 - 126) << 52
)

// FMA32 returns w*x + acc rounded once to float32, as the hardware instruction
// does. The product of two float32 numbers is exact in float64, so the sum s is
// rounded once; rounding s again to float32 is harmless unless s lies exactly on
// a float32 midpoint, to which an inexact sum may have been moved, or in the
// subnormal range, where midpoints have other patterns.
func FMA32(w, x, acc float32) float32 {
	s := float64(w)*float64(x) + float64(acc)
	b := math.Float64bits(s)
	// b<<1 - 1 wraps for zero, which is no subnormal and needs no care.
	if b&belowHalf == midpoint || b<<1-1 < smallestNormal32-1 {
		return fmaExact(w, x, acc)
	}
	return float32(s)
}

// fmaExact is FMA32 without the short cut: the float64 sum is rounded to odd,
// which keeps two bits more than float32 needs to round correctly afterwards
// (Boldo and Melquiond 2008). Its operands are finite and so is their sum.
func fmaExact(w, x, acc float32) float32 {
	p, a := float64(w)*float64(x), float64(acc)
	// The explicit conversions forbid fusing, on which the error term depends.
	s := float64(p + a)
	t := float64(s - p)
	e := float64(float64(p-float64(s-t)) + float64(a-t)) // TwoSum (Knuth): p + a = s + e
	b := math.Float64bits(s)
	if e != 0 && b&1 == 0 {
		if (e > 0) == (s > 0) {
			b++
		} else {
			b--
		}
	}
	return float32(math.Float64frombits(b))
}
