//go:build !linux && !darwin

package machine

import "math"

// Memory is the largest number: these systems are not asked.
func Memory() int64 { return math.MaxInt64 }
