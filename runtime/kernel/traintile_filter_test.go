package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTileFilterProducts compares the products at positions with their twin, as
// TestTileProducts does.
func TestTileFilterProducts(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	eachTiles(t, func(t *testing.T, tiles *tileKernels) {
		for i, pairs := range filterPairs {
			for round := range 6 {
				a := randomFilterArgs(r, 1+round%3, 1+round%2, 1+round/2, 1+round%4)
				a.add = round%2 == 1
				want := *a
				want.c = slices.Clone(a.c)
				size := filterMagnitudes(a, pairs)
				tiles.filters[i](a)
				filterGeneric(&want, pairs)
				compareTiles(t, fmt.Sprint("filter ", i, " round ", round), a.c, want.c, size)
			}
		}
	})
}

// randomFilterArgs are arguments of unlike strides.
func randomFilterArgs(r *rand.Rand, positions, rows, cols, steps int) *tileFilterArgs {
	a := &tileFilterArgs{positions: positions, rows: rows, cols: cols, steps: steps}
	a.aStride = steps*tileDeep + r.IntN(40)
	a.aPlane = 2*tileRows*rows*a.aStride + r.IntN(50)
	a.aPosition = 2*a.aPlane + r.IntN(50)
	a.bPlane = 2*cols*steps*tileSize + r.IntN(50)
	a.bPosition = 2*a.bPlane + r.IntN(50)
	a.cStride = 2*tileCols*cols + r.IntN(20)
	a.cPosition = 2*tileRows*rows*a.cStride + r.IntN(20)
	a.a, a.b = randomTerms(r, positions*a.aPosition), randomTerms(r, positions*a.bPosition)
	a.c = normal(r, positions*a.cPosition)
	return a
}

// filterMagnitudes are the sums of the magnitudes of the terms.
func filterMagnitudes(a *tileFilterArgs, pairs []termPair) []float32 {
	m := *a
	m.a, m.b, m.c = slices.Clone(a.a), slices.Clone(a.b), slices.Clone(a.c)
	for _, list := range [][]uint16{m.a, m.b} {
		for i := range list {
			list[i] &= 0x7fff
		}
	}
	for i, v := range m.c {
		m.c[i] = max(v, -v)
	}
	filterGeneric(&m, pairs)
	return m.c
}

// TestTileFilterSlices holds that a gradient on tiles is the same with slices apart and
// together, where blocks of tiles cross from one to the next.
func TestTileFilterSlices(t *testing.T) {
	c := newTrainCase(t, same(32, 32, 1, 3), 9, 14, 7, 0.3)
	eachTiles(t, func(t *testing.T, tiles *tileKernels) {
		c.withTiles(tiles)
		if c.conv.tiles.filter == nil {
			t.Fatal("no filter for a convolution of 3 x 3")
		}
		in, out := c.conv.shape.InSize(), c.conv.shape.OutSize()
		all, apart := make([]float32, len(c.x)), make([]float32, len(c.x))
		c.conv.BackwardInput(&TrainScratch{}, all, c.gy, c.slices)
		for s := range c.slices {
			c.conv.BackwardInput(&TrainScratch{}, apart[s*in:(s+1)*in], c.gy[s*out:(s+1)*out], 1)
		}
		if d := firstDifference(all, apart); d >= 0 {
			t.Errorf("gradient %d is %v of all slices, %v of one", d, all[d], apart[d])
		}
	})
}

// TestTileFilterReady holds that rows of the output's gradient are asked for in order
// before they are read, by both gradients at once, and that these are what they are apart.
func TestTileFilterReady(t *testing.T) {
	shape := same(32, 32, 1, 3)
	shape.PadTop, shape.PadLeft = 2, 0 // outputs of another size than inputs
	c := newTrainCase(t, shape, 21, 14, 40, 0.2)
	s := c.conv.Shape()
	row := s.OutW * s.OutC
	eachTiles(t, func(t *testing.T, tiles *tileKernels) {
		c.withTiles(tiles)
		want := TrainBackward{GX: make([]float32, len(c.x)), GW: make([]float32, len(c.w)), Spikes: c.spikes, GY: c.gy, Slices: c.slices}
		apart := want
		apart.GX = nil
		c.conv.Backward(&TrainScratch{}, &apart)
		c.conv.BackwardInput(&TrainScratch{}, want.GX, c.gy, c.slices)
		got := want
		got.GX, got.GW, got.GY = make([]float32, len(c.x)), make([]float32, len(c.w)), make([]float32, len(c.gy))
		for i := range got.GY {
			got.GY[i] = float32(math.NaN())
		}
		rows, calls := 0, 0
		got.Ready = func(from, end int) {
			if from != rows || end <= from || end > s.OutH {
				t.Fatalf("rows %d to %d are asked for after %d of %d", from, end, rows, s.OutH)
			}
			rows = end
			calls++
			for at := 0; at < len(c.gy); at += s.OutH * row {
				copy(got.GY[at+from*row:at+end*row], c.gy[at+from*row:])
			}
		}
		c.conv.Backward(&TrainScratch{}, &got)
		if rows != s.OutH || calls < 2 {
			t.Errorf("%d rows are asked for in %d calls, want %d in some", rows, calls, s.OutH)
		}
		if d := firstDifference(got.GX, want.GX); d >= 0 {
			t.Errorf("input gradient %d is %v in bands, %v at once", d, got.GX[d], want.GX[d])
		}
		for i, g := range got.GW {
			if !(math.Abs(float64(g-apart.GW[i])) <= 1e-6) {
				t.Fatalf("weight gradient %d is %v in bands, %v at once", i, g, apart.GW[i])
			}
		}
	})
}
