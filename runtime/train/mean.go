package train

import (
	base "spikingir/runtime/kernel"
	"spikingir/runtime/train/kernel"
)

// forwardMean is a neuron on its mean current: rounded down to a rate that it can
// fire at, or in mode ANN a ReLU. What is left of the current is the residual
// potential, so that count and residual together are the mean current, as in a
// spiking run.
func (l *neuronLayer) forwardMean(w *Worker) {
	in, st := &w.slots[l.x.id], &w.states[l.index]
	if l.x.reads == 1 && !l.x.kept && !l.steady {
		st.u, in.x = in.x, nil // nobody else wants the current
	} else {
		st.u = w.floats(l.out.elems)
		copy(st.u, in.x)
	}
	out := w.set(l.out)
	if w.mode == ANN {
		l.shift(out, st.u)
		base.Clip(out, out, 0, maxFloat)
	} else {
		l.kernel.RateForward(out, st.u, l.steps(w))
	}
	if l.vres == nil {
		return
	}
	// T*(mean current - rate) + v(0)
	res, t := w.set(l.vres), float32(w.net.Timesteps)
	l.shift(res, st.u)
	c := l.out.channels()
	for i := range res {
		v0 := float32(0)
		if w.mode == Rates && l.start != 0 {
			v0 = l.start * l.emits[i%c]
		}
		res[i] = t*(res[i]-out[i]) + v0
	}
}

// shift sets dst to the current with the bias.
func (l *neuronLayer) shift(dst, x []float32) {
	if b := elems(l.bias, l.fixed.bias); b != nil {
		addChannels(dst, x, b, l.out.channels())
		return
	}
	copy(dst, x)
}

// amplitudes is the sum of the mean amplitudes of each channel.
func (l *neuronLayer) amplitudes(w *Worker) []float32 {
	st, c := &w.states[l.index], l.out.channels()
	if st.amplitudes == nil {
		st.amplitudes = w.zeros(c)
		sumChannels(st.amplitudes, w.amplitudes(l.out), c)
	}
	return st.amplitudes
}

// firing is the spikes of all neurons in all steps, from the mean amplitudes that they emit.
func (l *neuronLayer) firing(w *Worker) (spikes float64) {
	for i, s := range l.amplitudes(w) {
		if theta := l.emits[i]; theta > 0 {
			spikes += float64(s) * float64(w.net.Timesteps) / float64(theta)
		}
	}
	return spikes
}

func (l *neuronLayer) backwardMean(w *Worker) {
	st := &w.states[l.index]
	g := w.gradient(l.out)
	if g == nil {
		g = w.zeros(l.out.elems)
	} else {
		w.slots[l.out.id].g = nil
	}
	if st.feature != nil {
		base.Add(g, g, st.feature)
	}
	if e := w.hooks.Energy; e != nil && e[l.index] != 0 {
		l.addEnergy(w, g, e[l.index])
	}
	var res []float32
	if l.vres != nil {
		res = w.gradient(l.vres)
	}
	t := float32(w.net.Timesteps)
	for i, r := range res { // the residual is T*(current - out)
		g[i] -= t * r
	}
	period := l.kernel.Period()
	sums := kernel.NeuronGrad{Bias: w.zeros(period), Theta: w.zeros(period)}
	if w.mode == ANN {
		b := w.floats(l.out.elems)
		l.shift(b, st.u)
		for i, x := range b {
			if x <= 0 {
				g[i] = 0
			}
		}
		w.put(b)
		l.addBias(w, g)
	} else {
		l.kernel.RateBackward(kernel.RateGrad{Amplitude: g, Current: g, Bias: sums.Bias, Theta: sums.Theta}, st.u, l.steps(w))
		l.addShift(w, sums.Bias)
		if res != nil {
			sums.V0 = w.zeros(l.out.channels())
			sumChannels(sums.V0, res, l.out.channels())
		}
	}
	l.fold(w, sums)
	w.put(sums.V0)
	if res != nil {
		base.MulScalar(res, res, t)
		base.Add(g, g, res)
		l.addBias(w, res)
	}
	w.put(sums.Bias)
	w.put(sums.Theta)
	if l.x.grad {
		w.give(l.x, g)
	} else {
		w.put(g)
	}
}

// addBias adds the sum of a gradient by the current to that of the bias.
func (l *neuronLayer) addBias(w *Worker, g []float32) {
	if l.bias != nil {
		sumChannels(w.grads[l.bias.grad], g, l.out.channels())
	}
}

// addShift adds the gradients of what shifts the rounding to rates by v0 + 1 - alpha:
// by a shift, a rate moves as by a current of theta/T.
func (l *neuronLayer) addShift(w *Worker, bias []float32) {
	if l.v0 == nil && l.beta == nil {
		return
	}
	sums, t := w.zeros(l.out.channels()), float32(w.net.Timesteps)
	kernel.FoldSums(sums, bias)
	for i, s := range sums {
		s *= l.emits[i] / t
		if l.v0 != nil {
			w.grads[l.v0.grad][0] += s
		}
		if l.beta != nil && w.net.Post == 1 {
			alpha := w.grads[l.beta.grad]
			alpha[i%len(alpha)] -= s
		}
	}
	w.put(sums)
}

// addEnergy adds the gradient of an energy term e a spike: T/theta spikes to an
// amplitude.
func (l *neuronLayer) addEnergy(w *Worker, g []float32, e float32) {
	c, t := l.out.channels(), float32(w.net.Timesteps)
	by := w.zeros(c)
	for i, theta := range l.theta1 {
		if theta > lowestThreshold && theta <= maxFloat {
			by[i] = e * t / theta
		}
	}
	addChannels(g, g, by, c)
	if l.theta != nil {
		sums := w.grads[l.theta.grad]
		for i, sum := range l.amplitudes(w) {
			if by[i] != 0 {
				sums[i%len(sums)] -= by[i] * (sum / l.theta1[i])
			}
		}
	}
	w.put(by)
}
