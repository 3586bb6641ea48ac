package machine

import (
	"encoding/binary"
	"unsafe"
)

// lineBytes is the size of a cache line, and of the widest vector.
const lineBytes = 64

// Aligned returns n elements that begin on a cache line.
func Aligned[T int8 | uint8 | int16 | uint16 | int32 | float32](n int) []T {
	var zero T
	size := int(unsafe.Sizeof(zero))
	b := make([]T, n+lineBytes/size)
	skip := 0
	if over := int(uintptr(unsafe.Pointer(unsafe.SliceData(b))) % lineBytes); over != 0 {
		skip = (lineBytes - over) / size
	}
	return b[skip : skip+n : skip+n]
}

// GrowAligned returns n elements on a cache line, b itself if it is large enough.
func GrowAligned[T int8 | uint8 | int16 | uint16 | int32 | float32](b []T, n int) []T {
	if cap(b) < n {
		return Aligned[T](n)
	}
	return b[:n]
}

// OnLine returns a copy of b that begins on a cache line.
func OnLine[T int8 | uint8 | int16 | uint16 | int32 | float32](b []T) []T {
	c := Aligned[T](len(b))
	copy(c, b)
	return c
}

// Grow returns n elements, b itself if it is large enough.
func Grow[T any](b []T, n int) []T {
	if cap(b) < n {
		return make([]T, n)
	}
	return b[:n]
}

// CeilDiv is a/b rounded up, of numbers that are not negative.
func CeilDiv(a, b int) int { return (a + b - 1) / b }

// LittleEndian tells whether the low byte of a word is its first.
var LittleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1
