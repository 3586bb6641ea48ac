package count

import (
	"fmt"
	"math"
	"slices"

	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/kernel/spike"
)

const (
	// blockLanes is the number of lanes of a block, those of a vector of 32-bit sums.
	blockLanes = 16
	// groupBytes is the number of neighbouring bytes whose products are added in one
	// instruction.
	groupBytes = 4
	// vectorBytes is the weights of a group for a block.
	vectorBytes = blockLanes * groupBytes
)

// A Conv is a convolution, or transposed convolution, of counts, with its weights packed.
// It is immutable and may be used from several goroutines, each with its own Pool.
type Conv struct {
	shape      kernel.ConvTransposeShape
	transposed bool
	kernel.Geometry
	kernels kernels
	planes  int // bytes of a weight
	// A block is side pixels of output side by side, of step source pixels side by side,
	// each of which has wide: see sideBySide.
	side, step, wide int
	outBlocks        int
	plans            [][]unit  // of each phase
	winograd         *winograd // nil where weights do not suit
}

// A unit is what a kernel computes at once: one block of output channels, or two where
// weights are single bytes and the windows of both are the same.
type unit struct {
	first   int // its first block
	vectors int // of weights for a group: the planes of a block, or each block's
	windows []window
	lengths []int                   // of the windows, in groups
	weights []int8                  // [window][length][vectors][16][4]
	limits  [2][len(chunkSizes)]int // of each vector: see limit
}

// blocks is the number of the unit's blocks.
func (u *unit) blocks(planes int) int { return u.vectors / planes }

// A window is some groups of neighbouring source bytes: those of one pixel, or of several
// that lie side by side.
type window struct {
	tap   kernel.Tap
	first int // bytes to the right of the tap's first
}

// PackConv packs a convolution without bias. weight is [OutC][InC/Groups][KH][KW] and copied. It
// is in the range of package spike. Where all of it is in -127..127, or where sums of it
// are in the range (see [LeastScale]), the convolution takes about half the time.
func PackConv(s kernel.ConvShape, weight []int16) (*Conv, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	c := &Conv{shape: kernel.ConvTransposeShape{ConvShape: s}, Geometry: s.Geometry()}
	return c, c.pack(weight, s.WeightAt(weight))
}

// PackConvTranspose packs a transposed convolution. weight is [InC][OutC/Groups][KH][KW], as for
// PackConv.
func PackConvTranspose(s kernel.ConvTransposeShape, weight []int16) (*Conv, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	c := &Conv{shape: s, transposed: true, Geometry: s.Geometry()}
	return c, c.pack(weight, s.WeightAt(weight))
}

// InChannels is the number of input channels of all groups.
func (c *Conv) InChannels() int { return c.shape.InC }

// OutChannels is the number of output channels of all groups.
func (c *Conv) OutChannels() int { return c.shape.OutC }

// OutSize returns the height and width of the output for an input of h x w.
func (c *Conv) OutSize(h, w int) (oh, ow int) {
	if c.transposed {
		return c.shape.OutSize(h, w)
	}
	return c.shape.ConvShape.OutSize(h, w)
}

// Bits is the number of bits of the weights: 8 or 16.
func (c *Conv) Bits() int { return 8 * c.planes }

func (c *Conv) pack(weight []int16, at func(out, in, tap int) int16) error {
	if want := c.shape.Weights(); len(weight) != want {
		return fmt.Errorf("convolution of counts has %d weights, want %d", len(weight), want)
	}
	c.planes = 1
	for _, w := range weight {
		if w > spike.MostWeight {
			return fmt.Errorf("convolution of counts has a weight %d, want at most %d", w, spike.MostWeight)
		}
		if w < -math.MaxInt8 || w > math.MaxInt8 {
			c.planes = 2
		}
	}
	c.kernels = family.Kernels
	c.sideBySide()
	c.outBlocks = machine.CeilDiv(c.shape.OutC, blockLanes)
	for _, runs := range c.joinPhases() {
		var units []unit
		for b := range c.outBlocks {
			units = c.add(units, c.packBlock(runs, b, at))
		}
		for i := range units {
			units[i].weights = machine.OnLine(units[i].weights)
			if c.kernels.narrow {
				units[i].limit()
			}
		}
		c.plans = append(c.plans, units)
	}
	c.winograd = c.packWinograd(at)
	return nil
}

