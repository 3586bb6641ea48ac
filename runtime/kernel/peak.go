package kernel

import "time"

// PeakFloat32 measures for about d what the selected implementation's fused
// multiply-add reaches on one thread without touching memory, in GFLOP/s, two
// operations each. It is the best of many short runs, so that other programs on
// the machine matter little.
func PeakFloat32(d time.Duration) float64 { return probe(d, float32s.kernels.fmaPeak) }

// probe is the best rate of peak, which returns how many operations n rounds
// took, in 10^9 operations a second.
func probe(d time.Duration, peak func(n int) int) float64 {
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

// fmaPeakGeneric runs independent chains of n fused multiply-adds and returns
// the number of floating-point operations in them.
func fmaPeakGeneric(n int) (flops int) {
	var acc [8]float32
	for range n {
		for i, a := range acc {
			acc[i] = fma32(0.5, a, 1)
		}
	}
	// A use of the chains, lest they be optimised away; none is ever negative.
	for _, a := range acc {
		if a < 0 {
			return 0
		}
	}
	return n * len(acc) * 2
}
