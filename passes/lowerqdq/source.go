package lowerqdq

import (
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes/annotations"
	"spikingir/passes/weights"
)

// source is the weights that a layer of integers stands for.
type source struct {
	layout    op.Layout
	weights   []float32
	amplitude []float32 // of the spikes by input channel
}

// state notes how the weights w follow from the integers that the file states them by,
// unless they are no such multiples to the bit.
func (l *lowering) state(y *layer, w, integers *graph.Value) {
	q := weights.Quantised{Integers: make([]int32, len(y.weights))}
	for i, k := range y.weights {
		q.Integers[i] = int32(k)
	}
	q.Scale = y.source.scales(q.Integers)
	if !slices.Equal(q.Floats(y.source.layout, y.source.amplitude), y.source.weights) {
		return
	}
	l.Record.Sources[w] = annotations.Tensor{From: integers.Name(), Grid: &annotations.Grid{
		Layer: y.conv.Output(0).Name(), Scales: q.Scale, Amplitudes: y.source.amplitude,
	}}
}

// scales is for each output channel the scale of which its weights are whole multiples that
// float32 has rounded, where there is one: each weight leaves an interval for it.
func (s source) scales(integers []int32) []float64 {
	low, high := make([]float64, s.layout.Out), make([]float64, s.layout.Out)
	for out := range high {
		high[out] = math.Inf(1)
	}
	for i, x := range s.weights {
		if integers[i] == 0 {
			continue
		}
		in, out := s.layout.Channel(i)
		unit := math.Abs(float64(s.amplitude[in]) / float64(integers[i]))
		size := float32(math.Abs(float64(x)))
		less, more := math.Nextafter32(size, 0), math.Nextafter32(size, math.MaxFloat32)
		low[out] = max(low[out], (float64(less)+float64(size))/2*unit)
		high[out] = min(high[out], (float64(more)+float64(size))/2*unit)
	}
	list := make([]float64, s.layout.Out)
	for out := range list {
		if list[out] = 1; !math.IsInf(high[out], 1) {
			list[out] = (low[out] + high[out]) / 2
		}
	}
	return list
}
