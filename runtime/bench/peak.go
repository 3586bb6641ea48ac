package bench

import (
	"cmp"
	"time"

	"spikingir/runtime/kernel"
)

// The families of kernels that work runs on. The layers between spikes have one
// of their own to name once integer kernels compute them.
const (
	analogFamily  = "float32"
	spikingFamily = "float32"
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
	case "float32":
		b.peaks[family] = kernel.PeakFloat32(probeTime)
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
func families() []string {
	if analogFamily == spikingFamily {
		return []string{analogFamily}
	}
	return []string{analogFamily, spikingFamily}
}

// selected names the implementation in use of a family.
func selected(family string) string {
	return cmp.Or(kernel.Selected(family), family)
}
