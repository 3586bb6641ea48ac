package kernel

import "spikingir/runtime/kernel/machine"

// Where output channels are few, lanes are neighbouring pixels instead: the padded copy
// of a slice is turned into planes, one a channel, and rows of a plane run on into
// each other, so that all pixels of an output plane are one run. Between the rows lie
// sums that nobody wants.

const (
	// planeBlock is the number of output channels of a plane kernel.
	planeBlock = 3
	// planeRun is what the length of a run is a multiple of; a kernel may read as far.
	planeRun = 128
	// dotTile is what the number of rows of a dot kernel is a multiple of.
	dotTile = 8
	// dotRun is the number of pixels whose products are summed at once, so that they
	// stay in the innermost cache.
	dotRun = 512
)

// A planeArgs is what a plane kernel needs. It sets, for o < planeBlock and i < n,
//
//	out[o*pitch+i] = sum over j of cols: weights[j*planeBlock+o] * src[cols[j]+i]
//
// where n is a multiple of planeRun.
type planeArgs struct {
	out, src, weights []float32
	cols              []int32
	n, pitch          int
}

// A dotArgs is what a dot kernel needs. It adds, for rows k and o < planeBlock,
//
//	sum over i < n: src[rows[k]+i] * gradients[o*pitch+i]
//
// to sums[(k*planeBlock+o)*vectorLanes:], spread over the lanes in any way. n is a
// multiple of vectorLanes, the number of rows one of dotTile.
type dotArgs struct {
	sums, src, gradients []float32
	rows                 []int32
	n, pitch             int
}

// A planePlan is what a plan needs beside itself to run on planes.
type planePlan struct {
	pitch   int     // of the source's planes
	cols    []int32 // [taps][inC], in planes
	weights []float32
	size    int // of a group's weights, [block][taps*inC][planeBlock]
	run     int // pixels of an output plane, rounded up
}

// newPlanePlan returns nil where products are faster, or outputs are not neighbours.
func (p *plan) newPlanePlan() *planePlan {
	if p.strideW != 1 || p.strideH != 1 || p.planeWork() >= p.work {
		return nil
	}
	q := &planePlan{
		pitch: p.padH * p.padW, cols: p.planeCols(),
		run: machine.CeilDiv(p.dstH*p.padW, planeRun) * planeRun,
	}
	q.size = machine.CeilDiv(p.outC, planeBlock) * len(q.cols) * planeBlock
	q.weights = machine.Aligned[float32](p.groups * q.size)
	return q
}

// planeWork is an estimate of the vectors that an output pixel takes on planes, the
// copies included.
func (p *plan) planeWork() int {
	lanes := len(p.cols) * machine.CeilDiv(p.outC, planeBlock) * planeBlock
	return lanes*5/4/vectorLanes + 3*(p.inC+p.outC)
}

// planeCols are the offsets of the terms of a sum in planes.
func (p *plan) planeCols() []int32 {
	var cols []int32
	for _, t := range p.taps {
		for i := range p.inC {
			cols = append(cols, int32(i*p.padH*p.padW)+t)
		}
	}
	return cols
}

// setWeights packs the weights of a tap of group g from channel i of inC to outC.
func (q *planePlan) setWeights(w *weightOrder, g, t, i, inC, outC int) {
	for first := 0; first < outC; first += planeBlock {
		at := g*q.size + first*len(q.cols) + (t*inC+i)*planeBlock
		w.row(q.weights[at:][:min(planeBlock, outC-first)], g, t, i, first)
	}
}

// runPlanes is direct on planes.
func (p *plan) runPlanes(k *convKernels, sc *Scratch, dst, src []float32, slices int) {
	q, a := p.planes, &sc.plane
	in, out := p.groups*p.inC, p.groups*p.outC
	srcSize, dstSize := p.srcH*p.srcW*in, p.dstH*p.dstW*out
	sc.outPlanes = machine.GrowAligned(sc.outPlanes, planeBlock*q.run)
	a.cols, a.n, a.pitch, a.out = q.cols, q.run, q.run, sc.outPlanes
	for s := range slices {
		for g := range p.groups {
			a.src = p.padPlanes(&sc.padded, src[s*srcSize:(s+1)*srcSize], g, p.inC, q.pitch)
			for first := 0; first < p.outC; first += planeBlock {
				a.weights = q.weights[g*q.size+first*len(q.cols):]
				k.planes(a)
				to := dst[s*dstSize+g*p.outC+first : (s+1)*dstSize]
				for y := range p.dstH {
					spread(to[y*p.dstW*out:], sc.outPlanes[y*p.padW:], q.run, min(planeBlock, p.outC-first), p.dstW, out)
				}
			}
		}
	}
}

// spread writes n pixels of planes that are pitch apart to channels of pixels that are
// step apart.
func spread(dst, planes []float32, pitch, channels, n, step int) {
	if channels == 3 {
		a, b, c := planes[:n], planes[pitch:][:n], planes[2*pitch:][:n]
		for x, v := range a {
			pixel := (*[3]float32)(dst[x*step:])
			pixel[0], pixel[1], pixel[2] = v, b[x], c[x]
		}
		return
	}
	for c := range channels {
		for x, v := range planes[c*pitch:][:n] {
			dst[x*step+c] = v
		}
	}
}

