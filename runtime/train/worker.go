package train

import (
	"fmt"

	base "spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
	"spikingir/runtime/train/kernel"
)

// Mode is what a worker makes of the neurons.
type Mode int

const (
	// Spikes runs all timesteps, and back through them.
	Spikes Mode = iota
	// Rates runs one slice: a neuron rounds its mean current down to one of the
	// rates that it can fire at, and passes the gradient straight through.
	Rates
	// ANN runs one slice with ReLUs in the place of neurons: the network before
	// its conversion, as far as weights and biases go.
	ANN
)

// A Worker holds what lies between one patch's input and output, and the sum of
// the gradients of the patches that it has run. Several may run at a time.
type Worker struct {
	net     *Net
	mode    Mode
	slots   []slot
	states  []neuronState // of each neuron layer
	scratch kernel.Scratch
	env     ops.Env
	free    map[int][][]float32
	words   map[int][][]uint64
	hooks   Hooks
	out     []float32 // what the last Forward gave
	*accumulated
	// passed, when not nil, is told of each layer that Backward has come through.
	passed func(layer int)
}

// A slot is a value as this worker holds it: [slices][elems].
type slot struct {
	x    []float32 // nil for spikes that nobody wants as amplitudes
	bits []uint64  // of spikes: SpikeWords(elems) words a slice
	g    []float32 // gradient, nil until someone has added to it
}

// Hooks are gradients from outside of the network's output.
type Hooks struct {
	// Energy is added to the gradient by each spike of neuron layer i; nil for none.
	Energy []float32
	// Feature, when not nil, is called for each neuron layer when its output is
	// known: rate is the mean amplitude over the main steps, [H][W][C], and gradient,
	// of the same length and zero, takes the gradient by it. It reports whether it
	// set any.
	Feature func(layer int, rate, gradient []float32) bool
}

// NewWorker makes a worker with no gradients.
func (n *Net) NewWorker() *Worker {
	return &Worker{net: n, slots: make([]slot, len(n.order)), states: make([]neuronState, len(n.neurons)),
		accumulated: n.newAccumulated(), free: map[int][][]float32{}, words: map[int][][]uint64{}, env: ops.Env{Repack: true}}
}

// floats takes a buffer whose elements may be anything.
func (w *Worker) floats(n int) []float32 {
	if l := w.free[n]; len(l) > 0 {
		w.free[n] = l[:len(l)-1]
		return l[len(l)-1]
	}
	return machine.NewArray[float32](n)
}

// zeros takes a buffer of zeros.
func (w *Worker) zeros(n int) []float32 {
	x := w.floats(n)
	clear(x)
	return x
}

// put gives a buffer back.
func (w *Worker) put(x []float32) {
	if x != nil {
		w.free[len(x)] = append(w.free[len(x)], x)
	}
}

func (w *Worker) bits(n int) []uint64 {
	if l := w.words[n]; len(l) > 0 {
		w.words[n] = l[:len(l)-1]
		return l[len(l)-1]
	}
	return make([]uint64, n)
}

// slices is the number of slices of v in this run.
func (w *Worker) slices(v *value) int { return w.net.slices(v, w.mode) }

// size is the elements of all slices of v.
func (w *Worker) size(v *value) int { return w.slices(v) * v.elems }

// set makes the output buffer of v.
func (w *Worker) set(v *value) []float32 {
	w.slots[v.id].x = w.floats(w.size(v))
	return w.slots[v.id].x
}

// amplitudes is v as numbers.
func (w *Worker) amplitudes(v *value) []float32 { return w.slots[v.id].x }

// gradient is the gradient by v, nil when there is none.
func (w *Worker) gradient(v *value) []float32 { return w.slots[v.id].g }

// give adds g to the gradient by v and keeps or frees the buffer.
func (w *Worker) give(v *value, g []float32) {
	s := &w.slots[v.id]
	if s.g == nil {
		s.g = g
		return
	}
	base.Add(s.g, s.g, g)
	w.put(g)
}

