package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"spikingir/runtime/kernel/kerneltest"
)

// TestRateForwardIsTheRate: for a steady current, the rate stage emits what the
// spiking neurons do on average.
func TestRateForwardIsTheRate(t *testing.T) {
	forEachOf(t, "trainneuron", func(t *testing.T) {
		r := rand.New(rand.NewPCG(7, 1))
		compared := 0
		for trial := range 20 {
			steps := NeuronSteps{Size: 3 * 75, Main: 1 + trial, Post: trial%2 == 0, Steady: true}
			c := newNeuronCase(r, 3, steps, kerneltest.Normal)
			for i, theta := range c.params.Theta {
				c.params.V0[i] = theta * float32(r.Float64()/2)
			}
			c.n.Set(c.params)
			trace := c.forward(t)
			got := make([]float32, steps.Size)
			c.n.RateForward(got, c.current, steps)
			for i, y := range got {
				ch := i % 3
				theta, shift := float64(c.params.Theta[ch]), float64(c.n.shift[ch])
				if steps.Post {
					shift = float64(c.n.postShift[ch])
				}
				q := float64(c.current[i]+c.params.Bias[ch])/theta*float64(steps.Main) + shift
				if math.Abs(q-math.Round(q)) < 1e-4 {
					continue // rounding decides
				}
				want := theta * float64(trace.Counts[i]) / float64(steps.Main)
				// Below 0 a neuron of positive v0 may spike early.
				if q > 0 && math.Abs(float64(y)-want) > 1e-6*want || q < 0 && y != 0 {
					t.Fatalf("%v: element %d of current %v emits %v, spikes give %v", &c, i, c.current[i], y, want)
				}
				compared++
			}
		}
		if compared < 3000 {
			t.Errorf("%d elements compared, want 3000", compared)
		}
	})
}

// TestRateBackward compares with the table of its comment, in the numbers of the Go
// loop.
func TestRateBackward(t *testing.T) {
	forEachOf(t, "trainneuron", func(t *testing.T) {
		r := rand.New(rand.NewPCG(8, 1))
		for _, values := range []func(*rand.Rand, int) []float32{kerneltest.Normal, small} {
			for _, c := range neuronCases(r, values) {
				checkRateBackward(t, r, &c, values)
			}
		}
	})
}

func checkRateBackward(t *testing.T, r *rand.Rand, c *neuronCase, values func(*rand.Rand, int) []float32) {
	t.Helper()
	size, period := c.steps.Size, c.n.Period()
	x, g := values(r, size), values(r, size)
	out, checkOut := kerneltest.Fence(make([]float32, size), 12345)
	gx, checkX := kerneltest.Fence(slices.Clone(g), 12345)
	bias, checkBias := kerneltest.Fence(make([]float32, period), 12345)
	theta, checkTheta := kerneltest.Fence(make([]float32, period), 12345)
	c.n.RateForward(out, x, c.steps)
	c.n.RateBackward(RateGrad{gx, gx, bias, theta}, x, c.steps)
	for _, check := range []func(*testing.T){checkOut, checkX, checkBias, checkTheta} {
		check(t)
	}
	same := slices.Clone(x)
	inGeneric(t, func() { c.n.RateForward(same, same, c.steps) })
	if d := kerneltest.FirstDifference(out, same); d >= 0 {
		t.Fatalf("%v: element %d is %v, in Go %v", c, d, out[d], same[d])
	}
	wantBias, wantTheta := make([]float64, period), make([]float64, period)
	top := float64(c.steps.Slices()) / float64(c.steps.Main)
	for i := range x {
		ch := i % c.channels
		h := float64(x[i]+c.params.Bias[ch]) / float64(c.params.Theta[ch])
		rate := float64(out[i]) / float64(c.params.Theta[ch])
		want := 0.0
		switch {
		case h <= 0:
		case h < top:
			want = float64(g[i])
			wantTheta[i%period] += want * (rate - h)
		default:
			wantTheta[i%period] += float64(g[i]) * top
		}
		if math.Abs(float64(gx[i])-want) > 1e-37 {
			t.Fatalf("%v: gradient %d at %v of %v is %v, want %v", c, i, h, top, gx[i], want)
		}
		wantBias[i%period] += want
	}
	for p := range period {
		if math.Abs(float64(bias[p])-wantBias[p]) > 1e-5 || math.Abs(float64(theta[p])-wantTheta[p]) > 1e-5 {
			t.Fatalf("%v: sums %d are %v and %v, want %v and %v",
				c, p, bias[p], theta[p], wantBias[p], wantTheta[p])
		}
	}
	requireRateBits(t, c, RateGrad{g, gx, bias, theta}, x)
}

