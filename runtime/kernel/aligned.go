package kernel

import "unsafe"

// lineBytes is the size of a cache line, and of the widest vector.
const lineBytes = 64

// aligned returns n elements that begin on a cache line.
func aligned[T int8 | int16 | uint16 | int32 | float32](n int) []T {
	var zero T
	size := int(unsafe.Sizeof(zero))
	b := make([]T, n+lineBytes/size)
	skip := 0
	if over := int(uintptr(unsafe.Pointer(unsafe.SliceData(b))) % lineBytes); over != 0 {
		skip = (lineBytes - over) / size
	}
	return b[skip : skip+n : skip+n]
}

// growAligned returns n elements on a cache line, b itself if it is large enough.
func growAligned[T int8 | int16 | uint16 | int32 | float32](b []T, n int) []T {
	if cap(b) < n {
		return aligned[T](n)
	}
	return b[:n]
}

// onLine returns a copy of b that begins on a cache line.
func onLine[T int8 | int16 | uint16 | int32 | float32](b []T) []T {
	c := aligned[T](len(b))
	copy(c, b)
	return c
}
