package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// randomBytes are arguments of unlike strides, with places to skip, and sums of either
// sign.
func randomBytes(r *rand.Rand, groups, steps int) *byteArgs {
	a := &byteArgs{aStride: 64 + r.IntN(70), unit: make([]float32, tileCols)}
	for range steps {
		a.steps = append(a.steps, int32(r.IntN(300)))
	}
	pixels := groups * bytePixels
	a.a = make([]int8, pixels*a.aStride+300+byteDeep)
	for i := range a.a {
		a.a[i] = int8(r.IntN(2))
	}
	a.b = make([]int8, steps*byteDigits*byteSize)
	for i := range a.b {
		a.b[i] = int8(r.IntN(256))
	}
	for o := range a.unit {
		a.unit[o], _ = byteUnit(math.Float32bits(float32(r.ExpFloat64())))
	}
	a.unit[3], a.unit[5] = float32(math.NaN()), 0x1p-126 // subnormal results
	stride := tileCols + r.IntN(9)
	for i := range pixels {
		place := int32(i * stride)
		if r.IntN(7) == 0 {
			place = -1
		}
		a.places = append(a.places, place)
	}
	a.dst = make([]float32, (pixels-1)*stride+tileCols)
	a.sums = aligned[int32](byteGroup * byteDigits * tileSums)
	return a
}

// sameSums compares bits, but that one NaN is as good as another.
func sameSums(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i, v := range got {
		if math.Float32bits(v) != math.Float32bits(want[i]) && !(v != v && want[i] != want[i]) {
			t.Errorf("%s: sum %d of %d is %v, want %v", what, i, len(got), v, want[i])
			return
		}
	}
}

// TestTileProductsOfBytes compares the product kernels with their twin: the same bits,
// as sums of integers are exact.
func TestTileProductsOfBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	eachTiles(t, func(t *testing.T, tiles *tileKernels) {
		for groups := 1; groups <= 4; groups++ {
			for steps := 1; steps <= 9; steps += 1 + groups {
				a := randomBytes(r, groups, steps)
				want := *a
				want.dst, want.sums = slices.Clone(a.dst), slices.Clone(a.sums)
				dst, check := fence(a.dst, 77)
				a.dst = dst
				tiles.bytes.product(a)
				check(t)
				byteProductGeneric(&want)
				sameSums(t, fmt.Sprint("groups ", groups, " steps ", steps), a.dst, want.dst)
			}
		}
	})
}

// TestTileProductOfLargestBytes holds that the largest sums of digits do not overflow,
// nor lose bits when they are joined.
func TestTileProductOfLargestBytes(t *testing.T) {
	eachTiles(t, func(t *testing.T, tiles *tileKernels) {
		const steps = 40
		a := randomBytes(rand.New(rand.NewPCG(13, 14)), 1, steps)
		for i := range a.a {
			a.a[i] = 1
		}
		for o := range a.unit {
			a.unit[o] = 0x1p-10
		}
		for _, digit := range []int8{127, -128} {
			for i := range a.b {
				a.b[i] = digit
			}
			tiles.bytes.product(a)
			sum := float64(digit) * (1 + 1.0/256 + 1.0/65536) * steps * byteDeep
			for i, place := range a.places {
				if got := a.dst[max(place, 0)]; place >= 0 && got != float32(sum/1024) {
					t.Fatalf("pixel %d of digits %d is %v, want %v", i, digit, got, sum/1024)
				}
			}
		}
	})
}

// TestTrainTileStrips holds that sums follow each other over more than a strip of
// pixels, with pads that rows share and without.
func TestTrainTileStrips(t *testing.T) {
	valid := same(32, 32, 1, 2)
	valid.PadTop, valid.PadLeft, valid.PadBottom, valid.PadRight = 0, 0, 0, 0
	for _, s := range []ConvShape{same(32, 32, 1, 1), valid, same(64, 32, 1, 3)} {
		if testing.Short() && s.KH == 3 {
			continue
		}
		testTiles(t, newTrainCase(t, s, 23, 26, 1, 0.4), false)
	}
}

