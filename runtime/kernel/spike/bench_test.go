package spike

import (
	"context"
	"testing"
	"time"

	"spikingir/runtime/kernel/machine"
)

// BenchmarkConv runs a layer of 64 channels over 11 slices of 256 x 256.
func BenchmarkConv(b *testing.B) {
	c := convCase{s: with(64, 64, 1, 3, 3, pad(1, 1, 1, 1)), h: 256, w: 256}
	steps := Steps{10, []int{10}, true}
	k := newLayerCase(c, 2, []int{64}, false, steps)
	conv, err := k.packed()
	if err != nil {
		b.Fatal(err)
	}
	pool := machine.NewPool(1)
	defer pool.Close()
	out := &Tensor{Steps: 11, N: 1, C: 64, H: 256, W: 256}
	out.Bits = machine.NewArray[uint16](out.Masks())
	source := machine.NewArray[uint16](len(k.sources[0].Bits))
	copy(source, k.sources[0].Bits)
	k.sources[0].Bits = source
	peak := Peak(50 * time.Millisecond)
	ops := float64(Ops()) * 11 * 256 * 256 * 64 * 64 * 9
	b.ReportAllocs()
	for b.Loop() {
		if err := conv.Run(context.Background(), pool, out, k.sources, k.neurons, steps, nil); err != nil {
			b.Fatal(err)
		}
	}
	rate := ops * float64(b.N) / float64(b.Elapsed().Nanoseconds())
	b.ReportMetric(rate, "GOPS")
	b.ReportMetric(100*rate/peak, "%peak")
}
