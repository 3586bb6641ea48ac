package train

// A front is how far a network has run on some patches: what the layers before one of
// them gave, as far as that one and those behind it read it.
type front struct {
	net   *Net
	mode  Mode
	limit int // bytes that it may hold
	at    kept
	next  kept // where it is moving
}

// kept is the values that layers from one on read of those before it, of each patch: nil
// before the first layer, and where they would take too much room.
type kept struct {
	layer  int
	values []*value
	slots  [][]slot
}

// frontLimit is the limit of a front. One that would need more stays where it is, and the
// layers from there on run again.
const frontLimit = 1 << 29

// advance prepares to move to a layer.
func (f *front) advance(layer, patches int) {
	if layer <= f.at.layer {
		f.at = kept{}
	}
	f.next = kept{layer: layer, values: f.net.crossing(layer)}
	bits := 0
	for _, v := range f.next.values {
		size := patches * f.net.slices(v, f.mode) * v.elems
		if f.mode == Spikes && v.neuron != nil {
			bits += size
		}
		if f.mode != Spikes || v.neuron == nil || v.dense {
			bits += 32 * size
		}
	}
	if bits/8 <= f.limit {
		f.next.slots = make([][]slot, patches)
	}
}

// run runs patch i in w up to where the front is moving.
func (f *front) run(w *Worker, i int, image []float32) error {
	w.reset()
	w.mode, w.hooks = f.mode, Hooks{}
	if f.at.slots == nil {
		toLast(w.set(f.net.input), image, f.net.input)
	} else {
		for k, v := range f.at.values {
			w.restore(v, &f.at.slots[i][k])
		}
	}
	for _, l := range f.net.layers[f.at.layer:f.next.layer] {
		if err := l.forward(w); err != nil {
			return err
		}
	}
	if f.next.slots != nil {
		f.next.slots[i] = w.keep(f.next.values)
	}
	return nil
}

// move ends the move, of which all patches have been run.
func (f *front) move() {
	if f.next.slots != nil {
		f.at = f.next
	}
}

// restore sets a value to a copy of what was kept.
func (w *Worker) restore(v *value, kept *slot) {
	if kept.x != nil {
		copy(w.set(v), kept.x)
	}
	if kept.bits != nil {
		bits := w.bits(len(kept.bits))
		copy(bits, kept.bits)
		w.slots[v.id].bits = bits
	}
}

// keep copies values of w.
func (w *Worker) keep(values []*value) []slot {
	list := make([]slot, len(values))
	for k, v := range values {
		s := &w.slots[v.id]
		list[k] = slot{x: append([]float32(nil), s.x...), bits: append([]uint64(nil), s.bits...)}
	}
	return list
}

// crossing are the values that layers before one give and others read.
func (n *Net) crossing(layer int) []*value {
	read := map[*value]bool{}
	for _, l := range n.layers[layer:] {
		for _, v := range l.reads() {
			read[v] = true
		}
	}
	var list []*value
	add := func(v *value) {
		if read[v] {
			list = append(list, v)
		}
	}
	add(n.input)
	for _, l := range n.layers[:layer] {
		for _, v := range l.writes() {
			add(v)
		}
	}
	return list
}
