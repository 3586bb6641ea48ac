package kernel

import "time"

// PeakFloat32 measures for about d what the selected implementation's fused
// multiply-add reaches on one thread without touching memory, in GFLOP/s, two
// operations each. It is the best of many short runs, so that other programs on
// the machine matter little.
func PeakFloat32(d time.Duration) float64 { return probe(d, float32s.kernels.fmaPeak) }

// SustainedFloat32 is like PeakFloat32, but the mean over about d instead of the
// best: what the thread gets beside others.
func SustainedFloat32(d time.Duration) float64 { return mean(d, float32s.kernels.fmaPeak) }

// SustainedSpikes is to [SpikePeak] what SustainedFloat32 is to PeakFloat32.
func SustainedSpikes(d time.Duration) float64 { return mean(d, spikes.kernels.peak) }

// mean is the rate of peak over d.
func mean(d time.Duration, peak func(n int) int) float64 {
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
