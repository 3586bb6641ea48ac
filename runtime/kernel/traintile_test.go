package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// tileShapes are convolutions that tiles suit, with odd and even widths, one pixel
// and more than a strip, pads beyond the kernel and none.
func tileShapes() []ConvShape {
	valid := same(32, 64, 1, 3)
	valid.PadTop, valid.PadLeft, valid.PadBottom, valid.PadRight = 0, 0, 0, 0
	far := same(64, 32, 1, 3)
	far.DilationH, far.DilationW, far.PadTop, far.PadLeft, far.PadBottom, far.PadRight = 2, 3, 6, 7, 1, 2
	wide := same(32, 64, 1, 3)
	wide.PadTop, wide.PadLeft, wide.PadBottom, wide.PadRight = 3, 4, 2, 5
	even := same(32, 32, 1, 2)
	even.PadTop, even.PadLeft = 1, 0
	return []ConvShape{valid, far, wide, even, same(96, 32, 1, 1), same(32, 32, 1, 5), same(32, 96, 1, 3)}
}

// withTiles makes a convolution compute on the reference tiles, whatever its spikes.
func (c *trainCase) withTiles(tiles *tileKernels) {
	all := *tiles
	all.sumBelow, all.gradientsBelow = 0, 0
	k := genericTrain
	k.tiles = &all
	c.conv.kernels = &k
	c.conv.tiles = c.conv.newTiles()
	c.conv.SetWeights(c.w, c.scale)
}

// eachTiles runs f with every implementation of tiles that this CPU has.
func eachTiles(t *testing.T, f func(t *testing.T, tiles *tileKernels)) {
	t.Run("generic", func(t *testing.T) { f(t, &genericTiles) })
	for _, e := range trains.entries {
		if e.available && e.kernels.tiles != nil {
			t.Run(e.name, func(t *testing.T) { f(t, e.kernels.tiles) })
		}
	}
}

// TestTrainTiles compares the products on tiles with the definition, within their
// bounds: forwards what a float32 sum has, backwards 2^-16 more for the terms that
// are left out, or, by minimal filtering, relative to the largest of them round about.
// Of a whole result it is 1e-4 at most.
func TestTrainTiles(t *testing.T) {
	sizes := [][2]int{{7, 9}, {5, 6}, {4, 4}, {1, 1}, {3, 40}, {16, 13}}
	for i, s := range tileShapes() {
		for j, size := range sizes {
			if testing.Short() && i != j || size[0]*size[1] > 100 && s.KH*s.InC > 100 {
				continue
			}
			if s.PadTop == 0 && s.KH > size[0] {
				continue
			}
			for _, density := range []float64{0.3, 0} {
				testTiles(t, newTrainCase(t, s, size[0], size[1], 1+(i+j)%2, density), i == j)
			}
		}
	}
}

func testTiles(t *testing.T, c *trainCase, twice bool) {
	c.define()
	sc := &TrainScratch{}
	eachTiles(t, func(t *testing.T, tiles *tileKernels) {
		c.withTiles(tiles)
		first := c.run(t, sc)
		c.checkTiles(t, first)
		if !twice {
			return
		}
		again := c.run(t, &TrainScratch{})
		for i, pair := range [][2][]float32{{first.y, again.y}, {first.gx, again.gx}, {first.gw, again.gw}} {
			if d := firstDifference(pair[0], pair[1]); d >= 0 {
				t.Errorf("%s: result %d differs at %d from run to run", c.name, i, d)
			}
		}
	})
}

// TestTrainTilesAllocate holds that a warm scratch is enough.
func TestTrainTilesAllocate(t *testing.T) {
	c := newTrainCase(t, same(32, 32, 1, 3), 5, 7, 2, 0.3)
	eachTiles(t, func(t *testing.T, tiles *tileKernels) {
		c.withTiles(tiles)
		sc := &TrainScratch{}
		y, gx, gw := make([]float32, len(c.gy)), make([]float32, len(c.x)), make([]float32, len(c.w))
		if n := testing.AllocsPerRun(3, func() {
			c.conv.ForwardSpikes(sc, y, c.spikes, c.slices)
			c.conv.Forward(sc, y, c.x, c.slices)
			c.conv.BackwardInput(sc, gx, c.gy, c.slices)
			c.conv.Backward(sc, &TrainBackward{GW: gw, Spikes: c.spikes, GY: c.gy, Slices: c.slices})
			c.conv.BackwardWeights(sc, gw, c.x, c.gy, c.slices)
			c.conv.SetWeights(c.w, c.scale)
		}); n > 0 {
			t.Errorf("%v allocations with a warm scratch, want none", n)
		}
	})
}

// TestTrainTilesNaN holds that what is not a number is not lost, and that large numbers
// are not made infinite.
func TestTrainTilesNaN(t *testing.T) {
	c := newTrainCase(t, same(32, 32, 1, 1), 3, 3, 1, 0)
	for i := range c.gy {
		c.gy[i] = 0
	}
	c.gy[40], c.gy[80] = float32(math.NaN()), 3.38e38
	for i := range c.w {
		c.w[i] = 0.5
	}
	eachTiles(t, func(t *testing.T, tiles *tileKernels) {
		c.withTiles(tiles)
		c.conv.SetWeights(c.w, nil)
		gx := make([]float32, len(c.x))
		c.conv.BackwardInput(&TrainScratch{}, gx, c.gy, 1)
		for i, v := range gx {
			switch pixel := i / 32; {
			case pixel == 1 && v == v, pixel == 2 && !(math.Abs(float64(v)/1.69e38-1) < 1e-5), pixel != 1 && pixel != 2 && v != 0:
				t.Fatalf("gradient %d is %v, want NaN for the pixel with NaN, 1.69e38 for that with 3.38e38, 0 elsewhere", i, v)
			}
		}
	})
}

