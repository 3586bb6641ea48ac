package neuron

import (
	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
)

// Train is the spikes of a population over time, one bit each. A slice holds
// N*C planes of Plane elements; bit i of a plane is its element i.
type Train struct {
	Steps, N, C, Plane int
	// Amplitude is the value of a spike, one for all or one per channel.
	Amplitude []float32

	words int // of one plane
	bits  []uint64
}

// NewTrain makes a silent train.
func NewTrain(steps, n, c, plane int, amplitude []float32) *Train {
	return NewTrainOver(make([]uint64, TrainWords(steps, n, c, plane)), steps, n, c, plane, amplitude)
}

// TrainWords is the number of 64-bit words of a train.
func TrainWords(steps, n, c, plane int) int { return steps * n * c * ((plane + 63) / 64) }

// NewTrainOver makes a train of the spikes in bits, TrainWords of them, which it
// keeps.
func NewTrainOver(bits []uint64, steps, n, c, plane int, amplitude []float32) *Train {
	return &Train{steps, n, c, plane, amplitude, (plane + 63) / 64, bits}
}

// Words gives the bits of all slices.
func (t *Train) Words() []uint64 { return t.bits }

// Bits gives the bits of one plane (image*C + channel) of slice step.
func (t *Train) Bits(step, plane int) []uint64 {
	at := (step*t.N*t.C + plane) * t.words
	return t.bits[at : at+t.words : at+t.words]
}

// amplitude of a plane.
func (t *Train) amplitude(plane int) float32 {
	if len(t.Amplitude) == 1 {
		return t.Amplitude[0]
	}
	return t.Amplitude[plane%t.C]
}

// Expand writes slice step in amplitude form to dst [N, C, Plane].
func (t *Train) Expand(p *machine.Pool, dst []float32, step int) {
	p.Run(t.N*t.C, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			kernel.ExpandSpikes(dst[i*t.Plane:(i+1)*t.Plane], t.Bits(step, i), t.amplitude(i))
		}
	})
}

// Count is the number of spikes of slice step.
func (t *Train) Count(step int) int64 {
	size := t.N * t.C * t.words
	return int64(kernel.CountSpikes(t.bits[step*size : (step+1)*size]))
}
