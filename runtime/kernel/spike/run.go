package spike

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
)

// Neurons is the neurons of a spiking convolution in units of its weights:
// one value for each output channel.
type Neurons struct {
	Bias     []int32 // added to the current of each main step
	PostBias []int32 // added to that of a post step
	// Threshold is what a spike takes off the membrane potential; at Fire or above
	// a neuron fires in a main step, at PostFire in a post step.
	Threshold, Fire, PostFire []int32
	V0                        []int32 // initial potential
	// Grade is that of neurons which give a tensor of Values; Fire and PostFire count for nothing
	// then, but for the largest number, at which a neuron never fires.
	Grade Grade
}

// Steps says which slices a run takes. Slices 0 to Main-1 are the main steps.
type Steps struct {
	Main int
	// Timesteps are rising numbers of main steps after which the state is read. With
	// Post, a post step is tried then, from the potentials of the moment: slice
	// Main+k of the tensors belongs to the k-th of them.
	Timesteps []int
	Post      bool
}

// A sliceStep is a slice in the course of a strip.
type sliceStep struct {
	slice  int
	post   bool // a post step, that leaves the potentials as they are
	result int  // the index of the residuals that are the potentials after it, or -1
}

// list is what a run takes, in order.
func (s Steps) list() []sliceStep {
	list := make([]sliceStep, 0, s.Main+len(s.Timesteps))
	result := 0
	for step := range s.Main {
		list = append(list, sliceStep{slice: step, result: -1})
		if result == len(s.Timesteps) || step+1 != s.Timesteps[result] {
			continue
		}
		if s.Post {
			list = append(list, sliceStep{s.Main + result, true, result})
		} else {
			list[len(list)-1].result = result
		}
		result++
	}
	return list
}

// scratches are the workers' memory. It only grows.
var scratches machine.Slot[struct {
	spikes  scratch
	lookups lookupScratch
}]

// scratch is a worker's memory for spiking convolutions.
type scratch struct {
	args     stepArgs
	cells8   []int8
	cells16  []int16
	v, saved []int32
	offsets  []int
	masks    []uint16 // of pixels side by side, in a slice of the strip
	merged   []uint16 // of a row of pixels: see merge
	pixels   []uint16
	params   [2][]int32 // of main and post steps: [block][3][16]
	lists    eventScratch
	graded   gradedScratch
}

