package machine

import (
	"math"

	"golang.org/x/sys/unix"
)

// Memory is the bytes of the machine. It is the largest number where the system does not
// tell.
func Memory() int64 {
	n, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return math.MaxInt64
	}
	return int64(min(n, math.MaxInt64))
}
