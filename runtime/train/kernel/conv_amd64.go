//go:build !purego

package kernel

import (
	"golang.org/x/sys/cpu"

	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/kernel/spike"
)

// acceleratedConvs lists the implementations in assembly, best first. All of them
// take subnormal numbers for zeros and leave the processor's state as they found it.
func acceleratedConvs() []machine.Entry[convKernels] {
	x := &cpu.X86
	return []machine.Entry[convKernels]{{
		Name: "avx512",
		Available: x.HasAVX512F && x.HasAVX512VL && x.HasAVX512BW && x.HasAVX512DQ &&
			x.HasFMA && x.HasPOPCNT,
		Kernels: convKernels{
			product:          productAVX512,
			planes:           planesAVX512,
			dots:             dotsAVX512,
			lists:            spike.AVX512Lists,
			sumRuns:          sumRunsAVX512,
			sumBelow:         60,
			copyLanes:        copyLanesAVX512,
			sumGradients:     sumGradientsAVX512,
			gradientsBelow:   85,
			winogradIn:       winogradInAVX512,
			winogradOut:      winogradOutAVX512,
			winogradGradient: winogradGradientAVX512,
			winogradWeights:  winogradWeightsAVX512,
		},
	}, {
		Name:      "avx2",
		Available: x.HasAVX2 && x.HasFMA,
		Kernels: convKernels{
			product:          productAVX2,
			planes:           planesAVX2,
			dots:             dotsAVX2,
			lists:            spike.GoLists,
			sumRuns:          sumRunsAVX2,
			sumBelow:         60,
			copyLanes:        copyLanesAVX2,
			sumGradients:     sumGradientsAVX2,
			gradientsBelow:   85,
			winogradIn:       winogradInAVX2,
			winogradOut:      winogradOutAVX2,
			winogradGradient: winogradGradientAVX2,
			winogradWeights:  winogradWeightsAVX2,
		},
	}}
}

// productAVX512 works like productGeneric.
func productAVX512(a *productArgs) { a.tiles(productTilesAVX512) }

// tiles gives whole tiles of rows to a kernel, and the last rows with copies of the
// last one, in memory of their own.
func (a *productArgs) tiles(kernel func(a *productArgs, out *float32, rows *int32, tiles int)) {
	whole := len(a.rows) / productTile
	if whole > 0 {
		kernel(a, &a.out[0], &a.rows[0], whole)
	}
	first := whole * productTile
	left := len(a.rows) - first
	if left == 0 {
		return
	}
	for i := range a.lastRows {
		a.lastRows[i] = a.rows[first+min(i, left-1)]
	}
	out := func(i int) []float32 { return a.out[(first+i)*a.outStride:][:a.width] }
	stride := a.outStride
	if a.add {
		for i := range left {
			copy(a.last[i*blockLanes:], out(i))
		}
	}
	a.outStride = blockLanes
	kernel(a, &a.last[0], &a.lastRows[0], 1)
	a.outStride = stride
	for i := range left {
		copy(out(i), a.last[i*blockLanes:])
	}
}

// productAVX2 works like productGeneric.
func productAVX2(a *productArgs) {
	out, b, width := a.out, a.b, a.width
	for first := 0; first < width; first += vectorLanes {
		a.out, a.b, a.width = out[first:], b[first:], min(vectorLanes, width-first)
		a.tiles(productTilesAVX2)
	}
	a.out, a.b, a.width = out, b, width
}

// The kernels in assembly work like those in Go whose names end in Generic.
func productTilesAVX512(a *productArgs, out *float32, rows *int32, tiles int)
func sumRunsAVX512(a *runArgs)
func copyLanesAVX512(dst, src []float32, stride, width int)
func sumGradientsAVX512(a *spikeGradientArgs)
func productTilesAVX2(a *productArgs, out *float32, rows *int32, tiles int)
func sumRunsAVX2(a *runArgs)
func copyLanesAVX2(dst, src []float32, stride, width int)
func sumGradientsAVX2(a *spikeGradientArgs)
func winogradInAVX512(a *winogradArgs)
func winogradOutAVX512(a *winogradArgs)
func winogradInAVX2(a *winogradArgs)
func winogradOutAVX2(a *winogradArgs)
func winogradGradientAVX512(a *winogradArgs)
func winogradWeightsAVX512(a *winogradArgs)
func winogradGradientAVX2(a *winogradArgs)
func winogradWeightsAVX2(a *winogradArgs)
func planesAVX512(a *planeArgs)
func dotsAVX512(a *dotArgs)
func planesAVX2(a *planeArgs)
func dotsAVX2(a *dotArgs)
