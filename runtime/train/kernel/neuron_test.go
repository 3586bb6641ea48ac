package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	base "spikingir/runtime/kernel"
	"spikingir/runtime/kernel/kerneltest"
	"spikingir/runtime/kernel/machine"
)

// TestForward demands the bits of IFStep, neuron by neuron.
func TestForward(t *testing.T) {
	forEachOf(t, "trainneuron", func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		for _, values := range []func(*rand.Rand, int) []float32{kerneltest.Normal, kerneltest.Wild} {
			for _, c := range neuronCases(r, values) {
				checkForward(t, &c)
			}
		}
	})
}

func checkForward(t *testing.T, c *neuronCase) {
	t.Helper()
	out := c.forward(t)
	size, words := c.steps.Size, base.SpikeWords(c.steps.Size)
	want := make([]uint64, len(out.Spikes))
	for i := range size {
		ch := i % c.channels
		theta := c.params.Theta[ch]
		v, count := c.params.V0[ch], float32(0)
		for step := range c.steps.Slices() {
			bias, fire, current := c.params.Bias[ch], theta, float32(0)
			if step == c.steps.Main {
				bias, fire = 0, theta*c.params.Alpha[ch]
			}
			switch {
			case !c.steps.Steady:
				current = c.current[step*size+i]
			case step < c.steps.Main:
				current = c.current[i]
			}
			u := v + float32(current+bias)
			state, spike := []float32{v}, []uint64{0}
			base.IFStep(spike, state, []float32{current}, bias, theta, fire)
			v = state[0]
			want[step*words+i/64] |= spike[0] << (i % 64)
			count += float32(spike[0])
			emitted := float32(0)
			if spike[0] != 0 {
				emitted = theta
			}
			if at := step*size + i; !kerneltest.SameBits(out.Potential[at], u) || !kerneltest.SameBits(out.Amplitude[at], emitted) {
				t.Fatalf("%v, step %d: element %d has potential %v, amplitude %v, want %v, %v",
					c, step, i, out.Potential[at], out.Amplitude[at], u, emitted)
			}
		}
		if !kerneltest.SameBits(out.Residual[i], v) || out.Counts[i] != count {
			t.Fatalf("%v: element %d ends at %v with %v spikes, want %v, %v",
				c, i, out.Residual[i], out.Counts[i], v, count)
		}
	}
	if !slices.Equal(out.Spikes, want) {
		t.Fatalf("%v: spikes %x, want %x", c, out.Spikes, want)
	}
}

// TestForwardInPlace writes potentials over the current and leaves out what is
// optional.
func TestForwardInPlace(t *testing.T) {
	forEachOf(t, "trainneuron", func(t *testing.T) {
		r := rand.New(rand.NewPCG(2, 1))
		c := newNeuronCase(r, 3, NeuronSteps{Size: 3 * 67, Main: 3, Post: true}, kerneltest.Normal)
		want := c.forward(t)
		spikes, check := kerneltest.Fence(make([]uint64, len(want.Spikes)), 0xdead)
		c.n.Forward(NeuronTrace{Spikes: spikes, Potential: c.current}, c.current, c.steps)
		check(t)
		if d := kerneltest.FirstDifference(c.current, want.Potential); d >= 0 || !slices.Equal(spikes, want.Spikes) {
			t.Errorf("in place the potentials are others (%d), or the spikes", d)
		}
	})
}

// TestBackwardAgrees demands the bits of the Go loop, which TestGradients
// compares with differences.
func TestBackwardAgrees(t *testing.T) {
	forEachOf(t, "trainneuron", func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 1))
		for _, values := range []func(*rand.Rand, int) []float32{kerneltest.Normal, small} {
			for i, c := range neuronCases(r, values) {
				c.n.Surrogate, c.n.Slope = Surrogate(i%3), float32(1+i%5)
				c.n.DetachReset = i%4 == 0
				checkBackward(t, r, &c, values, i%7)
			}
		}
	})
}

