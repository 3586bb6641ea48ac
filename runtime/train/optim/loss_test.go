package optim

import (
	"math"
	"slices"
	"strings"
	"testing"
)

var losses = []Loss{MSE, L1, Charbonnier}

// TestLossGradient checks gradients against central differences.
func TestLossGradient(t *testing.T) {
	for _, l := range losses {
		for _, a := range []struct{ rows, width int }{{5, 7}, {18, 5}, {18, 8}} {
			n := a.rows * a.width
			out, target := randoms(n, 1), randoms(n, 2)
			for i := range out {
				// No difference is so small that the step crosses the kink of L1.
				if math.Abs(float64(out[i]-target[i])) < 0.05 {
					out[i] = target[i] + 0.1
				}
			}
			grad := randoms(n, 3)
			const weight = 0.7
			value := l.Mean(out, target, grad, a.width, weight)
			if again := l.Mean(out, target, nil, a.width, weight); again != value {
				t.Errorf("%s: %g with a gradient and %g without", l, value, again)
			}
			for i := range out {
				const h = 1.0 / 256
				moved := slices.Clone(out)
				moved[i] = out[i] + h
				up := l.Mean(moved, target, nil, a.width, 1)
				step := float64(moved[i])
				moved[i] = out[i] - h
				down := l.Mean(moved, target, nil, a.width, 1)
				want := weight * (up - down) / (step - float64(moved[i]))
				if math.Abs(want-float64(grad[i])) > 1e-5*(math.Abs(want)+1/float64(n)) {
					t.Errorf("%s %+v: gradient %d is %g, differences give %g", l, a, i, grad[i], want)
				}
			}
		}
	}
}

// TestDecibels holds the gradient of a mean square error in dB to differences.
func TestDecibels(t *testing.T) {
	out, target := randoms(35, 1), randoms(35, 2)
	value := func() float64 { return Decibels(PSNR.Mean(out, target, nil, 7, 1), nil) }
	grad := make([]float32, len(out))
	square := PSNR.Mean(out, target, grad, 7, 1)
	if got, want := Decibels(square, grad), 10*math.Log10(square); math.Abs(got-want) > 1e-6 {
		t.Errorf("%g is %g dB, want %g", square, got, want)
	}
	for i := range out {
		const h = 1.0 / 256
		was := out[i]
		out[i] = was + h
		up := value()
		out[i] = was - h
		want := (up - value()) / (2 * h)
		out[i] = was
		if math.Abs(want-float64(grad[i])) > 1e-4 {
			t.Errorf("gradient %d is %g, differences give %g", i, grad[i], want)
		}
	}
	if got := Decibels(0, nil); got != -80 {
		t.Errorf("no error is %g dB, want -80", got)
	}
}

func TestLossValue(t *testing.T) {
	out := []float32{3, 0, 1, 2}
	target := []float32{1, 0, 2, 2}
	for l, want := range map[Loss]float64{
		MSE:         5.0 / 4,
		L1:          3.0 / 4,
		Charbonnier: (math.Sqrt(4+1e-6) + 1e-3 + math.Sqrt(1+1e-6) + 1e-3) / 4,
	} {
		if got := l.Mean(out, target, nil, 2, 1); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s is %g, want %g", l, got, want)
		}
	}
	grad := slices.Clone(out)
	want := []float32{1, 0, -0.5, 0}
	if MSE.Mean(grad, target, grad, 2, 1); !slices.Equal(grad, want) {
		t.Errorf("gradient in the place of the output is %g, want %g", grad, want)
	}
	nan := float32(math.NaN())
	for _, l := range losses {
		g := []float32{0}
		if v := l.Mean([]float32{nan}, []float32{0}, g, 1, 1); v == v || g[0] == g[0] {
			t.Errorf("%s of NaN is %g with the gradient %g", l, v, g[0])
		}
	}
}

func TestLossPanics(t *testing.T) {
	four := make([]float32, 4)
	for name, f := range map[string]func(){
		"short target": func() { MSE.Mean(four, four[:3], nil, 2, 1) },
		"short grad":   func() { MSE.Mean(four, four, four[:1], 2, 1) },
		"part of row":  func() { MSE.Mean(four, four, nil, 3, 1) },
		"unknown":      func() { Loss("x").Mean(four, four, nil, 2, 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
	if err := Loss("l2").Check(); err == nil || !strings.Contains(err.Error(), `unknown loss "l2"`) {
		t.Error(err)
	}
}

func BenchmarkLoss(b *testing.B) {
	out, target := randoms(1600, 1), randoms(1600, 2)
	grad := make([]float32, 1600)
	for _, l := range losses {
		b.Run(string(l), func(b *testing.B) {
			for b.Loop() {
				l.Mean(out, target, grad, 40, 1)
			}
		})
	}
}
