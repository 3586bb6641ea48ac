package machine

import "time"

// Mean is the rate of peak over d.
func Mean(d time.Duration, peak func(n int) int) float64 {
	n, ops := 64, 0
	start := time.Now()
	for {
		before := time.Now()
		ops += peak(n)
		if time.Since(before) < 100*time.Microsecond {
			n *= 2
		}
		if took := time.Since(start); took >= d {
			return float64(ops) / float64(max(took.Nanoseconds(), 1))
		}
	}
}

// Best is the best rate of peak, which returns how many operations n rounds
// took, in 10^9 operations a second.
func Best(d time.Duration, peak func(n int) int) float64 {
	n := 64
	best := 0.0
	for start := time.Now(); ; {
		before := time.Now()
		ops := peak(n)
		took := time.Since(before)
		if took < 100*time.Microsecond {
			n *= 2
			continue
		}
		best = max(best, float64(ops)/float64(took.Nanoseconds()))
		if time.Since(start) >= d {
			return best
		}
	}
}
