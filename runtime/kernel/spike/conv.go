package spike

import (
	"fmt"
	"slices"

	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
)

// Weights of a spiking convolution are integers in this range: those that two
// bytes h and l, both of -128..127, stand for as 256*h + l.
const (
	LeastWeight = -1 << 15
	MostWeight  = 127<<8 + 127
)

// A Conv is a spiking convolution, or transposed convolution, with its
// weights packed for the kernels that were selected when it was packed. It is
// immutable and may be used from several goroutines, each with its own Pool.
//
// All sums are exact in 32 bits, so their order, the strips, the number of threads
// and the kernels do not matter. A caller must make sure that no membrane
// potential can leave that range; beyond it they wrap round.
type Conv struct {
	shape      kernel.ConvTransposeShape
	transposed bool
	kernel.Geometry
	kernels   kernels
	cell      int // cells of an expanded source pixel
	side      int // output pixels side by side in a block: see sideBySide
	outBlocks int
	plans     []phasePlan
	lookups   *lookupPlan // nil where the kernels have none
	events    *eventPlan  // nil where the kernels have none, or it does not suit
}

// A phasePlan is the blocks of 16 output channels of a phase, those that follow
// each other and have the same windows together.
type phasePlan struct{ blocks []blocks }

// A blocks holds the windows and packed weights of count blocks from first on.
// The windows that hold no weight but zeros are left out, so that convolutions in
// groups take no more than they must.
type blocks struct {
	first, count int
	windows      []window
	lengths      []int
	weights      []int16
	planes       []int8
}

// A window is a run of neighbouring source cells: those of one pixel, or of
// several that lie side by side.
type window struct {
	tap    kernel.Tap
	first  int // cells to the right of the tap's first
	length int
}

// PackConv packs a spiking convolution without bias. weight is
// [OutC][InC/Groups][KH][KW] and copied.
func PackConv(s kernel.ConvShape, weight []int16) (*Conv, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	c := &Conv{shape: kernel.ConvTransposeShape{ConvShape: s}, Geometry: s.Geometry()}
	return c, c.pack(weight, s.WeightAt(weight))
}

// PackConvTranspose packs a transposed spiking convolution. weight is
// [InC][OutC/Groups][KH][KW] and copied.
func PackConvTranspose(s kernel.ConvTransposeShape, weight []int16) (*Conv, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	c := &Conv{shape: s, transposed: true, Geometry: s.Geometry()}
	return c, c.pack(weight, s.WeightAt(weight))
}

// InChannels is the number of input channels of all groups.
func (c *Conv) InChannels() int { return c.shape.InC }

// OutSize returns the height and width of the output for an input of h x w.
func (c *Conv) OutSize(h, w int) (oh, ow int) {
	if c.transposed {
		return c.shape.OutSize(h, w)
	}
	return c.shape.ConvShape.OutSize(h, w)
}

// cellsFor is the number of cells that an expanded pixel of n channels takes, so
// that windows of bytes lie well in cache lines.
func cellsFor(n int) int {
	for size := 4; size <= 32; size *= 2 {
		if n <= size {
			return size
		}
	}
	return machine.CeilDiv(n, 32) * 32
}

func (c *Conv) pack(weight []int16, at func(out, in, tap int) int16) error {
	if want := c.shape.Weights(); len(weight) != want {
		return fmt.Errorf("spiking convolution has %d weights, want %d", len(weight), want)
	}
	for _, w := range weight {
		if w > MostWeight {
			return fmt.Errorf("spiking convolution has a weight %d, want at most %d", w, MostWeight)
		}
	}
	c.kernels = family.Kernels
	c.cell = cellsFor(c.shape.InC)
	c.outBlocks, c.side = Masks(c.shape.OutC), c.sideBySide()
	var lists [][]kernel.TapRun
	for _, p := range c.Phases {
		runs := kernel.JoinTaps(p.Taps)
		lists = append(lists, runs)
		plan := phasePlan{}
		for b := range c.outBlocks {
			plan.add(c.packBlock(runs, b, at))
		}
		for i := range plan.blocks {
			b := &plan.blocks[i]
			b.planes, b.weights = machine.OnLine(b.planes), machine.OnLine(b.weights)
		}
		c.plans = append(c.plans, plan)
	}
	if c.kernels.lookup != nil {
		c.lookups = c.packLookups(lists, at)
	}
	if c.kernels.events != nil {
		c.events = c.packEvents(lists, at)
	}
	return nil
}

