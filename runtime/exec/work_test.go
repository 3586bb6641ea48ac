package exec

import (
	"math/rand/v2"
	"testing"

	"spikingir/runtime/kernel"
	"spikingir/runtime/neuron"
)

// TestCountOfBits holds the packed count of synapses to one spike at a time,
// for strides, dilations and widths around the words' borders.
func TestCountOfBits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 500 {
		h, w := 1+r.IntN(9), 1+r.IntN(140)
		tp := newTaps(randomTaps(r, h), randomTaps(r, w), 3)
		tr := neuron.NewSpikes(1, 1, 1, h*w, []float32{1})
		var n, reach float64
		for i := range h * w {
			if r.IntN(3) == 0 {
				tr.Bits(0, 0)[i/64] |= 1 << (i % 64)
				n++
				reach += tp.rows[i/w] * tp.cols[i%w] * 3
			}
		}
		gotN, gotReach := tp.count(tr.Bits(0, 0))
		if gotN != n || gotReach != reach {
			t.Fatalf("%dx%d: %g spikes and %g synapses, want %g and %g", h, w, gotN, gotReach, n, reach)
		}
		if kernel.CountSpikes(tr.Bits(0, 0)) != int(n) {
			t.Fatal("the test itself counts wrongly")
		}
	}
}

// randomTaps is a row of numbers of outputs: mostly 3, less at the ends.
func randomTaps(r *rand.Rand, n int) []float64 {
	list := make([]float64, n)
	for i := range list {
		list[i] = 3
		if r.IntN(8) == 0 {
			list[i] = float64(r.IntN(4))
		}
	}
	return list
}
