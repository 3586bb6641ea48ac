package machine

import (
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Memory is the bytes that this process can hope for: those of the machine, or of the
// control group or the limit that it runs under. It is the largest number where the
// system does not tell.
func Memory() int64 {
	least := int64(math.MaxInt64)
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		least = min(least, atMost(uint64(info.Totalram)*uint64(info.Unit)))
	}
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_AS, &limit) == nil {
		least = min(least, atMost(limit.Cur))
	}
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		b, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64); err == nil { // else "max"
			least = min(least, atMost(n))
		}
	}
	return least
}

func atMost(n uint64) int64 { return int64(min(n, math.MaxInt64)) }