// checkBackward compares one run; variant leaves out some of the operands.
func checkBackward(t *testing.T, r *rand.Rand, c *neuronCase, values func(*rand.Rand, int) []float32, variant int) {
	t.Helper()
	trace := c.forward(t)
	got, check := c.gradients(r, values)
	switch variant {
	case 1:
		got.Amplitude = nil
	case 2:
		got.Spike, got.Residual = nil, nil
	case 3:
		got.Counts = nil
	}
	want := got
	for _, v := range []*[]float32{&want.Current, &want.Bias, &want.Theta, &want.Alpha, &want.V0} {
		*v = slices.Clone(*v)
	}
	if variant == 4 && !c.steps.Steady {
		got.Current = slices.Clone(got.Amplitude)
		got.Amplitude = got.Current
	}
	if variant == 5 && !c.steps.Steady {
		got.Current = trace.Potential
		trace.Potential = slices.Clone(trace.Potential)
		c.n.Backward(got, got.Current, c.steps)
	} else {
		c.n.Backward(got, trace.Potential, c.steps)
	}
	check(t)
	inGeneric(t, func() { c.n.Backward(want, trace.Potential, c.steps) })
	results := want.results()
	for name, x := range got.results() {
		if d := kerneltest.FirstDifference(x, results[name]); d >= 0 {
			t.Fatalf("%v, surrogate %d, variant %d: gradient %d of %s is %v, want %v",
				c, c.n.Surrogate, variant, d, name, x[d], results[name][d])
		}
	}
}

// inGeneric runs f with the Go loops.
func inGeneric(t *testing.T, f func()) {
	t.Helper()
	defer choose(t, "trainneuron", machine.Selected("trainneuron"))
	choose(t, "trainneuron", "generic")
	f()
}

// TestExtremeThresholds: dead channels and denormal ones stay finite, pass
// nothing on and learn nothing.
func TestExtremeThresholds(t *testing.T) {
	inf := float32(math.Inf(1))
	thetas := []float32{inf, 1e-39, 1e-45, 1e-30, 3e38, 1, 1e25, 0x1p-63, 0x1p63}
	forEachOf(t, "trainneuron", func(t *testing.T) {
		r := rand.New(rand.NewPCG(4, 1))
		c := newNeuronCase(r, len(thetas), NeuronSteps{Size: len(thetas) * 80, Main: 4, Post: true}, kerneltest.Normal)
		c.params.Theta, c.params.Bias = thetas, nil
		for i := range 6 {
			c.n = NewNeuron(c.params)
			c.n.Surrogate, c.n.Slope = Surrogate(i%3), []float32{1, 100}[i/3]
			checkExtremeGradients(t, r, &c)
			checkExtremeRate(t, r, &c)
		}
	})
}

func checkExtremeGradients(t *testing.T, r *rand.Rand, c *neuronCase) {
	t.Helper()
	trace := c.forward(t)
	g, check := c.gradients(r, kerneltest.Normal)
	for _, v := range [][]float32{g.Bias, g.Theta, g.Alpha, g.V0} {
		clear(v)
	}
	c.n.Backward(g, trace.Potential, c.steps)
	check(t)
	for name, x := range g.results() {
		requireFinite(t, name, x)
	}
	thetas, alphas := make([]float32, c.channels), make([]float32, c.channels)
	FoldSums(thetas, g.Theta)
	FoldSums(alphas, g.Alpha)
	for i, theta := range c.params.Theta {
		dead := theta < lowTheta || theta > highTheta
		if dead && (thetas[i] != 0 || alphas[i] != 0) || theta == 1 && thetas[i] == 0 {
			t.Errorf("surrogate %d: threshold %v has gradient %v, its alpha %v",
				c.n.Surrogate, theta, thetas[i], alphas[i])
		}
	}
}

func checkExtremeRate(t *testing.T, r *rand.Rand, c *neuronCase) {
	t.Helper()
	x, size := kerneltest.Normal(r, c.steps.Size), c.steps.Size
	out, gx := make([]float32, size), make([]float32, size)
	sums, more := make([]float32, c.n.Period()), make([]float32, c.n.Period())
	c.n.RateForward(out, x, c.steps)
	c.n.RateBackward(RateGrad{kerneltest.Normal(r, size), gx, sums, more}, x, c.steps)
	for _, v := range [][]float32{out, gx, sums, more} {
		requireFinite(t, "rate stage", v)
	}
	for i := range out {
		if theta := c.params.Theta[i%c.channels]; (theta < lowTheta || theta > highTheta) && (out[i] != 0 || gx[i] != 0) {
			t.Fatalf("threshold %v emits %v, gradient %v", theta, out[i], gx[i])
		}
	}
}

