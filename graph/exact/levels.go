package exact

import "math"

// Slack is how far the rounding of weights and biases to float32 may move sums beside a
// threshold of level units, in units.
func Slack(level float64) float64 { return 1e-3 + level*1e-6 }

// OddMultiple is the odd number of units that is nearest to theta, and whether
// theta is that, up to the rounding of float32.
func OddMultiple(theta, unit float64) (level float64, ok bool) {
	level = 2*math.Floor(theta/unit/2) + 1
	return level, math.Abs(theta/unit-level) <= Slack(level)
}

// A Neuron is what the levels of a neuron depend on, beside its threshold.
type Neuron struct {
	Lockstep  bool // else of two phases
	Timesteps int
	// V0 is the initial potential and Alpha the level of the post step, in thresholds; 0 stands
	// for no such level.
	V0, Alpha float64
}

// Settled is a neuron whose levels no sum of whole units comes near: Theta is a whole number of Unit.
type Settled struct {
	Theta, Bias float32
	Unit        float64
}

// leastLevel is the least threshold in units for which anything moves.
const leastLevel = 8

// Settle moves the unit of the weights of an output channel to suit the threshold of their neuron;
// where the unit is given, it moves the threshold. Then it moves the bias, unless that is 0. All are the same
// again at a second time. ok is false where the threshold has too few units, or no number of them does.
//
// In lock-step the threshold lies between two potentials, and the bias is a multiple. Of two phases the threshold is odd, and over all steps the bias, with the
// initial potential and less the level of the post step, is half a unit more than a multiple.
func (n Neuron) Settle(theta, bias float32, unit float64, given bool) (s Settled, ok bool) {
	s = Settled{theta, bias, unit}
	if x := float64(theta) / unit; !(x >= leastLevel) || math.IsInf(x, 1) {
		return s, false
	}
	level, ok := n.level(float64(theta)/unit, bias != 0)
	if !ok {
		return s, false
	}
	if !given {
		s.Unit = float64(theta) / level
	} else if math.Abs(float64(theta)/unit-level) >= Slack(level) {
		s.Theta = float32(level * unit)
	}
	slack := Slack(level)
	if n.Lockstep {
		if want := math.Round(float64(bias) / s.Unit); math.Abs(float64(bias)/s.Unit-want) >= slack {
			s.Bias = float32(want * s.Unit)
		}
		return s, true
	}
	steps, start := float64(n.Timesteps), (n.V0-n.Alpha)*float64(s.Theta)
	have := (float64(steps*float64(bias)) + start) / s.Unit
	if want := math.Floor(have) + 0.5; bias != 0 && math.Abs(have-want) >= slack {
		s.Bias = float32((float64(want*s.Unit) - start) / steps)
	}
	return s, true
}

// level is the number of units for a threshold of about x: an odd one, so that the level of the post
// step lies half a unit beside all potentials where alpha is v0 and a half. For another alpha it is the nearest
// that keeps the levels far from sums, or the farthest of a few. Those are of one block of numbers, so that the same is found
// again. ok is false where no number keeps the threshold from sums, as for a neuron in lock-step that starts at 0.
func (n Neuron) level(x float64, biased bool) (level float64, ok bool) {
	_, exponent := math.Frexp(x)
	width := min(max(math.Ldexp(1, exponent-7), 4), mostMove)
	start := math.Floor(x/width) * width
	odd, _ := OddMultiple(x, 1)
	most := 0.0
	for d := 0.0; d < width; d += 2 {
		for _, to := range [...]float64{odd + d, odd - d} {
			if to < start || to > start+width || n.Lockstep && !Apart(to, n.V0) {
				continue
			}
			if gap := n.gap(to, biased); !ok || gap > most {
				level, most, ok = to, gap, true
			}
			if most >= goodGap || x < fewUnits {
				return level, true
			}
		}
	}
	return level, ok
}

// gap is how near sums come to the levels of a neuron with a threshold of level units, in units.
func (n Neuron) gap(level float64, biased bool) float64 {
	post := float64(n.Alpha * level)
	if biased && !n.Lockstep { // sums lie half a unit beside the level of the post step
		return beside(post + 0.5)
	}
	start := float64(n.V0 * level)
	if n.Alpha == 0 {
		return beside(start)
	}
	return min(beside(start), beside(post-start))
}

// Apart reports whether a threshold of level units lies between two potentials of a neuron that
// starts at v0.
func Apart(level, v0 float64) bool {
	return beside(float64(v0*level)) >= leastGap // rounded, so that all machines agree
}

// beside is how far from a whole number x is.
func beside(x float64) float64 { return math.Abs(x - math.Round(x)) }

const (
	// leastGap is how far from a potential a threshold must be, in units, and goodGap what is not
	// worth to be more.
	leastGap, goodGap = 0.125, 0.2
	// mostMove bounds how far a threshold moves, in units; one of fewUnits would change too much for
	// a better gap.
	mostMove, fewUnits = 32, 128
)
