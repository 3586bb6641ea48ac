package kernel

import (
	"math/rand/v2"
	"testing"

	"spikingir/runtime/kernel/kerneltest"
)

func TestAddSpikes(t *testing.T) {
	forEachOf(t, "trainneuron", func(t *testing.T) {
		r := rand.New(rand.NewPCG(9, 10))
		for _, n := range []int{0, 1, 63, 64, 65, 127, 128, 200, 1000} {
			spikes := make([]uint64, (n+63)/64)
			for i := range spikes {
				spikes[i] = r.Uint64()
			}
			before := kerneltest.Wild(r, n)
			sum, check := kerneltest.Fence(before, 12345)
			AddSpikes(sum, spikes)
			check(t)
			for i, want := range before {
				if spikes[i/64]>>(i%64)&1 == 1 {
					want++
				}
				if !kerneltest.SameBits(sum[i], want) {
					t.Fatalf("n=%d, element %d: %v, want %v", n, i, sum[i], want)
				}
			}
		}
	})
	if kerneltest.Caught(func() { AddSpikes(make([]float32, 1), nil) }) == nil {
		t.Error("too few words did not panic")
	}
}