// requireRateBits compares a run with the Go loop's.
func requireRateBits(t *testing.T, c *neuronCase, got RateGrad, x []float32) {
	t.Helper()
	period := c.n.Period()
	want := RateGrad{got.Amplitude, make([]float32, len(x)), make([]float32, period), make([]float32, period)}
	inGeneric(t, func() { c.n.RateBackward(want, x, c.steps) })
	if d := kerneltest.FirstDifference(got.Current, want.Current); d >= 0 {
		t.Fatalf("%v: gradient %d is %v, in Go %v", c, d, got.Current[d], want.Current[d])
	}
	if kerneltest.FirstDifference(got.Bias, want.Bias) >= 0 || kerneltest.FirstDifference(got.Theta, want.Theta) >= 0 {
		t.Fatalf("%v: sums are %v and %v, in Go %v and %v", c, got.Bias, got.Theta, want.Bias, want.Theta)
	}
}

// TestAdamStep compares a few steps with the formula in float64, and with the Go loop
// bit for bit.
func TestAdamStep(t *testing.T) {
	forEachOf(t, "trainneuron", func(t *testing.T) {
		r := rand.New(rand.NewPCG(9, 1))
		c := Adam{Rate: 1e-2, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, Decay: 0.1}
		for n := range 140 {
			p, checkP := kerneltest.Fence(kerneltest.Normal(r, n), 12345)
			m, checkM := kerneltest.Fence(make([]float32, n), 12345)
			v, checkV := kerneltest.Fence(make([]float32, n), 12345)
			same := [3][]float32{slices.Clone(p), slices.Clone(m), slices.Clone(v)}
			want := make([][3]float64, n)
			for i := range want {
				want[i][0] = float64(p[i])
			}
			for step := 1; step <= 3; step++ {
				g := small(r, n)
				AdamStep(p, g, m, v, c, step, 0.5)
				inGeneric(t, func() { AdamStep(same[0], g, same[1], same[2], c, step, 0.5) })
				for i := range want {
					adam64(&want[i], float64(g[i])*0.5, c, step)
				}
			}
			for _, check := range []func(*testing.T){checkP, checkM, checkV} {
				check(t)
			}
			for i, x := range [3][]float32{p, m, v} {
				if d := kerneltest.FirstDifference(x, same[i]); d >= 0 {
					t.Fatalf("n=%d: number %d of array %d is %v, in Go %v", n, d, i, x[d], same[i][d])
				}
			}
			for i := range want {
				if math.Abs(float64(p[i])-want[i][0]) > 1e-6*(1+math.Abs(want[i][0])) {
					t.Fatalf("n=%d: parameter %d is %v, want %v", n, i, p[i], want[i][0])
				}
			}
		}
	})
}

// adam64 is a step for one parameter; w is it and its two moments.
func adam64(w *[3]float64, g float64, c Adam, t int) {
	w[1] = c.Beta1*w[1] + (1-c.Beta1)*g
	w[2] = c.Beta2*w[2] + (1-c.Beta2)*g*g
	m, v := w[1]/(1-math.Pow(c.Beta1, float64(t))), w[2]/(1-math.Pow(c.Beta2, float64(t)))
	w[0] -= c.Rate * (c.Decay*w[0] + m/(math.Sqrt(v)+c.Epsilon))
}

// TestFlushIsTheCPUs demands that the arithmetic of the Go loops flushes as the CPU
// does, also where rounding leaves the subnormal range.
func TestFlushIsTheCPUs(t *testing.T) {
	forEachOf(t, "trainneuron", func(t *testing.T) {
		const n = 1 << 12
		r := rand.New(rand.NewPCG(10, 1))
		p, g, m, v := kerneltest.Normal(r, n), make([]float32, n), make([]float32, n), make([]float32, n)
		for i := range g {
			// 2^-126 times a number just below 1: as a product, and as a quotient.
			below := float32(1 - float64(r.IntN(1<<9))*0x1p-24)
			g[i] = below * 0x1p-124
			m[i] = float32(1 - float64(i%64)*0x1p-23)
		}
		want := [3][]float32{slices.Clone(p), slices.Clone(m), slices.Clone(v)}
		c := Adam{Rate: 1, Beta1: float64(float32(0x1p-126 + 0x1p-149)), Beta2: 0.25, Epsilon: 0x1p126}
		for _, scale := range []float32{0.25, 0.25 - 0x1p-26, 0.25 + 0x1p-25, 0.24999} {
			AdamStep(p, g, m, v, c, 1, scale)
			inGeneric(t, func() { AdamStep(want[0], g, want[1], want[2], c, 1, scale) })
			for i, x := range [3][]float32{p, m, v} {
				if d := kerneltest.FirstDifference(x, want[i]); d >= 0 {
					t.Fatalf("scale %v: number %d of array %d is %v, in Go %v", scale, d, i, x[d], want[i][d])
				}
			}
		}
	})
}
