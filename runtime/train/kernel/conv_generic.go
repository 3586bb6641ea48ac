package kernel

import "spikingir/runtime/kernel/spike"

// genericConvs are the reference kernels.
var genericConvs = convKernels{
	product:          productGeneric,
	planes:           planesGeneric,
	dots:             dotsGeneric,
	lists:            spike.GoLists,
	sumRuns:          sumRunsGeneric,
	sumBelow:         100,
	copyLanes:        copyLanesGeneric,
	sumGradients:     sumGradientsGeneric,
	gradientsBelow:   100,
	winogradIn:       winogradInGeneric,
	winogradOut:      winogradOutGeneric,
	winogradGradient: winogradGradientGeneric,
	winogradWeights:  winogradWeightsGeneric,
}

// productGeneric is the product kernel in Go.
func productGeneric(a *productArgs) {
	var sums [blockLanes]float32
	for i, row := range a.rows {
		acc := sums[:a.width]
		out := a.out[i*a.outStride:][:a.width]
		clear(acc)
		for j, col := range a.cols {
			x := a.a[row+col]
			for o, w := range a.b[j*a.bStride:][:len(acc)] {
				acc[o] += float32(x * w)
			}
		}
		if a.add {
			for o, v := range acc {
				out[o] += v
			}
			continue
		}
		copy(out, acc)
	}
}
