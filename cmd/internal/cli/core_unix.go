//go:build unix

package cli

import "golang.org/x/sys/unix"

// noCore leaves no image of the memory on disk when the program is aborted: it may be large.
func noCore() {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_CORE, &limit) == nil {
		limit.Cur = 0
		_ = unix.Setrlimit(unix.RLIMIT_CORE, &limit) // as well as can be
	}
}
