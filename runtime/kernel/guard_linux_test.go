package kernel

import (
	"testing"

	"spikingir/runtime/kernel/kerneltest"
	"spikingir/runtime/kernel/machine"
)

// TestConvReadsOnlyItsSource runs images that lie against forbidden memory.
func TestConvReadsOnlyItsSource(t *testing.T) {
	for _, w := range []int{3, 15, 16, 17, 33, 47, 48, 49, 64, 100} {
		for _, s := range []ConvTransposeShape{
			with(2, 1, 1, 3, 3, pad(1, 1, 1, 1)),
			with(2, 2, 2, 3, 3, pad(0, 0, 0, 0)),
			with(2, 1, 1, 3, 3, pad(0, 1, 0, 0)),
			with(2, 1, 1, 3, 3, pad(0, 0, 0, 1)),
			with(2, 8, 1, 3, 3, pad(1, 1, 1, 1)),
			with(2, 3, 1, 1, 1),
		} {
			c := convCase{s: s, h: 16, w: w}
			src, weight, bias := c.data(2*uint64(w), kerneltest.Normal)
			exact, _, _ := c.reference(src, weight, bias)
			conv, err := PackConv(s.ConvShape, weight, bias)
			if err != nil {
				t.Fatal(err)
			}
			p := machine.NewPool(2)
			defer p.Close()
			for _, atEnd := range []bool{false, true} {
				in, dst := kerneltest.Guarded(t, len(src), atEnd), kerneltest.Guarded(t, len(exact), atEnd)
				copy(in, src)
				forEachQuietly(t, func(name string) {
					conv.Run(p, dst, in, c.h, c.w)
					if d := kerneltest.FirstDifference(dst, exact); d >= 0 {
						t.Fatalf("%s: output %d is %v, want %v", name, d, dst[d], exact[d])
					}
				})
			}
		}
	}
}

// TestWinogradReadsOnlyItsSource does the same for Winograd's convolution.
func TestWinogradReadsOnlyItsSource(t *testing.T) {
	for _, w := range []int{3, 16, 62, 63, 64, 65, 66, 67, 100, 130, 194, 258} {
		for _, s := range []ConvTransposeShape{
			with(16, 16, 1, 3, 3, pad(1, 1, 1, 1)),
			with(16, 16, 1, 3, 3),
		} {
			c := convCase{s: s, h: 10, w: w}
			src, weight, bias := c.data(2*uint64(w), kerneltest.Normal)
			conv := c.winograd(t, weight, bias)
			oh, ow := c.outSize()
			want := make([]float32, 16*oh*ow)
			p := machine.NewPool(2)
			defer p.Close()
			conv.RunTail(p, want, src, c.h, c.w, Tail{})
			for _, atEnd := range []bool{false, true} {
				in, dst := kerneltest.Guarded(t, len(src), atEnd), kerneltest.Guarded(t, len(want), atEnd)
				copy(in, src)
				forEachQuietly(t, func(name string) {
					conv.RunTail(p, dst, in, c.h, c.w, Tail{})
					if d := kerneltest.FirstDifference(dst, want); d >= 0 {
						t.Fatalf("%s: output %d is %v, want %v", name, d, dst[d], want[d])
					}
				})
			}
		}
	}
}
