package train

import "spikingir/runtime/train/kernel"

// touched reports whether the hooks give a gradient by l's spikes.
func (w *Worker) touched(l *neuronLayer) bool {
	return w.states[l.index].feature != nil || w.hooks.Energy != nil && w.hooks.Energy[l.index] != 0
}

func (l *neuronLayer) backward(w *Worker) error {
	if w.mode != Spikes {
		l.backwardMean(w)
		return nil
	}
	st := &w.states[l.index]
	g := l.gradients(w)
	l.kernel.Backward(g, st.u, l.steps(w))
	l.fold(w, g)
	for _, x := range [][]float32{g.Amplitude, g.Residual, g.Bias, g.Theta, g.Alpha, g.V0, g.Spike} {
		w.put(x)
	}
	if !l.steady {
		st.u = nil
	}
	if l.x.grad {
		w.give(l.x, g.Current)
	} else {
		w.put(g.Current)
	}
	return nil
}

// gradients makes room for the gradients, and takes those that the neurons read.
func (l *neuronLayer) gradients(w *Worker) kernel.NeuronGrad {
	st := &w.states[l.index]
	g := kernel.NeuronGrad{Amplitude: w.take(l.out), Residual: w.take(l.vres), Current: st.u}
	if l.steady {
		g.Current = w.floats(l.out.elems)
	}
	period := l.kernel.Period()
	if e := w.hooks.Energy; e != nil && e[l.index] != 0 {
		g.Spike = w.floats(period)
		kernel.Repeat(g.Spike, []float32{e[l.index]})
	}
	if st.feature != nil {
		l.featureTheta(w, st)
		c := l.out.channels()
		for i := range st.feature {
			st.feature[i] *= l.emits[i%c] / float32(w.net.Timesteps)
		}
		g.Counts = st.feature
	}
	g.Bias, g.Theta, g.Alpha, g.V0 = w.zeros(period), w.zeros(period), w.zeros(period), w.zeros(period)
	return g
}

// featureTheta adds to the gradient of the threshold what the mean amplitude
// theta*count/T owes to it directly.
func (l *neuronLayer) featureTheta(w *Worker, st *neuronState) {
	if l.theta == nil {
		return
	}
	dst, c := w.grads[l.theta.grad], l.out.channels()
	sums := make([]float64, c)
	for i, g := range st.feature {
		sums[i%c] += float64(g) * float64(st.counts[i])
	}
	for i, s := range sums {
		dst[i%len(dst)] += float32(s / float64(w.net.Timesteps))
	}
}

// fold adds the sums of a backward pass to the gradients of the parameters. The
// threshold's counts what it does to the initial potential v0*theta too.
func (l *neuronLayer) fold(w *Worker, g kernel.NeuronGrad) {
	c := l.out.channels()
	v0 := w.zeros(c)
	if g.V0 != nil {
		kernel.FoldSums(v0, g.V0)
	}
	add := func(p *Param, sums []float32) {
		if p == nil || sums == nil {
			return
		}
		dst := w.grads[p.grad]
		if len(dst) == c {
			kernel.FoldSums(dst, sums)
			return
		}
		kernel.FoldSums(dst[:1], sums)
	}
	add(l.bias, g.Bias)
	add(l.theta, g.Theta)
	add(l.beta, g.Alpha)
	for i, x := range v0 {
		if l.theta != nil {
			t := w.grads[l.theta.grad]
			t[i%len(t)] += x * l.start
		}
		if l.v0 != nil {
			w.grads[l.v0.grad][0] += x * l.emits[i]
		}
	}
	w.put(v0)
}
