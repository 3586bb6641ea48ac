package kernel

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkTrainTileBytes measures the sums of spikes of a hidden layer of DnCNN, 11
// slices of a patch, on one thread and tiles of bytes: ms is the best run, peak% the
// share of what the tiles' products reach without memory, each digit counted. The runs
// named listed are those of AVX-512 sums of listed spikes, by the share of spikes: where
// they take as long as forward, sumBelow should be.
func BenchmarkTrainTileBytes(b *testing.B) {
	if trains.kernels.tiles == nil {
		b.Skip("the selected implementation has no tiles")
	}
	all, none := *trains.kernels.tiles, *trains.kernels.tiles
	all.sumBelow, none.sumBelow = 0, 100
	dense, listed := trains.kernels, trains.kernels
	dense.tiles, listed.tiles = &all, &none
	peak := probe(200*time.Millisecond, all.bytes.peak)
	b.Logf("peak of products of bytes: %.0f GOP/s", peak)
	for _, size := range []int{40, 41, 64} {
		c := newTrainCase(b, same(64, 64, 1, 3), size, size, 11, 0.1)
		sc, y := &TrainScratch{}, make([]float32, len(c.gy))
		c.conv.kernels = &dense
		b.Run(fmt.Sprintf("%dx%d/forward", size, size), func(b *testing.B) {
			best := bestRun(b, func() { c.conv.ForwardSpikes(sc, y, c.spikes, c.slices) })
			ops := 2 * byteDigits * float64(c.slices*c.s.OutH*c.s.OutW*len(c.w))
			b.ReportMetric(100*ops/float64(best.Nanoseconds())/peak, "peak%")
		})
		if size != 40 {
			continue
		}
		bytes, kernels := c.conv.tiles.bytes, &all.bytes
		spikes := c.spikes[:len(c.spikes)/c.slices]
		bytes.place(&sc.tiles.bytes, size)
		b.Run("slice/expand", func(b *testing.B) {
			bestRun(b, func() { bytes.expand(kernels, &sc.tiles.bytes, sc.tiles.cut(spikes, c.s.InSize()), 0, size) })
		})
		b.Run("slice/forward", func(b *testing.B) {
			bestRun(b, func() { bytes.run(kernels, sc, y[:c.s.OutSize()], spikes, 1, func(int, int) {}) })
		})
		for _, share := range []float64{0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08} {
			few := newTrainCase(b, same(64, 64, 1, 3), size, size, 11, share)
			few.conv.kernels = &listed
			b.Run(fmt.Sprintf("%dx%d/listed/%g", size, size, share), func(b *testing.B) {
				bestRun(b, func() { few.conv.ForwardSpikes(sc, y, few.spikes, few.slices) })
			})
		}
	}
}

// BenchmarkTrainPacking measures the arrangements of the weights of a hidden layer of
// DnCNN that a step of training makes.
func BenchmarkTrainPacking(b *testing.B) {
	c := newTrainCase(b, same(64, 64, 1, 3), 40, 40, 1, 0.1)
	forms := map[string]weightForm{"sparse": sparseForward, "filtered": filteredBackward}
	if c.conv.onTiles() {
		forms["bytes"], forms["filter on tiles"] = byteForward, tiledFilter
	}
	for _, name := range []string{"sparse", "filtered", "bytes", "tiles"} {
		form, ok := forms[name]
		if !ok {
			continue
		}
		b.Run(name, func(b *testing.B) {
			bestRun(b, func() {
				c.conv.packing.ready[form].Store(false)
				c.conv.pack(form)
			})
		})
	}
}