// drop frees the gradient by v, which its layer is done with.
func (w *Worker) drop(v *value) {
	w.put(w.slots[v.id].g)
	w.slots[v.id].g = nil
}

// take removes the gradient by v, which the caller will put back.
func (w *Worker) take(v *value) []float32 {
	if v == nil {
		return nil
	}
	g := w.slots[v.id].g
	w.slots[v.id].g = nil
	return g
}

// Forward restores one image [C][H][W] of the network's size and gives its output
// [C][H][W], the caller's until the next Forward.
func (w *Worker) Forward(image []float32, mode Mode, h Hooks) ([]float32, error) {
	w.reset()
	w.mode, w.hooks = mode, h
	in := w.net.input
	if len(image) != in.elems {
		return nil, fmt.Errorf("image of %d values, want %d", len(image), in.elems)
	}
	toLast(w.set(in), image, in)
	for _, l := range w.net.layers {
		if err := l.forward(w); err != nil {
			return nil, err
		}
	}
	w.out = w.floats(w.net.output.elems)
	toFirst(w.out, w.amplitudes(w.net.output), w.net.output)
	return w.out, nil
}

// Backward adds to the gradients of the parameters, for the gradient [C][H][W] by
// the output of the last Forward.
func (w *Worker) Backward(gradient []float32) error {
	out := w.net.output
	if len(gradient) != out.elems {
		return fmt.Errorf("gradient of %d values, want %d", len(gradient), out.elems)
	}
	g := w.floats(out.elems)
	toLast(g, gradient, out)
	w.give(out, g)
	for i := len(w.net.layers) - 1; i >= 0; i-- {
		l := w.net.layers[i]
		if w.reached(l) {
			if err := l.backward(w); err != nil {
				return err
			}
			for _, v := range l.writes() {
				w.drop(v)
			}
		}
		if w.passed != nil {
			w.passed(i)
		}
	}
	w.drop(w.net.input)
	return nil
}

// reached reports whether a gradient by some output of l is known.
func (w *Worker) reached(l layer) bool {
	if n, ok := l.(*neuronLayer); ok && n.out.grad && w.touched(n) {
		return true
	}
	for _, v := range l.writes() {
		if w.slots[v.id].g != nil {
			return true
		}
	}
	return false
}

// reset forgets the last patch.
func (w *Worker) reset() {
	w.put(w.out)
	w.out = nil
	for i := range w.slots {
		s := &w.slots[i]
		w.put(s.x)
		w.put(s.g)
		if s.bits != nil {
			w.words[len(s.bits)] = append(w.words[len(s.bits)], s.bits)
		}
		*s = slot{}
	}
	for i := range w.states {
		w.states[i].reset(w)
	}
}

// Spikes is the number of spikes of neuron layer i in the last Forward of mode
// Spikes.
func (w *Worker) Spikes(i int) int { return base.CountSpikes(w.slots[w.net.neurons[i].out.id].bits) }

// FiringRate is the spikes per neuron and main step of the last Forward of mode
// Spikes or Rates.
func (w *Worker) FiringRate() float64 {
	spikes, slots := 0.0, 0
	for i, l := range w.net.neurons {
		if w.mode == Rates {
			spikes += l.firing(w)
		} else {
			spikes += float64(w.Spikes(i))
		}
		slots += l.out.elems * w.net.Timesteps
	}
	return spikes / float64(max(slots, 1))
}

// BackwardRates is Backward through the mean rates of the last Forward of mode
// Spikes: one pass for all timesteps, with the spikes' means in the place of
// activations and the gradient passed straight through the neurons whose mean
// current lies within the rates that they can fire at.
func (w *Worker) BackwardRates(gradient []float32) error {
	if w.mode == Spikes {
		for _, v := range w.net.order {
			w.collapse(v)
		}
		w.mode = Rates
	}
	return w.Backward(gradient)
}
