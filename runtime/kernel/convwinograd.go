package kernel

import (
	"fmt"
	"slices"
	"sync/atomic"

	"spikingir/runtime/kernel/machine"
)

// A WinogradConv is a 3x3 convolution by Winograd F(4x4, 3x3) (Lavin and Gray, CVPR
// 2016): the 6x6 inputs of a tile of 4x4 outputs are transformed, multiplied with
// transformed weights at each of the 36 positions, summed over the input channels and
// transformed back. That takes 36 products where [Conv] takes 144. It is immutable.
//
// Tiles are counted from the first output of the image. Rounding errors are a few times
// those of a Conv, relative to the largest inputs of the tile. The last bits of an
// output, infinities and NaN depend on all inputs of its tile: an image that is cut in
// two gives the same bits only where the cut runs between tiles and each part has all
// inputs of its tiles.
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
	WinogradTile = 4
	// WinogradPatch is how many rows or columns of input a tile takes.
	WinogradPatch = WinogradTile + 2
	// WinogradPositions are the numbers of a transformed tile.
	WinogradPositions = WinogradPatch * WinogradPatch
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
		return nil, fmt.Errorf("convolution %+v does not suit Winograd", s)
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
	var lanes [WinogradPositions][filterLanes]float32
	to := machine.Aligned[float32](WinogradPositions * inC * b.width)
	for i := range inC {
		for o := range b.width {
			WinogradWeights(&lanes, o, (*[9]float32)(weight[((b.first+o)*inC+i)*9:]), false)
		}
		for position := range lanes {
			copy(to[(position*inC+i)*b.width:][:b.width], lanes[position][:])
		}
	}
	return to
}

// WinogradWeights transforms the weights g of lane o, turned round by half a turn or not.
func WinogradWeights(lanes *[WinogradPositions][filterLanes]float32, o int, g *[9]float32, turned bool) {
	var half [WinogradPatch][3]float64
	for x := range 3 {
		a, b, c := float64(g[x]), float64(g[3+x]), float64(g[6+x])
		if turned {
			a, b, c = float64(g[8-x]), float64(g[5-x]), float64(g[2-x])
		}
		half[0][x], half[1][x], half[2][x], half[3][x], half[4][x], half[5][x] = winogradTransform(a, b, c)
	}
	for y := range WinogradPatch {
		h, l := &half[y], lanes[y*WinogradPatch:][:WinogradPatch]
		a, b, c, d, e, f := winogradTransform(h[0], h[1], h[2])
		l[0][o], l[1][o], l[2][o] = float32(a), float32(b), float32(c)
		l[3][o], l[4][o], l[5][o] = float32(d), float32(e), float32(f)
	}
}

// winogradTransform is the transform G of three weights, by reciprocals: what they
// round in float64 is nothing to a float32.
func winogradTransform(a, b, c float64) (p0, p1, p2, p3, p4, p5 float64) {
	// The conversions forbid fusing, which processors differ in.
	outer, wide := float64((a+c)*(-1./6)), float64((a+float64(4*c))*(1./24))
	b6, b12 := float64(b*(1./6)), float64(b*(1./12))
	return a * 0.25, outer - b6, outer + b6, wide + b12, wide - b12, c
}

// RunTail computes what [Conv.RunTail] does, in other roundings. Its rules hold: the bits
// depend on no implementation and no number of threads.
func (c *WinogradConv) RunTail(p *machine.Pool, dst, src []float32, h, w int, tail Tail) {
	tail.check(c.shape)
	oh, ow := c.shape.OutSize(h, w)
	to, from := plane{dst, c.shape.OutC, oh, ow}, plane{src, c.shape.InC, h, w}
	to.check()
	from.check()
	g := newTileGrid(oh, ow, c.shape.InC, p.Threads())
	blocks := machine.CeilDiv(g.count(), max(g.block, 1))
	var next atomic.Int64
	p.Run(min(p.Threads(), blocks), func(worker, _, _ int) {
		t := filterTask{WinogradConv: c, tileGrid: g, filterScratch: &scratches.Of(p, worker).filter,
			dst: to, src: from, tail: tail}
		t.reserve()
		for i := int(next.Add(1)) - 1; i < blocks && !tail.stopped(); i = int(next.Add(1)) - 1 {
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
	g := tileGrid{rows: machine.CeilDiv(oh, WinogradTile), cols: machine.CeilDiv(ow, WinogradTile), block: filterTiles}
	for g.block > filterLanes && g.block*inC*WinogradPositions > filterFloats {
		g.block -= filterLanes
	}
	few := machine.CeilDiv(machine.CeilDiv(g.count(), threads), filterLanes) * filterLanes
	g.block = min(g.block, few)
	return g
}
