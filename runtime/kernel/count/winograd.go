package count

import (
	"math"

	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/kernel/spike"
)

// Convolutions of 3x3 neighbours with weights of 16 bits take 4 products in the place of 9 by
// Winograd F(2x2, 3x3), exactly: for each row of a kernel g and of a patch d, and for columns of
// rows alike,
//
//	y0 = d0*g0 + d1*g1 + d2*g2 = m0 + (m1+m2)/2      m0 = (d0-d2) * g0
//	y1 = d1*g0 + d2*g1 + d3*g2 = (m1-m2)/2 - m3      m1 = (d1+d2) * (g0+g1+g2)
//	                                                 m2 = (d2-d1) * (g0-g1+g2)
//	                                                 m3 = (d1-d3) * g2
//
// in which both sums are even. A tile is 2x2 outputs, of a patch of 4x4 pixels; the 16 positions
// of a transformed patch are words of -2*most..4*most, those of a kernel 16 bits if they fit.
const (
	positions = 16
	// leastIn and leastOut are the fewest channels for which it was worth while.
	leastIn, leastOut = 32, 16
	// mostHalved bounds outputs: before a sum is halved it is up to four times as large.
	mostHalved = math.MaxInt32 / 4
)

// A winograd is the packed weights of a convolution for tiles.
type winograd struct {
	units []tileUnit
	most  int // the most spikes for which all sums fit in 32 bits
	cell  int // words of a position of a tile
}

// A tileUnit is one or two blocks of output channels that a kernel computes at once.
type tileUnit struct {
	first, blocks int
	weights       [positions][]int16 // [cell/2][blocks][16][2]
}

// suits tells whether a convolution could run by tiles.
func suits(s kernel.ConvShape) bool {
	return s.KH == 3 && s.KW == 3 && s.StrideH == 1 && s.StrideW == 1 && s.DilationH == 1 && s.DilationW == 1 &&
		s.Groups == 1 && s.InC >= leastIn && s.OutC >= leastOut
}

// LeastScale is the smallest scale at which the weights of an output channel, [InC/Groups][KH][KW],
// rounded to whole units, run fastest on counts of up to most, that is by tiles where their kernels
// are 3x3. Sums of up to nine must be in the range of weights then, which takes up to three bits
// of them, and four times an output in that of sums.
func LeastScale(s kernel.ConvShape, weight []float64, most int) float64 {
	largest, sum := 0.0, 0.0
	for _, w := range weight {
		largest = max(largest, math.Abs(w))
		sum += math.Abs(w)
	}
	scale := largest / spike.MostWeight
	room := float64(mostHalved/most - len(weight)/2 - 1) // rounding adds half a unit to each weight
	if !suits(s) || room <= 0 {
		return scale
	}
	for i := 0; i+9 <= len(weight); i += 9 {
		for _, w := range transformed(func(tap int) float64 { return weight[i+tap] }) {
			largest = max(largest, math.Abs(w))
		}
	}
	return max(scale, largest/(spike.MostWeight-4.5), sum/room) // nine are rounded
}

// transformed gives a kernel at all positions.
func transformed[T int | float64](g func(tap int) T) (list [positions]T) {
	row := func(a, b, c T) [4]T { return [4]T{a, a + b + c, a - b + c, c} }
	var rows [3][4]T
	for i := range rows {
		rows[i] = row(g(3*i), g(3*i+1), g(3*i+2))
	}
	for j := range 4 {
		for i, v := range row(rows[0][j], rows[1][j], rows[2][j]) {
			list[4*i+j] = v
		}
	}
	return list
}

// packWinograd packs weights for tiles; nil where they do not fit.
func (c *Conv) packWinograd(at func(out, in, tap int) int16) *winograd {
	if c.transposed || c.planes == 1 || !suits(c.shape.ConvShape) {
		return nil
	}
	w := &winograd{most: Most, cell: machine.CeilDiv(c.shape.InC, groupBytes) * groupBytes}
	for o := range c.shape.OutC {
		sum := 0
		for i := range c.shape.InC {
			for _, v := range transformed(func(tap int) int { return int(at(o, i, tap)) }) {
				if v < math.MinInt16 || v > math.MaxInt16 {
					return nil
				}
			}
			for tap := range 9 {
				sum += max(int(at(o, i, tap)), -int(at(o, i, tap)))
			}
		}
		w.most = min(w.most, mostHalved/max(sum, 1))
	}
	for b := 0; b < c.outBlocks; b += 2 {
		w.units = append(w.units, w.packBlocks(c, b, min(2, c.outBlocks-b), at))
	}
	return w
}

