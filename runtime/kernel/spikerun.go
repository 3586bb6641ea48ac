package kernel

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"spikingir/runtime/kernel/machine"
)

// SpikeNeurons is the neurons of a spiking convolution in units of its weights:
// one value for each output channel.
type SpikeNeurons struct {
	Bias     []int32 // added to the current of each main step
	PostBias []int32 // added to that of a post step
	// Threshold is what a spike takes off the membrane potential; at Fire or above
	// a neuron fires in a main step, at PostFire in a post step.
	Threshold, Fire, PostFire []int32
	V0                        []int32 // initial potential
}

// SpikeSteps says which slices a run takes. Slices 0 to Main-1 are the main steps.
type SpikeSteps struct {
	Main int
	// Marks are rising numbers of main steps after which the state is read. With
	// Post, a post step is tried then, from the potentials of the moment: slice
	// Main+k of the trains belongs to mark k.
	Marks []int
	Post  bool
}

// A spikeStep is a slice in the course of a strip.
type spikeStep struct {
	slice int
	post  bool // a post step, that leaves the potentials as they are
	mark  int  // the mark whose potentials are those after it, or -1
}

// list is what a run takes, in order.
func (s SpikeSteps) list() []spikeStep {
	list := make([]spikeStep, 0, s.Main+len(s.Marks))
	mark := 0
	for step := range s.Main {
		list = append(list, spikeStep{slice: step, mark: -1})
		if mark == len(s.Marks) || step+1 != s.Marks[mark] {
			continue
		}
		if s.Post {
			list = append(list, spikeStep{s.Main + mark, true, mark})
		} else {
			list[len(list)-1].mark = mark
		}
		mark++
	}
	return list
}

// spikeScratch is a worker's memory for spiking convolutions. It only grows.
type spikeScratch struct {
	args     spikeArgs
	cells8   []int8
	cells16  []int16
	v, saved []int32
	offsets  []int
	masks    []uint16 // of pixels side by side, in a slice of the strip
	merged   []uint16 // of a row of pixels: see merge
	pixels   []uint16
	params   [2][]int32 // of main and post steps: [block][3][16]
	lists    eventScratch
}

// Run advances the neurons through all steps, with spikes of sources, whose
// channels follow each other, as input. out gets the spikes; residuals, when not
// nil, holds for each mark the potentials after it, or after its post step. All
// sources have the sizes of the first. Run gives up when the context is done.
func (c *SpikeConv) Run(ctx context.Context, p *machine.Pool, out *SpikeTrain, sources []*SpikeTrain,
	n *SpikeNeurons, steps SpikeSteps, residuals []Potential,
) error {
	c.checkRun(out, sources, n, steps, residuals)
	rows, cols := ceilDiv(out.H, c.outStepH), ceilDiv(out.W, c.outStepW)
	if rows == 0 || cols == 0 || out.N == 0 {
		return ctx.Err()
	}
	sparse := c.sparse(sources)
	if !sparse && c.lookups != nil && !slices.ContainsFunc(sources, func(s *SpikeTrain) bool { return s.Values != nil }) {
		return c.runLookups(ctx, p, lookupTask{out: out, sources: sources, neurons: n, residuals: residuals}, steps)
	}
	l, list := c.spikeLayoutFor(rows, cols, ceilDiv(p.Threads(), out.N)), steps.list()
	down, across := ceilDiv(rows, l.rows), ceilDiv(cols, l.cols)
	strips := out.N * down * across
	var next atomic.Int64
	p.Run(min(p.Threads(), strips), func(worker, _, _ int) {
		t := spikeTask{SpikeConv: c, spikeScratch: &scratches.Of(p, worker).spikes, layout: l,
			h: sources[0].H, w: sources[0].W}
		t.sparse = sparse
		t.reserve(n)
		// As with float32, workers take strips as they come to them.
		for strip := int(next.Add(1)) - 1; strip < strips && ctx.Err() == nil; strip = int(next.Add(1)) - 1 {
			t.i, t.j = strip/across%down*l.rows, strip%across*l.cols
			t.rows, t.cols = min(l.rows, rows-t.i), min(l.cols, cols-t.j)
			t.run(strip/(down*across), out, sources, n, list, residuals)
		}
	})
	return ctx.Err()
}

