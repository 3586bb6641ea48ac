package count

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
)

// BenchmarkConv runs layers of DnCNN, VDSR, AOD-Net and FSRCNN, counts up to 11 in and counts out.
func BenchmarkConv(b *testing.B) {
	up := with(square(56, 1, 9), func(s *kernel.ConvTransposeShape) { s.StrideH, s.StrideW, s.OutPadH, s.OutPadW = 3, 3, 2, 2 })
	for _, c := range []struct {
		k     layerCase
		parts []int
	}{
		{layerCase{s: square(64, 64, 3), h: 256, w: 256}, []int{64}},
		{layerCase{s: square(64, 64, 1), h: 256, w: 256}, []int{64}},
		{layerCase{s: square(64, 1, 3), h: 256, w: 256}, []int{64}},
		{layerCase{s: square(3, 3, 3), h: 480, w: 640}, []int{3}},
		{layerCase{s: square(6, 3, 5), h: 480, w: 640}, []int{3, 3}},
		{layerCase{s: square(6, 3, 7), h: 480, w: 640}, []int{3, 3}},
		{layerCase{s: square(12, 3, 3), h: 480, w: 640}, []int{3, 3, 3, 3}},
		{layerCase{s: square(12, 12, 3), h: 256, w: 256}, []int{12}},
		{layerCase{s: up, transposed: true, h: 128, w: 128}, []int{56}},
	} {
		for _, bound := range []int{127, 0} {
			k := c.k
			k.fill(rand.New(rand.NewPCG(1, 1)), 1, 11, c.parts, bound)
			for _, threads := range []int{1, 2} {
				bits := 16
				if bound > 0 {
					bits = 8
				}
				b.Run(fmt.Sprintf("%d-%d-%dx%d/%dbit/%d", k.s.InC, k.s.OutC, k.s.KH, k.s.KW, bits, threads), func(b *testing.B) {
					k.bench(b, threads)
				})
			}
		}
	}
}

func (k *layerCase) bench(b *testing.B, threads int) {
	conv, err := k.pack()
	if err != nil {
		b.Fatal(err)
	}
	pool := machine.NewPool(threads)
	defer pool.Close()
	out := k.output(machine.NewArray[uint8])
	for _, s := range k.sources {
		data := machine.NewArray[uint8](s.Size())
		copy(data, s.Data)
		s.Data = data
	}
	if err := conv.Run(context.Background(), pool, out, k.sources); err != nil { // warm up
		b.Fatal(err)
	}
	peak := Peak(20*time.Millisecond) * float64(threads)
	macs := float64(k.s.Weights()) * float64(out.Counts.Size()/k.s.OutC)
	if k.transposed {
		macs = float64(k.s.Weights() * k.h * k.w)
	}
	b.ResetTimer()
	b.SetBytes(int64(out.Counts.Size()))
	for b.Loop() {
		if err := conv.Run(context.Background(), pool, out, k.sources); err != nil {
			b.Fatal(err)
		}
	}
	rate := macs * float64(b.N) / float64(b.Elapsed().Nanoseconds())
	b.ReportMetric(rate, "GMAC/s")
	b.ReportMetric(100*2*float64(conv.planes)*rate/peak, "%peak")
}
