package train

// A front is how far a network has run on some patches: what the layers before one of
// them gave, as far as that one and those behind it read it.
type front struct {
	net    *Net
	mode   Mode
	limit  int // bytes that it may hold
	layer  int
	values []*value
	kept   [][]slot // of each patch and value; nil before the first layer
}

// frontLimit is the limit of a front. One that would need more stays where it is, and the
// layers from there on run again.
const frontLimit = 1 << 29

// restart forgets what has run.
func (f *front) restart() { f.layer, f.values, f.kept = 0, nil, nil }

// run runs the layers from the front to another one in w, on patch i, of which image
// gives the image.
func (f *front) run(w *Worker, i, to int, image func() ([]float32, error)) error {
	w.reset()
	w.mode, w.hooks = f.mode, Hooks{}
	if f.kept == nil {
		pix, err := image()
		if err != nil {
			return err
		}
		toLast(w.set(f.net.input), pix, f.net.input)
	} else {
		for k, v := range f.values {
			w.restore(v, &f.kept[i][k])
		}
	}
	for _, l := range f.net.layers[f.layer:to] {
		if err := l.forward(w); err != nil {
			return err
		}
	}
	return nil
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

// advance prepares to keep what a layer needs of patches. It gives no values where that
// would take too much room.
func (f *front) advance(layer, patches int) (values []*value, kept [][]slot) {
	values = f.net.crossing(layer)
	bits := 0
	for _, v := range values {
		size := patches * f.net.slices(v, f.mode) * v.elems
		if f.mode == Spikes && v.neuron != nil {
			bits += size
		}
		if f.mode != Spikes || v.neuron == nil || v.dense {
			bits += 32 * size
		}
	}
	if bits/8 > f.limit {
		return nil, nil
	}
	return values, make([][]slot, patches)
}

// move takes what was kept of all patches before a layer.
func (f *front) move(layer int, values []*value, kept [][]slot) {
	if kept != nil {
		f.layer, f.values, f.kept = layer, values, kept
	}
}
