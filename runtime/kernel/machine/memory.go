package machine

import "math"

const (
	// leastBudget is what computing may take on the smallest machine: tiles of 1 GiB, and what
	// their forecast does not know.
	leastBudget = 5 << 28
	// blindBudget is that where the system does not tell its memory.
	blindBudget = 4 << 30
)

// Budget is the bytes that computing may take unless it is told otherwise: a quarter of
// Memory and 1.25 GiB at least, or 4 GiB where the memory is not known.
func Budget() int64 { return budget(Memory()) }

func budget(memory int64) int64 {
	if memory == math.MaxInt64 {
		return blindBudget
	}
	return max(memory/4, leastBudget)
}