// sideBySide finds how many neighbouring output pixels share a block, so that few channels do
// not leave its lanes empty: lane g*OutC+o is channel o of pixel g, as in a tensor. Their
// windows are one that is wider. In a transposed convolution with strides the pixels of a source
// pixel's row share one first.
func (c *Conv) sideBySide() {
	c.step, c.wide = 1, 1
	switch {
	case c.InStepW > 1:
	case c.OutStepW*c.shape.OutC <= blockLanes:
		c.wide = c.OutStepW
		c.step = blockLanes / (c.wide * c.shape.OutC)
	}
	c.side = c.step * c.wide
}

// A run is taps that are neighbours in a strip. kernels has the place in the kernel of each of them, for
// each of the wide pixels, or -1.
type run struct {
	first   kernel.Tap
	kernels [][]int
}

// joinPhases makes phases that share blocks one, and gives the runs of each.
func (c *Conv) joinPhases() [][]run {
	var phases []kernel.Phase
	var lists [][]run
	for i := 0; i < len(c.Phases); i += c.wide {
		some := c.Phases[i : i+c.wide]
		all := kernel.Phase{Y: some[0].Y, X: some[0].X}
		for _, p := range some {
			for _, t := range p.Taps {
				if !slices.ContainsFunc(all.Taps, t.Same) {
					all.Taps = append(all.Taps, t)
				}
			}
		}
		var runs []run
		for _, r := range kernel.JoinTaps(all.Taps) {
			runs = append(runs, run{r.First, placesOf(r, some)})
		}
		phases, lists = append(phases, all), append(lists, runs)
	}
	c.Phases = phases
	return lists
}

// placesOf gives the places in the kernel that phases have at a run's taps.
func placesOf(r kernel.TapRun, phases []kernel.Phase) [][]int {
	places := make([][]int, len(phases))
	for k, p := range phases {
		places[k] = slices.Repeat([]int{-1}, len(r.Kernel))
		for _, t := range p.Taps {
			at := t
			at.Col = r.First.Col
			if i := t.Col - r.First.Col; at.Same(r.First) && i >= 0 && i < len(r.Kernel) {
				places[k][i] = t.Kernel
			}
		}
	}
	return places
}

// lane gives the channel of a lane of a block and the pixel of those side by side; false
// for a lane without.
func (c *Conv) lane(block, lane int) (channel, pixel int, ok bool) {
	if c.side > 1 {
		return lane % c.shape.OutC, lane / c.shape.OutC, lane < c.side*c.shape.OutC
	}
	channel = block*blockLanes + lane
	return channel, 0, channel < c.shape.OutC
}

// lanes is the number of lanes of a block that have a channel, the first ones.
func (c *Conv) lanes(block int) int {
	if c.side > 1 {
		return c.side * c.shape.OutC
	}
	return min(blockLanes, c.shape.OutC-block*blockLanes)
}

// packBlock packs the output channels of a block as a unit.
func (c *Conv) packBlock(runs []run, block int, at func(out, in, tap int) int16) unit {
	u := unit{first: block, vectors: c.planes}
	for _, r := range runs {
		taps := len(r.kernels[0])
		length := (taps + c.step - 1) * c.shape.InC
		weight := func(i, lane int) int16 { // of byte i of the run
			out, pixel, ok := c.lane(block, lane)
			tap := i/c.shape.InC - pixel/c.wide
			if !ok || i >= length || tap < 0 || tap >= taps || r.kernels[pixel%c.wide][tap] < 0 {
				return 0
			}
			return at(out, i%c.shape.InC, r.kernels[pixel%c.wide][tap])
		}
		groups := make([][]int16, machine.CeilDiv(length, groupBytes)) // [16][4], nil where all are 0
		for g := range groups {
			groups[g] = packGroup(g, weight)
		}
		u.addRun(r.first, groups)
	}
	return u
}

