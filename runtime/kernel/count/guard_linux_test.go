package count

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"

	"spikingir/runtime/kernel/kerneltest"
	"spikingir/runtime/kernel/machine"
)

// TestConvGuarded puts strips, weights, parameters and counts at the ends of memory that must not be
// touched.
func TestConvGuarded(t *testing.T) {
	for i, k := range []layerCase{
		{s: square(3, 5, 3), h: 1, w: 1},
		{s: square(5, 3, 3), h: 3, w: 7},
		{s: square(3, 16, 2), h: 4, w: 25},
		{s: square(7, 40, 3), h: 3, w: 13},
		{s: square(64, 33, 1), h: 2, w: 31},
		{s: square(4, 1, 5), h: 3, w: 47},
		{s: square(64, 16, 3), h: 3, w: 9},
		{s: square(37, 20, 3), h: 2, w: 6},
	} {
		for _, bound := range []int{127, 0, 3600} {
			for _, atEnd := range []bool{false, true} {
				k.sources, k.weight = nil, nil
				k.fill(rand.New(rand.NewPCG(uint64(i), 1)), 1, 11, []int{k.s.InC}, bound)
				t.Run(fmt.Sprintf("%d bound %d at end %v", i, bound, atEnd), func(t *testing.T) {
					forEach(t, func(t *testing.T) { k.runGuarded(t, atEnd) })
				})
			}
		}
	}
}

func (k *layerCase) runGuarded(t *testing.T, atEnd bool) {
	conv, err := k.pack()
	if err != nil {
		t.Fatal(err)
	}
	for _, units := range conv.plans {
		for i := range units {
			u := &units[i]
			u.weights = unsafe.Slice((*int8)(unsafe.Pointer(&kerneltest.Guarded(t, len(u.weights)/4, atEnd)[0])), len(u.weights))
		}
	}
	again, err := k.pack()
	if err != nil {
		t.Fatal(err)
	}
	for p, units := range conv.plans {
		for i := range units {
			copy(units[i].weights, again.plans[p][i].weights)
		}
	}
	pool := machine.NewPool(1)
	defer pool.Close()
	oh, ow := k.outSize()
	tiled := conv.winograd != nil && k.sources[0].most() <= conv.winograd.most
	kept := conv.layoutFor(oh, ow, 1, true, tiled)
	s := scratches.Of(pool, 0)
	s.cells = guardedBytes(t, max(kept.size, conv.layoutFor(oh, ow, 1, false, tiled).size), atEnd)
	params := kerneltest.Guarded(t, conv.outBlocks*paramWords, atEnd)
	s.params = unsafe.Slice((*int32)(unsafe.Pointer(&params[0])), len(params))
	sums := kerneltest.Guarded(t, conv.sumsFor(kept.rows, kept.cols, tiled), atEnd)
	s.sums = unsafe.Slice((*int32)(unsafe.Pointer(&sums[0])), len(sums))
	k.runOn(t, conv, pool, k.want(), func(n int) []uint8 { return guardedBytes(t, n, atEnd) })
}

// guardedBytes is kerneltest.Guarded of bytes.
func guardedBytes(t *testing.T, n int, atEnd bool) []uint8 {
	words := kerneltest.Guarded(t, (n+3)/4, atEnd)
	b := unsafe.Slice((*uint8)(unsafe.Pointer(&words[0])), 4*len(words))
	if atEnd {
		return b[len(b)-n:]
	}
	return b[:n]
}