// checkRun panics when operands do not fit: a programmer's error.
func (c *SpikeConv) checkRun(out *SpikeTrain, sources []*SpikeTrain, n *SpikeNeurons,
	steps SpikeSteps, residuals []Potential,
) {
	slices, channels := steps.Main, 0
	if steps.Post {
		slices += len(steps.Marks)
	}
	for _, s := range sources {
		s.check()
		channels += s.C
		if s.H != sources[0].H || s.W != sources[0].W || s.N != out.N || s.Steps < slices {
			panic("kernel: spike trains of different sizes")
		}
	}
	out.check()
	h, w := c.OutSize(sources[0].H, sources[0].W)
	if channels != c.shape.InC || out.C != c.shape.OutC || out.H != h || out.W != w ||
		out.Steps < slices || out.Values != nil {
		panic(fmt.Sprintf("kernel: spiking convolution of %d channels to %d x %d x %d, want %d to %d x %d x %d",
			channels, out.C, out.H, out.W, c.shape.InC, c.shape.OutC, h, w))
	}
	for _, list := range [][]int32{n.Bias, n.PostBias, n.Threshold, n.Fire, n.PostFire, n.V0} {
		if len(list) != out.C {
			panic(fmt.Sprintf("kernel: %d values for the neurons of %d channels", len(list), out.C))
		}
	}
	if residuals != nil && len(residuals) != len(steps.Marks) {
		panic("kernel: residuals of other marks than the run has")
	}
	for _, r := range residuals {
		if r.Data != nil && (len(r.Data) < out.N*out.C*h*w || len(r.Scale) != out.C) || r.Sums != nil && !r.Sums.fit(out.C) {
			panic("kernel: residuals of other sizes than the output")
		}
	}
}

// reserve makes the scratch large enough and lays the parameters out by blocks.
func (t *spikeTask) reserve(n *SpikeNeurons) {
	a := &t.args
	switch {
	case t.sparse:
		t.reserveEvents()
	case t.kernels.bytes:
		t.cells8 = machine.GrowAligned(t.cells8, t.layout.size)
	default:
		t.cells16 = machine.GrowAligned(t.cells16, t.layout.size)
	}
	a.bytes, a.words = t.cells8, t.cells16
	a.scratch = machine.GrowAligned(a.scratch, tileWords)
	size := t.neurons(t.layout.rows, t.layout.cols)
	t.masks = grow(t.masks, t.layout.rows*t.across(t.layout.cols))
	t.v, t.saved = machine.GrowAligned(t.v, size), machine.GrowAligned(t.saved, size)
	for post, lists := range [2][3][]int32{{n.Bias, n.Threshold, n.Fire}, {n.PostBias, n.Threshold, n.PostFire}} {
		p := machine.GrowAligned(t.params[post], t.outBlocks*3*maskBits)
		for i := range p {
			block, kind, lane := i/(3*maskBits), i/maskBits%3, i%maskBits
			c, _, ok := t.lane(block, lane)
			switch {
			case ok:
				p[i] = lists[kind][c]
			case kind == 2: // lanes without a channel: at rest for ever
				p[i] = neverFires
			default:
				p[i] = 0
			}
		}
		t.params[post] = p
	}
}

// neverFires is a firing level that no potential reaches.
const neverFires = 1<<31 - 1

// run advances the strip through time.
func (t *spikeTask) run(n int, out *SpikeTrain, sources []*SpikeTrain, nr *SpikeNeurons,
	list []spikeStep, residuals []Potential,
) {
	t.reset(nr)
	for i, s := range list {
		params, goesOn := t.params[0], s.post && i < len(list)-1
		if s.post {
			params = t.params[1]
		}
		if goesOn {
			copy(t.saved, t.v)
		}
		t.slice(out, sources, s.slice, n, params)
		if s.mark >= 0 && residuals != nil {
			t.report(residuals[s.mark], n, out)
		}
		if goesOn {
			t.v, t.saved = t.saved, t.v
		}
	}
}

