package spike

import "spikingir/runtime/kernel/machine"

// A Grade is the values that the spikes of graded neurons have in a step, in units of their
// Threshold. Least is 0, or -1 for neurons of which a spike may take back one that was sent.
type Grade struct{ Least, Most int32 }

// Of is the value that a neuron of potential v sends, for a unit above 0, and sent values so far.
func (g Grade) Of(v, unit int32, sent int32) int32 {
	switch {
	case v >= unit:
		return min(v/unit, g.Most)
	case g.Least < 0 && sent > 0 && v <= -unit:
		return -1
	}
	return 0
}

// gradedScratch is a worker's memory for graded neurons. It only grows.
type gradedScratch struct {
	sent, savedSent []int32  // what each neuron has sent, where it may take spikes back
	ignored         []uint16 // the masks that the kernels write
	units           []int32  // of the lanes of all blocks; 0 for those that never fire
}

// reserveGraded makes room for graded neurons and leaves the kernels nothing to fire: they add
// up currents.
func (t *task) reserveGraded(n *Neurons) {
	g := &t.graded
	g.ignored = machine.Grow(g.ignored, t.layout.rows*t.across(t.layout.cols)*t.outBlocks)
	g.units = machine.Grow(g.units, t.outBlocks*maskBits)
	for i := range g.units {
		g.units[i] = 0
		if c, _, ok := t.lane(i/maskBits, i%maskBits); ok && n.Fire[c] != neverFires {
			g.units[i] = n.Threshold[c]
		}
	}
	for _, p := range t.params {
		for i := range p {
			if kind := i / maskBits % 3; kind == 1 {
				p[i] = 0
			} else if kind == 2 {
				p[i] = neverFires
			}
		}
	}
	if n.Grade.Least < 0 {
		size := t.neurons(t.layout.rows, t.layout.cols)
		g.sent, g.savedSent = machine.Grow(g.sent, size), machine.Grow(g.savedSent, size)
	}
}

// fire sends the spikes of a slice of the strip.
func (t *task) fire(out *Tensor, step, n int, grade Grade) {
	values := out.Slots(step, n)
	for k := range t.Phases {
		p := &t.Phases[k]
		rows, cols := t.within(p, out)
		if rows <= 0 || cols <= 0 {
			continue
		}
		across := t.across(cols)
		for b := range t.outBlocks {
			block := (k*t.outBlocks + b) * t.area() * maskBits
			for y := range rows {
				row := values[((p.Y+(t.i+y)*t.OutStepH)*out.W+p.X+t.j*t.OutStepW)*out.C:]
				for x := range across {
					t.fireCell(row, block+(y*across+x)*maskBits, b, x*t.side, cols, grade)
				}
			}
		}
	}
}

// fireCell sends the spikes of the lanes of a cell, whose first pixel is column x of the row.
func (t *task) fireCell(row []int8, at, block, x, cols int, grade Grade) {
	v, units, channels := (*[maskBits]int32)(t.v[at:]), t.graded.units[block*maskBits:], t.shape.OutC
	pixel := t.OutStepW * channels
	for lane := range min(maskBits, t.side*channels-block*maskBits) {
		c, col := block*maskBits+lane, x
		if t.side > 1 {
			c, col = lane%channels, x+lane/channels
		}
		if col >= cols {
			return
		}
		k, unit := int32(0), units[lane]
		if unit > 0 {
			var sent int32
			if grade.Least < 0 {
				sent = t.graded.sent[at+lane]
			}
			if k = grade.Of(v[lane], unit, sent); k != 0 {
				v[lane] -= k * unit
				if grade.Least < 0 {
					t.graded.sent[at+lane] += k
				}
			}
		}
		row[col*pixel+c] = int8(k)
	}
}
