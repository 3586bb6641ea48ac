package kernel

import (
	"slices"
	"sync"
	"testing"

	base "spikingir/runtime/kernel"
)

// TestPacking holds that all products follow new weights, whatever was packed
// before, and when several goroutines need them first at once.
func TestPacking(t *testing.T) {
	for _, s := range []base.ConvShape{same(32, 32, 1, 3), same(6, 4, 2, 3)} {
		dense, few := newConvCase(t, s, 9, 7, 2, 0), newConvCase(t, s, 9, 7, 2, 0.05)
		many := newConvCase(t, s, 9, 7, 2, 0.9)
		products := []func(c *Conv, sc *Scratch) []float32{
			func(c *Conv, sc *Scratch) []float32 {
				y := make([]float32, len(dense.gy))
				c.Forward(sc, y, dense.x, dense.slices)
				return y
			},
			func(c *Conv, sc *Scratch) []float32 {
				y := make([]float32, len(few.gy))
				c.ForwardSpikes(sc, y, few.spikes, few.slices)
				return y
			},
			func(c *Conv, sc *Scratch) []float32 {
				y := make([]float32, len(many.gy))
				c.ForwardSpikes(sc, y, many.spikes, many.slices)
				return y
			},
			func(c *Conv, sc *Scratch) []float32 {
				gx := make([]float32, len(dense.x))
				c.BackwardInput(sc, gx, dense.gy, dense.slices)
				return gx
			},
		}
		used := dense.conv
		for i, product := range products {
			product(used, &Scratch{})
			fresh, err := NewConv(dense.s)
			if err != nil {
				t.Fatal(err)
			}
			fresh.SetWeights(few.w, nil)
			want := product(fresh, &Scratch{})
			used.SetWeights(few.w, nil)
			got := make([][]float32, 4)
			var group sync.WaitGroup
			for k := range got {
				group.Go(func() { got[k] = product(used, &Scratch{}) })
			}
			group.Wait()
			for k := range got {
				if !slices.Equal(got[k], want) {
					t.Errorf("%v: product %d of goroutine %d does not follow the new weights", s, i, k)
				}
			}
			used.SetWeights(dense.w, dense.scale)
			if slices.Equal(product(used, &Scratch{}), want) {
				t.Errorf("%v: product %d stays with the old weights", s, i)
			}
		}
	}
}
