package count

import (
	"sync/atomic"

	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
)

// keep computes the strip's pixels in a phase with their sums kept, unless that was done by tiles, and
// hands over what is asked for.
func (t *task) keep(p *kernel.Phase, phase, cols int) {
	a := &t.args
	a.cells, a.cols, a.sums = t.cells, t.across(cols), t.sums
	if !t.tiled {
		for i := range t.plans[phase] {
			t.convolve(&t.plans[phase][i])
		}
	}
	if t.out.Neurons == nil {
		t.read(t.out.Currents, t.out.Scale, p, a.rows, cols)
		return
	}
	t.parts(cols, func(first int) {
		for b := range t.outBlocks {
			a.sums = t.sums[first/t.side*a.sumCell+b*blockLanes:]
			a.params = t.params[b*paramWords:]
			a.counts = t.counts(p, first)[b*blockLanes:]
			a.lanes[0] = t.existing(b, cols-first)
			t.kernels.settle(a)
		}
	})
	if t.out.Potential.Data != nil {
		t.read(t.out.Potential.Data, t.out.Potential.Scale, p, a.rows, cols)
	}
	if t.out.Potential.Sums != nil {
		t.sum(p, a.rows, cols)
	}
	if t.out.Late != nil {
		t.late(p, a.rows, cols)
	}
}

// at is the place of a channel of pixel (y, x) of the strip in the sums.
func (t *task) at(y, x, channel int) int {
	return y*t.args.sumRow + x/t.side*t.args.sumCell + x%t.side*t.shape.OutC + channel
}

// read writes the sums of the strip's rows x cols pixels in a phase as floats, channel by
// channel.
func (t *task) read(dst []float32, scales []float64, p *kernel.Phase, rows, cols int) {
	plane := t.oh * t.ow
	for c, scale := range scales {
		image := dst[(t.n*t.shape.OutC+c)*plane:][:plane]
		for y := range rows {
			row := image[(p.Y+(t.i+y)*t.OutStepH)*t.ow+p.X+t.j*t.OutStepW:]
			if t.side > 1 {
				for x := range cols {
					row[x*t.OutStepW] = float32(float64(t.sums[t.at(y, x, c)]) * scale)
				}
				continue
			}
			sums := t.sums[t.at(y, 0, c):]
			for x := range cols {
				row[x*t.OutStepW] = float32(float64(sums[x*t.args.sumCell]) * scale)
			}
		}
	}
}

// sum adds up the residual potentials.
func (t *task) sum(p *kernel.Phase, rows, cols int) {
	dst := t.out.Potential.Sums
	part := dst.Part.Every(p.Y+t.i*t.OutStepH, p.X+t.j*t.OutStepW, t.OutStepH, t.OutStepW, rows, cols)
	for y := part.Top; y < part.Bottom; y++ {
		for x := part.Left; x < min(part.Left+t.side, part.Right); x++ { // and those side pixels apart
			n := machine.CeilDiv(part.Right-x, t.side)
			for c := range t.shape.OutC {
				dst.Add(c, t.sums[t.at(y, x, c):][:(n-1)*t.args.sumCell+1], t.args.sumCell)
			}
		}
	}
}

// late counts the spikes of the post step. A neuron that has fired more often than phase two
// lets it, or below the threshold, which leaves a negative potential, has fired in it.
func (t *task) late(p *kernel.Phase, rows, cols int) {
	dst := t.out.Late
	part := dst.Part.Every(p.Y+t.i*t.OutStepH, p.X+t.j*t.OutStepW, t.OutStepH, t.OutStepW, rows, cols)
	top := uint8(t.out.Neurons.Top)
	spikes := make([]int64, t.shape.OutC)
	for y := part.Top; y < part.Bottom; y++ {
		for x := part.Left; x < part.Right; x++ {
			counts := t.counts(p, 0)[y*t.args.countRow+x*t.OutStepW*t.shape.OutC:][:t.shape.OutC]
			for c, n := range counts {
				if n > top || n > 0 && t.sums[t.at(y, x, c)] < 0 {
					spikes[c]++
				}
			}
		}
	}
	for c, n := range spikes {
		atomic.AddInt64(&dst.Spikes[c], n)
	}
}
