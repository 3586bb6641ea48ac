package exec

import (
	"math"

	"spikingir/graph/exact"
	"spikingir/runtime/kernel/spike"
)

// A current is the real-valued currents of one spiking layer: what a spike at
// each synapse and a timestep alone bring to a neuron.
type current struct {
	// weights are those of output channel o times the amplitude of a spike at their
	// input, in any order.
	weights [][]float64
	most    int       // the largest amount of spikes at once; 0 stands for 1
	bias    []float64 // of main steps alone, by output channel
	always  []float64 // of every step, the post step included
}

// thresholds is the neurons of a spiking layer, by output channel.
type thresholds struct {
	theta, alpha []float64
	v0           float64 // in units of theta
	grade        spike.Grade
}

// A fixedPoint is a spiking layer in integers: all of a neuron's quantities are
// multiples of its channel's scale, so that no order of sums, kernel or strip changes
// the result.
type fixedPoint struct {
	weights [][]int16
	neurons spike.Neurons
	scale   []float64 // by output channel
}

const (
	// leastTheta is the least threshold in units of the scale: below it rounding
	// would change it by more than 1/512.
	leastTheta = 256
	// leastWeight is what the largest weight of a channel must reach in units of the
	// scale, unless the threshold is so large (mostTheta) that rounding errors of
	// weights are nothing beside it.
	leastWeight = 2048
	mostTheta   = 1 << 24
	// potentialLimit bounds potentials. Levels that must not be reached lie above.
	potentialLimit = 1<<31 - 2
	// mostUnit bounds the powers of two that are tried.
	mostUnit = 40
)

// quantise finds scales with which every weight fits in two signed bytes and no
// potential can leave 32 bits in steps slices. It gives nil
// when a channel would lose too much: the layer must run in float32 then.
func quantise(c current, t thresholds, steps int) *fixedPoint {
	f := &fixedPoint{}
	n := &f.neurons
	n.Grade = t.grade
	most := max(c.most, 1) // spikes of one step weigh as much as those of so many steps
	for o, weights := range c.weights {
		scale, exactly := exactScale(weights, []float64{c.bias[o], c.always[o], t.theta[o], float64(t.v0 * t.theta[o])}, steps*most)
		ok := exactly
		if !ok {
			scale, ok = c.settledScale(o, t, steps*most)
			exactly = ok
		}
		if !ok {
			scale, ok = channelScale(weights, c.bias[o]/float64(most), c.always[o]/float64(most), t.theta[o], t.v0, steps*most)
		}
		if !ok {
			return nil
		}
		units := func(x float64) int32 { return int32(math.Round(x / scale)) }
		row := make([]int16, len(weights))
		for i, w := range weights {
			row[i] = int16(math.Round(w / scale))
		}
		f.weights = append(f.weights, row)
		f.scale = append(f.scale, scale)
		n.Bias = append(n.Bias, units(c.bias[o])+units(c.always[o]))
		n.PostBias = append(n.PostBias, units(c.always[o]))
		if math.IsInf(t.theta[o], 1) { // never fires, and has no unit for v0
			n.Threshold, n.Fire, n.PostFire = append(n.Threshold, 0), append(n.Fire, math.MaxInt32), append(n.PostFire, math.MaxInt32)
			n.V0 = append(n.V0, 0)
			continue
		}
		n.Threshold = append(n.Threshold, units(t.theta[o]))
		n.Fire = append(n.Fire, units(t.theta[o]))
		n.PostFire = append(n.PostFire, postFire(float64(t.alpha[o]*t.theta[o]), scale, exactly))
		n.V0 = append(n.V0, units(float64(t.v0*t.theta[o])))
	}
	return f
}

// postFire is the least potential that fires at the post step: where potentials are those of the file, so
// is the comparison.
func postFire(level, scale float64, exactly bool) int32 {
	if exactly {
		return int32(math.Ceil(level / scale))
	}
	return int32(math.Round(level / scale))
}

// channelScale is the smallest scale that fits; false when it leaves the channel's
// numbers too few digits. Numbers that are no finite floats have no scale.
func channelScale(weights []float64, bias, always, theta, v0 float64, steps int) (float64, bool) {
	largest, sum := 0.0, 0.0
	for _, w := range weights {
		largest = max(largest, math.Abs(w))
		sum += math.Abs(w)
	}
	k := float64(steps)
	// Rounding adds half a unit at most to each weight, bias and level.
	slack := float64(k*(float64(len(weights))/2+2)) + 8
	total := float64(k * float64(sum+math.Abs(bias)+math.Abs(always)))
	never := math.IsInf(theta, 1)
	if !never {
		total += theta + math.Abs(float64(v0*theta))
	}
	scale := max(largest/spike.MostWeight, total/(potentialLimit-slack))
	if !(scale > 1e-300) || math.IsInf(scale, 1) || theta/scale < leastTheta {
		return 0, false
	}
	return scale, digits(scale, largest, theta)
}

// settledScale is a scale of which all numbers of channel o are whole multiples, up to the
// rounding of float32, where quantise-weights made them so: weights on one of the grids,
// a whole threshold, a whole bias. Integers then fire the spikes of the file. The
// scale is the unit of the weights by a power of two, for levels that lie between two units.
// The bias becomes the whole number that it stands for.
func (c *current) settledScale(o int, t thresholds, steps int) (float64, bool) {
	theta, row, largest := t.theta[o], c.weights[o], largestOf(c.weights[o])
	if largest == 0 || math.IsInf(theta, 1) || c.always[o] != 0 {
		return 0, false
	}
	for _, most := range grids {
		level := math.Round(theta / largest * most)
		unit := theta / level
		bias := math.Round(c.bias[o] / unit)
		whole := func(x, units float64) bool { return math.Abs(x/unit-units) <= exact.Slack(level) }
		if !(level >= 2) || !whole(largest, most) || !whole(c.bias[o], bias) || !exact.Apart(level, t.v0) || !onGrid(row, largest, most) {
			continue
		}
		least, ok := channelScale(row, c.bias[o], 0, theta, t.v0, steps)
		scale := unit
		for ok && scale/2 >= least {
			scale /= 2
		}
		if ok = ok && scale <= unit/4 && digits(scale, largest, theta); ok {
			c.bias[o] = bias * unit
		}
		return scale, ok
	}
	return 0, false
}

// exactScale is a power of two of which all weights and levels are whole multiples, so that
// integers compute what float32 does where that does not round; false where there is none at which
// they fit.
func exactScale(weights, levels []float64, steps int) (float64, bool) {
	unit, largest, sum := 0, 0.0, 0.0
	for _, w := range weights {
		largest = max(largest, math.Abs(w))
		sum += math.Abs(w)
		unit = max(unit, exact.UnitOf(w))
	}
	total := float64(steps) * sum
	for _, x := range levels {
		if math.IsInf(x, 0) || math.IsNaN(x) {
			return 0, false
		}
		total += float64(steps) * math.Abs(x)
		unit = max(unit, exact.UnitOf(x))
	}
	if unit > mostUnit || math.IsInf(total, 0) || math.IsNaN(total) {
		return 0, false
	}
	scale := math.Ldexp(1, -unit)
	return scale, largest/scale <= spike.MostWeight && total/scale <= potentialLimit
}

// digits reports whether a scale leaves a channel's numbers enough of them: its largest weight
// and its threshold, infinite for none.
func digits(scale, largest, theta float64) bool {
	return theta/scale >= leastTheta &&
		(math.IsInf(theta, 1) || largest == 0 || largest/scale >= leastWeight || theta/scale >= mostTheta)
}
