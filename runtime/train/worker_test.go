package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"spikingir/runtime/kernel"
)

// sameBits demands two lists of gradients with the same bits.
func sameBits(t *testing.T, what string, got, want [][]float32) {
	t.Helper()
	for i := range want {
		if len(got[i]) != len(want[i]) {
			t.Fatalf("%s: list %d has %d numbers, want %d", what, i, len(got[i]), len(want[i]))
		}
		for k := range want[i] {
			if math.Float32bits(got[i][k]) != math.Float32bits(want[i][k]) {
				t.Fatalf("%s: number %d of list %d is %v, want %v", what, k, i, got[i][k], want[i][k])
			}
		}
	}
}

// batch runs images over workers, image i on worker i%len(workers), all at a time.
func batch(t *testing.T, workers []*Worker, images, by [][]float32, mode Mode) [][]float32 {
	t.Helper()
	var group sync.WaitGroup
	errs := make([]error, len(workers))
	for k, w := range workers {
		group.Go(func() {
			for i := k; i < len(images) && errs[k] == nil; i += len(workers) {
				if _, errs[k] = w.Forward(images[i], mode, Hooks{}); errs[k] == nil {
					errs[k] = w.Backward(by[i])
				}
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return workers[0].net.Gradients(nil, workers)
}

// TestWorkers demands the same bits of the same number of workers, and nearly the
// same numbers of another.
func TestWorkers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, c := range netCases {
		for _, mode := range []Mode{Spikes, Rates, ANN} {
			n := c.compile(t, Options{TrainThresholds: true, TrainV0: true})
			var images, by [][]float32
			for range 7 {
				images = append(images, normal(r, n.input.elems))
				by = append(by, normal(r, n.output.elems))
			}
			var one [][]float32
			for count := 1; count <= 3; count++ {
				var workers []*Worker
				for range count {
					workers = append(workers, n.NewWorker())
				}
				what := fmt.Sprintf("%s, mode %d, %d workers", c.name, mode, count)
				first := batch(t, workers, images, by, mode)
				for _, w := range workers {
					w.Clear()
				}
				sameBits(t, what+" again", batch(t, workers, images, by, mode), first)
				if count == 1 {
					one = first
				}
				for i, p := range n.params {
					near(t, what+": gradient of "+p.Name, first[i], widen(one[i]), 5e-5)
				}
			}
		}
	}
}

// TestWorkerAgain demands that a worker keeps nothing of what it ran before, and that
// gradients may be written over the output.
func TestWorkerAgain(t *testing.T) {
	for _, c := range netCases {
		n := c.compile(t, Options{TrainThresholds: true, TrainV0: true})
		x := c.image()
		other := normal(rand.New(rand.NewPCG(2, 2)), len(x))
		fresh := func(mode Mode, image []float32, w *Worker) [][]float32 {
			w.Clear()
			y, err := w.Forward(image, mode, Hooks{})
			if err != nil {
				t.Fatal(err)
			}
			out := slices.Clone(y)
			kernel.MulScalar(y, y, 0.5)
			half := slices.Clone(y)
			if err := w.Backward(y); err != nil {
				t.Fatal(err)
			}
			sameBits(t, c.name+": the caller's output", [][]float32{y}, [][]float32{half})
			return append(n.Gradients(nil, []*Worker{w}), out)
		}
		old := n.NewWorker()
		for _, mode := range []Mode{Spikes, ANN, Rates, Spikes, Rates, ANN, Spikes} {
			want := fresh(mode, x, n.NewWorker())
			sameBits(t, fmt.Sprintf("%s, mode %d", c.name, mode), fresh(mode, x, old), want)
			if _, err := old.Forward(other, mode, Hooks{}); err != nil { // and no way back
				t.Fatal(err)
			}
		}
	}
}

// TestHooks demands that hooks without effect change no bit, and that features see
// the mean amplitudes.
func TestHooks(t *testing.T) {
	for _, c := range netCases {
		for _, mode := range []Mode{Spikes, Rates, ANN} {
			n := c.compile(t, Options{TrainThresholds: true})
			x, by := c.image(), normal(rand.New(rand.NewPCG(2, 2)), n.output.elems)
			rates := make([][]float32, len(n.neurons))
			out, want := gradients(t, n, x, by, mode, Hooks{})
			again, got := gradients(t, n, x, by, mode, Hooks{
				Energy: make([]float32, len(n.neurons)),
				Feature: func(layer int, rate, gradient []float32) bool {
					rates[layer] = slices.Clone(rate)
					if i := slices.IndexFunc(gradient, func(g float32) bool { return g != 0 }); i >= 0 {
						t.Errorf("%s: gradient of a feature begins with %v", c.name, gradient[i])
					}
					return false
				}})
			sameBits(t, c.name+" with hooks", append(got, again), append(want, out))
			for _, l := range n.neurons {
				l.out.dense = true
			}
			w := n.NewWorker()
			if _, err := w.Forward(x, mode, Hooks{}); err != nil {
				t.Fatal(err)
			}
			for i, l := range n.neurons {
				mean := make([]float32, l.out.elems)
				w.average(mean, l.out)
				near(t, fmt.Sprintf("%s: feature of %s", c.name, l.node.Name), rates[i], widen(mean), 1e-6)
			}
		}
	}
}

// TestWorkerErrors demands errors that tell sizes.
func TestWorkerErrors(t *testing.T) {
	n := netCases[0].compile(t, Options{})
	w := n.NewWorker()
	if _, err := w.Forward(make([]float32, 34), Spikes, Hooks{}); err == nil || !strings.Contains(err.Error(), "34 values, want 35") {
		t.Errorf("an image of another size: %v", err)
	}
	if _, err := w.Forward(make([]float32, 35), Spikes, Hooks{}); err != nil {
		t.Error(err)
	}
	if err := w.Backward(make([]float32, 36)); err == nil || !strings.Contains(err.Error(), "36 values, want 35") {
		t.Errorf("a gradient of another size: %v", err)
	}
}

// TestNoGradient goes back with gradients of 0.
func TestNoGradient(t *testing.T) {
	for _, c := range netCases {
		for _, mode := range []Mode{Spikes, Rates, ANN} {
			n := c.compile(t, Options{TrainThresholds: true, TrainV0: true})
			_, got := gradients(t, n, c.image(), make([]float32, n.output.elems), mode, Hooks{})
			for i, p := range n.params {
				if norm(got[i]) != 0 {
					t.Errorf("%s: gradient of %s is %v", c.name, p.Name, got[i])
				}
			}
		}
	}
}

// TestExtremeThresholds demands finite outputs and gradients where thresholds are
// infinite, tiny or huge, as calibration of real networks finds them.
func TestExtremeThresholds(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, theta := range []float32{inf, 1e-39, 1e-30, 1e30} {
		for _, c := range append(netCases, twinCase) {
			for _, v0 := range []bool{false, true} {
				m := c.model(t)
				for _, v := range m.Graph.Initializers() {
					if name := v.Name(); name[0] == 't' {
						setSome(m, v, theta)
					}
				}
				n := compile(t, m, c.h, c.w, Options{TrainThresholds: true, TrainV0: v0})
				for _, mode := range []Mode{Spikes, Rates, ANN} {
					l := newLoss(&c, n, mode, true)
					w := n.NewWorker()
					y, err := w.Forward(l.image, mode, Hooks{Energy: l.energy, Feature: l.give})
					if err != nil {
						t.Fatal(err)
					}
					what := fmt.Sprintf("%s, threshold %v, mode %d", c.name, theta, mode)
					finite(t, what+": output", y)
					if err := w.Backward(l.by); err != nil {
						t.Fatal(err)
					}
					for i, g := range n.Gradients(nil, []*Worker{w}) {
						finite(t, what+": gradient of "+n.params[i].Name, g)
					}
				}
			}
		}
	}
}

func finite(t *testing.T, what string, x []float32) {
	t.Helper()
	for i, v := range x {
		if v != v || v-v != 0 {
			t.Errorf("%s: number %d is %v", what, i, v)
			return
		}
	}
}
