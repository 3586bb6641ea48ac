package train

import (
	"errors"
	"strings"
	"testing"

	"spikingir/runtime/dataset"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/train/optim"
	"spikingir/runtime/train/patches"
)

// held is the bytes of all buffers that a worker has.
func (w *Worker) held() float64 {
	n := 0
	for size, list := range w.free {
		n += 4 * size * len(list)
	}
	for size, list := range w.words {
		n += 8 * size * len(list)
	}
	for _, s := range w.slots {
		n += 4*(len(s.x)+len(s.g)) + 8*len(s.bits)
	}
	for _, s := range w.states {
		n += 4 * (len(s.u) + len(s.feature) + len(s.counts) + len(s.amplitudes))
	}
	return float64(n + 4*len(w.out))
}

// TestNeed holds that a patch takes about as much memory as is foretold.
func TestNeed(t *testing.T) {
	for i := range netCases {
		c := &netCases[i]
		net, err := Compile(c.model(t), 8*c.h, 8*c.w, Options{Surrogate: Sigmoid, Slope: 4})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		for _, mode := range []Mode{Spikes, Rates, ANN} {
			if net.Own() == Rates && mode == Spikes {
				continue
			}
			w := net.NewWorker()
			out, err := w.Forward(make([]float32, net.input.elems), mode, Hooks{})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Backward(make([]float32, len(out))); err != nil {
				t.Fatal(err)
			}
			need, node := net.need(mode)
			if got := w.held(); need < 0.6*got || need > 2.5*got || node == "" {
				t.Errorf("%s, mode %d: %.0f bytes foretold, most of it at %q, and %.0f taken", c.name, mode, need, node, got)
			}
		}
	}
}

// TestTooLarge holds that patches which take too much memory are refused before the first
// step, and that those fit which the error proposes.
func TestTooLarge(t *testing.T) {
	c := &netCases[0]
	task := dataset.Task{Kind: dataset.Denoise, Sigma: 25, Channels: 1}
	dir := pictures(t, 4, 80)
	begin := func(side, threads int, memory int64) error {
		source, err := patches.Open(patches.Options{Task: task, Dirs: dataset.Dirs{Data: dir}, Patch: side, Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		_, err = New(Config{Model: c.model(t), Source: source, Task: task, Batch: 1, Pool: machine.NewPool(threads), Memory: memory,
			Method: Method{Loss: optim.MSE, Optimizer: "adam", Schedule: optim.Constant}, Net: Options{Surrogate: Sigmoid, Slope: 4},
			Stages: []Stage{{Name: "spikes", Steps: 1, Rate: 1e-4}}})
		return err
	}
	for _, memory := range []int64{0, -1, 1 << 30} {
		if err := begin(80, 2, memory); err != nil {
			t.Errorf("with %d bytes: %v", memory, err)
		}
	}
	var large *TooLargeError
	if err := begin(80, 2, 6<<20); !errors.As(err, &large) || !strings.Contains(err.Error(), "patches of 80x80 pixels take about ") ||
		!strings.Contains(err.Error(), `node "`) || !strings.Contains(err.Error(), "6.0 MiB: want --patch ") {
		t.Errorf("with 6 MiB: %v", err)
	}
	if err := begin(80, 2, 1<<10); !errors.As(err, &large) || !strings.HasSuffix(err.Error(), "1.0 KiB: want a larger --memory") {
		t.Errorf("with 1 KiB: %v", err)
	}
	for _, x := range []struct {
		side           int
		bytes, allowed float64
		want           int
	}{{80, 4, 1, 40}, {80, 100, 1, 0}, {40, 2, 1, 24}, {20, 1.1, 1, 16}} {
		if got := sideWithin(x.side, x.bytes, x.allowed); got != x.want {
			t.Errorf("%v: side %d", x, got)
		}
	}
}
