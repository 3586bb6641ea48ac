package kerneltest

import (
	"os"
	"syscall"
	"testing"
	"unsafe"
)

// Guarded returns n floats that begin right behind, or end right before, memory
// that must not be read.
func Guarded(t *testing.T, n int, atEnd bool) []float32 {
	t.Helper()
	page := os.Getpagesize()
	size := (4*n + page - 1) / page * page
	m, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { syscall.Munmap(m) })
	for _, guard := range [][]byte{m[:page], m[page+size:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Skip(err)
		}
	}
	first := page
	if atEnd {
		first += size - 4*n
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&m[first])), n)
}