// TestTrainTileBytesClear holds that sums do not depend on what a scratch held before.
func TestTrainTileBytesClear(t *testing.T) {
	c := newTrainCase(t, tileShapes()[1], 5, 6, 1, 0.3)
	eachTiles(t, func(t *testing.T, tiles *tileKernels) {
		c.withTiles(tiles)
		want, got := make([]float32, len(c.gy)), make([]float32, len(c.gy))
		c.conv.ForwardSpikes(&TrainScratch{}, want, c.spikes, 1)
		sc := &TrainScratch{}
		sc.tiles.bytes.left = aligned[int8](1 << 16)
		for i := range sc.tiles.bytes.left {
			sc.tiles.bytes.left[i] = 99
		}
		c.conv.ForwardSpikes(sc, got, c.spikes, 1)
		sameSums(t, "used scratch", got, want)
	})
}

// TestTrainTileBytesBands holds that rows of all slices come in bands, one after the
// other and complete, and are what slices alone give.
func TestTrainTileBytesBands(t *testing.T) {
	c := newTrainCase(t, same(32, 32, 1, 3), 9, 14, 90, 0.2)
	eachTiles(t, func(t *testing.T, tiles *tileKernels) {
		c.withTiles(tiles)
		sc := &TrainScratch{}
		words, out, row := SpikeWords(c.conv.shape.InSize()), c.conv.shape.OutSize(), c.conv.shape.OutW*c.conv.shape.OutC
		want, got, kept := make([]float32, len(c.gy)), make([]float32, len(c.gy)), make([]float32, len(c.gy))
		for s := range c.slices {
			c.conv.ForwardSpikes(sc, want[s*out:(s+1)*out], c.spikes[s*words:(s+1)*words], 1)
		}
		rows, calls := 0, 0
		c.conv.ForwardSpikesBy(sc, got, c.spikes, c.slices, func(from, end int) {
			if from != rows || end <= from {
				t.Fatalf("rows %d to %d after %d", from, end, rows)
			}
			rows = end
			calls++
			for s := range c.slices {
				copy(kept[s*out+from*row:], got[s*out+from*row:s*out+end*row])
			}
		})
		if rows != c.conv.shape.OutH || calls < 2 {
			t.Errorf("%d rows in %d calls, want %d in some", rows, calls, c.conv.shape.OutH)
		}
		if d := firstDifference(kept, want); d >= 0 {
			t.Errorf("sum %d is %v, want %v", d, kept[d], want[d])
		}
	})
}

// TestTileBytesOfWeights holds that packed weights are within half a unit, and that the
// unit is as small as it can be.
func TestTileBytesOfWeights(t *testing.T) {
	for _, c := range []struct {
		name            string
		weights         []float32
		unit, precision float64
	}{
		{"ordinary", []float32{1, -0.75, 1e-3, 1.0 / 3}, 0x1p-22, 0x1p-23},
		{"largest of its unit", []float32{float32(largestByteWeight) / (1 << 23), -float32(largestByteWeight) / (1 << 23), 0.1}, 0x1p-23, 0x1p-24},
		{"next", []float32{0.1, -math.Nextafter32(float32(largestByteWeight)/(1<<23), 1)}, 0x1p-22, 0x1p-23},
		{"zeros", []float32{0, 0, float32(math.Copysign(0, -1))}, 0x1p-127, 0},
		{"small", []float32{1e-37, -3e-38, 1e-40}, 0x1p-127, 0x1p-128},
		{"large", []float32{math.MaxFloat32, -math.MaxFloat32 / 3, 1}, 0x1p106, 0x1p105},
	} {
		eachTiles(t, func(t *testing.T, tiles *tileKernels) {
			w := make([]float32, 16*tileCols)
			for i := range w {
				w[i] = c.weights[i/tileCols%len(c.weights)]
			}
			// The weight of k is number i of an output channel whose numbers are turned by k.
			a := &digitArgs{dst: make([]int8, byteDigits*byteSize), w: w, stride: 0, inverse: make([]float32, tileCols)}
			unit, inverse := byteUnit(tiles.bytes.largest(w))
			if float64(unit) != c.unit*65536 {
				t.Errorf("%s: unit %v, want %v", c.name, unit/65536, c.unit)
			}
			for o := range a.inverse {
				a.inverse[o] = inverse
			}
			for k := range byteDeep {
				a.at = append(a.at, int32(k*5%len(w)))
			}
			a.at[7] = -1
			tiles.bytes.digits(a)
			for k, at := range a.at {
				want := 0.0
				if at >= 0 {
					want = float64(w[at])
				}
				d := a.dst[k/4*4*tileCols+k%4+4*(k%tileCols):]
				got := (float64(d[0])*65536 + float64(d[byteSize])*256 + float64(d[2*byteSize])) * c.unit
				if math.Abs(got-want) > c.precision {
					t.Errorf("%s: weight %v packed as %v", c.name, want, got)
				}
			}
		})
	}
}

