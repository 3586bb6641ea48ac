package kernel

// NeuronGrad is the gradients of a loss L that Backward reads, and those that it
// writes.
type NeuronGrad struct {
	Amplitude []float32 // dL/d(theta*s(t)), [slices][Size]; nil: 0
	Spike     []float32 // dL/ds(t), the same at all steps, of the period's length; nil: 0
	Counts    []float32 // dL/ds(t), the same at all steps, [Size]; nil: 0
	Residual  []float32 // dL/dv after the last step, [Size]; nil: 0

	// Current is dL/d(current), [slices][Size], or [Size] of a steady one. It may be
	// Amplitude or the potential (unless it is steady).
	Current []float32
	// Bias, Theta, Alpha and V0 have the period's length; the gradients of all
	// elements are added to them, to be folded by [FoldSums]. That of the threshold
	// takes alpha and v(0) as given.
	Bias, Theta, Alpha, V0 []float32
}

// Backward computes, from the potentials u(t) that Forward stored, going from the
// last step to the first, with gv = dL/dv and a = 1, or alpha at the post step,
//
//	x          = u/theta - a
//	ds/theta   = amplitude(t) - gv + (spike + counts)/theta   the reset detached: no gv
//	dx         = ds/theta * surrogate(x)
//	current(t) = gv + dx;  bias += gv + dx                    the post step: no bias
//	theta     += s(t)*(amplitude(t) - gv) - dx*u/theta
//	alpha     -= dx*theta                                     at the post step
//	gv         = gv + dx;  in the end V0 += gv
//
// in float32, each operation rounded, without fused ones and with subnormal operands
// and results taken as 0. The sums of one element over time are added to those of
// the period element by element. All implementations give the same bits.
func (n *Neuron) Backward(g NeuronGrad, potential []float32, steps NeuronSteps) {
	steps.check("Backward", n.channels)
	slices, size, period := steps.Slices(), steps.Size, n.Period()
	wantLength("Backward", "potentials", len(potential), slices*size)
	wantOptional("Backward", "gradients of amplitudes", g.Amplitude, slices*size)
	wantOptional("Backward", "gradients of spikes", g.Spike, period)
	wantOptional("Backward", "gradients of counts", g.Counts, size)
	wantOptional("Backward", "gradients of residual potentials", g.Residual, size)
	for _, sums := range [][]float32{g.Bias, g.Theta, g.Alpha, g.V0} {
		wantLength("Backward", "sums", len(sums), period)
	}
	a := neuronBackward{
		level: n.level, postLevel: n.postLevel, inverse: n.inverse, gain: n.gain,
		center: n.center, postCenter: n.postCenter, spike: g.Spike,
		u: potential, current: g.Current,
		sumBias: g.Bias, sumTheta: g.Theta, sumAlpha: g.Alpha, sumV0: g.V0,
		surrogate: int(n.Surrogate), size: size, main: steps.Main, slices: slices,
	}
	a.scale, a.height = n.Surrogate.constants(n.Slope)
	if n.DetachReset {
		a.detach = 1
	}
	if g.Spike == nil {
		a.spike = n.none
	}
	a.amplitude, a.amplitudeMove = orZeros(g.Amplitude)
	a.amplitudeStep = a.amplitudeMove * size
	a.counts, a.countsMove = orZeros(g.Counts)
	a.residual, a.residualMove = orZeros(g.Residual)
	if steps.Steady {
		a.steady = 1
		wantLength("Backward", "gradients of steady currents", len(g.Current), size)
	} else {
		wantLength("Backward", "gradients of currents", len(g.Current), slices*size)
	}
	if size == 0 {
		return
	}
	whole := size &^ (spikeBits - 1)
	neuronFamily.Kernels.backward(&a, whole)
	neuronBackwardGeneric(&a, whole, size)
}

// noFloats is what a kernel reads in place of a missing operand, never moving on.
var noFloats [spikeBits]float32

// orZeros gives an operand and what its index goes on by, or zeros and 0.
func orZeros(x []float32) (values []float32, move int) {
	if x == nil {
		return noFloats[:], 0
	}
	return x, 1
}
