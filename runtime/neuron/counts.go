package neuron

import (
	"math"
	"sync/atomic"

	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/kernel/spike"
)

// countRun is the neurons of each channel that are computed together: their spikes are
// turned round in the cache.
const countRun = 256

// count computes the spikes of all neurons, pixel by pixel, into t.Counts.
func (t *TwoPhase) count(p *machine.Pool) {
	if t.Counts.C != t.C || t.Counts.H*t.Counts.W != t.Plane || len(t.Sum) != t.Counts.Size() {
		panic("neuron: counts of other neurons")
	}
	levels := make([]kernel.TwoPhase, t.C)
	for c := range levels {
		levels[c] = t.levels(c)
	}
	runs := machine.CeilDiv(t.Plane, countRun)
	total := t.Counts.N * runs
	var next atomic.Int64
	p.Run(min(p.Threads(), total), func(_, _, _ int) {
		planes, left := make([]uint8, t.C*countRun), make([]float32, countRun)
		for i := int(next.Add(1)) - 1; i < total; i = int(next.Add(1)) - 1 {
			n, first := i/runs, i%runs*countRun
			size := min(countRun, t.Plane-first)
			for c := range t.C {
				at := (n*t.C+c)*t.Plane + first
				keep := left[:size]
				if t.Residual != nil {
					keep = t.Residual[at : at+size]
				}
				kernel.SpikeCounts(planes[c*size:][:size], keep, t.Sum[at:at+size], &levels[c])
			}
			kernel.Interleave(t.Counts.Data[(n*t.Plane+first)*t.C:][:size*t.C], planes[:size*t.C], t.C)
		}
	})
}

// levels is the neurons of channel c.
func (t *TwoPhase) levels(c int) kernel.TwoPhase {
	none := float32(math.Copysign(0, -1))
	p := kernel.TwoPhase{Gain: 1, Bias: none, V0: none, Threshold: at(t.Threshold, c, 1),
		Fire: float32(math.NaN()), Top: float32(t.Steps)}
	if t.Gain != 0 {
		p.Gain = t.Gain
	}
	if t.Bias != nil {
		p.Bias = float32(t.Steps) * at(t.Bias, c, 0)
	}
	if t.V0 != 0 {
		p.V0 = t.v0(c)
	}
	switch {
	case p.Threshold > math.MaxFloat32: // never fires
		p.Threshold, p.Top = 1, 0
	case t.Post && t.Alpha != nil:
		p.Fire = p.Threshold * at(t.Alpha, c, 1)
	case t.Post:
		p.Top++
	}
	return p
}

// PostSpikes is how many spikes of the neurons in a part of the images fell in the post step; the
// counts are there.
func (t *TwoPhase) PostSpikes(part spike.Part) int64 {
	var late int64
	y := t.Counts
	for n := range y.N {
		for c := range t.C {
			p := t.levels(c)
			for i := part.Top; i < part.Bottom; i++ {
				for j := part.Left; j < part.Right; j++ {
					spikes := float32(y.Data[((n*y.H+i)*y.W+j)*y.C+c])
					x := t.Sum[((n*t.C+c)*y.H+i)*y.W+j]
					v := float32(float32(p.Gain*x)+p.Bias) + p.V0
					late += int64(spikes - whole(v/p.Threshold, min(p.Top, float32(t.Steps))))
				}
			}
		}
	}
	return late
}
