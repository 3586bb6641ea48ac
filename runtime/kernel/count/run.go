package count

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/kernel/spike"
)

// Neurons is the neurons of a convolution, in units of its weights: one value for each output
// channel. With v the potential plus the sum, a neuron emits
//
//	k = clip(floor(v/threshold), 0, Top)
//	s = 1 if v - threshold*k >= fire, else 0
//
// k+s spikes and keeps v - threshold*(k+s).
type Neurons struct {
	Potential []int32 // the initial one, and what biases add to it
	Threshold []int32 // above 0
	Fire      []int32 // of the post step, above 0; nil for none
	Top       int32   // the most spikes of phase two: 1 to Most, or less with a post step
}

// An Output takes what a run computes: of Neurons Counts, and more if asked for, or else
// Currents.
type Output struct {
	Neurons *Neurons
	Counts  *Tensor
	// Potential takes the residual potentials; its fields may be nil.
	Potential spike.Potential
	Late      *Late // takes the spikes of the post step, if not nil

	// Currents, [N][OutC][oh][ow], is set to each sum times its channel's Scale, rounded to
	// float32.
	Currents []float32
	Scale    []float64
}

// Late counts the spikes of the post step by channel, in part of the image.
type Late struct {
	Part   spike.Part
	Spikes []int64 // added to
}

// kept tells whether the sums of a strip are kept.
func (o *Output) kept() bool {
	return o.Neurons == nil || o.Potential.Data != nil || o.Potential.Sums != nil || o.Late != nil
}

// scratches are the workers' memory. It only grows.
var scratches machine.Slot[scratch]

// scratch is a worker's memory for convolutions of counts.
type scratch struct {
	args    args
	cells   []uint8
	sums    []int32 // of a phase of the strip, [row][cell][block][16]
	offsets []int
	params  []int32 // [block][6][16]

	tiles      tileArgs
	products   mulArgs
	multiplied []int32 // [block of two][position][tile][16]
}

// A task is one strip of an image in the hands of a worker.
type task struct {
	*Conv
	*scratch
	layout     layout
	out        *Output
	sources    []*Tensor
	h, w       int // of the sources
	oh, ow     int // of the output
	n          int // image
	i, j       int // first output pixel of the strip, in a phase
	rows, cols int
	most       int  // no count of the sources is larger
	tiled      bool // computed by tiles
}

// Run convolves sources, whose channels follow each other, and which all have the sizes of
// the first. It gives up when the context is done.
func (c *Conv) Run(ctx context.Context, p *machine.Pool, out Output, sources []*Tensor) error {
	c.check(&out, sources)
	h, w := c.OutSize(sources[0].H, sources[0].W)
	images := sources[0].N
	rows, cols := machine.CeilDiv(h, c.OutStepH), machine.CeilDiv(w, c.OutStepW)
	if rows == 0 || cols == 0 || images == 0 {
		return ctx.Err()
	}
	most := 0
	for _, s := range sources {
		most = max(most, s.most())
	}
	tiled := c.winograd != nil && most <= c.winograd.most
	l := c.layoutFor(rows, cols, machine.CeilDiv(p.Threads(), images), out.kept(), tiled)
	down, across := machine.CeilDiv(rows, l.rows), machine.CeilDiv(cols, l.cols)
	strips := images * down * across
	var next atomic.Int64
	p.Run(min(p.Threads(), strips), func(worker, _, _ int) {
		t := task{Conv: c, scratch: scratches.Of(p, worker), layout: l, out: &out, sources: sources,
			h: sources[0].H, w: sources[0].W, oh: h, ow: w, most: most, tiled: tiled}
		t.reserve()
		// As with float32, workers take strips as they come to them.
		for strip := int(next.Add(1)) - 1; strip < strips && ctx.Err() == nil; strip = int(next.Add(1)) - 1 {
			t.n, t.i, t.j = strip/(down*across), strip/across%down*l.rows, strip%across*l.cols
			t.rows, t.cols = min(l.rows, rows-t.i), min(l.cols, cols-t.j)
			t.run()
		}
	})
	return ctx.Err()
}

