package kernel

import (
	"time"

	"spikingir/runtime/kernel/machine"
)

// PeakFloat32 measures for about d what the selected implementation's fused
// multiply-add reaches on one thread without touching memory, in GFLOP/s, two
// operations each. It is the best of many short runs, so that other programs on
// the machine matter little.
func PeakFloat32(d time.Duration) float64 { return machine.Best(d, float32s.Kernels.fmaPeak) }

// SustainedFloat32 is like PeakFloat32, but the mean over about d instead of the
// best: what the thread gets beside others.
func SustainedFloat32(d time.Duration) float64 { return machine.Mean(d, float32s.Kernels.fmaPeak) }

// fmaPeakGeneric runs independent chains of n fused multiply-adds and returns
// the number of floating-point operations in them.
func fmaPeakGeneric(n int) (flops int) {
	var acc [8]float32
	for range n {
		for i, a := range acc {
			acc[i] = machine.FMA32(0.5, a, 1)
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
