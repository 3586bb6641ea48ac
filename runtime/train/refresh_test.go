package train

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestThreads holds that what is shared out between two steps gives the same bits on any
// number of threads: rounded weights, biases that follow them, packed weights and the sums
// of gradients, shared weights among them.
func TestThreads(t *testing.T) {
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			var out []float32
			var grads [][]float32
			for _, threads := range []int{0, 1, 3, 8} {
				n := compile(t, c.model(t), c.h, c.w, Options{TrainThresholds: true, TrainV0: true, WeightBits: 8})
				n.Threads = threads
				x := c.image()
				by := normal(rand.New(rand.NewPCG(c.seed, 2)), n.output.elems)
				workers := []*Worker{n.NewWorker(), n.NewWorker()}
				r := rand.New(rand.NewPCG(c.seed, 3))
				var got [][]float32
				var y []float32
				for range 3 { // the first packs what the next ones prepare
					y = nil
					for _, w := range workers {
						w.Clear()
						o, err := w.Forward(x, Spikes, Hooks{})
						if err != nil {
							t.Fatal(err)
						}
						y = append(y, o...)
						if err := w.Backward(by); err != nil {
							t.Fatal(err)
						}
					}
					got = n.Gradients(got, workers)
					for _, p := range n.Params() {
						for i := range p.Data {
							p.Data[i] += float32(0.01 * r.NormFloat64())
						}
					}
					n.project()
					n.Refresh()
				}
				if out == nil {
					out, grads = slices.Clone(y), got
					continue
				}
				if !slices.Equal(y, out) {
					t.Errorf("%d threads: another output", threads)
				}
				for i, p := range n.Params() {
					if !slices.Equal(got[i], grads[i]) {
						t.Errorf("%d threads: another gradient of %s", threads, p.Name)
					}
				}
			}
		})
	}
}
