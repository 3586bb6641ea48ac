package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"spikingir/runtime/kernel/kerneltest"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/kernel/spike"
)

// The kernels of an implementation against their twins in Go: those that move and
// count give the same, sums of gradients the same bits, the others near numbers.

func TestListKernels(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	for _, perPixel := range []int{1, 2, 4, 5} {
		for _, density := range []int{0, 3, 8, 16} { // bits of 16 that fire
			const pixels, width = 23, 7
			pieces := make([]uint16, pixels*perPixel)
			for i := range pieces {
				for c := range 16 {
					if r.IntN(16) < density {
						pieces[i] |= 1 << c
					}
				}
			}
			room := perPixel * 16
			list := func(k *convKernels) (counts, numbers []int32) {
				counts, check := kerneltest.Fence(make([]int32, pixels), -9)
				numbers, checkNumbers := kerneltest.Fence(make([]int32, pixels*room), -9)
				k.lists.List(counts, numbers, pieces, perPixel)
				check(t)
				checkNumbers(t)
				for i, n := range counts { // what lies behind the numbers means nothing
					clear(numbers[i*room+int(n) : (i+1)*room])
				}
				return counts, numbers
			}
			join := func(k *convKernels, counts, numbers []int32) (starts, entries []int32) {
				starts, check := kerneltest.Fence(make([]int32, width+1), -9)
				entries, checkEntries := kerneltest.Fence(make([]int32, width*(3*room+4)+16), -9)
				k.lists.Join(&spike.Join{Counts: counts, Numbers: numbers, Taps: []int32{0, 2, 4}, Starts: starts,
					Entries: entries, Room: room, Channels: room - 1, First: 3, Step: 2, N: width, Zero: 3 * room})
				check(t)
				checkEntries(t)
				return starts, entries[:starts[width]]
			}
			counts, numbers := list(&genericConvs)
			starts, entries := join(&genericConvs, counts, numbers)
			forEachOf(t, "train", func(t *testing.T) {
				gotCounts, gotNumbers := list(&convFamily.Kernels)
				gotStarts, gotEntries := join(&convFamily.Kernels, counts, numbers)
				if !slices.Equal(counts, gotCounts) || !slices.Equal(numbers, gotNumbers) {
					t.Errorf("%d pieces, density %d: listed spikes differ", perPixel, density)
				}
				if !slices.Equal(starts, gotStarts) || !slices.Equal(entries, gotEntries) {
					t.Errorf("%d pieces, density %d: runs differ", perPixel, density)
				}
			})
		}
	}
}

func TestGradientKernels(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 9))
	const channels, pixels, room = 5, 40, 11
	a := spikeGradientArgs{
		counts: []int32{0, 11, 1, 4, 7}, pixels: make([]int32, channels*room), room: room,
		taps: [gradientTaps]int32{0, 1, 2, 5, 6, 7, 10, 11, 12},
	}
	for i := range a.pixels {
		a.pixels[i] = int32(r.IntN(pixels - 12))
	}
	before := kerneltest.Normal(r, channels*gradientTaps*vectorLanes)
	for width := 1; width <= vectorLanes; width++ {
		src := kerneltest.Normal(r, pixels*21)
		run := func(k *convKernels) ([]float32, []float32) {
			lanes, check := kerneltest.Fence(make([]float32, pixels*vectorLanes), 7)
			k.copyLanes(lanes, src[:(pixels-1)*21+width], 21, width)
			check(t)
			sums, check := kerneltest.Fence(before, 7)
			a.gradients, a.sums = lanes, sums
			k.sumGradients(&a)
			check(t)
			return lanes, sums
		}
		lanes, sums := run(&genericConvs)
		forEachOf(t, "train", func(t *testing.T) {
			gotLanes, gotSums := run(&convFamily.Kernels)
			if d := kerneltest.FirstDifference(lanes, gotLanes); d >= 0 {
				t.Errorf("width %d: copied lane %d is %v, want %v", width, d, gotLanes[d], lanes[d])
			}
			if d := kerneltest.FirstDifference(sums, gotSums); d >= 0 {
				t.Errorf("width %d: sum %d is %v, want %v", width, d, gotSums[d], sums[d])
			}
		})
	}
}