// check panics when operands do not fit: a programmer's error.
func (c *Conv) check(out *Output, sources []*Tensor) {
	channels := 0
	for _, s := range sources {
		s.check()
		channels += s.C
		if s.H != sources[0].H || s.W != sources[0].W || s.N != sources[0].N {
			panic("kernel: counts of different sizes")
		}
	}
	if channels != c.shape.InC {
		panic(fmt.Sprintf("kernel: convolution of %d channels of counts, want %d", channels, c.shape.InC))
	}
	h, w := c.OutSize(sources[0].H, sources[0].W)
	size := sources[0].N * c.shape.OutC * h * w
	if out.Neurons == nil {
		if len(out.Currents) < size || len(out.Scale) != c.shape.OutC {
			panic("kernel: currents of other sizes than the output")
		}
		return
	}
	out.Neurons.check(c.shape.OutC)
	y := out.Counts
	y.check()
	if y.N != sources[0].N || y.C != c.shape.OutC || y.H != h || y.W != w {
		panic(fmt.Sprintf("kernel: convolution to %d x %d x %d counts, want %d x %d x %d", y.C, y.H, y.W, c.shape.OutC, h, w))
	}
	r := &out.Potential
	if r.Data != nil && (len(r.Data) < size || len(r.Scale) != y.C) || r.Sums != nil && !r.Sums.Fit(y.C) ||
		out.Late != nil && len(out.Late.Spikes) != y.C {
		panic("kernel: potentials of other sizes than the output")
	}
}

// check panics when the neurons are not those of so many channels.
func (n *Neurons) check(channels int) {
	most := int32(Most)
	if n.Fire != nil {
		most--
	}
	positive := func(list []int32) bool { return !slices.ContainsFunc(list, func(v int32) bool { return v <= 0 }) }
	if !positive(n.Threshold) || !positive(n.Fire) {
		panic("kernel: neurons with a threshold of 0 or less")
	}
	if len(n.Potential) != channels || len(n.Threshold) != channels || n.Fire != nil && len(n.Fire) != channels ||
		n.Top < 1 || n.Top > most {
		panic(fmt.Sprintf("kernel: neurons of %d channels with up to %d spikes, want %d with up to %d",
			len(n.Potential), n.Top, channels, most))
	}
}

// reserve makes the scratch large enough and lays the parameters out by blocks.
func (t *task) reserve() {
	t.cells = machine.GrowAligned(t.cells, t.layout.size)
	switch {
	case t.out.kept():
		t.sums = machine.GrowAligned(t.sums, t.sumsFor(t.layout.rows, t.layout.cols, t.tiled))
	case t.tiled:
		t.sums = machine.GrowAligned(t.sums, 2*even(t.layout.cols)*blockLanes)
	}
	if t.tiled {
		t.reserveTiles()
	}
	t.args.cells = t.cells
	t.params = machine.GrowAligned(t.params, t.outBlocks*paramWords)
	for b := range t.outBlocks {
		t.setParams((*[paramWords]int32)(t.params[b*paramWords:]), b)
	}
}

// neverFires is a firing level that no residual potential reaches.
const neverFires = math.MaxInt32

// setParams lays out the parameters of a block. Lanes without a channel rest.
func (t *task) setParams(p *[paramWords]int32, block int) {
	n := t.out.Neurons
	for lane := range blockLanes {
		x := laneParams{threshold: 1, fire: neverFires}
		if c, _, ok := t.lane(block, lane); ok && n != nil {
			x.potential, x.threshold = n.Potential[c], n.Threshold[c]
			if n.Fire != nil {
				x.fire = n.Fire[c]
			}
		}
		x.derive()
		for i, v := range []int32{x.potential, x.threshold, x.fire, x.below, x.one, x.two} {
			p[i*blockLanes+lane] = v
		}
	}
}

