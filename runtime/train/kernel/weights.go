package kernel

import "spikingir/runtime/kernel/machine"

// pixelsAtOnce is the number of pixels whose terms the gradient of the weights takes
// before it goes on to other weights, so that they stay in the cache.
const pixelsAtOnce = 160

// A weightSums adds up the gradient of the weights over slices, as addTiles or addDots
// do or by products. The sums of a group are then a product of two matrices whose
// inner dimension is the pixels. Its lanes are output channels, [taps][inC][outC], or,
// turned, input channels, [taps][outC][inC], where those fill vectors better.
type weightSums struct {
	c      *Conv
	sc     *Scratch
	turned bool
	plan   *plan // that copies the factor without lanes
	size   int   // of the sums of a group
}

// chooseWeightSums decides how the gradient of the weights is summed.
func (c *Conv) chooseWeightSums() {
	inC, outC := c.forward.inC, c.forward.outC
	c.work = c.shape.taps() * min(inC*machine.CeilDiv(outC, vectorLanes), outC*machine.CeilDiv(inC, vectorLanes))
	if c.forward.fast != nil {
		c.work /= 3
	} else if c.dots = c.forward.newDotPlan(c.work); c.dots != nil {
		c.work = c.forward.planeWork()
	}
}

// weightSums returns sums that are 0.
func (c *Conv) weightSums(sc *Scratch) weightSums {
	w := weightSums{c: c, sc: sc, plan: &c.forward}
	if c.forward.fast != nil {
		c.clearTiles(sc)
		return w
	}
	inC, outC := c.forward.inC, c.forward.outC
	w.turned = machine.CeilDiv(inC, vectorLanes)*outC < machine.CeilDiv(outC, vectorLanes)*inC
	if w.turned {
		w.plan = &c.backward
	}
	w.size = inC * outC * c.shape.taps()
	if c.dots != nil {
		w.size = c.dots.size()
	}
	sc.sums = machine.GrowAligned(sc.sums, w.size*c.shape.Group)
	clear(sc.sums)
	return w
}

// add adds the terms of a slice.
func (w *weightSums) add(x, gy []float32) {
	if w.c.forward.fast != nil {
		w.c.addTiles(w.sc, x, gy)
		return
	}
	if w.c.dots != nil {
		w.c.addDots(w.sc, x, gy)
		return
	}
	p, a := w.plan, &w.sc.product
	source, lanes := x, gy
	if w.turned {
		source, lanes = gy, x
	}
	channels := p.groups * p.outC
	a.rows, a.outStride, a.bStride, a.add = p.cols, p.outC, channels, true
	for g := range p.groups {
		a.a = p.pad(&w.sc.padded, source, g)
		for at := 0; at < len(p.rows); at += pixelsAtOnce {
			a.cols = p.rows[at:min(at+pixelsAtOnce, len(p.rows))]
			for first := 0; first < p.outC; first += blockLanes {
				a.width = min(blockLanes, p.outC-first)
				a.out = w.sc.sums[g*w.size+first : (g+1)*w.size]
				a.b = lanes[at*channels+g*p.outC+first:]
				w.c.kernels.product(a)
			}
		}
	}
}

// finish adds the sums to gw.
func (w *weightSums) finish(gw []float32) {
	if w.c.forward.fast != nil {
		w.c.addTaps(gw, w.c.finishTiles(w.sc), false)
		return
	}
	if w.c.dots != nil {
		w.c.finishDots(w.sc, gw)
		return
	}
	for g := range w.c.shape.Group {
		w.c.addTaps(gw[g*w.size:], w.sc.sums[g*w.size:], w.turned)
	}
}

// addTaps adds sums, [taps][inC][outC] or, turned, [taps][outC][inC], to the weights
// gw of a group. They are read a cache line at a time: those of other taps may share
// its place in the cache.
func (c *Conv) addTaps(gw, sums []float32, turned bool) {
	inC, outC, taps := c.forward.inC, c.forward.outC, c.shape.taps()
	rows, lanes, row, lane := inC, outC, taps, inC*taps // lanes lie beside each other
	if turned {
		rows, lanes, row, lane = outC, inC, inC*taps, taps
	}
	for r := range rows {
		for first := 0; first < lanes; first += vectorLanes {
			n := min(vectorLanes, lanes-first)
			for t := range taps {
				to := r*row + first*lane + t
				for _, x := range sums[(t*rows+r)*lanes+first:][:n] {
					gw[to] += x
					to += lane
				}
			}
		}
	}
}
