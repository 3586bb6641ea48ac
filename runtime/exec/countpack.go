package exec

import (
	"math"

	"spikingir/graph"
	"spikingir/graph/exact"
	"spikingir/runtime/kernel/count"
)

// A countConv is a convolution of counts in integers.
type countConv struct {
	sources []*graph.Value
	packed  *count.Conv
	scale   []float64 // by output channel
}

// countNeurons is the neurons behind a convolution of counts, in real numbers.
type countNeurons struct {
	thresholds
	bias []float64 // at each main step, by output channel
	mprn bool
	left bool // something reads the residual potential
}

// start is the potential before any spike has come.
func (n *countNeurons) start(o, steps int) float64 {
	v := float64(n.bias[o] * float64(steps))
	if !math.IsInf(n.theta[o], 1) { // an infinite threshold is no unit
		v += float64(n.v0 * n.theta[o])
	}
	return v
}

// pack turns rows into integers; false where that loses too much. Without neurons n is nil.
func (r *countRows) pack(n *countNeurons, steps int) (countConv, bool) {
	c := countConv{sources: r.sources, scale: make([]float64, len(r.rows))}
	largest := make([]float64, len(r.rows))
	for o, row := range r.rows {
		largest[o] = largestOf(row)
		ok := false
		if n != nil {
			c.scale[o], ok = channelScale(row, n.bias[o]*float64(steps)/float64(r.most), 0, n.theta[o], n.v0, r.most)
		} else {
			c.scale[o], ok = sumScale(row, largest[o], r.most)
		}
		if !ok {
			return c, false
		}
	}
	if !c.exact(r, n, steps) && !c.coarse(r.grid(largest), n, largest) {
		c.widen(r, n, largest)
	}
	weights := make([][]int16, len(r.rows))
	for o, row := range r.rows {
		for _, w := range row {
			weights[o] = append(weights[o], int16(math.Round(w/c.scale[o])))
		}
	}
	var err error
	if r.transposed {
		c.packed, err = count.PackConvTranspose(r.shape, r.scatter(weights))
	} else {
		c.packed, err = count.PackConv(r.shape.ConvShape, r.scatter(weights))
	}
	return c, err == nil
}

// grids are the largest weights of 8 bits and of 12, with which conversion rounds them.
var grids = []float64{1<<7 - 1, 1<<11 - 1}

// grid is the first of the grids of which the weights of each channel are whole multiples,
// their largest being that number: what this rounds is less than what 16 bits do. 0 is for
// none.
func (r *countRows) grid(largest []float64) float64 {
	for _, most := range grids {
		if r.onGrid(most, largest) {
			return most
		}
	}
	return 0
}

func (r *countRows) onGrid(most float64, largest []float64) bool {
	for o, row := range r.rows {
		if !onGrid(row, largest[o], most) {
			return false
		}
	}
	return true
}

// onGrid reports whether the weights of a channel are whole multiples of the largest of
// them by most.
func onGrid(row []float64, largest, most float64) bool {
	for _, w := range row {
		if x := w / largest * most; w != 0 && math.Abs(x-math.Round(x)) > 1e-3 {
			return false
		}
	}
	return true
}

// exact takes scales that are powers of two, where all weights and levels are whole multiples of
// them: integers then compute what float32 does without rounding.
func (c *countConv) exact(r *countRows, n *countNeurons, steps int) bool {
	scale := make([]float64, len(r.rows))
	for o, row := range r.rows {
		var levels []float64
		if n != nil {
			levels = []float64{n.bias[o], float64(n.v0 * n.theta[o]), n.theta[o]}
		}
		var ok bool
		if scale[o], ok = exactScale(row, levels, max(r.most, steps)); !ok {
			return false
		}
	}
	c.scale = scale
	return true
}

// coarse makes weights on a grid the integers that they are there, if that keeps every spike:
// sums are whole units then, and reach a threshold of whole units or miss it by one. A
// residual potential has more digits, so that where one is read they are 16 bits.
func (c *countConv) coarse(most float64, n *countNeurons, largest []float64) bool {
	if most == 0 {
		return false
	}
	scale := make([]float64, len(c.scale))
	for o := range scale {
		scale[o] = c.scale[o]
		if largest[o] > 0 {
			scale[o] = largest[o] / most
		}
		if scale[o] < c.scale[o] { // sums might leave 32 bits
			return false
		}
		if n == nil || math.IsInf(n.theta[o], 1) {
			continue
		}
		level := n.theta[o] / scale[o]
		if n.left || level < 2 || largest[o] > 0 && math.Abs(level-math.Round(level)) > exact.Slack(level) {
			return false
		}
		scale[o] = n.theta[o] / math.Round(level)
	}
	c.scale = scale
	return true
}

// widen makes scales so large that the kernels are fastest, where that leaves all channels
// enough digits.
func (c *countConv) widen(r *countRows, n *countNeurons, largest []float64) {
	if r.transposed {
		return
	}
	scale := make([]float64, len(c.scale))
	for o, row := range r.rows {
		theta := math.Inf(1)
		if n != nil {
			theta = n.theta[o]
		}
		scale[o] = max(c.scale[o], count.LeastScale(r.shape.ConvShape, row, r.most))
		if !digits(scale[o], largest[o], theta) || largest[o] > 0 && n == nil && largest[o]/scale[o] < leastWeight {
			return
		}
	}
	c.scale = scale
}

// integers is the neurons in units of their channel's scale. Sums are integers: of the
// potential before them only whole units count, but for the post step, which they reach or
// do not with the rest of it.
func (n *countNeurons) integers(scale []float64, steps, post int) count.Neurons {
	k := count.Neurons{Top: int32(steps)}
	fires := post > 0 && n.mprn
	if post > 0 && !n.mprn {
		k.Top++
	}
	for o, unit := range scale {
		start := n.start(o, steps) / unit
		whole := math.Floor(start)
		theta, fire := int32(math.MaxInt32), int32(math.MaxInt32)
		if !math.IsInf(n.theta[o], 1) { // else it never fires
			theta = int32(math.Round(n.theta[o] / unit))
			fire = int32(math.Ceil(float64(n.alpha[o]*n.theta[o])/unit - (start - whole)))
		}
		k.Potential = append(k.Potential, int32(whole))
		k.Threshold = append(k.Threshold, theta)
		if fires {
			k.Fire = append(k.Fire, fire)
		}
	}
	return k
}

func largestOf(weights []float64) float64 {
	largest := 0.0
	for _, w := range weights {
		largest = max(largest, math.Abs(w))
	}
	return largest
}

// sumScale is channelScale for sums without neurons.
func sumScale(weights []float64, largest float64, most int) (float64, bool) {
	if largest == 0 {
		return 1, true
	}
	scale, ok := channelScale(weights, 0, 0, math.Inf(1), 0, most)
	return scale, ok && largest/scale >= leastWeight
}
