package kernel

import (
	"testing"
	"unsafe"

	base "spikingir/runtime/kernel"
	"spikingir/runtime/kernel/kerneltest"
)

// TestConvReadsOnlyItsOperands runs slices that lie against forbidden memory.
func TestConvReadsOnlyItsOperands(t *testing.T) {
	for _, shape := range []base.ConvShape{
		same(64, 64, 1, 3), same(16, 17, 1, 3), same(1, 20, 1, 3), same(20, 1, 1, 3), same(3, 3, 1, 5), same(48, 40, 1, 3),
	} {
		for _, density := range []float64{0, 0.05, 0.9} {
			if testing.Short() && shape.InC == 64 {
				continue
			}
			c := newConvCase(t, shape, 5, 7, 2, density)
			c.define()
			for _, atEnd := range []bool{false, true} {
				copied := func(x []float32) []float32 {
					g := kerneltest.Guarded(t, len(x), atEnd)
					copy(g, x)
					return g
				}
				x, gy := copied(c.x), copied(c.gy)
				y, gx, gw := copied(c.gy), copied(c.x), kerneltest.Guarded(t, len(c.w), atEnd)
				spikes := unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(kerneltest.Guarded(t, 2*len(c.spikes)+2, atEnd)))), len(c.spikes)+1)
				if atEnd {
					spikes = spikes[1:]
				}
				spikes = spikes[:len(c.spikes)]
				copy(spikes, c.spikes)
				forEachOf(t, "train", func(t *testing.T) {
					sc := &Scratch{}
					for i := range gw {
						gw[i] = gwBefore
					}
					if density > 0 {
						c.conv.ForwardSpikes(sc, y, spikes, c.slices)
						c.conv.Backward(sc, &Gradients{GW: gw, Spikes: spikes, GY: gy, Slices: c.slices})
					} else {
						c.conv.Forward(sc, y, x, c.slices)
						c.conv.BackwardWeights(sc, gw, x, gy, c.slices)
					}
					c.conv.BackwardInput(sc, gx, gy, c.slices)
					c.check(t, convResults{y, gx, gw})
				})
			}
		}
	}
}
