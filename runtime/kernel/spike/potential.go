package spike

import (
	"sync/atomic"

	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
)

// A Potential takes the membrane potentials after a timestep. Data, [N][OutC][oh][ow], is set to
// each potential times its channel's Scale, rounded to float32; Sums are added to. Either
// may be nil.
type Potential struct {
	Data  []float32
	Scale []float64
	Sums  *PotentialSums
}

// A Part is some pixels of an image: rows Top up to Bottom, columns Left up to Right.
type Part struct{ Top, Left, Bottom, Right int }

// PotentialSums sums up potentials by channel, in units of its scale: in integers,
// so that neither their order nor the number of threads changes a sum.
type PotentialSums struct {
	Part           Part    // the pixels that count
	Half, Full     []int32 // levels
	Abs            []int64 // sums of absolute values
	AtHalf, AtFull []int64 // neurons at a level or above
}

// NewPotentialSums makes sums of nothing, for the levels of each channel.
func NewPotentialSums(part Part, half, full []int32) *PotentialSums {
	n := len(half)
	return &PotentialSums{Part: part, Half: half, Full: full, Abs: make([]int64, n), AtHalf: make([]int64, n), AtFull: make([]int64, n)}
}

// Fit reports whether the sums are of so many channels.
func (s *PotentialSums) Fit(channels int) bool {
	return len(s.Half) == channels && len(s.Full) == channels && len(s.Abs) == channels &&
		len(s.AtHalf) == channels && len(s.AtFull) == channels
}

// merge adds what a worker summed up of a channel.
func (s *PotentialSums) merge(c int, x laneSums) {
	atomic.AddInt64(&s.Abs[c], x.abs)
	atomic.AddInt64(&s.AtHalf[c], x.half)
	atomic.AddInt64(&s.AtFull[c], x.full)
}

// Add adds the potentials v[0], v[step], v[2*step], ... of a channel.
func (s *PotentialSums) Add(channel int, v []int32, step int) {
	var sums laneSums
	for i := 0; i < len(v); i += step {
		sums.add(v[i], s.Half[channel], s.Full[channel])
	}
	s.merge(channel, sums)
}

// laneSums is the sums of a lane.
type laneSums struct{ abs, half, full int64 }

// add adds a potential, by arithmetic instead of branches that nobody could foresee.
func (x *laneSums) add(v, half, full int32) {
	y := int64(v)
	sign := y >> 63
	x.abs += (y ^ sign) - sign
	x.half += 1 + (y-int64(half))>>63
	x.full += 1 + (y-int64(full))>>63
}

// report hands over the potentials of the strip.
func (t *task) report(dst Potential, n int, out *Tensor) {
	for k := range t.Phases {
		rows, cols := t.within(&t.Phases[k], out)
		if rows <= 0 || cols <= 0 {
			continue
		}
		if dst.Data != nil {
			t.read(dst, k, n, out, rows, cols)
		}
		if dst.Sums != nil {
			part := t.inside(dst.Sums.Part, &t.Phases[k], rows, cols)
			for b := range t.outBlocks {
				t.sum(dst.Sums, b, t.v[(k*t.outBlocks+b)*t.area()*maskBits:], t.across(cols), part)
			}
		}
	}
}

// inside is the part of the strip's rows x cols pixels in a phase that a part of the
// output holds.
func (t *task) inside(q Part, p *kernel.Phase, rows, cols int) Part {
	return q.Every(p.Y+t.i*t.OutStepH, p.X+t.j*t.OutStepW, t.OutStepH, t.OutStepW, rows, cols)
}

// Every is the part among rows x cols pixels of which the first is at (y, x), and the others stepH
// rows and stepW columns apart.
func (q Part) Every(y, x, stepH, stepW, rows, cols int) Part {
	return Part{
		Top: first(q.Top-y, stepH, rows), Bottom: first(q.Bottom-y, stepH, rows),
		Left: first(q.Left-x, stepW, cols), Right: first(q.Right-x, stepW, cols),
	}
}

// first is the least of 0 to n that, times step, is at least so far; n when none is.
func first(far, step, n int) int { return min(machine.CeilDiv(max(far, 0), step), n) }

// sum adds up the potentials of a block, in rows of across cells.
func (t *task) sum(dst *PotentialSums, block int, v []int32, across int, part Part) {
	var sums [maskBits]laneSums
	var half, full [maskBits]int32
	lanes := min(t.shape.OutC-block*maskBits, maskBits)
	for o := range lanes {
		half[o], full[o] = dst.Half[block*maskBits+o], dst.Full[block*maskBits+o]
	}
	for y := part.Top; y < part.Bottom; y++ {
		row := v[y*across*maskBits:][:across*maskBits]
		for x := part.Left; x < part.Right; x++ {
			pixel := row[x/t.side*maskBits+x%t.side*t.shape.OutC:]
			if t.side > 1 {
				for o := range lanes {
					sums[o].add(pixel[o], half[o], full[o])
				}
				continue
			}
			cell := (*[maskBits]int32)(pixel)
			for o := range sums {
				sums[o].add(cell[o], half[o], full[o])
			}
		}
	}
	for o := range lanes {
		dst.merge(block*maskBits+o, sums[o])
	}
}

// read writes the potentials of the strip's rows x cols pixels in a phase as floats,
// channel by channel.
func (t *task) read(dst Potential, k, n int, out *Tensor, rows, cols int) {
	p, plane := &t.Phases[k], out.H*out.W
	for c := range out.C {
		scale := dst.Scale[c]
		v := t.v[(k*t.outBlocks+c/maskBits)*t.area()*maskBits:]
		image := dst.Data[(n*out.C+c)*plane:][:plane]
		for y := range rows {
			row := image[(p.Y+(t.i+y)*t.OutStepH)*out.W+p.X+t.j*t.OutStepW:]
			cells := v[y*t.across(cols)*maskBits:]
			for x := range cols {
				at := x/t.side*maskBits + x%t.side*out.C + c%maskBits
				row[x*t.OutStepW] = float32(float64(cells[at]) * scale)
			}
		}
	}
}