// TestTrainTilesOddWeights holds that a weight that is not finite makes its channel not
// a number, and no other one; that large weights keep finite sums; and that the sums of
// zeros are zeros.
func TestTrainTilesOddWeights(t *testing.T) {
	c := newTrainCase(t, same(32, 32, 1, 3), 5, 6, 1, 0.5)
	of := func(o int) []float32 { return c.w[o*32*9 : (o+1)*32*9] }
	c.scale = nil
	clear(of(2))
	of(4)[5], of(6)[7], of(8)[9] = float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))
	clear(of(10))
	for i := range 9 { // all taps of channel 0
		of(10)[i] = math.MaxFloat32 * 0.1
	}
	eachTiles(t, func(t *testing.T, tiles *tileKernels) {
		c.withTiles(tiles)
		y := make([]float32, len(c.gy))
		c.conv.ForwardSpikes(&TrainScratch{}, y, c.spikes, 1)
		large := false
		for i, v := range y {
			o := i % 32
			large = large || o == 10 && v > 1e37
			switch o {
			case 4, 6, 8:
				if v == v {
					t.Fatalf("sum %d of channel %d is %v, want NaN", i, o, v)
				}
			case 2:
				if v != 0 {
					t.Fatalf("sum %d of a channel without weights is %v, want 0", i, v)
				}
			default:
				if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
					t.Fatalf("sum %d of channel %d is %v, want a finite number", i, o, v)
				}
			}
		}
		if !large {
			t.Error("no sum of large weights is large")
		}
	})
}

// unitErrors are bounds of what packing weights in bytes may add to the error of each
// sum of spikes: 1.2e-7 of the channel's largest weight for each spike.
func (c *trainCase) unitErrors() []float64 {
	largest, inC := make([]float64, c.s.OutC), c.s.InC
	for i, w := range c.conv.packing.weights {
		o := i / (inC * c.s.taps())
		largest[o] = max(largest[o], math.Abs(float64(w)))
	}
	bounds := make([]float64, len(c.gy))
	for i := range bounds {
		spikes := 0
		at := i % c.s.OutSize()
		y, x := at/(c.s.OutW*c.s.OutC), at/c.s.OutC%c.s.OutW
		for t := range c.s.taps() {
			iy, ix := y+t/c.s.KernelW*c.s.DilationH-c.s.PadT, x+t%c.s.KernelW*c.s.DilationW-c.s.PadL
			if iy < 0 || iy >= c.s.InH || ix < 0 || ix >= c.s.InW {
				continue
			}
			for _, v := range c.x[i/c.s.OutSize()*c.s.InSize()+(iy*c.s.InW+ix)*inC:][:inC] {
				spikes += int(v)
			}
		}
		bounds[i] = 1.2e-7 * float64(spikes) * largest[at%c.s.OutC]
	}
	return bounds
}
