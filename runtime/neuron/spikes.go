package neuron

import (
	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
)

// Spikes is the spikes of a population over time, one bit each. A slice holds
// N*C planes of Plane elements; bit i of a plane is its element i.
type Spikes struct {
	Steps, N, C, Plane int
	// Amplitude is the value of a spike, one for all or one per channel.
	Amplitude []float32

	words int // of one plane
	bits  []uint64
}

// NewSpikes makes room for spikes, with none.
func NewSpikes(steps, n, c, plane int, amplitude []float32) *Spikes {
	return SpikesOver(make([]uint64, SpikeWords(steps, n, c, plane)), steps, n, c, plane, amplitude)
}

// SpikeWords is the number of 64-bit words of spikes.
func SpikeWords(steps, n, c, plane int) int { return steps * n * c * ((plane + 63) / 64) }

// SpikesOver reads the spikes in bits, SpikeWords of them, which it keeps.
func SpikesOver(bits []uint64, steps, n, c, plane int, amplitude []float32) *Spikes {
	return &Spikes{steps, n, c, plane, amplitude, (plane + 63) / 64, bits}
}

// Words gives the bits of all slices.
func (t *Spikes) Words() []uint64 { return t.bits }

// Bits gives the bits of one plane (image*C + channel) of slice step.
func (t *Spikes) Bits(step, plane int) []uint64 {
	at := (step*t.N*t.C + plane) * t.words
	return t.bits[at : at+t.words : at+t.words]
}

// Expand writes slice step in amplitude form to dst [N, C, Plane].
func (t *Spikes) Expand(p *machine.Pool, dst []float32, step int) {
	p.Run(t.N*t.C, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			kernel.ExpandSpikes(dst[i*t.Plane:(i+1)*t.Plane], t.Bits(step, i), at(t.Amplitude, i%t.C, 1))
		}
	})
}

// Count is the number of spikes of slice step.
func (t *Spikes) Count(step int) int64 {
	size := t.N * t.C * t.words
	return int64(kernel.CountSpikes(t.bits[step*size : (step+1)*size]))
}
