package kernel

// RateForward is the neurons of a rate stage: where x, [Size], is the mean current
// (1/T)*sum of current(t) without the bias, and T = steps.Main, it emits the mean
// amplitude
//
//	h    = (x + bias)/theta
//	r    = clip(floor(h*T + shift), 0, levels)/T
//	out  = theta*r
//
// with levels T and shift v(0)/theta, or levels T+1 and shift v(0)/theta + 1 - alpha
// with a post step. out may be x. A threshold that takes no part in learning emits 0.
func (n *Neuron) RateForward(out, x []float32, steps NeuronSteps) {
	a := n.rateArgs("RateForward", out, x, steps)
	whole := steps.Size &^ (spikeBits - 1)
	neuronFamily.Kernels.rateForward(&a, whole)
	rateForwardGeneric(&a, whole, steps.Size)
}

// RateGrad is the gradients of a loss that RateBackward reads and those it writes.
type RateGrad struct {
	Amplitude []float32 // dL/d(theta*r), [Size]
	Current   []float32 // dL/dx, [Size]; may be Amplitude or x
	// Bias and Theta have the period's length; the gradients of all elements are added
	// to them. That of the shift is theta/T times that of the bias.
	Bias, Theta []float32
}

// RateBackward passes gradients straight through the steps of RateForward (learned
// step size: Esser et al., ICLR 2020):
//
//	             h <= 0    inside           h >= levels/T
//	current        0       amplitude        0
//	theta +=       0       amplitude*(r-h)  amplitude*levels/T
//
// and adds the gradient of the current to that of the bias. All implementations give
// the same bits; subnormal numbers count as 0.
func (n *Neuron) RateBackward(g RateGrad, x []float32, steps NeuronSteps) {
	a := n.rateArgs("RateBackward", g.Current, x, steps)
	wantLength("RateBackward", "gradients of amplitudes", len(g.Amplitude), steps.Size)
	wantLength("RateBackward", "sums", len(g.Bias), n.Period())
	wantLength("RateBackward", "sums", len(g.Theta), n.Period())
	a.grad, a.sumBias, a.sumTheta = g.Amplitude, g.Bias, g.Theta
	whole := steps.Size &^ (spikeBits - 1)
	neuronFamily.Kernels.rateBackward(&a, whole)
	rateBackwardGeneric(&a, whole, steps.Size)
}

func (n *Neuron) rateArgs(name string, out, x []float32, steps NeuronSteps) rateArgs {
	steps.check(name, n.channels)
	wantLength(name, "currents", len(x), steps.Size)
	wantLength(name, "results", len(out), steps.Size)
	t, most, shift := float64(steps.Main), float64(steps.Slices()), n.shift
	if steps.Post {
		shift = n.postShift
	}
	return rateArgs{
		bias: n.bias, inverse: n.inverse, gain: n.gain, shift: shift, x: x, out: out,
		steps: float32(t), part: float32(1 / t), most: float32(most), top: float32(most / t),
	}
}