// within is the rows and columns of the strip that exist in a phase.
func (t *task) within(p *kernel.Phase) (rows, cols int) {
	return min(t.rows, machine.CeilDiv(t.oh-p.Y, t.OutStepH)-t.i), min(t.cols, machine.CeilDiv(t.ow-p.X, t.OutStepW)-t.j)
}

// apart is the number of columns from a pixel of a phase to the next.
func (t *task) apart() int { return t.OutStepW / t.wide }

// pixels is the number of pixels that exist in so many columns of the strip, in a phase.
func (t *task) pixels(p *kernel.Phase, cols int) int {
	return min(cols*t.wide, machine.CeilDiv(t.ow-p.X-t.j*t.OutStepW, t.apart()))
}

// run computes the strip.
func (t *task) run() {
	t.gather(t.n)
	for k := range t.Phases {
		p := &t.Phases[k]
		rows, cols := t.within(p)
		if rows <= 0 || cols <= 0 {
			continue
		}
		pixels := t.pixels(p, cols)
		a := &t.args
		a.rows, a.srcRow, a.srcCell = rows, t.layout.pitch, t.step*t.shape.InC
		a.sumCell = t.outBlocks * blockLanes
		a.sumRow = t.across(cols) * a.sumCell
		if t.tiled {
			a.sumRow = even(cols) * a.sumCell
		}
		a.countRow, a.countCell = t.ow*t.OutStepH*t.shape.OutC, t.side*t.apart()*t.shape.OutC
		if t.out.Neurons != nil {
			a.top = float32(t.out.Neurons.Top - 1)
		}
		if t.tiled {
			t.runTiles()
		}
		switch {
		case t.out.kept():
			t.keep(p, k, cols, pixels)
			continue
		case t.tiled:
			continue
		}
		a.sums = nil
		t.parts(pixels, func(first int) {
			a.counts = t.counts(p, first)
			for i := range t.plans[k] {
				u := &t.plans[k][i]
				for b := range u.blocks(t.planes) {
					a.lanes[b] = t.existing(u.first+b, pixels-first)
				}
				a.cells = t.cells[first/t.wide*t.shape.InC:]
				t.convolve(u)
			}
		})
	}
}

// parts calls f for each part of rows of pixels whose cells all have the same number of
// pixels: all of them, but for a last one that is cut off. args.cols is that of the part.
func (t *task) parts(pixels int, f func(first int)) {
	whole := pixels / t.side
	if t.args.cols = whole; whole > 0 {
		f(0)
	}
	if t.args.cols = 1; whole*t.side < pixels {
		f(whole * t.side)
	}
}

// existing is the number of lanes of a block that exist of a cell with so many pixels left
// from its first on.
func (t *task) existing(block, pixels int) int {
	if t.side > 1 {
		return min(t.side, pixels) * t.shape.OutC
	}
	return t.lanes(block)
}

// counts is the output from pixel first of the strip's first row on.
func (t *task) counts(p *kernel.Phase, first int) []uint8 {
	y, x := p.Y+t.i*t.OutStepH, p.X+t.j*t.OutStepW+first*t.apart()
	return t.out.Counts.Data[((t.n*t.oh+y)*t.ow+x)*t.shape.OutC:]
}

// convolve runs the kernel for a unit, with args.counts and args.sums of block 0.
func (t *task) convolve(u *unit) {
	a := &t.args
	t.offsets = t.offsets[:0]
	for _, w := range u.windows {
		t.offsets = append(t.offsets, w.tap.Remainder*t.layout.remainderStride+
			w.tap.Row*t.layout.pitch+w.tap.Col*t.shape.InC+w.first)
	}
	a.offsets, a.lengths, a.weights = t.offsets, u.lengths, u.weights
	a.vectors, a.planes, a.chunk = u.vectors, t.planes, u.chunks(t.most)
	a.params = t.params[u.first*paramWords:]
	counts, sums := a.counts, a.sums
	if sums != nil {
		a.sums = sums[u.first*blockLanes:]
	} else {
		a.counts = counts[u.first*blockLanes:]
	}
	t.kernels.conv(a)
	a.counts, a.sums = counts, sums
}