func requireFinite(t *testing.T, name string, x []float32) {
	t.Helper()
	for i, v := range x {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			t.Fatalf("%s: number %d is %v", name, i, v)
		}
	}
}

// TestKernelsRestoreDenormals: a kernel that flushes subnormal numbers leaves
// the mode of the CPU as it was.
func TestKernelsRestoreDenormals(t *testing.T) {
	forEachOf(t, "trainneuron", func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 1))
		c := newNeuronCase(r, 64, NeuronSteps{Size: 640, Main: 2}, kerneltest.Normal)
		tiny := []float32{1e-39, 1e-39}
		for name, f := range map[string]func(){
			"forward": func() { c.forward(t) },
			"backward": func() {
				trace := c.forward(t)
				g, _ := c.gradients(r, kerneltest.Normal)
				c.n.Backward(g, trace.Potential, c.steps)
			},
			"rate": func() { checkExtremeRate(t, r, &c) },
			"adam": func() {
				AdamStep(kerneltest.Normal(r, 64), kerneltest.Normal(r, 64), kerneltest.Normal(r, 64), make([]float32, 64), Adam{1, 0.9, 0.9, 1, 0}, 1, 1)
			},
		} {
			f()
			if sum := tiny[0] + tiny[1]; sum == 0 {
				t.Errorf("after %s subnormal numbers are flushed", name)
			}
		}
	})
}

func TestPeriod(t *testing.T) {
	for c, want := range map[int]int{1: 64, 3: 192, 12: 192, 16: 64, 48: 192, 56: 448, 64: 64, 128: 128} {
		if got := Period(c); got != want {
			t.Errorf("period of %d channels is %d, want %d", c, got, want)
		}
		values, sums := make([]float32, c), make([]float32, c)
		for i := range values {
			values[i] = float32(i + 1)
		}
		repeated := make([]float32, want)
		Repeat(repeated, values)
		FoldSums(sums, repeated)
		for i := range sums {
			if repeated[want-c+i] != values[i] || sums[i] != float32((i+1)*want/c) {
				t.Fatalf("%d channels: channel %d repeats as %v and folds to %v",
					c, i, repeated[want-c+i], sums[i])
			}
		}
	}
}

func TestLengthsPanic(t *testing.T) {
	n := NewNeuron(NeuronParams{Theta: []float32{1, 1}})
	steps := NeuronSteps{Size: 4, Main: 2}
	ok, spikes, sums := make([]float32, 8), make([]uint64, 2), make([]float32, n.Period())
	for name, f := range map[string]func(){
		"no channels":    func() { NewNeuron(NeuronParams{}) },
		"two thresholds": func() { n.Set(NeuronParams{Theta: ok[:1]}) },
		"one bias":       func() { n.Set(NeuronParams{Theta: ok[:2], Bias: ok[:1]}) },
		"half a pixel":   func() { n.Forward(NeuronTrace{Spikes: spikes, Potential: ok}, ok, NeuronSteps{Size: 3, Main: 2}) },
		"few potentials": func() { n.Forward(NeuronTrace{Spikes: spikes, Potential: ok[:4]}, ok, steps) },
		"few words":      func() { n.Forward(NeuronTrace{Spikes: spikes[:1], Potential: ok}, ok, steps) },
		"few currents":   func() { n.Forward(NeuronTrace{Spikes: spikes, Potential: ok}, ok[:4], steps) },
		"short residual": func() { n.Forward(NeuronTrace{Spikes: spikes, Potential: ok, Residual: ok[:1]}, ok, steps) },
		"short sums":     func() { n.Backward(NeuronGrad{Current: ok, Bias: sums, Theta: sums, Alpha: sums, V0: ok}, ok, steps) },
		"short gradients": func() {
			n.Backward(NeuronGrad{Current: ok[:4], Bias: sums, Theta: sums, Alpha: sums, V0: sums}, ok, steps)
		},
		"short rates": func() { n.RateForward(ok[:3], ok[:4], steps) },
		"short adam":  func() { AdamStep(ok, ok[:1], ok, ok, Adam{}, 1, 1) },
	} {
		if kerneltest.Caught(f) == nil {
			t.Errorf("%s did not panic", name)
		}
	}
}