// Run advances the neurons through all steps, with spikes of sources, whose
// channels follow each other, as input. out gets the spikes; residuals, when not
// nil, holds for each of the timesteps the potentials after it, or after its post step. All
// sources have the sizes of the first. Run gives up when the context is done.
func (c *Conv) Run(ctx context.Context, p *machine.Pool, out *Tensor, sources []*Tensor,
	n *Neurons, steps Steps, residuals []Potential,
) error {
	c.checkRun(out, sources, n, steps, residuals)
	rows, cols := machine.CeilDiv(out.H, c.OutStepH), machine.CeilDiv(out.W, c.OutStepW)
	if rows == 0 || cols == 0 || out.N == 0 {
		return ctx.Err()
	}
	graded := out.Values != nil
	sparse := !graded && c.sparse(sources)
	if !graded && !sparse && c.lookups != nil && !slices.ContainsFunc(sources, func(s *Tensor) bool { return s.Values != nil }) {
		return c.runLookups(ctx, p, lookupTask{out: out, sources: sources, neurons: n, residuals: residuals}, steps)
	}
	l, list := c.layoutFor(rows, cols, machine.CeilDiv(p.Threads(), out.N)), steps.list()
	down, across := machine.CeilDiv(rows, l.rows), machine.CeilDiv(cols, l.cols)
	strips := out.N * down * across
	var next atomic.Int64
	p.Run(min(p.Threads(), strips), func(worker, _, _ int) {
		t := task{Conv: c, scratch: &scratches.Of(p, worker).spikes, layout: l,
			h: sources[0].H, w: sources[0].W}
		t.sparse = sparse
		t.reserve(n)
		if graded {
			t.reserveGraded(n)
		}
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
func (c *Conv) checkRun(out *Tensor, sources []*Tensor, n *Neurons,
	steps Steps, residuals []Potential,
) {
	slices, channels := steps.Main, 0
	if steps.Post {
		slices += len(steps.Timesteps)
	}
	for _, s := range sources {
		s.check()
		channels += s.C
		if s.H != sources[0].H || s.W != sources[0].W || s.N != out.N || s.Steps < slices {
			panic("kernel: spikes of different sizes")
		}
	}
	out.check()
	h, w := c.OutSize(sources[0].H, sources[0].W)
	if channels != c.shape.InC || out.C != c.shape.OutC || out.H != h || out.W != w ||
		out.Steps < slices || out.Values != nil && !(n.Grade.Most > 0 && n.Grade.Most <= 127 && (n.Grade.Least == 0 || n.Grade.Least == -1)) {
		panic(fmt.Sprintf("kernel: spiking convolution of %d channels to %d x %d x %d, want %d to %d x %d x %d",
			channels, out.C, out.H, out.W, c.shape.InC, c.shape.OutC, h, w))
	}
	for _, list := range [][]int32{n.Bias, n.PostBias, n.Threshold, n.Fire, n.PostFire, n.V0} {
		if len(list) != out.C {
			panic(fmt.Sprintf("kernel: %d values for the neurons of %d channels", len(list), out.C))
		}
	}
	if residuals != nil && len(residuals) != len(steps.Timesteps) {
		panic("kernel: residuals of other timesteps than the run has")
	}
	for _, r := range residuals {
		if r.Data != nil && (len(r.Data) < out.N*out.C*h*w || len(r.Scale) != out.C) || r.Sums != nil && !r.Sums.Fit(out.C) {
			panic("kernel: residuals of other sizes than the output")
		}
	}
}

// reserve makes the scratch large enough and lays the parameters out by blocks.
func (t *task) reserve(n *Neurons) {
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
	t.masks = machine.Grow(t.masks, t.layout.rows*t.across(t.layout.cols))
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
func (t *task) run(n int, out *Tensor, sources []*Tensor, nr *Neurons,
	list []sliceStep, residuals []Potential,
) {
	t.reset(nr)
	signed := out.Values != nil && nr.Grade.Least < 0
	if signed {
		clear(t.graded.sent)
	}
	for i, s := range list {
		params, goesOn := t.params[0], s.post && i < len(list)-1
		if s.post {
			params = t.params[1]
		}
		if goesOn {
			copy(t.saved, t.v)
			if signed {
				copy(t.graded.savedSent, t.graded.sent)
			}
		}
		t.slice(out, sources, s.slice, n, params)
		if out.Values != nil {
			t.fire(out, s.slice, n, nr.Grade)
		}
		if s.result >= 0 && residuals != nil {
			t.report(residuals[s.result], n, out)
		}
		if goesOn {
			t.v, t.saved = t.saved, t.v
			t.graded.sent, t.graded.savedSent = t.graded.savedSent, t.graded.sent
		}
	}
}

// slice advances the strip by a slice.
func (t *task) slice(out *Tensor, sources []*Tensor, step, n int, params []int32) {
	if t.sparse {
		t.listEvents(sources[0], step, n)
		t.stepEvents(out.Slice(step, n), out, params)
		return
	}
	t.gatherSpikes(sources, step, n)
	if out.Values != nil {
		t.step(nil, out, params)
		return
	}
	t.step(out.Slice(step, n), out, params)
}

// area is the number of output cells of a phase of the strip.
func (t *task) area() int { return t.rows * t.across(t.cols) }

// reset sets the initial potentials.
func (t *task) reset(n *Neurons) {
	for b := range len(t.Phases) * t.outBlocks {
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
func (t *task) within(p *kernel.Phase, out *Tensor) (rows, cols int) {
	return min(t.rows, machine.CeilDiv(out.H-p.Y, t.OutStepH)-t.i), min(t.cols, machine.CeilDiv(out.W-p.X, t.OutStepW)-t.j)
}

// step computes one slice of all blocks of all phases, into no masks where bits is nil.
func (t *task) step(bits []uint16, out *Tensor, params []int32) {
	masks := t.outBlocks
	for k := range t.Phases {
		p := &t.Phases[k]
		rows, cols := t.within(p, out)
		if rows <= 0 || cols <= 0 {
			continue
		}
		a := &t.args
		a.rows, a.cols = rows, t.across(cols)
		a.srcRow, a.srcCell = t.layout.pitch, t.side*t.cell
		a.maskRow, a.maskCell = out.W*t.OutStepH*masks, t.OutStepW*masks
		var to []uint16
		switch {
		case bits == nil:
			a.maskRow, a.maskCell = a.cols*masks, masks
			to = t.graded.ignored
		case t.side > 1:
			a.maskRow, a.maskCell = a.cols, 1
			to = t.masks
		default:
			to = bits[((p.Y+t.i*t.OutStepH)*out.W+p.X+t.j*t.OutStepW)*masks:]
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
		if t.side > 1 && bits != nil {
			t.deliver(bits[(p.Y+t.i*t.OutStepH)*out.W+p.X+t.j:], out.W*t.OutStepH, cols)
		}
	}
}

// deliver hands the spikes of pixels side by side to each its mask, in rows of pitch
// masks.
func (t *task) deliver(bits []uint16, pitch, cols int) {
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
func (t *task) locate(b *blocks) {
	t.offsets = t.offsets[:0]
	for _, w := range b.windows {
		t.offsets = append(t.offsets, w.tap.Remainder*t.layout.remainderStride+
			w.tap.Row*t.layout.pitch+w.tap.Col*t.cell+w.first)
	}
	t.args.offsets = t.offsets
}
