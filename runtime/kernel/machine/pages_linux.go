package machine

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// adviseLarge asks for large pages under b, which nobody has touched yet. Where the
// system gives none, nothing is lost.
func adviseLarge(b []byte) {
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(b))) % uintptr(unix.Getpagesize())
	if int(skip) < len(b) {
		_ = unix.Madvise(b[skip:], unix.MADV_HUGEPAGE)
	}
}