// deinterleave is the inverse of spread, to pixels of planes that are place apart.
func deinterleave(planes, src []float32, pitch, channels, n, step, place int) {
	for ; channels >= 3 && place == 1; channels -= 3 {
		a, b, c := planes[:n], planes[pitch:][:n], planes[2*pitch:][:n]
		for x := range a {
			pixel := (*[3]float32)(src[x*step:])
			a[x], b[x], c[x] = pixel[0], pixel[1], pixel[2]
		}
		if channels == 3 {
			return
		}
		planes, src = planes[3*pitch:], src[3:]
	}
	for c := range channels {
		to := planes[c*pitch:]
		for x := range n {
			to[x*place] = src[x*step+c]
		}
	}
}

// padPlanes is pad to count planes that are pitch apart, with zeros in those that have
// no channel and behind the last one, where kernels read on.
func (p *plan) padPlanes(memory *[]float32, src []float32, g, count, pitch int) []float32 {
	*memory = machine.GrowAligned(*memory, count*pitch+planeRun+p.padW)
	planes := *memory
	clear(planes)
	first, end := p.columns()
	step := p.groups * p.inC
	for y := range p.srcH {
		at := p.top + y*p.stepH
		if at < 0 || at >= p.padH || first == end {
			continue
		}
		row := src[(y*p.srcW+first)*step+g*p.inC:]
		deinterleave(planes[at*p.padW+p.left+first*p.stepW:], row, pitch, p.inC, end-first, step, p.stepW)
	}
	return planes
}

// A dotPlan is what the gradient of the weights needs to be summed on planes: rows are
// the terms of a sum and copies of the first.
type dotPlan struct {
	rows     []int32
	blocks   int  // of output channels
	gradient plan // that copies the output's gradient, zeros between its rows
	pitch    int  // of the gradient's planes
}

// newDotPlan returns nil where products, which take work vectors a pixel, are faster.
func (p *plan) newDotPlan(work int) *dotPlan {
	if p.strideW != 1 || p.strideH != 1 || p.planeWork() >= work {
		return nil
	}
	d := &dotPlan{
		rows: p.planeCols(), blocks: machine.CeilDiv(p.outC, planeBlock),
		pitch: machine.CeilDiv(p.dstH*p.padW, vectorLanes) * vectorLanes,
		gradient: plan{
			groups: p.groups, inC: p.outC, srcH: p.dstH, srcW: p.dstW, stepH: 1, stepW: 1,
			padH: p.dstH, padW: p.padW,
		},
	}
	for len(d.rows)%dotTile > 0 {
		d.rows = append(d.rows, d.rows[0])
	}
	return d
}

// size is the number of the sums of a group, [blocks][rows][planeBlock][vectorLanes].
func (d *dotPlan) size() int { return d.blocks * len(d.rows) * planeBlock * vectorLanes }

// addDots adds the terms of a slice.
func (c *Conv) addDots(sc *Scratch, x, gy []float32) {
	p, d, a := &c.forward, c.dots, &sc.dot
	a.rows, a.pitch = d.rows, d.pitch
	sums := sc.sums
	for g := range p.groups {
		planes := p.padPlanes(&sc.padded, x, g, p.inC, p.padH*p.padW)
		gradients := d.gradient.padPlanes(&sc.paddedGradient, gy, g, d.blocks*planeBlock, d.pitch)
		for at := 0; at < d.pitch; at += dotRun {
			a.n, a.src = min(dotRun, d.pitch-at), planes[at:]
			for b := range d.blocks {
				a.gradients = gradients[b*planeBlock*d.pitch+at:]
				a.sums = sums[b*len(d.rows)*planeBlock*vectorLanes:]
				c.kernels.dots(a)
			}
		}
		sums = sums[d.size():]
	}
}

// finishDots adds the sums to gw.
func (c *Conv) finishDots(sc *Scratch, gw []float32) {
	p, d := &c.forward, c.dots
	taps := len(p.taps)
	for o := range c.shape.OutC {
		g, o := o/p.outC, o%p.outC
		sums := sc.sums[g*d.size()+o/planeBlock*len(d.rows)*planeBlock*vectorLanes:]
		for t := range taps {
			for i := range p.inC {
				sum := float32(0)
				for _, v := range sums[((t*p.inC+i)*planeBlock+o%planeBlock)*vectorLanes:][:vectorLanes] {
					sum += v
				}
				gw[((g*p.outC+o)*p.inC+i)*taps+t] += sum
			}
		}
	}
}

// planesGeneric is the plane kernel in Go.
func planesGeneric(a *planeArgs) {
	for o := range planeBlock {
		out := a.out[o*a.pitch:][:a.n]
		clear(out)
		for j, col := range a.cols {
			w := a.weights[j*planeBlock+o]
			for i, x := range a.src[col:][:a.n] {
				out[i] += float32(w * x)
			}
		}
	}
}

// dotsGeneric is the dot kernel in Go.
func dotsGeneric(a *dotArgs) {
	for k, row := range a.rows {
		for o := range planeBlock {
			sum := float32(0)
			src := a.src[row:][:a.n]
			for i, g := range a.gradients[o*a.pitch:][:a.n] {
				sum += float32(g * src[i])
			}
			a.sums[(k*planeBlock+o)*vectorLanes] += sum
		}
	}
}
