package kernel

import (
	"fmt"
	"slices"
	"sync/atomic"

	"spikingir/runtime/kernel/machine"
)

// A WinogradConv is a convolution of 3 x 3 that is computed by Winograd's minimal
// filtering F(4x4, 3x3) (Lavin and Gray, CVPR 2016): tiles of 4 x 4 outputs, whose
// 6 x 6 inputs are transformed, multiplied with transformed weights at each of the
// 36 positions and summed over the input channels, and transformed back. That takes
// 36 products for what takes [Conv] 144. It is immutable, like a Conv.
//
// Tiles are counted from the first output of the image. An output is rounded a few
// times more coarsely than that of a Conv, relative to the largest inputs of its
// tile, and depends in its last bits, and on infinities and NaN, on all of them: the
// bits of an image cut in two are those of the whole only where the cut runs between
// tiles and spares them all of their inputs.
type WinogradConv struct {
	shape  ConvShape
	blocks []block
	// weights holds, for each block, the transformed weights in the order
	// [position][input channel][channel of the block].
	weights [][]float32
}

const (
	// WinogradTile is the rows and columns of outputs that are computed from the
	// same inputs.
	WinogradTile = winogradTile
	// WinogradReach is how many rows or columns of input a tile takes.
	WinogradReach = winogradPatch
)

const (
	// winogradLeast is the channels, on either side, below which the transforms cost
	// more than they spare.
	winogradLeast = 16
	// winogradMost bounds the transformed weights, which take four times the room.
	winogradMost = 256 * 256
)

// SuitsWinograd reports whether [PackWinograd] takes the convolution and gains by it
// on images that are not small.
func SuitsWinograd(s ConvShape) bool {
	return s.Validate() == nil && s.KH == 3 && s.KW == 3 && s.StrideH == 1 && s.StrideW == 1 &&
		s.DilationH == 1 && s.DilationW == 1 && s.Groups == 1 &&
		min(s.InC, s.OutC) >= winogradLeast && s.InC*s.OutC <= winogradMost
}

// PackWinograd transforms the weights of a convolution that [SuitsWinograd]. The
// arguments are those of [PackConv].
func PackWinograd(s ConvShape, weight, bias []float32) (*WinogradConv, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if !SuitsWinograd(s) {
		return nil, fmt.Errorf("convolution %+v is none that minimal filtering suits", s)
	}
	if err := s.checkParameters(weight, bias); err != nil {
		return nil, err
	}
	c := &WinogradConv{shape: s}
	for o := 0; o < s.OutC; {
		b := block{first: o, width: min(blockFor(s.OutC-o), blockWidth)}
		if bias != nil {
			b.bias = slices.Clone(bias[o : o+b.width])
		}
		c.blocks = append(c.blocks, b)
		c.weights = append(c.weights, transformWeights(weight, b, s.InC))
		o += b.width
	}
	return c, nil
}

// transformWeights gives the weights of a block.
func transformWeights(weight []float32, b block, inC int) []float32 {
	var lanes [winogradPositions][trainLanes]float32
	to := machine.Aligned[float32](winogradPositions * inC * b.width)
	for i := range inC {
		for o := range b.width {
			winogradLane(&lanes, o, (*[9]float32)(weight[((b.first+o)*inC+i)*9:]), false)
		}
		for position := range lanes {
			copy(to[(position*inC+i)*b.width:][:b.width], lanes[position][:])
		}
	}
	return to
}

// Run computes what [Conv.Run] does, in other roundings. Its rules hold: the bits
// depend on no implementation and no number of threads.
func (c *WinogradConv) Run(p *machine.Pool, dst, src []float32, h, w int) {
	c.RunTail(p, dst, src, h, w, Tail{})
}

// RunTail is Run with a tail, as [Conv.RunTail] is.
func (c *WinogradConv) RunTail(p *machine.Pool, dst, src []float32, h, w int, tail Tail) {
	tail.check(c.shape)
	oh, ow := c.shape.OutSize(h, w)
	to, from := plane{dst, c.shape.OutC, oh, ow}, plane{src, c.shape.InC, h, w}
	to.check()
	from.check()
	g := newTileGrid(oh, ow, c.shape.InC, p.Threads())
	blocks := ceilDiv(g.count(), max(g.block, 1))
	var next atomic.Int64
	p.Run(min(p.Threads(), blocks), func(worker, _, _ int) {
		t := filterTask{WinogradConv: c, tileGrid: g, filterScratch: &scratches.Of(p, worker).filter,
			dst: to, src: from, tail: tail}
		t.reserve()
		for i := int(next.Add(1)) - 1; i < blocks; i = int(next.Add(1)) - 1 {
			t.run(i*g.block, min(g.block, g.count()-i*g.block))
		}
	})
}

// A tileGrid is the tiles of an image, counted row by row, and how many go through
// all steps at once.
type tileGrid struct{ rows, cols, block int }

func (g tileGrid) count() int { return g.rows * g.cols }

const (
	// filterLanes is the widest vector of tiles.
	filterLanes = 16
	// filterFloats bounds the transformed inputs of a block, which stay in a core's
	// second cache.
	filterFloats = 112 << 10
	// filterTiles is the most tiles of a block: three vectors, which a row kernel has
	// in registers beside eight channels' sums.
	filterTiles = 3 * filterLanes
)

func newTileGrid(oh, ow, inC, threads int) tileGrid {
	g := tileGrid{rows: ceilDiv(oh, winogradTile), cols: ceilDiv(ow, winogradTile), block: filterTiles}
	for g.block > filterLanes && g.block*inC*winogradPositions > filterFloats {
		g.block -= filterLanes
	}
	few := ceilDiv(ceilDiv(g.count(), threads), filterLanes) * filterLanes
	g.block = min(g.block, few)
	return g
}
