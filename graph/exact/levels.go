package exact

import "math"

// Slack is how far the rounding of weights and biases to float32 may move sums beside a
// threshold of level units, in units.
func Slack(level float64) float64 { return 1e-3 + level*1e-6 }

// Apart reports whether the levels that a neuron in lock-step compares lie between two whole
// units of currents: its threshold is level units, v0 and alpha are in parts of it, and alpha
// is 1 or 0 for a neuron without a post step. Sums that are rounded then fire the same spikes.
func Apart(level, v0, alpha float64) bool {
	off := func(x float64) float64 { return math.Abs(x - math.Round(x)) }
	return off(v0*level) >= leastGap && off((v0-alpha)*level) >= leastGap
}

// leastGap is how far from a whole unit a level must be, in units.
const leastGap = 0.125
