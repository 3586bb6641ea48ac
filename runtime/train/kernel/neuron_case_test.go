package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	base "spikingir/runtime/kernel"
	"spikingir/runtime/kernel/kerneltest"
)

// A neuronCase is neurons with data of all kinds.
type neuronCase struct {
	channels int
	params   NeuronParams
	steps    NeuronSteps
	current  []float32
	n        *Neuron
}

// neuronCases covers every period and every length of the last word of spikes, with
// and without a post step and a steady current. values makes the currents.
func neuronCases(r *rand.Rand, values func(*rand.Rand, int) []float32) []neuronCase {
	pixels := map[int]int{1: 200, 3: 86, 12: 12, 16: 9, 56: 17, 64: 3}
	var list []neuronCase
	for _, c := range []int{1, 3, 12, 16, 56, 64} {
		for p := range pixels[c] {
			if testing.Short() && p%7 != 0 {
				continue
			}
			steps := NeuronSteps{Size: p * c, Main: 1 + p%3, Post: p%2 == 0, Steady: p%5 == 0}
			list = append(list, newNeuronCase(r, c, steps, values))
		}
	}
	return list
}

func newNeuronCase(r *rand.Rand, channels int, steps NeuronSteps, values func(*rand.Rand, int) []float32) neuronCase {
	c := neuronCase{channels: channels, steps: steps}
	c.params = NeuronParams{Theta: kerneltest.Normal(r, channels), Bias: kerneltest.Normal(r, channels),
		Alpha: kerneltest.Normal(r, channels), V0: kerneltest.Normal(r, channels)}
	for i := range channels {
		c.params.Theta[i] = 0.2 + abs32(c.params.Theta[i])
		c.params.Alpha[i] = float32(0.5 + 0.5*r.Float64())
	}
	currents := steps.Slices() * steps.Size
	if steps.Steady {
		currents = steps.Size
	}
	c.current = values(r, currents)
	c.n = NewNeuron(c.params)
	return c
}

func (c *neuronCase) String() string {
	return fmt.Sprintf("%d channels, %+v", c.channels, c.steps)
}

// forward runs the case in fenced memory.
func (c *neuronCase) forward(t *testing.T) NeuronTrace {
	t.Helper()
	slices, size := c.steps.Slices(), c.steps.Size
	stale := make([]uint64, slices*base.SpikeWords(size))
	for i := range stale {
		stale[i] = math.MaxUint64
	}
	var checks []func(*testing.T)
	fenced := func(n int) []float32 {
		x, check := kerneltest.Fence(make([]float32, n), 12345)
		checks = append(checks, check)
		return x
	}
	spikes, check := kerneltest.Fence(stale, 0xdead)
	checks = append(checks, check)
	out := NeuronTrace{Spikes: spikes, Potential: fenced(slices * size), Amplitude: fenced(slices * size),
		Counts: fenced(size), Residual: fenced(size)}
	c.n.Forward(out, c.current, c.steps)
	for _, check := range checks {
		check(t)
	}
	return out
}

// gradients makes what Backward reads, and fenced room for what it writes.
func (c *neuronCase) gradients(r *rand.Rand, values func(*rand.Rand, int) []float32) (g NeuronGrad, check func(*testing.T)) {
	slices, size, period := c.steps.Slices(), c.steps.Size, c.n.Period()
	g = NeuronGrad{Amplitude: values(r, slices*size), Spike: make([]float32, period),
		Counts: values(r, size), Residual: values(r, size)}
	Repeat(g.Spike, values(r, c.channels))
	var checks []func(*testing.T)
	fenced := func(x []float32) []float32 {
		inner, check := kerneltest.Fence(x, 12345)
		checks = append(checks, check)
		return inner
	}
	currents := slices * size
	if c.steps.Steady {
		currents = size
	}
	g.Current = fenced(make([]float32, currents))
	g.Bias, g.Theta = fenced(kerneltest.Normal(r, period)), fenced(kerneltest.Normal(r, period))
	g.Alpha, g.V0 = fenced(kerneltest.Normal(r, period)), fenced(kerneltest.Normal(r, period))
	return g, func(t *testing.T) {
		t.Helper()
		for _, check := range checks {
			check(t)
		}
	}
}

// small gives normal numbers, zeros of both signs, and numbers round the subnormal
// ones, so that products and sums become subnormal.
func small(r *rand.Rand, n int) []float32 {
	x := kerneltest.Normal(r, n)
	for i := range x {
		switch r.IntN(6) {
		case 0:
			x[i] *= float32(math.Ldexp(1, -120-r.IntN(30)))
		case 1:
			x[i] *= float32(math.Ldexp(1, -60-r.IntN(10)))
		case 2:
			x[i] = float32(math.Copysign(0, float64(x[i])))
		}
	}
	return x
}

// results are the numbers that a Backward wrote, by name.
func (g *NeuronGrad) results() map[string][]float32 {
	return map[string][]float32{
		"current": g.Current, "bias": g.Bias, "theta": g.Theta, "alpha": g.Alpha, "v0": g.V0,
	}
}
