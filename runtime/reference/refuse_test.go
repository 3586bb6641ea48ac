package reference_test

import (
	"strings"
	"testing"

	"spikingir/runtime/reference"
)

// TestRefusals demands errors that name the node and say what is wrong.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name, body string
		dims       []int
		want       []string
	}{
		{"operator", `y = Softplus (x)`, []int{1, 4, 5, 6}, []string{"Softplus", "no such operator"}},
		{"untimed", `y = ai.spikingir.IF <timesteps = 0, post = 0> (x, "", theta1)`, []int{1, 4, 5, 6}, []string{"IF", "timesteps"}},
		{"kernel", `y = Conv (x, w33)`, []int{1, 4, 2, 6}, []string{"Conv", "does not fit"}},
		{"channels", `y = Conv (x, w33)`, []int{1, 4, 0, 6}, []string{"want [N, C, H, W]"}},
		{"fixed channels", `y = Relu (x)`, []int{1, 3, 5, 6}, []string{"[N,4,H,W]"}},
		{"size", `y = Conv <pads = [1, 1, 1, 1]> (x, w33)`, []int{1, 4, 2100, 2100}, []string{"Conv", "too large to compute"}},
		{"overflow", `y = Relu (x)`, []int{1 << 20, 4, 1 << 31, 1 << 31}, []string{"too large to hold", "smaller"}},
		{"broadcast", `y = Add (x, row)`, []int{1, 4, 5, 4}, []string{"Add", "does not broadcast"}},
		{"statistics", `y = BatchNormalization <training_mode = 1> (x, b4, c4, d4, e4)`, []int{1, 4, 5, 6}, []string{"BatchNormalization", "stored"}},
		{"time axis", `y = Concat <axis = 0> (x, x)`, []int{1, 4, 5, 6}, []string{"Concat", "axis 0"}},
		{"padding", `p = Constant <value_ints = [0, 0, 1, 1, 0, 0, 1, 1]> ()
  y = Pad <mode = "reflect"> (x, p)`, []int{1, 4, 5, 6}, []string{"Pad", "reflect"}},
		{"resize", `s = Constant <value_floats = [1.0, 1.0, 1.5, 2.0]> ()
  y = Resize (x, "", s)`, []int{1, 4, 5, 6}, []string{"Resize", "whole factors"}},
		{"threshold", `e = ai.spikingir.Encode <timesteps = 2, post = 0> (x)
  zero = Constant <value_float = 0.0> ()
  y = ai.spikingir.IF <timesteps = 2, post = 0> (e, "", zero)`, []int{1, 4, 5, 6}, []string{"IF", "threshold 0"}},
		{"slices", `e = ai.spikingir.Encode <timesteps = 2, post = 0> (x)
  y = ai.spikingir.IF <timesteps = 3, post = 0> (e, "", theta1)`, []int{1, 4, 5, 6}, []string{"2 slices", "want 3"}},
		{"time and batch", `e = ai.spikingir.Encode <timesteps = 2, post = 0> (x)
  y = Add (e, x)`, []int{2, 4, 5, 6}, []string{"Add", "batch 2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := reference.Build(operatorModel(t, c.body), c.dims, reference.Options{})
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q, want %q in it", err, w)
				}
			}
		})
	}
	m := operatorModel(t, `y = Relu (x)`)
	if _, err := reference.Build(m, []int{1, 4, 2, 2}, reference.Options{Slope: -1}); err == nil {
		t.Error("a negative slope is taken")
	}
	net := build(t, m, []int{1, 4, 2, 2}, reference.Options{})
	if _, err := net.Forward(make([]float32, 15)); err == nil {
		t.Error("15 numbers are taken for 16")
	}
	if _, err := net.Gradients(make([]float64, 16), make([]float64, 1)); err == nil {
		t.Error("1 gradient is taken for 16")
	}
	wide := build(t, operatorModel(t, `a = Conv <pads = [1, 1, 1, 1]> (x, w33)
  c = Relu (x)
  b = Conv <pads = [1, 1, 1, 1]> (c, w33)
  y = Add (a, b)`), []int{4, 4, 850, 850}, reference.Options{})
	if _, err := wide.Gradients(nil, nil); err == nil || !strings.Contains(err.Error(), "too large to differentiate") {
		t.Errorf("gradients of a large network: error %v", err)
	}
}
