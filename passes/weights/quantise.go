package weights

import (
	"fmt"
	"math"

	"spikingir/graph/op"
)

// Quantised is the weights of a layer as whole multiples of the scale of their output
// channel: weight i times the amplitude of its input channel is Integers[i] times
// Scale[out], up to rounding.
type Quantised struct {
	Integers []int32
	Scale    []float64 // by output channel; 1 where all weights are 0
}

// Quantise rounds the weights xs of a layer to signed integers of some bits, the same
// magnitude on both sides: with 8 bits the largest weight of an output channel, times
// the amplitude of its input, becomes 127 or -127. Amplitude is what a spike on each
// input channel is worth. Weights that [Quantised.Floats] gave come out with the same
// integers again.
func Quantise(l op.Layout, xs, amplitude []float32, bits int) (*Quantised, error) {
	if bits < 2 || bits > 31 || len(amplitude) != l.In {
		return nil, fmt.Errorf("%d bits and amplitudes of %d channels, want 2 to 31 bits and %d channels", bits, len(amplitude), l.In)
	}
	most := float64(int64(1)<<(bits-1) - 1)
	q := &Quantised{make([]int32, len(xs)), make([]float64, l.Out)}
	for i, x := range xs {
		in, out := l.Channel(i)
		w := math.Abs(float64(x) * float64(amplitude[in]))
		if math.IsNaN(w) || math.IsInf(w, 0) {
			return nil, fmt.Errorf("weight %g at spikes of amplitude %g, want finite numbers", x, amplitude[in])
		}
		q.Scale[out] = max(q.Scale[out], w/most)
	}
	for out, s := range q.Scale {
		if s == 0 {
			q.Scale[out] = 1
		}
	}
	for i, x := range xs {
		in, out := l.Channel(i)
		q.Integers[i] = int32(math.Round(float64(x) * float64(amplitude[in]) / q.Scale[out]))
	}
	return q, nil
}

// Floats is the weights that the integers stand for, for inputs of the same amplitudes.
func (q *Quantised) Floats(l op.Layout, amplitude []float32) []float32 {
	xs := make([]float32, len(q.Integers))
	for i, k := range q.Integers {
		in, out := l.Channel(i)
		xs[i] = float32(float64(k) * q.Scale[out] / float64(amplitude[in]))
	}
	return xs
}

// Used tells the output channels that have a weight other than 0.
func (q *Quantised) Used(l op.Layout) []bool {
	used := make([]bool, l.Out)
	for i, k := range q.Integers {
		_, out := l.Channel(i)
		used[out] = used[out] || k != 0
	}
	return used
}
