package kernel

// trainPixels is the number of pixels whose terms the gradient of the weights takes
// before it goes on to other weights, so that they stay in the cache.
const trainPixels = 160

// A weightSums adds up the gradient of the weights over slices. The sums of a group
// are a product of two matrices whose inner dimension is the pixels. Its lanes are
// output channels, [taps][inC][outC], or, turned, input channels,
// [taps][outC][inC], where those fill vectors better.
type weightSums struct {
	c      *TrainConv
	sc     *TrainScratch
	turned bool
	plan   *trainPlan // that copies the factor without lanes
	size   int        // of the sums of a group
}

// weightSums returns sums that are 0.
func (c *TrainConv) weightSums(sc *TrainScratch) weightSums {
	w := weightSums{c: c, sc: sc, plan: &c.forward}
	inC, outC := c.forward.inC, c.forward.outC
	if ceilDiv(inC, trainLanes)*outC < ceilDiv(outC, trainLanes)*inC {
		w.turned, w.plan = true, &c.backward
	}
	w.size = inC * outC * c.shape.taps()
	sc.sums = growAligned(sc.sums, w.size*c.shape.Group)
	clear(sc.sums)
	return w
}

// add adds the terms of a slice.
func (w *weightSums) add(x, gy []float32) {
	p, a := w.plan, &w.sc.product
	source, lanes := x, gy
	if w.turned {
		source, lanes = gy, x
	}
	channels := p.groups * p.outC
	a.rows, a.outStride, a.bStride, a.add = p.cols, p.outC, channels, true
	for g := range p.groups {
		a.a = p.pad(w.sc, source, g)
		for at := 0; at < len(p.rows); at += trainPixels {
			a.cols = p.rows[at:min(at+trainPixels, len(p.rows))]
			for first := 0; first < p.outC; first += trainBlockLanes {
				a.width = min(trainBlockLanes, p.outC-first)
				a.out = w.sc.sums[g*w.size+first : (g+1)*w.size]
				a.b = lanes[at*channels+g*p.outC+first:]
				w.c.kernels.product(a)
			}
		}
	}
}

// finish adds the sums to gw.
func (w *weightSums) finish(gw []float32) {
	inC, outC, taps := w.c.forward.inC, w.c.forward.outC, w.c.shape.taps()
	stepIn, stepOut := outC, 1
	if w.turned {
		stepIn, stepOut = 1, inC
	}
	for o := range w.c.shape.OutC {
		sums := w.sc.sums[o/outC*w.size+o%outC*stepOut:]
		for i := range inC {
			for t := range taps {
				gw[(o*inC+i)*taps+t] += sums[t*inC*outC+i*stepIn]
			}
		}
	}
}