// TestProductKernels runs all widths, numbers of rows and both ways to begin.
func TestProductKernels(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	for width := 1; width <= blockLanes; width++ {
		rows := 1 + width%14
		a := productArgs{a: kerneltest.Normal(r, 60), outStride: width + width%3, bStride: width + width%2, width: width, add: width%2 == 0}
		for range rows {
			a.rows = append(a.rows, int32(r.IntN(30)))
		}
		for range 1 + r.IntN(9) {
			a.cols = append(a.cols, int32(r.IntN(30)))
		}
		a.b = kerneltest.Normal(r, (len(a.cols)-1)*a.bStride+width)
		before := kerneltest.Normal(r, (rows-1)*a.outStride+width)
		run := func(k *convKernels) []float32 {
			out, check := kerneltest.Fence(before, 7)
			b := a
			b.out = out
			k.product(&b)
			check(t)
			return out
		}
		want := run(&genericConvs)
		forEachOf(t, "train", func(t *testing.T) { nearTwin(t, "product", run(&convFamily.Kernels), want, 2e-5) })
	}
}

// TestTransformKernels compares the Winograd transforms.
func TestTransformKernels(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 9))
	for tiles := 1; tiles <= 4; tiles++ {
		for _, channels := range []int{16, 48} {
			a := winogradArgs{row: (tiles*winogradTile + 3) * channels, pitch: tiles*channels + 16,
				channels: channels, tiles: tiles, scratch: &machine.Aligned[float32](winogradPositions * vectorLanes)[0]}
			image := kerneltest.Normal(r, winogradPatch*a.row)
			positions := kerneltest.Normal(r, winogradPositions*a.pitch)
			run := func(transform func(*winogradArgs), in, out []float32, reads bool) []float32 {
				to, check := kerneltest.Fence(out, 7)
				b := a
				b.image, b.positions = in, to
				if !reads {
					b.image, b.positions = to, in
				}
				transform(&b)
				check(t)
				return to
			}
			for _, c := range []struct {
				name  string
				of    func(k *convKernels) func(*winogradArgs)
				reads bool // the image, else the positions
			}{
				{"input", func(k *convKernels) func(*winogradArgs) { return k.winogradIn }, true},
				{"output", func(k *convKernels) func(*winogradArgs) { return k.winogradOut }, false},
				{"gradient", func(k *convKernels) func(*winogradArgs) { return k.winogradGradient }, true},
				{"weights", func(k *convKernels) func(*winogradArgs) { return k.winogradWeights }, false},
			} {
				in, out := positions, image
				if c.reads {
					in, out = image, positions
				}
				want := run(c.of(&genericConvs), in, out, c.reads)
				forEachOf(t, "train", func(t *testing.T) {
					nearTwin(t, c.name, run(c.of(&convFamily.Kernels), in, out, c.reads), want, 1e-4)
				})
			}
		}
	}
}

// TestPlaneKernels compares sums over planes; dots may be spread over their lanes.
func TestPlaneKernels(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 9))
	for size := 1; size <= 3; size++ {
		a := planeArgs{n: size * planeRun, pitch: size*planeRun + 5, weights: kerneltest.Normal(r, 5*size*planeBlock)}
		for range 5 * size {
			a.cols = append(a.cols, int32(r.IntN(50)))
		}
		a.src = kerneltest.Normal(r, 50+a.n)
		d := dotArgs{src: a.src, n: size * vectorLanes, pitch: size*vectorLanes + 3,
			gradients: kerneltest.Normal(r, planeBlock*(size*vectorLanes+3))}
		for range size * dotTile {
			d.rows = append(d.rows, int32(r.IntN(50)))
		}
		before := kerneltest.Normal(r, len(d.rows)*planeBlock*vectorLanes)
		run := func(k *convKernels) (out, dots []float32) {
			out, check := kerneltest.Fence(make([]float32, planeBlock*a.pitch), 7)
			a.out = out
			k.planes(&a)
			check(t)
			sums, check := kerneltest.Fence(before, 7)
			d.sums = sums
			k.dots(&d)
			check(t)
			for i := 0; i < len(sums); i += vectorLanes {
				sum := float32(0)
				for _, v := range sums[i : i+vectorLanes] {
					sum += v
				}
				dots = append(dots, sum)
			}
			return out, dots
		}
		out, dots := run(&genericConvs)
		forEachOf(t, "train", func(t *testing.T) {
			gotOut, gotDots := run(&convFamily.Kernels)
			nearTwin(t, "planes", gotOut, out, 2e-5)
			nearTwin(t, "dots", gotDots, dots, 2e-5)
		})
	}
}

// nearTwin compares with numbers whose terms are of order 1 to 100.
func nearTwin(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	for i, v := range got {
		if !(math.Abs(float64(v-want[i])) <= tolerance) {
			t.Errorf("%s: element %d of %d is %v, want %v", what, i, len(got), v, want[i])
			return
		}
	}
}
