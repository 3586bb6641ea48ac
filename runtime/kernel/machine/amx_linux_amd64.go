//go:build !purego

package machine

import (
	"golang.org/x/sys/cpu"
	"golang.org/x/sys/unix"
)

// AMX reports whether this process may use AMX tiles, given whether the CPU
// has the wanted products of them. Linux grants the tiles' state, which enlarges every
// signal frame, only to those who ask.
func AMX(products bool) bool {
	const (
		requestPermission = 0x1023 // ARCH_REQ_XCOMP_PERM
		tileData          = 18     // XFEATURE_XTILEDATA
	)
	if !cpu.X86.HasAMXTile || !products {
		return false
	}
	_, _, errno := unix.Syscall(unix.SYS_ARCH_PRCTL, requestPermission, tileData, 0)
	return errno == 0
}
