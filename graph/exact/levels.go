package exact

import "math"

// Slack is how far the rounding of weights and biases to float32 may move sums beside a
// threshold of level units, in units.
func Slack(level float64) float64 { return 1e-3 + level*1e-6 }

// Level is the number of units, about theta/unit, for the threshold of a neuron in lock-step that
// starts at v0, in parts of the threshold: potentials are whole units beside v0, and the threshold
// lies between two, so that sums that are rounded fire the same spikes. It is odd, which keeps
// the level of a post step half a unit away where alpha is v0 and a half. ok is false where
// none near is such a number, as for a neuron that starts at 0.
func Level(theta, unit, v0 float64) (level float64, ok bool) {
	odd := 2*math.Floor(theta/unit/2) + 1
	for _, d := range [...]float64{0, 2, -2} {
		if level = odd + d; Apart(level, v0) {
			return level, true
		}
	}
	return odd, false
}

// Apart reports whether a threshold of level units lies between two potentials of a neuron that
// starts at v0.
func Apart(level, v0 float64) bool {
	start := float64(v0 * level) // rounded, so that all machines agree
	return math.Abs(start-math.Round(start)) >= leastGap
}

// leastGap is how far from a potential a threshold must be, in units.
const leastGap = 0.125
