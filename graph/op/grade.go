package op

import (
	"fmt"
	"math"
	"math/bits"

	"spikingir/graph"
)

// A Grade is what the spikes of a neuron in one step may be worth: a whole number of
// units, from Least to Most. An IF and an MPRN have the grade [Single].
type Grade struct {
	Unit        float32 // in thresholds
	Least, Most int
	// Binary tells that a value goes out as one spike for each binary digit that is set,
	// not as so many spikes of one unit.
	Binary bool
}

// Single is the grade of neurons that fire once a step or not at all.
var Single = Grade{Unit: 1, Most: 1}

// Bounds of the attributes of graded neurons: the value of a step fits in a signed byte.
const (
	DefaultBurst  = 5
	MostBurst     = 127
	DefaultFinest = 0.25
	LeastFinest   = 1.0 / 32
	MostFinest    = 2
)

// IsGraded reports whether n is a neuron whose spikes have more values than one: they
// have the schedule lock-step.
func IsGraded(n *graph.Node) bool {
	return n.IsSpiking("BurstIF") || n.IsSpiking("MultiThresholdIF") || n.IsSpiking("SignedIF")
}

// grade reads the attributes of a graded neuron.
func (r *reader) grade(n *graph.Node) Grade {
	switch {
	case n.IsSpiking("BurstIF"):
		most := r.int("burst", DefaultBurst)
		if most < 1 || most > MostBurst {
			r.failf("attribute %q is %d, want 1 to %d spikes a step", "burst", most, MostBurst)
		}
		return Grade{Unit: 1, Most: int(most)}
	case n.IsSpiking("MultiThresholdIF"):
		finest := r.float("finest", DefaultFinest)
		if f, _ := math.Frexp(float64(finest)); f != 0.5 || !(finest >= LeastFinest && finest <= MostFinest) {
			r.failf("attribute %q is %g, want a power of two from 1/32 to 2, in units of the threshold", "finest", finest)
			return Single
		}
		return Grade{Unit: finest, Most: int(2*MostFinest/finest) - 1, Binary: true}
	case n.IsSpiking("SignedIF"):
		return Grade{Unit: 1, Least: -1, Most: 1}
	}
	return Single
}

// String says in words what a neuron of the grade does; nothing for [Single].
func (g Grade) String() string {
	switch {
	case g == Single:
		return ""
	case g.Signed():
		return "takes spikes back"
	case g.Binary:
		return fmt.Sprintf("fires at 2 to %g thresholds", g.Unit)
	}
	return fmt.Sprintf("up to %d spikes a step", g.Most)
}

// Signed reports whether spikes may take back what others have sent.
func (g Grade) Signed() bool { return g.Least < 0 }

// Spikes is the number of spikes that a value of a step goes out as. Each costs an
// addition at every synapse that it reaches.
func (g Grade) Spikes(value int) int {
	if value < 0 {
		value = -value
	}
	if g.Binary {
		return bits.OnesCount(uint(value))
	}
	return value
}

// Reach is the largest amount of a value.
func (g Grade) Reach() int { return max(g.Most, -g.Least) }

// Top is the largest current, in thresholds, that a neuron can pass on at each step.
func (g Grade) Top() float32 { return float32(g.Most) * g.Unit }
