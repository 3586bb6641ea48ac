package bench

import (
	"cmp"
	"time"

	"spikingir/runtime/kernel"
)

// The families of kernels that work runs on: layers between spikes in fixed point
// have one of their own.
const (
	analogFamily  = "float32"
	spikingFamily = "spikes"
)

// probeTime is how long a peak is probed.
const probeTime = 200 * time.Millisecond

// peak is what one thread reaches with the arithmetic unit that a family's
// selected implementation uses, in 10^9 operations a second. It is probed once.
func (b *Bench) peak(family string) float64 {
	if p, ok := b.peaks[family]; ok {
		return p
	}
	switch family {
	case analogFamily:
		b.peaks[family] = kernel.PeakFloat32(probeTime)
	case spikingFamily:
		b.peaks[family] = kernel.SpikePeak(probeTime)
	default:
		panic("bench: no peak is known for kernels of family " + family)
	}
	return b.peaks[family]
}

// Peaks is a line for each family in use: the probed peak of one thread.
func (b *Bench) Peaks() []Line {
	var list []Line
	for _, family := range families() {
		list = append(list, Line{Work: "peak " + family, Kernel: selected(family), Threads: 1,
			GOPS: digits(b.peak(family)), Share: 1})
	}
	return list
}

// families lists the families in use, each once.
func families() []string { return []string{analogFamily, spikingFamily} }

// operations is what the kernels of a family spend on one multiply-add.
func operations(family string) float64 {
	if family == spikingFamily {
		return float64(kernel.SpikeOps())
	}
	return 2
}

// selected names the implementation in use of a family.
func selected(family string) string {
	return cmp.Or(kernel.Selected(family), family)
}
