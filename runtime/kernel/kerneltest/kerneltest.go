// Package kerneltest holds what the tests of kernels share: numbers of all kinds, and
// memory that shows where a kernel goes beyond its operands.
package kerneltest

import (
	"math"
	"math/rand/v2"
	"testing"
)

// fenceWords is the number of guards on each side of a fenced slice.
const fenceWords = 64

// Fence returns a copy of x inside a larger array, and a check that nothing was
// written round it.
func Fence[E comparable](x []E, guard E) (inner []E, check func(t *testing.T)) {
	all := make([]E, len(x)+2*fenceWords)
	for i := range all {
		all[i] = guard
	}
	inner = all[fenceWords : fenceWords+len(x) : fenceWords+len(x)]
	copy(inner, x)
	return inner, func(t *testing.T) {
		t.Helper()
		for i, v := range all {
			if (i < fenceWords || i >= fenceWords+len(x)) && v != guard {
				t.Errorf("element %d of %d overwritten with %v", i-fenceWords, len(x), v)
				return
			}
		}
	}
}

// Normal returns n normally distributed numbers.
func Normal(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// Wild returns n numbers of all kinds: ordinary ones, zeros of both signs,
// subnormals, infinities and NaN.
func Wild(r *rand.Rand, n int) []float32 {
	x := Normal(r, n)
	special := Edges()
	for i := range x {
		if r.IntN(4) == 0 {
			x[i] = special[r.IntN(len(special))]
		}
	}
	return x
}

// Edges are float32 numbers at the ends of ranges.
func Edges() []float32 {
	list := []float32{
		0, 1, 1.5, math.Nextafter32(1, 2), math.Nextafter32(1, 0), 1 << 23, 1 << 24, 1<<24 - 1,
		math.MaxFloat32, math.MaxFloat32 / 2, math.SmallestNonzeroFloat32,
		3 * math.SmallestNonzeroFloat32, 0x1p-126, math.Nextafter32(0x1p-126, 0),
		math.Nextafter32(0x1p-126, 1), 0x1p-75, 0x1.8p-75, 0x1p-74, 0x1p-63, 0x1p-100, 0x1p64, 0x1p63,
		float32(math.Inf(1)),
	}
	for _, v := range list {
		list = append(list, -v)
	}
	return append(list, float32(math.NaN()))
}

// SameBits tells whether a and b are the same number, of the same sign, or both
// NaN.
func SameBits(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

// FirstDifference returns the first index at which two slices differ in bits, NaN
// being one value; -1 when there is none.
func FirstDifference(a, b []float32) int {
	if len(a) != len(b) {
		return min(len(a), len(b))
	}
	for i := range a {
		if !SameBits(a[i], b[i]) {
			return i
		}
	}
	return -1
}

// Caught returns what f panicked with, or nil.
func Caught(f func()) (r any) {
	defer func() { r = recover() }()
	f()
	return nil
}
