package kernel

import "spikingir/runtime/kernel/machine"

// Sums of spikes go kernel row by kernel row: the spikes under one, joined to a run of
// numbers for each place of the kernel, serve KernelH rows of the output and all its
// channels, and the weights of a kernel row for 32 output channels stay in the
// innermost cache.
type spikeRuns struct {
	starts  []int32 // [padded rows][outW+1], of the runs of a row
	entries []int32 // rows of weights, [KernelW][inC], each run filled up
	first   []int   // of a row's entries
}

const (
	// runUnit is what the length of a run is a multiple of, filled with rows of zeros.
	runUnit = 4
	// runLanes is the most output channels that are summed at once.
	runLanes = 32
	// runRows is the number of rows of the output that are summed before other weights
	// come.
	runRows = 8
)

// A joinArgs is what a kernel needs to join the spikes under a row of a kernel, for n
// places of it that are step pixels apart, the first at pixel first of the list. Tap t
// is taps[t] pixels on. starts, n+1 long, tells where in entries each run begins. An
// entry is t*channels + number; zero fills a run up to a multiple of runUnit.
type joinArgs struct {
	counts, numbers []int32
	taps            []int32
	starts, entries []int32
	room, channels  int
	first, step, n  int
	zero            int
}

// A runArgs is what a kernel needs to sum up runs. It sets, for i < n and o < width,
//
//	out[i*outStride+o] = sum over entries e of run i: weights[e*lanes+o]
//
// or, with add, adds that sum. lanes is 16 or 32.
type runArgs struct {
	out, weights     []float32
	starts, entries  []int32
	n                int
	outStride, lanes int
	width            int
	add              bool
}

// A sparsePlan is the weights of a forward plan for sums of spikes:
// [block][KernelH][KernelW*inC+1][lanes], the last row of each kernel row 0.
type sparsePlan struct {
	kernelH, kernelW int
	blocks           []trainBlock
	weights          []float32
	stepH, stepW     int     // between outputs, in pixels of the list
	tapH             int     // between kernel rows
	taps             []int32 // of a kernel row
}

// newSparsePlan returns nil for convolutions in groups.
func newSparsePlan(s TrainShape) *sparsePlan {
	if s.Group != 1 {
		return nil
	}
	p := &sparsePlan{kernelH: s.KernelH, kernelW: s.KernelW, stepH: s.StrideH, stepW: s.StrideW, tapH: s.DilationH}
	for kx := range s.KernelW {
		p.taps = append(p.taps, int32(kx*s.DilationW))
	}
	size := 0
	for first := 0; first < s.OutC; first += runLanes {
		width := min(runLanes, s.OutC-first)
		b := trainBlock{first, width, ceilDiv(width, trainLanes) * trainLanes, size}
		p.blocks = append(p.blocks, b)
		size += s.KernelH * (s.KernelW*s.InC + 1) * b.lanes
	}
	p.weights = machine.Aligned[float32](size)
	return p
}

// setWeights packs weights from inC channels.
func (p *sparsePlan) setWeights(w weightOrder, inC int) {
	kernelRow := p.kernelW*inC + 1
	for i := range inC {
		for ky := range p.kernelH {
			for kx := range p.kernelW {
				for _, b := range p.blocks {
					w.row(p.weights[b.at+(ky*kernelRow+kx*inC+i)*b.lanes:][:b.width], 0, ky*p.kernelW+kx, i, b.first)
				}
			}
		}
	}
}

// sumSpikes sets y to the convolution of a slice of spikes.
func (c *TrainConv) sumSpikes(sc *TrainScratch, y []float32, spikes []uint64) {
	f, p, a := &c.forward, c.sparse, &sc.run
	sc.list.fill(c.kernels, f, spikes)
	sc.join(c, f, p)
	a.n, a.outStride = f.dstW, f.outC
	kernelRow := p.kernelW*f.inC + 1
	for top := 0; top < f.dstH; top += runRows {
		for _, b := range p.blocks {
			a.lanes, a.width = b.lanes, b.width
			for ky := range p.kernelH {
				a.weights = p.weights[b.at+ky*kernelRow*b.lanes:]
				a.add = ky > 0
				for row := top; row < min(top+runRows, f.dstH); row++ {
					from := row*p.stepH + ky*p.tapH
					a.starts = sc.runs.starts[from*(f.dstW+1):]
					a.entries = sc.runs.entries[sc.runs.first[from]:]
					a.out = y[row*f.dstW*f.outC+b.first:]
					c.kernels.sumRuns(a)
				}
			}
		}
	}
}

// join makes the runs of all rows of the padded copy.
func (sc *TrainScratch) join(c *TrainConv, f *trainPlan, p *sparsePlan) {
	a, l, r := &sc.joins, &sc.list, &sc.runs
	longest := ceilDiv(p.kernelW*l.room, runUnit)*runUnit + trainLanes
	r.starts = machine.GrowAligned(r.starts, f.padH*(f.dstW+1))
	r.entries = machine.GrowAligned(r.entries, f.padH*f.dstW*longest)
	if cap(r.first) < f.padH {
		r.first = make([]int, f.padH)
	}
	r.first = r.first[:f.padH]
	a.counts, a.numbers, a.room, a.channels, a.taps = l.counts, l.numbers, l.room, f.inC, p.taps
	a.n, a.step, a.zero = f.dstW, p.stepW, p.kernelW*f.inC
	at := 0
	for row := range f.padH {
		r.first[row] = at
		a.first = row * f.padW
		a.starts, a.entries = r.starts[row*(f.dstW+1):(row+1)*(f.dstW+1)], r.entries[at:]
		c.kernels.joinSpikes(a)
		at += int(a.starts[f.dstW])
	}
}

// joinSpikesGeneric is the kernel of joinArgs in Go. A vector kernel may write
// trainLanes entries beyond the last.
func joinSpikesGeneric(a *joinArgs) {
	at := 0
	for i := range a.n {
		a.starts[i] = int32(at)
		for t, tap := range a.taps {
			pixel := a.first + i*a.step + int(tap)
			for _, number := range a.numbers[pixel*a.room:][:a.counts[pixel]] {
				a.entries[at] = int32(t*a.channels) + number
				at++
			}
		}
		for ; at%runUnit > 0; at++ {
			a.entries[at] = int32(a.zero)
		}
	}
	a.starts[a.n] = int32(at)
}

// sumRunsGeneric is the kernel of runArgs in Go.
func sumRunsGeneric(a *runArgs) {
	var sums [runLanes]float32
	for i := range a.n {
		acc := sums[:a.width]
		out := a.out[i*a.outStride:][:a.width]
		clear(acc)
		if a.add {
			copy(acc, out)
		}
		for _, e := range a.entries[a.starts[i]:a.starts[i+1]] {
			for o, w := range a.weights[int(e)*a.lanes:][:len(acc)] {
				acc[o] += w
			}
		}
		copy(out, acc)
	}
}
