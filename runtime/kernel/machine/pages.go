package machine

import "unsafe"

// largePage is the size of a large page of most systems.
const largePage = 2 << 20

// NewArray returns n zeros for an array that is walked over and over, in large pages
// where there are any: with small ones a walk through megabytes keeps missing the tables
// of addresses.
func NewArray[T int8 | uint8 | uint16 | uint64 | float32](n int) []T {
	b := make([]T, n)
	if size := len(b) * int(unsafe.Sizeof(*new(T))); size >= largePage {
		adviseLarge(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(b))), size))
	}
	return b
}
