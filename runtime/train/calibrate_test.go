package train

import (
	"context"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"spikingir/runtime/dataset"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/train/kernel"
	"spikingir/runtime/train/optim"
	"spikingir/runtime/train/patches"
)

// TestRegression holds that weights and bias come back from what they gave, with and
// without strides, dilation and padding on one side.
func TestRegression(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, s := range []kernel.Shape{
		{InH: 9, InW: 8, InC: 3, OutH: 9, OutW: 8, OutC: 4, KernelH: 3, KernelW: 3, StrideH: 1, StrideW: 1,
			DilationH: 1, DilationW: 1, PadT: 1, PadL: 1, Group: 1},
		{InH: 11, InW: 13, InC: 2, OutH: 5, OutW: 6, OutC: 3, KernelH: 3, KernelW: 2, StrideH: 2, StrideW: 2,
			DilationH: 1, DilationW: 2, PadT: 0, PadL: 1, Group: 1},
	} {
		conv, err := kernel.NewConv(s)
		if err != nil {
			t.Fatal(err)
		}
		w, bias := normal(r, s.Weights()), normal(r, s.OutC)
		conv.SetWeights(w, nil)
		sums := newRegression(&convLayer{plain: conv})
		worker := &Worker{}
		for range 12 {
			x, y := normal(r, s.InSize()), make([]float32, s.OutSize())
			conv.Forward(&worker.scratch, y, x, 1)
			addChannels(y, y, bias, s.OutC)
			sums.observe(worker, x, y)
		}
		weights, found, err := sums.solve(make([]float32, len(w)), true, 1e-9)
		if err != nil {
			t.Fatal(err)
		}
		if d := apart(weights, w); d > 1e-4 {
			t.Errorf("%+v: weights are off by %g", s, d)
		}
		if d := apart(found, bias); d > 1e-4 {
			t.Errorf("%+v: biases are off by %g", s, d)
		}
		if held, _, err := sums.solve(w, false, 1e9); err != nil || apart(held, w) > 1e-3 {
			t.Errorf("%+v: a strong prior does not hold the weights: off by %g, %v", s, apart(held, w), err)
		}
	}
}

// apart is the largest difference.
func apart(a, b []float32) float64 {
	worst := 0.0
	for i, x := range a {
		d := float64(x) - float64(b[i])
		worst = max(worst, d, -d)
	}
	return worst
}

// pictures writes gray images of waves to a folder.
func pictures(t *testing.T, n, side int) string {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(7, 8))
	for i := range n {
		m := image.NewGray(image.Rect(0, 0, side, side))
		a, b := r.IntN(9)+1, r.IntN(9)+1
		for y := range side {
			for x := range side {
				m.SetGray(x, y, color.Gray{Y: uint8(x*a + y*b + x*y*i/16)})
			}
		}
		f, err := os.Create(filepath.Join(dir, string(rune('a'+i))+".png"))
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, m); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return dir
}

// TestCalibrate holds that calibration brings the output nearer to the teacher's, and
// the same bits whenever it is done.
func TestCalibrate(t *testing.T) {
	c := &netCases[0] // takes gray images
	task := dataset.Task{Kind: dataset.Denoise, Sigma: 25, Channels: 1}
	source, err := patches.Open(patches.Options{Task: task, Dirs: dataset.Dirs{Data: pictures(t, 4, 24)}, Patch: 16, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	var before []float32
	for again := range 2 {
		var told []Event
		trainer, err := New(Config{Model: c.model(t), Source: source, Task: task, Batch: 1, Pool: machine.NewPool(2),
			Method: Method{Loss: optim.MSE, Optimizer: "adam", Schedule: optim.Constant}, Stages: []Stage{{Name: "calibrate"}},
			Report: func(e Event) { told = append(told, e) }})
		if err != nil {
			t.Fatal(err)
		}
		far := trainer.distance(t)
		if err := trainer.calibrate(context.Background(), Calibration{8, 1e-3}, frontLimit*(1-again)); err != nil {
			t.Fatal(err)
		}
		checkTold(t, told)
		if near := trainer.distance(t); !(near < far/2) {
			t.Errorf("mean square distance from the teacher %g, before %g, want less than half", near, far)
		}
		var after []float32
		for _, p := range trainer.net.params {
			after = append(after, p.Data...)
		}
		if again == 1 && apart(after, before) != 0 {
			t.Error("a second calibration, without room to keep anything, gives other bits")
		}
		before = after
	}
	trainer := &Trainer{}
	if err := trainer.Calibrate(context.Background(), Calibration{CalibratePatches: 8}); err == nil {
		t.Error("a ridge of 0 is accepted")
	}
}

// checkTold checks that a calibration told of each layer, and of no time left after the last.
func checkTold(t *testing.T, told []Event) {
	t.Helper()
	for i, e := range told {
		if e.Layer != i+1 || e.Layers != len(told) || (e.Left > 0) != (e.Layer < e.Layers) || e.StageName != "calibrate" {
			t.Errorf("event %d of %d is of layer %d of %d of stage %q with %g s left", i, len(told), e.Layer, e.Layers, e.StageName, e.Left)
		}
	}
	if len(told) < 2 {
		t.Errorf("a calibration told of %d layers, want some", len(told))
	}
}

// distance is the mean square distance of outputs from the teacher's.
func (t *Trainer) distance(tb testing.TB) float64 {
	w, sum, n := t.threads[0], 0.0, 0
	for i := range 8 {
		p, err := t.Source.Patch(uint64(100 + i))
		if err != nil {
			tb.Fatal(err)
		}
		want, err := w.teacher.Forward(p.Input.Pix, ANN, Hooks{})
		if err != nil {
			tb.Fatal(err)
		}
		got, err := w.net.Forward(p.Input.Pix, Spikes, Hooks{})
		if err != nil {
			tb.Fatal(err)
		}
		for k, x := range got {
			d := float64(x) - float64(want[k])
			sum, n = sum+d*d, n+1
		}
	}
	return sum / float64(n)
}
