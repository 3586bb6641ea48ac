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
// of a transformed patch are numbers of -2*most..2*most, 0..4*most at position 5. An
// offset makes them bytes, and what it adds is a constant of each output channel.
const (
	positions = 16
	// onlyPositive is the position without an offset.
	onlyPositive = 5
	// mostWinograd is the most spikes whose sums by four are bytes.
	mostWinograd = math.MaxUint8 / 4
	// leastIn and leastOut are the fewest channels for which it was worth while.
	leastIn, leastOut = 32, 16
)

// A winograd is the packed weights of a convolution for tiles.
type winograd struct {
	units [][positions]unit    // of each block
	sums  [][positions][]int32 // of the weights of each lane
	most  int                  // the most spikes for which all sums fit in 32 bits
	cell  int                  // bytes of a position of a tile
}

// suits tells whether a convolution could run by tiles.
func suits(s kernel.ConvShape) bool {
	return s.KH == 3 && s.KW == 3 && s.StrideH == 1 && s.StrideW == 1 && s.DilationH == 1 && s.DilationW == 1 &&
		s.Groups == 1 && s.InC >= leastIn && s.OutC >= leastOut
}

// LeastScale is the smallest scale at which the weights of an output channel, [InC/Groups][KH][KW],
// rounded to whole units, run fastest on counts of up to most, that is by tiles where their kernels are 3x3: sums of up to nine
// must be in the range of weights then, which takes up to three bits of them.
func LeastScale(s kernel.ConvShape, weight []float64, most int) float64 {
	largest := 0.0
	for _, w := range weight {
		largest = max(largest, math.Abs(w))
	}
	scale := largest / spike.MostWeight
	if !suits(s) || most > mostWinograd {
		return scale
	}
	for i := 0; i+9 <= len(weight); i += 9 {
		for _, w := range transformed(func(tap int) float64 { return weight[i+tap] }) {
			largest = max(largest, math.Abs(w))
		}
	}
	return max(scale, largest/(spike.MostWeight-4.5)) // nine are rounded
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
	w := &winograd{most: mostWinograd, cell: machine.CeilDiv(c.shape.InC, groupBytes) * groupBytes}
	if c.kernels.narrow { // products of larger bytes do not fit in 16 bits
		w.most = math.MaxInt8 / 4
	}
	for o := range c.shape.OutC {
		sum := 0
		for i := range c.shape.InC {
			for _, v := range transformed(func(tap int) int { return int(at(o, i, tap)) }) {
				if v < spike.LeastWeight || v > spike.MostWeight {
					return nil
				}
			}
			for tap := range 9 {
				sum += max(int(at(o, i, tap)), -int(at(o, i, tap)))
			}
		}
		// Before a sum is halved it is up to four times an output.
		w.most = min(w.most, math.MaxInt32/4/max(sum, 1))
	}
	for b := range c.outBlocks {
		w.packBlock(c, b, at)
	}
	return w
}

// packBlock packs a block of output channels.
func (w *winograd) packBlock(c *Conv, block int, at func(out, in, tap int) int16) {
	var groups [positions][][]int16
	var sums [positions][]int32
	for p := range groups {
		groups[p], sums[p] = make([][]int16, w.cell/groupBytes), make([]int32, blockLanes)
		for g := range groups[p] {
			groups[p][g] = make([]int16, vectorBytes)
		}
	}
	for lane := range c.lanes(block) {
		for i := range c.shape.InC {
			for p, v := range transformed(func(tap int) int { return int(at(block*blockLanes+lane, i, tap)) }) {
				groups[p][i/groupBytes][lane*groupBytes+i%groupBytes] = int16(v)
				sums[p][lane] += int32(v)
			}
		}
	}
	var units [positions]unit
	for p := range units {
		u := unit{first: block, vectors: c.planes}
		u.addRun(kernel.Tap{}, groups[p])
		u.weights = machine.OnLine(u.weights)
		if c.kernels.narrow {
			u.limit()
		}
		units[p] = u
	}
	w.units, w.sums = append(w.units, units), append(w.sums, sums)
}

// tileArgs are the arguments of the kernels that transform a row of n tiles. For each of them,
// to takes the patch of 4x4 pixels at cells[t*2*srcCell + i*srcRow + j*srcCell], each of
// channels bytes, and gives position p at wide[p*wideStride + t*wideCell], with the
// offset added but at position onlyPositive. Both may go up to 64 bytes beyond.
//
// from takes the sums of 16 lanes at products[p*productStride + t*16] and gives those of
// outputs (i, j), potential added, at sums[i*sumRow + (2*t+j)*sumCell].
type tileArgs struct {
	cells            []uint8
	srcRow, srcCell  int
	wide             []uint8
	wideStride       int
	wideCell         int
	channels, offset int

	products        []int32
	productStride   int
	potential       []int32
	sums            []int32
	sumRow, sumCell int

	n int
}

// toTilesGeneric transforms patches.
func toTilesGeneric(a *tileArgs) {
	for t := range a.n {
		for c := range a.channels {
			patch := a.cells[2*t*a.srcCell+c:]
			var rows [4][4]uint8
			for i := range rows {
				r := patch[i*a.srcRow:]
				rows[i] = toGeneric(r[0], r[a.srcCell], r[2*a.srcCell], r[3*a.srcCell])
			}
			for j := range 4 {
				for i, v := range toGeneric(rows[0][j], rows[1][j], rows[2][j], rows[3][j]) {
					p := 4*i + j
					if p != onlyPositive {
						v += uint8(a.offset)
					}
					a.wide[p*a.wideStride+t*a.wideCell+c] = v
				}
			}
		}
	}
}

// toGeneric transforms a row of a patch, modulo 256.
func toGeneric(a, b, c, d uint8) [4]uint8 { return [4]uint8{a - c, b + c, c - b, b - d} }

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