// packBlocks packs blocks of output channels.
func (w *winograd) packBlocks(c *Conv, first, blocks int, at func(out, in, tap int) int16) tileUnit {
	u := tileUnit{first: first, blocks: blocks}
	for p := range u.weights {
		u.weights[p] = machine.Aligned[int16](w.cell * blocks * blockLanes)
	}
	for b := range blocks {
		for lane := range c.lanes(first + b) {
			for i := range c.shape.InC {
				at := func(tap int) int { return int(at((first+b)*blockLanes+lane, i, tap)) }
				for p, v := range transformed(at) {
					u.weights[p][((i/2*blocks+b)*blockLanes+lane)*2+i%2] = int16(v)
				}
			}
		}
	}
	return u
}

// tileArgs are the arguments of the kernels that transform a row of n tiles. For each of them,
// to takes the patch of 4x4 pixels at cells[t*2*srcCell + i*srcRow + j*srcCell], each of
// channels bytes, and gives position p at wide[p*wideStride + t*wideCell]. It may read
// and write up to 64 bytes beyond.
//
// from takes the sums of 16 lanes at products[p*productStride + t*16] and gives those of
// outputs (i, j), potential added, at sums[i*sumRow + (2*t+j)*sumCell].
type tileArgs struct {
	cells                []uint8
	srcRow, srcCell      int
	wide                 []int16
	wideStride, wideCell int
	channels             int

	products        []int32
	productStride   int
	potential       []int32
	sums            []int32
	sumRow, sumCell int

	n int
}

// mulArgs are the arguments of the kernels that multiply a position of n tiles. Sum o of tile t
// and block b, of all i < 2*groups, is
//
//	products[b*blockStride + t*16 + o] = sum of cells[t*cell + i] * weights[i/2][b][o][i%2]
//
// in arithmetic modulo 2^32. Kernels may read cells of up to tileCells tiles from any
// tile on.
type mulArgs struct {
	cells          []int16
	cell           int
	weights        []int16
	groups, blocks int // groups are even
	products       []int32
	blockStride    int
	n              int
}

// toTilesGeneric transforms patches.
func toTilesGeneric(a *tileArgs) {
	for t := range a.n {
		for c := range a.channels {
			patch := a.cells[2*t*a.srcCell+c:]
			var rows [4][4]int16
			for i := range rows {
				r := patch[i*a.srcRow:]
				rows[i] = toGeneric(int16(r[0]), int16(r[a.srcCell]), int16(r[2*a.srcCell]), int16(r[3*a.srcCell]))
			}
			for j := range 4 {
				for i, v := range toGeneric(rows[0][j], rows[1][j], rows[2][j], rows[3][j]) {
					a.wide[(4*i+j)*a.wideStride+t*a.wideCell+c] = v
				}
			}
		}
	}
}

// toGeneric transforms a row of a patch.
func toGeneric(a, b, c, d int16) [4]int16 { return [4]int16{a - c, b + c, c - b, b - d} }

// mulGeneric passes over pairs of cells that are 0.
func mulGeneric(a *mulArgs) {
	for b := range a.blocks {
		for t := range a.n {
			var acc [blockLanes]int32
			for g := range a.groups {
				x, y := int32(a.cells[t*a.cell+2*g]), int32(a.cells[t*a.cell+2*g+1])
				if x|y == 0 {
					continue
				}
				w := (*[2 * blockLanes]int16)(a.weights[(g*a.blocks+b)*2*blockLanes:])
				for o := range acc {
					acc[o] += x*int32(w[2*o]) + y*int32(w[2*o+1])
				}
			}
			copy(a.products[b*a.blockStride+t*blockLanes:], acc[:])
		}
	}
}

// fromTilesGeneric transforms sums.
func fromTilesGeneric(a *tileArgs) {
	for t := range a.n {
		for lane := range blockLanes {
			m := func(p int) int32 { return a.products[p*a.productStride+t*blockLanes+lane] }
			var rows [2][4]int32
			for j := range 4 {
				rows[0][j], rows[1][j] = fromGeneric(m(j), m(4+j), m(8+j), m(12+j))
			}
			for i, r := range rows {
				at := i*a.sumRow + 2*t*a.sumCell + lane
				y0, y1 := fromGeneric(r[0], r[1], r[2], r[3])
				a.sums[at], a.sums[at+a.sumCell] = y0+a.potential[lane], y1+a.potential[lane]
			}
		}
	}
}

func fromGeneric(a, b, c, d int32) (y0, y1 int32) { return a + (b+c)>>1, (b-c)>>1 - d }