// sideBySide is the number of neighbouring output pixels whose channels share a
// block, so that few channels do not leave its lanes empty: lane g*OutC+o is channel
// o of pixel g. Their windows are one that is wider.
func (c *Conv) sideBySide() int {
	if c.InStepW > 1 || c.OutStepW > 1 {
		return 1
	}
	return max(1, maskBits/c.shape.OutC)
}

// lane gives the channel of a lane of a block and the pixel of those side by side;
// false for a lane without.
func (c *Conv) lane(block, lane int) (channel, pixel int, ok bool) {
	if c.side > 1 {
		return lane % c.shape.OutC, lane / c.shape.OutC, lane < c.side*c.shape.OutC
	}
	channel = block*maskBits + lane
	return channel, 0, channel < c.shape.OutC
}

// add appends a block, to the last ones if it has their windows.
func (p *phasePlan) add(b blocks) {
	if n := len(p.blocks); n > 0 && slices.Equal(p.blocks[n-1].windows, b.windows) {
		last := &p.blocks[n-1]
		last.count++
		last.weights, last.planes = append(last.weights, b.weights...), append(last.planes, b.planes...)
		return
	}
	p.blocks = append(p.blocks, b)
}

// packBlock packs the output channels of a block.
func (c *Conv) packBlock(runs []kernel.TapRun, block int, at func(out, in, tap int) int16) blocks {
	b := blocks{first: block, count: 1}
	for _, r := range runs {
		length := (len(r.Kernel) + c.side - 1) * c.cell
		weight := func(i, lane int) int16 { // of cell i of the run
			out, pixel, ok := c.lane(block, lane)
			in, tap := i%c.cell, i/c.cell-pixel
			if !ok || in >= c.shape.InC || tap < 0 || tap >= len(r.Kernel) {
				return 0
			}
			return at(out, in, r.Kernel[tap])
		}
		for lo := 0; lo < length; lo += windowBytes {
			w := window{r.First, lo, min(windowBytes, length-lo)}
			if from, to := used(w, weight); from < to {
				if !c.kernels.bytes {
					w.first, w.length = w.first+from, to-from
				}
				b.windows = append(b.windows, w)
				b.lengths = append(b.lengths, w.length)
				if c.kernels.bytes {
					b.planes = append(b.planes, packBytes(w, weight)...)
				} else {
					b.weights = append(b.weights, packWords(w, weight)...)
				}
			}
		}
	}
	return b
}

// used is the part of a window, in whole steps of 4 cells, outside of which all
// weights are 0.
func used(w window, weight func(i, lane int) int16) (from, to int) {
	from, to = w.length, 0
	for i := range w.length {
		for lane := range maskBits {
			if weight(w.first+i, lane) != 0 {
				from, to = min(from, i&^3), max(to, i&^3+4)
			}
		}
	}
	return from, to
}

// packWords lays out the weights of a window as [length/2][16][2].
func packWords(w window, weight func(i, lane int) int16) []int16 {
	list := make([]int16, w.length*maskBits)
	for i := range w.length {
		for lane := range maskBits {
			list[i/2*32+lane*2+i%2] = weight(w.first+i, lane)
		}
	}
	return list
}

// packBytes lays out the weights of a window as [2][16][16][4]: the plane of the
// high bytes, then that of the low ones, each a tile of 16 rows of 4 source cells
// for 16 channels. Both bytes are signed: weight = 256*high + low.
func packBytes(w window, weight func(i, lane int) int16) []int8 {
	const plane = windowBytes * maskBits
	list := make([]int8, 2*plane)
	for i := range w.length {
		for lane := range maskBits {
			v := int(weight(w.first+i, lane))
			low := int8(v)
			at := i/4*64 + lane*4 + i%4
			list[at], list[plane+at] = int8((v-int(low))>>8), low
		}
	}
	return list
}