// packGroup gives the weights of a group as [16][4]; nil when all are 0.
func packGroup(group int, weight func(i, lane int) int16) []int16 {
	list, zeros := make([]int16, vectorBytes), true
	for i := range list {
		list[i] = weight(group*groupBytes+i%groupBytes, i/groupBytes)
		zeros = zeros && list[i] == 0
	}
	if zeros {
		return nil
	}
	return list
}

// addRun adds windows of the groups that hold weights. One group of zeros costs no more
// than another window.
func (u *unit) addRun(first kernel.Tap, groups [][]int16) {
	none := make([]int16, vectorBytes)
	for g := 0; g < len(groups); g++ {
		if groups[g] == nil {
			continue
		}
		end := g + 1
		for i := end; i < min(end+2, len(groups)); i++ {
			if groups[i] != nil {
				end = i + 1
			}
		}
		u.windows = append(u.windows, window{first, g * groupBytes})
		u.lengths = append(u.lengths, end-g)
		for ; g < end; g++ {
			list := groups[g]
			if list == nil {
				list = none
			}
			u.addGroup(list)
		}
		g-- // of the loop
	}
}

// addGroup adds the weights of a group: the plane of the high bytes, then that of the low
// ones, or the latter alone. Both are signed: weight = 256*high + low.
func (u *unit) addGroup(list []int16) {
	if u.vectors > 1 {
		for _, w := range list {
			u.weights = append(u.weights, int8((int(w)-int(int8(w)))>>8))
		}
	}
	for _, w := range list {
		u.weights = append(u.weights, int8(w))
	}
}

// add appends a block to units. Where weights are bytes, two with the same windows are one
// unit.
func (c *Conv) add(units []unit, u unit) []unit {
	if n := len(units); n > 0 && c.planes == 1 {
		last := &units[n-1]
		if last.vectors == 1 && slices.Equal(last.windows, u.windows) && slices.Equal(last.lengths, u.lengths) {
			both := make([]int8, 0, 2*len(u.weights))
			for i := 0; i < len(u.weights); i += vectorBytes {
				both = append(both, last.weights[i:i+vectorBytes]...)
				both = append(both, u.weights[i:i+vectorBytes]...)
			}
			last.vectors, last.weights = 2, both
			return units
		}
	}
	return append(units, u)
}

// chunkSizes are numbers of groups whose products may be added in 16 bits if they are small
// enough.
var chunkSizes = [...]int{4, 6, 8, 11, 16, 23, 32, 45, 64}

// limit finds for each vector and each chunk size how large a sum of 16 bits can become, from
// counts of 1. It takes two neighbouring products of each group.
func (u *unit) limit() {
	step := u.vectors * vectorBytes
	for v := range u.vectors {
		for i, size := range chunkSizes {
			for first := v * vectorBytes; first < len(u.weights); first += size * step {
				var sums [vectorBytes / 2]int
				for at := first; at < min(first+size*step, len(u.weights)); at += step {
					for k := range sums {
						w := u.weights[at+2*k:]
						sums[k] += abs(w[0]) + abs(w[1])
					}
				}
				u.limits[v][i] = max(u.limits[v][i], slices.Max(sums[:]))
			}
		}
	}
}

func abs(w int8) int { return max(int(w), -int(w)) }

// chunks gives the chunk sizes for counts of up to most.
func (u *unit) chunks(most int) (chunks [2]int) {
	for v := range chunks {
		for i, size := range chunkSizes {
			if u.limits[v][i] > 0 && most*u.limits[v][i] <= math.MaxInt16 {
				chunks[v] = size
			}
		}
	}
	return chunks
}
