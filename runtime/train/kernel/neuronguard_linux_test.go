package kernel

import (
	"math/rand/v2"
	"testing"

	base "spikingir/runtime/kernel"
	"spikingir/runtime/kernel/kerneltest"
)

// TestTouchesOnlyItsOwn runs neurons whose data lie against forbidden memory.
func TestTouchesOnlyItsOwn(t *testing.T) {
	forEachOf(t, "trainneuron", func(t *testing.T) {
		r := rand.New(rand.NewPCG(11, 1))
		for _, size := range []int{63, 64, 65, 128, 192} {
			for _, atEnd := range []bool{false, true} {
				runGuarded(t, r, NeuronSteps{Size: size, Main: 2, Post: true}, atEnd)
				runGuarded(t, r, NeuronSteps{Size: size, Main: 2, Post: true, Steady: true}, atEnd)
			}
		}
	})
}

func runGuarded(t *testing.T, r *rand.Rand, steps NeuronSteps, atEnd bool) {
	t.Helper()
	c := newNeuronCase(r, 1, steps, kerneltest.Normal)
	in := func(x []float32) []float32 {
		y := kerneltest.Guarded(t, len(x), atEnd)
		copy(y, x)
		return y
	}
	slices := steps.Slices()
	current := in(c.current)
	out := NeuronTrace{
		Spikes:    make([]uint64, slices*base.SpikeWords(steps.Size)),
		Potential: kerneltest.Guarded(t, slices*steps.Size, atEnd), Amplitude: kerneltest.Guarded(t, slices*steps.Size, atEnd),
		Counts: kerneltest.Guarded(t, steps.Size, atEnd), Residual: kerneltest.Guarded(t, steps.Size, atEnd),
	}
	c.n.Forward(out, current, steps)
	g, _ := c.gradients(r, kerneltest.Normal)
	g.Amplitude, g.Spike, g.Counts, g.Residual = in(g.Amplitude), in(g.Spike), in(g.Counts), in(g.Residual)
	g.Current, g.Bias, g.Theta = in(g.Current), in(g.Bias), in(g.Theta)
	g.Alpha, g.V0 = in(g.Alpha), in(g.V0)
	c.n.Backward(g, out.Potential, steps)
	x := in(kerneltest.Normal(r, steps.Size))
	c.n.RateForward(out.Counts, x, steps)
	c.n.RateBackward(RateGrad{g.Counts, out.Residual, g.Bias, g.Theta}, x, steps)
	AdamStep(out.Counts, x, g.Counts, in(make([]float32, steps.Size)), Adam{Rate: 1, Epsilon: 1}, 1, 1)
}