// checkTiles is check within the bounds of tiles.
func (c *trainCase) checkTiles(t *testing.T, r trainResults) {
	t.Helper()
	float, terms := 1e-6, 1e-6+1.0/(1<<16)
	if c.conv.tiles.filter != nil {
		terms = 1e-3
	}
	if c.conv.forward.fast != nil && c.density == 0 {
		float = trainTolerance
	}
	size := c.my
	if c.density > 0 {
		size = c.unitErrors()
		for i, v := range c.my {
			size[i] = v + size[i]/float
		}
	}
	for _, v := range []struct {
		what       string
		got        []float32
		want, size []float64
		before     float64
		bound      float64
	}{{"y", r.y, c.wy, size, 0, float}, {"gx", r.gx, c.wgx, c.mgx, 0, terms}, {"gw", r.gw, c.wgw, c.mgw, gwBefore, terms}} {
		worst, errors, results := 0.0, 0.0, 0.0
		for i, got := range v.got {
			errors += square(float64(got) - v.before - v.want[i])
			results += square(v.want[i])
			off := math.Abs(float64(got)-v.before-v.want[i]) / (v.size[i] + v.before)
			if v.size[i]+v.before == 0 {
				off = math.Abs(float64(got)) / slices.Max(v.size)
			}
			// Written so that a NaN fails.
			if !(off <= v.bound) {
				t.Errorf("%s %s: element %d of %d is %v, want %v within %v of %v", c.name, v.what, i, len(v.got), got,
					v.before+v.want[i], v.bound, v.size[i]+v.before)
				break
			}
			worst = max(worst, off)
		}
		relative := math.Sqrt(errors / results)
		t.Logf("%s %s: off by at most %.2g of the magnitudes, rms %.2g", c.name, v.what, worst, relative)
		if relative > 1e-4 {
			t.Errorf("%s %s: relative error %.2g, root mean square, want 1e-4 at most", c.name, v.what, relative)
		}
	}
}

func square(x float64) float64 { return x * x }

// randomTerms gives numbers in bfloat16.
func randomTerms(r *rand.Rand, n int) []uint16 {
	list := make([]uint16, n)
	for i := range list {
		list[i], _ = nextTerm(float32(r.NormFloat64()))
	}
	return list
}

// TestTileProducts compares the product kernels with their twin: within 1e-6 of the
// magnitudes, as no manual promises more.
func TestTileProducts(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	eachTiles(t, func(t *testing.T, tiles *tileKernels) {
		for i, pairs := range tilePairs {
			for groups := 1; groups <= 3; groups++ {
				for _, add := range []bool{false, true} {
					a := randomTileArgs(r, groups, 1+groups*2, add)
					want := *a
					want.c = slices.Clone(a.c)
					size := tileMagnitudes(a, pairs)
					tiles.products[i](a)
					tileProductGeneric(&want, pairs)
					compareTiles(t, fmt.Sprint("products ", i, " groups ", groups, add), a.c, want.c, size)
				}
			}
		}
	})
}

// randomTileArgs are arguments of unlike strides and rows at any element.
func randomTileArgs(r *rand.Rand, groups, steps int, add bool) *tileArgs {
	a := &tileArgs{aStride: 40 + r.IntN(30), cStride: 16 + r.IntN(9), add: add}
	a.aPlane = 400 + 32*steps + 16*a.aStride
	a.a = randomTerms(r, 3*a.aPlane)
	a.bPlane, a.bStep = tileSize, 3*tileSize
	if groups == 2 { // the other order
		a.bPlane, a.bStep = steps*tileSize, tileSize
	}
	a.b = randomTerms(r, 3*steps*tileSize)
	for range steps {
		a.steps = append(a.steps, int32(r.IntN(200)))
	}
	for i := range groups * tileGroup {
		a.rows = append(a.rows, int32(r.IntN(200)))
		a.sums = append(a.sums, int32(i*tileRows*a.cStride))
	}
	for range len(a.sums) * tileRows * a.cStride {
		a.c = append(a.c, float32(r.NormFloat64()))
	}
	return a
}

// tileMagnitudes are the sums of the magnitudes of the terms.
func tileMagnitudes(a *tileArgs, pairs []termPair) []float32 {
	m := *a
	m.a, m.b, m.c = slices.Clone(a.a), slices.Clone(a.b), slices.Clone(a.c)
	for _, list := range [][]uint16{m.a, m.b} {
		for i := range list {
			list[i] &= 0x7fff
		}
	}
	for i, v := range m.c {
		m.c[i] = float32(math.Abs(float64(v)))
	}
	tileProductGeneric(&m, pairs)
	return m.c
}

func compareTiles(t *testing.T, what string, got, want, size []float32) {
	t.Helper()
	differ := 0
	for i, v := range got {
		if v != want[i] {
			differ++
		}
		if !(math.Abs(float64(v-want[i])) <= 1e-6*float64(size[i])) {
			t.Errorf("%s: sum %d is %v, want %v within 1e-6 of %v", what, i, v, want[i], size[i])
			return
		}
	}
	if differ > 0 {
		t.Logf("%s: %d of %d sums have other bits than the twin's", what, differ, len(got))
	}
}
