package exec

import (
	"math"
	"sort"

	"spikingir/runtime/kernel/spike"
	"spikingir/runtime/neuron"
	"spikingir/runtime/ops"
)

// leftovers is what a layer in fixed point is asked to tell of the potentials at each
// result; nil when nobody asks.
func (f *fixedLayer) leftovers(r *run, p []*ops.Tensor, out *packed) []spike.Potential {
	if p == nil && r.counters == nil {
		return nil
	}
	list := make([]spike.Potential, len(r.timing.results))
	for i := range p {
		list[i].Data, list[i].Scale = p[i].F32, f.point.scale
	}
	if r.counters == nil {
		return list
	}
	for i, s := range r.potentialSums(f.neuron, out, f.levels) {
		list[i].Sums = s
	}
	return list
}

// levels are half of the threshold and the threshold in units of each channel: the least
// potentials that are no less once they are floats.
func (f *fixedLayer) levels() (half, full []int32) {
	for c, scale := range f.point.scale {
		theta := f.theta[min(c, len(f.theta)-1)]
		half, full = append(half, level(theta/2, scale)), append(full, level(theta, scale))
	}
	return half, full
}

// level is the least integer multiple of scale that is at least x > 0 in float32, as a
// potential is once it is read; the largest number when none is.
func level(x float32, scale float64) int32 {
	return int32(sort.Search(math.MaxInt32, func(v int) bool { return float32(float64(v)*scale) >= x }))
}

// residual summarises potentials, but for the number of neurons.
func (f *fixedLayer) residual(s *spike.PotentialSums) neuron.Residual {
	var r neuron.Residual
	for c, sum := range s.Abs {
		r.Sum += float64(float64(sum)*f.point.scale[c]) / float64(f.theta[min(c, len(f.theta)-1)])
		r.Half += s.AtHalf[c]
		r.Full += s.AtFull[c]
	}
	return r
}
