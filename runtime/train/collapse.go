package train

import (
	base "spikingir/runtime/kernel"
	"spikingir/runtime/train/kernel"
)

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

// collapseNeuron gives the spikes of l as mean amplitudes and its state as the mean
// current.
func (w *Worker) collapseNeuron(l *neuronLayer) {
	s, st := &w.slots[l.out.id], &w.states[l.index]
	elems, slices := l.out.elems, w.slices(l.out)
	words := base.SpikeWords(elems)
	main := (slices - 1) * words
	counts := w.zeros(elems)
	for at := 0; at < main; at += words {
		kernel.AddSpikes(counts, s.bits[at:at+words])
	}
	mean := w.floats(elems)
	if l.steady {
		copy(mean, w.amplitudes(l.x))
	} else { // u(1) + sum of later currents, from the last potential back
		l.meanCurrent(mean, st.u[(slices-1)*elems:], counts, w.net.Timesteps)
	}
	w.put(st.u)
	st.u = mean
	kernel.AddSpikes(counts, s.bits[main:])
	scale := append([]float32(nil), l.emits...)
	for k := range scale {
		scale[k] /= float32(w.net.Timesteps)
	}
	for at := 0; at < elems; at += len(scale) {
		rate := counts[at : at+len(scale)]
		for k, a := range scale {
			rate[k] *= a
		}
	}
	w.put(s.x)
	s.x = counts
}

// meanCurrent sets mean to the mean current without bias of neurons that have fired so
// often before their last potential.
func (l *neuronLayer) meanCurrent(mean, last, fired []float32, t int) {
	theta, bias := l.emits, elemsOrZeros(l)
	shift := make([]float32, len(theta)) // what is left of v0 and of the bias
	for k, v := range theta {
		shift[k] = float32(l.start*v) + float32(float32(t)*bias[k])
	}
	each := 1 / float32(t)
	for at := 0; at < len(mean); at += len(theta) {
		m, u, n := mean[at:at+len(theta)], last[at:at+len(theta)], fired[at:at+len(theta)]
		for k, v := range theta {
			m[k] = (u[k] + float32(n[k]*v) - shift[k]) * each
		}
	}
}

// elemsOrZeros is the bias of each channel.
func elemsOrZeros(l *neuronLayer) []float32 {
	c := l.out.channels()
	if b := elems(l.bias, l.fixed.bias); b != nil {
		return spread(b, c)
	}
	return make([]float32, c)
}
