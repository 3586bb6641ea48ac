package lowerqdq

import (
	"encoding/binary"
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

// mostOdd is the share of weights that may be no multiples to the bit.
const mostOdd = 0.01

// state notes how the weights w follow from the integers that the file states them by,
// unless too few are such multiples to the bit.
func (l *lowering) state(y *layer, w, integers *graph.Value) {
	q := weights.Quantised{Integers: make([]int32, len(y.weights))}
	for i, k := range y.weights {
		q.Integers[i] = int32(k)
	}
	q.Scale = y.source.scales(q.Integers)
	t := annotations.Tensor{From: integers.Name(), Grid: &annotations.Grid{
		Layer: y.conv.Output(0).Name(), Scales: q.Scale, Amplitudes: y.source.amplitude,
	}}
	for i, x := range q.Floats(y.source.layout, y.source.amplitude) {
		if own := y.source.weights[i]; math.Float32bits(x) != math.Float32bits(own) {
			t.Grid.Odd = append(t.Grid.Odd, i)
			t.Data = binary.LittleEndian.AppendUint32(t.Data, math.Float32bits(own))
		}
	}
	if float64(len(t.Grid.Odd)) <= mostOdd*float64(len(y.weights)) {
		l.Record.Sources[w] = t
	}
}

// scales is for each output channel the scale of which its weights are whole multiples that
// float32 has rounded: each weight leaves an interval for it, but for the few that quantise-weights
// found so near to a multiple that it left them alone.
func (s source) scales(integers []int32) []float64 {
	estimates := make([][]float64, s.layout.Out)
	each := func(f func(i, out int, unit float64)) {
		for i, k := range integers {
			if in, out := s.layout.Channel(i); k != 0 {
				f(i, out, math.Abs(float64(s.amplitude[in])/float64(k)))
			}
		}
	}
	each(func(i, out int, unit float64) {
		estimates[out] = append(estimates[out], math.Abs(float64(s.weights[i]))*unit)
	})
	list, low, high := make([]float64, s.layout.Out), make([]float64, s.layout.Out), make([]float64, s.layout.Out)
	for out, e := range estimates {
		if list[out], high[out] = 1, math.Inf(1); len(e) > 0 {
			slices.Sort(e)
			list[out] = e[len(e)/2]
		}
	}
	each(func(i, out int, unit float64) {
		size := float32(math.Abs(float64(s.weights[i])))
		if math.Abs(float64(size)*unit-list[out]) > 0x1p-22*list[out] {
			return
		}
		less, more := math.Nextafter32(size, 0), math.Nextafter32(size, math.MaxFloat32)
		low[out] = max(low[out], (float64(less)+float64(size))/2*unit)
		high[out] = min(high[out], (float64(more)+float64(size))/2*unit)
	})
	for out := range list {
		if low[out] > 0 {
			list[out] = (low[out] + high[out]) / 2
		}
	}
	return list
}
