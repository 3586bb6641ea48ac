//go:build !purego

package kernel

import "spikingir/runtime/kernel/machine"

// wideCells is the number of cells whose sums a wide row kernel keeps at once: whole
// tiles and whole vectors.
const (
	wideTile  = 13
	wideCells = 16 * wideTile
)

// convRowWideAVX512 is the row kernel for a wide block. Sums are computed cell by
// cell, [cell][32], and turned round when they are done.
func convRowWideAVX512(a *rowArgs) {
	if cap(a.sums) < wideCells*wideBlock {
		a.sums = machine.Aligned[float32](wideCells * wideBlock)
	}
	sums := a.sums[:wideCells*wideBlock]
	tail := a.wideTail()
	for at := 0; at < a.n; at += wideCells {
		n := min(wideCells, a.n-at)
		if a.resume {
			for i := range n {
				for k := range wideBlock {
					sums[i*wideBlock+k] = a.dst[k*a.dstStride+at+i]
				}
			}
		}
		wideTilesAVX512(a, &sums[0], &a.src[at], &a.dst[at], machine.CeilDiv(n, wideTile))
		wideStoreAVX512(&a.dst[at], a.dstStride, &sums[0], n, &tail)
	}
}

// wideTilesAVX512 adds the taps of tiles of 13 cells each to sums, and fetches the
// lines of dst that they will be stored in.
//
//go:noescape
func wideTilesAVX512(a *rowArgs, sums, src, dst *float32, tiles int)

// wideTail is what happens to the sums of the 32 channels: see [Direct]. A pointer
// that is nil stands for no such operation.
type wideTail struct {
	bias, offset, scale, shift *float32
	relu                       bool
}

func (a *rowArgs) wideTail() wideTail {
	t := wideTail{}
	if a.bias != nil {
		t.bias = &a.bias[:wideBlock][0]
	}
	if d := a.direct; d != nil {
		t.relu = d.Relu
		if d.Scale != nil {
			part := func(list []float32) *float32 { return &list[a.first : a.first+wideBlock][0] }
			t.offset, t.scale, t.shift = part(d.Offset), part(d.Scale), part(d.Shift)
		}
	}
	return t
}

// wideStoreAVX512 stores what a tail makes of n cells of sums.
//
//go:noescape
func wideStoreAVX512(dst *float32, dstStride int, sums *float32, n int, tail *wideTail)