// slice advances the strip by a slice.
func (t *spikeTask) slice(out *SpikeTrain, sources []*SpikeTrain, step, n int, params []int32) {
	if t.sparse {
		t.listEvents(sources[0], step, n)
		t.stepEvents(out.Slice(step, n), out, params)
		return
	}
	t.gatherSpikes(sources, step, n)
	t.step(out.Slice(step, n), out, params)
}

// area is the number of output cells of a phase of the strip.
func (t *spikeTask) area() int { return t.rows * t.across(t.cols) }

// reset sets the initial potentials.
func (t *spikeTask) reset(n *SpikeNeurons) {
	for b := range len(t.phases) * t.outBlocks {
		var v0 [maskBits]int32
		for lane := range v0 {
			if c, _, ok := t.lane(b%t.outBlocks, lane); ok {
				v0[lane] = n.V0[c]
			}
		}
		v := t.v[b*t.area()*maskBits : (b+1)*t.area()*maskBits]
		for i := 0; i < len(v); i += maskBits {
			*(*[maskBits]int32)(v[i:]) = v0
		}
	}
}

// within is the rows and columns of pixels of the strip that exist in a phase.
func (t *spikeTask) within(p *phase, out *SpikeTrain) (rows, cols int) {
	return min(t.rows, ceilDiv(out.H-p.y, t.outStepH)-t.i), min(t.cols, ceilDiv(out.W-p.x, t.outStepW)-t.j)
}

// step computes one slice of all blocks of all phases.
func (t *spikeTask) step(bits []uint16, out *SpikeTrain, params []int32) {
	masks := t.outBlocks
	for k := range t.phases {
		p := &t.phases[k]
		rows, cols := t.within(p, out)
		if rows <= 0 || cols <= 0 {
			continue
		}
		a := &t.args
		a.rows, a.cols = rows, t.across(cols)
		a.srcRow, a.srcCell = t.layout.pitch, t.side*t.cell
		a.maskRow, a.maskCell = out.W*t.outStepH*masks, t.outStepW*masks
		to := bits[((p.y+t.i*t.outStepH)*out.W+p.x+t.j*t.outStepW)*masks:]
		if t.side > 1 {
			a.maskRow, a.maskCell = a.cols, 1
			to = t.masks
		}
		a.vBlock = t.area() * maskBits
		for i := range t.plans[k].blocks {
			b := &t.plans[k].blocks[i]
			t.locate(b)
			a.blocks, a.weights, a.planes, a.lengths = b.count, b.weights, b.planes, b.lengths
			a.weightBlock = len(b.weights) / b.count
			a.masks = to[b.first:]
			a.params = params[b.first*3*maskBits:]
			a.v = t.v[(k*t.outBlocks+b.first)*a.vBlock:]
			t.kernels.step(a)
		}
		if t.side > 1 {
			t.deliver(bits[(p.y+t.i*t.outStepH)*out.W+p.x+t.j:], out.W*t.outStepH, cols)
		}
	}
}

// deliver hands the spikes of pixels side by side to each its mask, in rows of pitch
// masks.
func (t *spikeTask) deliver(bits []uint16, pitch, cols int) {
	a, shift := &t.args, uint(t.shape.OutC)
	for y := range a.rows {
		row := bits[y*pitch:][:cols]
		for x, m := range t.masks[y*a.cols : (y+1)*a.cols] {
			pixels := row[x*t.side : min((x+1)*t.side, cols)]
			for k := range pixels {
				pixels[k] = m & (1<<shift - 1)
				m >>= shift
			}
		}
	}
}

// locate finds the blocks' windows in the strip.
func (t *spikeTask) locate(b *spikeBlocks) {
	t.offsets = t.offsets[:0]
	for _, w := range b.windows {
		t.offsets = append(t.offsets, w.tap.remainder*t.layout.remainderStride+
			w.tap.row*t.layout.pitch+w.tap.col*t.cell+w.first)
	}
	t.args.offsets = t.offsets
}
