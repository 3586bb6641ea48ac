package spike

import (
	"math/bits"

	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
)

// Where few neurons fire it is faster to add up the weights of those that do than to
// multiply, or look up, all: the spikes under a row of the kernel are listed, and every
// output cell adds the rows of weights that its lists name. What it costs grows with the
// firing rate.

// eventKernels are the innermost loops of spiking convolutions by lists of spikes.
type eventKernels struct {
	// below is the firing rate (spikes a neuron and timestep) under which lists are
	// faster than the other kernels of an implementation.
	below float64
	lists Lists
	// row advances the neurons of a row of cells, of 1 or eventBlocks blocks.
	row func(a *eventArgs)
}

// eventBlocks is the blocks of output channels that are summed at once.
const eventBlocks = 4

// genericEvents are the event kernels in Go.
var genericEvents = eventKernels{lists: GoLists, row: eventRowGeneric}

// eventArgs are the arguments of row. For each cell x < cols, each of blocks blocks b and
// each lane o,
//
//	current = sum over runs r and entries e of the cell:
//		weights[(r*rows + e)*blocks*16 + b*16 + o]
//
// where e goes through entries[entryOffsets[r]:] from starts[startOffsets[r]+x] up to
// starts[startOffsets[r]+x+1]. From there on it is as with [stepArgs].
type eventArgs struct {
	starts, entries            []int32
	startOffsets, entryOffsets []int
	weights                    []int16
	params, v                  []int32
	masks                      []uint16
	rows, blocks, cols         int
	vBlock, maskCell           int
}

// An eventPlan is the weights of a spiking convolution whose kernel rows cover the same
// columns: [group][run][place*InC+channel, and a row of zeros][lane].
type eventPlan struct {
	first  kernel.Tap // of the first run
	taps   []int32    // of a run: columns from its first one
	rows   []int      // of the runs, in a strip
	entry  int        // rows of weights of a run
	groups []eventGroup
}

// An eventGroup is the weights of some blocks of output channels.
type eventGroup struct {
	first, blocks int
	weights       []int16
}

// packEvents plans sums of listed spikes; nil for convolutions that they do not suit:
// with strides, groups, several phases or apart columns, and of few output channels.
func (c *Conv) packEvents(phases [][]kernel.TapRun, at func(out, in, tap int) int16) *eventPlan {
	if len(phases) != 1 || len(c.Remainders) != 1 || c.InStepH*c.InStepW > 1 || c.side > 1 || c.shape.Groups > 1 {
		return nil // taps of one remainder may still be strides apart
	}
	runs := phases[0]
	p := &eventPlan{first: runs[0].First, entry: len(runs[0].Kernel)*c.shape.InC + 1}
	for i := range runs[0].Kernel {
		p.taps = append(p.taps, int32(i))
	}
	for _, r := range runs {
		if r.First.Col != p.first.Col || len(r.Kernel) != len(p.taps) {
			return nil
		}
		p.rows = append(p.rows, r.First.Row)
	}
	for first := 0; first < c.outBlocks; {
		g := eventGroup{first: first, blocks: 1}
		if c.outBlocks-first >= eventBlocks {
			g.blocks = eventBlocks
		}
		lanes := g.blocks * maskBits
		g.weights = machine.Aligned[int16](len(runs) * p.entry * lanes)
		for r, run := range runs {
			for e := range p.entry - 1 {
				row := g.weights[(r*p.entry+e)*lanes:][:lanes]
				for o := range min(lanes, c.shape.OutC-first*maskBits) {
					row[o] = at(first*maskBits+o, e%c.shape.InC, run.Kernel[e/c.shape.InC])
				}
			}
		}
		p.groups = append(p.groups, g)
		first += g.blocks
	}
	return p
}

// sparse reports whether so few neurons of the sources fire that listing them is faster,
// by some pixels of all slices.
func (c *Conv) sparse(sources []*Tensor) bool {
	const samples = 1024
	if c.events == nil || len(sources) != 1 || sources[0].Values != nil {
		return false
	}
	s := sources[0]
	masks := Masks(s.C)
	pixels := s.Masks() / masks
	spikes, seen := 0, 0
	for at := 0; at < pixels; at += max(1, pixels/samples|1) {
		for _, m := range s.Bits[at*masks:][:masks] {
			spikes += bits.OnesCount16(m)
		}
		seen += s.C
	}
	rate := float64(spikes) / float64(seen)
	return rate < c.kernels.events.below
}

