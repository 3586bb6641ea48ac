package count

import (
	"sync/atomic"

	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/kernel/spike"
)

// keep computes the strip's columns, of so many pixels, in a phase with their sums kept, unless that was done by tiles, and
// hands over what is asked for.
func (t *task) keep(p *kernel.Phase, phase, cols, pixels int) {
	a := &t.args
	a.cells, a.cols, a.sums = t.cells, t.across(cols), t.sums
	if !t.tiled {
		for i := range t.plans[phase] {
			t.convolve(&t.plans[phase][i])
		}
	}
	if t.out.Neurons == nil {
		t.read(t.out.Currents, t.out.Scale, p, a.rows, pixels)
		return
	}
	t.parts(pixels, func(first int) {
		for b := range t.outBlocks {
			a.sums = t.sums[first/t.side*a.sumCell+b*blockLanes:]
			a.params = t.params[b*paramWords:]
			a.counts = t.counts(p, first)[b*blockLanes:]
			a.lanes[0] = t.existing(b, pixels-first)
			t.kernels.settle(a)
		}
	})
	if t.out.Potential.Data != nil {
		t.read(t.out.Potential.Data, t.out.Potential.Scale, p, a.rows, pixels)
	}
	if t.out.Potential.Sums != nil {
		t.sum(p, a.rows, pixels)
	}
	if t.out.Late != nil {
		t.late(p, a.rows, pixels)
	}
}

// at is the place of a channel of pixel (y, x) of the strip in the sums.
func (t *task) at(y, x, channel int) int {
	return y*t.args.sumRow + x/t.side*t.args.sumCell + x%t.side*t.shape.OutC + channel
}

// read writes the sums of the strip's rows of pixels in a phase as floats, channel by channel.
func (t *task) read(dst []float32, scales []float64, p *kernel.Phase, rows, pixels int) {
	plane, apart := t.oh*t.ow, t.apart()
	for c, scale := range scales {
		image := dst[(t.n*t.shape.OutC+c)*plane:][:plane]
		for y := range rows {
			row := image[(p.Y+(t.i+y)*t.OutStepH)*t.ow+p.X+t.j*t.OutStepW:][:(pixels-1)*apart+1]
			for g := range min(t.side, pixels) { // and the pixels side further
				sums := t.sums[t.at(y, g, c):]
				at := 0
				for x := g * apart; x < len(row); x += t.side * apart {
					row[x] = float32(float64(sums[at]) * scale)
					at += t.args.sumCell
				}
			}
		}
	}
}

// sum adds up the residual potentials.
func (t *task) sum(p *kernel.Phase, rows, pixels int) {
	dst := t.out.Potential.Sums
	part := t.inside(dst.Part, p, rows, pixels)
	for y := part.Top; y < part.Bottom; y++ {
		for x := part.Left; x < min(part.Left+t.side, part.Right); x++ { // and the pixels side further
			n := machine.CeilDiv(part.Right-x, t.side)
			for c := range t.shape.OutC {
				dst.Add(c, t.sums[t.at(y, x, c):][:(n-1)*t.args.sumCell+1], t.args.sumCell)
			}
		}
	}
}

// late counts the spikes of the post step. A neuron that has fired more often than phase two
// lets it, or below the threshold, which leaves a negative potential, has fired in it.
func (t *task) late(p *kernel.Phase, rows, pixels int) {
	dst := t.out.Late
	part := t.inside(dst.Part, p, rows, pixels)
	top := t.out.Neurons.Top
	spikes := make([]int64, t.shape.OutC)
	for y := part.Top; y < part.Bottom; y++ {
		row := t.counts(p, 0)[y*t.args.countRow:]
		for x := part.Left; x < part.Right; x++ {
			v := t.sums[t.at(y, x, 0):][:len(spikes)]
			counts := row[x*t.apart()*len(spikes):][:len(spikes)]
			for c := range spikes {
				n := int32(counts[c])
				// By arithmetic instead of branches that nobody could foresee: the sign of each.
				spikes[c] += int64(uint32(top-n|v[c]&-n) >> 31)
			}
		}
	}
	for c, n := range spikes {
		atomic.AddInt64(&dst.Spikes[c], n)
	}
}

// inside is the part of the strip's rows of pixels in a phase that a part of the output holds.
func (t *task) inside(q spike.Part, p *kernel.Phase, rows, pixels int) spike.Part {
	return q.Every(p.Y+t.i*t.OutStepH, p.X+t.j*t.OutStepW, t.OutStepH, t.apart(), rows, pixels)
}
