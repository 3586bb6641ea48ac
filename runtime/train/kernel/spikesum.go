package kernel

import (
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/kernel/spike"
)

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
	// runLanes is the most output channels that are summed at once.
	runLanes = 32
	// runRows is the number of rows of the output that are summed before other weights
	// come.
	runRows = 8
)

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
	blocks           []block
	weights          []float32
	stepH, stepW     int     // between outputs, in pixels of the list
	tapH             int     // between kernel rows
	taps             []int32 // of a kernel row
}

// newSparsePlan returns nil for convolutions in groups.
func newSparsePlan(s Shape) *sparsePlan {
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
		b := block{first, width, machine.CeilDiv(width, vectorLanes) * vectorLanes, size}
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
func (c *Conv) sumSpikes(sc *Scratch, y []float32, spikes []uint64) {
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
func (sc *Scratch) join(c *Conv, f *plan, p *sparsePlan) {
	a, l, r := &sc.joins, &sc.list, &sc.runs
	longest := machine.CeilDiv(p.kernelW*l.room, spike.RunUnit)*spike.RunUnit + spike.RunSpare
	r.starts = machine.GrowAligned(r.starts, f.padH*(f.dstW+1))
	r.entries = machine.GrowAligned(r.entries, f.padH*f.dstW*longest)
	if cap(r.first) < f.padH {
		r.first = make([]int, f.padH)
	}
	r.first = r.first[:f.padH]
	a.Counts, a.Numbers, a.Room, a.Channels, a.Taps = l.counts, l.numbers, l.room, f.inC, p.taps
	a.N, a.Step, a.Zero = f.dstW, p.stepW, p.kernelW*f.inC
	at := 0
	for row := range f.padH {
		r.first[row] = at
		a.First = row * f.padW
		a.Starts, a.Entries = r.starts[row*(f.dstW+1):(row+1)*(f.dstW+1)], r.entries[at:]
		c.kernels.lists.Join(a)
		at += int(a.Starts[f.dstW])
	}
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
