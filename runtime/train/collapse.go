package train

import "spikingir/runtime/kernel"

// collapse replaces a value of a spiking run by its mean over the main steps, and
// the state of the neurons that emit it by their mean current, which follows from
// what they fired and what is left: no current is stored for it.
func (w *Worker) collapse(v *value) {
	s := &w.slots[v.id]
	if l := v.neuron; l != nil {
		w.collapseNeuron(l)
		return
	}
	if !v.timed || s.x == nil {
		return
	}
	mean := w.floats(v.elems)
	w.average(mean, v)
	w.put(s.x)
	s.x = mean
}

func (w *Worker) collapseNeuron(l *neuronLayer) {
	s, st := &w.slots[l.out.id], &w.states[l.index]
	t, c, elems := w.net.Timesteps, l.out.channels(), l.out.elems
	slices, words := w.slices(l.out), kernel.SpikeWords(elems)
	counts := w.zeros(elems)
	for i := range slices {
		kernel.AccumulateSpikes(counts, s.bits[i*words:(i+1)*words], 1)
	}
	bias := elemsOrZeros(l)
	u := st.u
	if !l.steady { // u(1) + sum of later currents, from the last potential back
		last := u[(slices-1)*elems:]
		fired := w.zeros(elems)
		for i := range slices - 1 {
			kernel.AccumulateSpikes(fired, s.bits[i*words:(i+1)*words], 1)
		}
		mean := w.floats(elems)
		for i, v := range last {
			theta := l.theta1[i%c]
			v0 := l.v0 * theta
			if fired[i] == 0 {
				theta = 0
			}
			mean[i] = (v+fired[i]*theta-v0)/float32(t) - bias[i%c]
		}
		w.put(fired)
		w.put(st.u)
		st.u = mean
	} else {
		mean := w.floats(elems)
		copy(mean, w.amplitudes(l.x))
		w.put(st.u)
		st.u = mean
	}
	rate := counts
	for i, n := range rate {
		if n != 0 {
			rate[i] = n * l.theta1[i%c] / float32(t)
		}
	}
	w.put(s.x)
	s.x = rate
}

// elemsOrZeros is the bias of each channel.
func elemsOrZeros(l *neuronLayer) []float32 {
	c := l.out.channels()
	if b := elems(l.bias, l.fixed.bias); b != nil {
		return spread(b, c)
	}
	return make([]float32, c)
}