// eventScratch is a worker's memory for lists of spikes. It only grows.
type eventScratch struct {
	args            eventArgs
	joins           Join
	counts, numbers []int32 // of source pixels: see Lists
	starts, entries []int32 // of runs, source row by source row
	firsts          []int   // where a row's entries begin
}

// reserveEvents makes the scratch large enough.
func (t *task) reserveEvents() {
	e, l := &t.lists, &t.layout
	height, width := l.rows+t.LastRow, l.cols+t.LastCol
	room := Masks(t.shape.InC) * maskBits
	longest := machine.CeilDiv(len(t.events.taps)*room, RunUnit)*RunUnit + RunSpare
	e.counts = machine.GrowAligned(e.counts, height*width)
	e.numbers = machine.GrowAligned(e.numbers, height*width*room)
	e.starts = machine.GrowAligned(e.starts, height*(l.cols+1))
	e.entries = machine.GrowAligned(e.entries, height*l.cols*longest)
	e.firsts = machine.Grow(e.firsts, height)
	n := len(t.events.rows)
	e.args.startOffsets, e.args.entryOffsets = machine.Grow(e.args.startOffsets, n), machine.Grow(e.args.entryOffsets, n)
}

// listEvents lists the spikes of a slice under each row of the kernel.
func (t *task) listEvents(s *Tensor, step, n int) {
	e, k, p := &t.lists, t.kernels.events, t.events
	width, masks := t.layout.cols+t.LastCol, Masks(s.C)
	bits, room := s.Slice(step, n), masks*maskBits
	j := &e.joins
	j.Counts, j.Numbers, j.Room, j.Channels, j.Taps = e.counts, e.numbers, room, s.C, p.taps
	j.N, j.Step, j.Zero = t.cols, 1, p.entry-1
	at := 0
	for i := range t.rows + t.LastRow {
		y, x := t.OriginY+t.i+i, t.OriginX+t.j
		counts := e.counts[i*width:][:t.cols+t.LastCol]
		clear(counts)
		if y >= 0 && y < t.h {
			if from, to := kernel.Existing(x, 1, len(counts), t.w); from < to {
				k.lists.List(counts[from:to], e.numbers[(i*width+from)*room:], bits[(y*t.w+x+from)*masks:], masks)
			}
		}
		e.firsts[i] = at
		j.First = i*width + p.first.Col
		j.Starts, j.Entries = e.starts[i*(t.layout.cols+1):][:t.cols+1], e.entries[at:]
		k.lists.Join(j)
		at += int(j.Starts[t.cols])
	}
}

// stepEvents computes one slice of all blocks from lists.
func (t *task) stepEvents(bits []uint16, out *Tensor, params []int32) {
	e, p := &t.lists, t.events
	a, masks := &e.args, t.outBlocks
	a.starts, a.entries, a.rows = e.starts, e.entries, p.entry
	a.cols, a.vBlock, a.maskCell = t.cols, t.area()*maskBits, masks
	for i := range p.groups {
		g := &p.groups[i]
		a.weights, a.blocks, a.params = g.weights, g.blocks, params[g.first*3*maskBits:]
		for y := range t.rows {
			for r, row := range p.rows {
				a.startOffsets[r], a.entryOffsets[r] = (y+row)*(t.layout.cols+1), e.firsts[y+row]
			}
			a.v = t.v[g.first*a.vBlock+y*t.cols*maskBits:]
			a.masks = bits[((t.i+y)*out.W+t.j)*masks+g.first:]
			t.kernels.events.row(a)
		}
	}
}

func eventRowGeneric(a *eventArgs) {
	lanes := a.blocks * maskBits
	for x := range a.cols {
		var acc [eventBlocks * maskBits]int32
		for r := range a.startOffsets {
			starts := a.starts[a.startOffsets[r]+x:]
			for _, e := range a.entries[a.entryOffsets[r]:][starts[0]:starts[1]] {
				for o, w := range a.weights[(r*a.rows+int(e))*lanes:][:lanes] {
					acc[o] += int32(w)
				}
			}
		}
		for b := range a.blocks {
			v := (*[maskBits]int32)(a.v[b*a.vBlock+x*maskBits:])
			current := (*[maskBits]int32)(acc[b*maskBits:])
			a.masks[x*a.maskCell+b] = fireGeneric(v, current, a.params[b*3*maskBits:])
		}
	}
}
