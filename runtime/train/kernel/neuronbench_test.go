package kernel

import (
	"math/rand/v2"
	"testing"

	"spikingir/runtime/kernel/kerneltest"
)

// benchNeurons is a layer of DnCNN on a patch of 40 x 40 pixels, T = 10 and a post
// step: 11 slices of 64 channels.
func benchNeurons() (neuronCase, NeuronTrace, NeuronGrad) {
	r := rand.New(rand.NewPCG(1, 1))
	c := newNeuronCase(r, 64, NeuronSteps{Size: 1600 * 64, Main: 10, Post: true}, kerneltest.Normal)
	all := len(c.current)
	g, _ := c.gradients(r, kerneltest.Normal)
	trace := NeuronTrace{Spikes: make([]uint64, all/64), Potential: make([]float32, all)}
	c.n.Forward(trace, c.current, c.steps)
	return c, trace, g
}

func BenchmarkForward(b *testing.B) {
	c, trace, _ := benchNeurons()
	for b.Loop() {
		c.n.Forward(trace, c.current, c.steps)
	}
	perElement(b, len(c.current))
}

func BenchmarkBackward(b *testing.B) {
	for i, name := range []string{"sigmoid", "triangle", "arctan"} {
		b.Run(name, func(b *testing.B) {
			c, trace, g := benchNeurons()
			c.n.Surrogate = Surrogate(i)
			for b.Loop() {
				c.n.Backward(g, trace.Potential, c.steps)
			}
			perElement(b, len(c.current))
		})
	}
}

func BenchmarkRate(b *testing.B) {
	c, trace, g := benchNeurons()
	size := c.steps.Size
	b.Run("forward", func(b *testing.B) {
		for b.Loop() {
			c.n.RateForward(g.Current[:size], trace.Potential[:size], c.steps)
		}
		perElement(b, size)
	})
	b.Run("backward", func(b *testing.B) {
		for b.Loop() {
			c.n.RateBackward(RateGrad{g.Amplitude[:size], g.Current[:size], g.Bias, g.Theta}, trace.Potential[:size], c.steps)
		}
		perElement(b, size)
	})
}

func BenchmarkAdamStep(b *testing.B) {
	const n = 1 << 16
	r := rand.New(rand.NewPCG(1, 1))
	p, g, m, v := kerneltest.Normal(r, n), kerneltest.Normal(r, n), make([]float32, n), make([]float32, n)
	for b.Loop() {
		AdamStep(p, g, m, v, Adam{Rate: 1e-4, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, 10, 1)
	}
	perElement(b, n)
}

// perElement reports the time of one element, at one step.
func perElement(b *testing.B, elements int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(elements), "ns/element")
}
