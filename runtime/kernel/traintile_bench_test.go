package kernel

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkTrainTiles measures a hidden layer of DnCNN, 11 slices of a patch, on one
// thread and tiles of bfloat16: ms is the best run, GFLOP/s those of the dense product,
// peak% the share of what the tiles' products reach without memory, each pair of terms
// counted. The runs named listed are those of AVX-512 sums of listed spikes.
func BenchmarkTrainTiles(b *testing.B) {
	if trains.kernels.tiles == nil {
		b.Skip("the selected implementation has no tiles")
	}
	tiles := trains.kernels.tiles
	peak := probe(200*time.Millisecond, tiles.peak)
	b.Logf("peak of products on tiles: %.0f GFLOP/s", peak)
	for _, size := range []int{40, 41, 64} {
		densities := []float64{0.1}
		if size == 40 {
			densities = []float64{0.03, 0.06, 0.1, 0.2}
		}
		for _, d := range densities {
			c := newTrainCase(b, same(64, 64, 1, 3), size, size, 11, d)
			all, none := *tiles, *tiles
			all.sumBelow, all.gradientsBelow = 0, 0
			none.sumBelow, none.gradientsBelow = 100, 100
			dense, listed := trains.kernels, trains.kernels
			dense.tiles, listed.tiles = &all, &none
			if d == 0.1 {
				c.benchTiles(b, "tiles", &dense, peak)
			}
			c.benchTiles(b, "listed", &listed, peak)
		}
	}
	dense := trains.kernels
	newTrainCase(b, same(64, 64, 1, 3), 40, 40, 11, 0).benchTiles(b, "tiles", &dense, peak)
	benchTileHelpers(b, tiles)
}

// benchTiles measures the entry points.
func (c *trainCase) benchTiles(b *testing.B, how string, k *trainKernels, peak float64) {
	sc := &TrainScratch{}
	y, gx, gw := make([]float32, len(c.gy)), make([]float32, len(c.x)), make([]float32, len(c.w))
	c.conv.kernels = k
	flops := 2 * float64(c.slices*c.s.OutH*c.s.OutW*len(c.w))
	runs := []tileRun{
		{"weights", ofSpikesBackward, func() { c.conv.Backward(sc, &TrainBackward{GW: gw, Spikes: c.spikes, GY: c.gy, Slices: c.slices}) }},
		{"input", ofBackward, func() { c.conv.BackwardInput(sc, gx, c.gy, c.slices) }},
	}
	if c.density == 0 {
		runs = []tileRun{
			{"forward", ofNumbers, func() { c.conv.Forward(sc, y, c.x, c.slices) }},
			{"weights", ofBackward, func() { c.conv.BackwardWeights(sc, gw, c.x, c.gy, c.slices) }},
		}
	}
	for _, run := range runs {
		if how == "listed" && run.name == "input" {
			continue
		}
		b.Run(fmt.Sprintf("%dx%d/%s/%g/%s", c.s.InH, c.s.InW, how, c.density, run.name), func(b *testing.B) {
			best := bestRun(b, run.f)
			b.ReportMetric(flops/float64(best.Nanoseconds()), "GFLOP/s")
			if how == "tiles" {
				b.ReportMetric(100*flops*float64(len(tilePairs[run.product]))/float64(best.Nanoseconds())/peak, "peak%")
			}
		})
	}
	if how == "tiles" {
		b.Run(fmt.Sprintf("%dx%d/set", c.s.InH, c.s.InW), func(b *testing.B) {
			bestRun(b, func() { c.conv.SetWeights(c.w, c.scale) })
		})
	}
}

// A tileRun is an entry point and the product that it is made of.
type tileRun struct {
	name    string
	product int
	f       func()
}

// bestRun measures the best of some runs.
func bestRun(b *testing.B, f func()) time.Duration {
	best := time.Duration(1 << 62)
	for b.Loop() {
		start := time.Now()
		f()
		best = min(best, time.Since(start))
	}
	b.ReportMetric(float64(best.Nanoseconds())/1e6, "ms")
	return best
}

// benchTileHelpers measures what is done once for each slice of 40 x 40 x 64.
func benchTileHelpers(b *testing.B, k *tileKernels) {
	c := newTrainCase(b, same(64, 64, 1, 3), 40, 40, 1, 0.1)
	sc := &TrainScratch{}
	y := make([]float32, len(c.gy))
	backward, weights := newTilePlan(&c.conv.backward, 2), newTileWeights(newTilePlan(&c.conv.forward, 3))
	for _, run := range []struct {
		name string
		f    func()
	}{
		{"split", func() { backward.split(k, sc, 2, c.gy) }},
		{"products of split", func() { backward.products(k, sc, y, ofBackward) }},
		{"turn", func() { weights.turnSpikes(k, &sc.tiles, c.spikes) }},
		{"turn numbers", func() { weights.turnNumbers(k, &sc.tiles, c.x) }},
		{"pair", func() { weights.pair(k, &sc.tiles, c.gy) }},
	} {
		b.Run("slice/"+run.name, func(b *testing.B) { bestRun(b, run.f) })
	}
}
