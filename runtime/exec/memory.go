package exec

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/ops"
	"spikingir/runtime/tile"
)

// memory foretells what a run takes: it makes the steps of a run on sizes
// alone, with an arena that only counts. To add a kind of unit, add a case to
// [memory.unit]; without one, each output of the unit's nodes counts as floats.
type memory struct {
	*Program
	areas  map[*graph.Value]tile.Area
	slots  map[*graph.Value]*holding
	floats stock
	words  stock
	masks  stock // of packed trains
	other  int64 // bytes that are not reused
	// measured tells that the run is.
	measured bool
}

// stock is buffers by length: what is free, and what was ever made.
type stock struct {
	free map[int]int
	made int64 // elements
}

// block is a buffer and the number of values in it.
type block struct{ length, values int }

// holding is what a value keeps: floats, shared or not, and words of a train.
type holding struct {
	blocks []*block
	series []*block // of a time-major current, slice by slice
	steady bool     // time-major, the same at every main step
	train  int      // words
	masks  int      // of a packed train
	marked bool     // an analog value that differs by checkpoint
}

// need is the bytes that a run on areas, measured or not, takes for what lies between its inputs
// and outputs: floats, membranes, spikes. Weights, the scratch of kernels (some
// hundred KiB a thread) and temporaries within one operator are left out.
func (p *Program) need(areas map[*graph.Value]tile.Area, measured bool) int64 {
	m := &memory{Program: p, areas: areas, measured: measured, slots: map[*graph.Value]*holding{},
		floats: stock{free: map[int]int{}}, words: stock{free: map[int]int{}}, masks: stock{free: map[int]int{}}}
	for i, u := range p.units {
		m.unit(u)
		for _, v := range p.frees[i] {
			m.drop(v)
		}
	}
	return 4*m.floats.made + 8*m.words.made + 2*m.masks.made + m.other
}

// unit does what running u does to the arena.
func (m *memory) unit(u unit) {
	switch u := u.(type) {
	case *encode:
		if h := m.slots[u.node.Input(0)]; h != nil && u.node.Output(0) != nil {
			m.hold(h.blocks[0])
			m.slots[u.node.Output(0)] = &holding{blocks: h.blocks[:1], steady: true}
		} else if u.node.Output(0) != nil {
			m.slots[u.node.Output(0)] = &holding{steady: true}
		}
	case *layer:
		m.layer(u)
	case *fixedLayer:
		m.fixed(u)
	case *steadyLayer:
		m.steady(u)
	case *packedReadout:
		m.readout(u)
	case *rate:
		m.analog(u, u.node, u.node.IsSpiking("Encode") || u.node.IsSpiking("Decode"))
		if op.IsNeuron(u.node) && u.node.Output(1) == nil { // is made all the same
			m.floats.give(m.floats.take(m.size(u.node.Output(0))))
		}
	case *chain:
		m.analog(u, u.result().Producer(), false)
	default:
		for _, n := range u.nodes() {
			m.analog(u, n, ops.Aliases(n.Op()))
		}
	}
}

// analog makes the outputs of a node, for every checkpoint that its inputs differ
// by.
func (m *memory) analog(u unit, n *graph.Node, alias bool) {
	copies, marked := 1, false
	for _, v := range u.reads() {
		if h := m.slots[v]; h != nil && h.marked {
			copies, marked = len(m.Checkpoints), true
		}
	}
	for i, v := range n.Outputs() {
		if v == nil {
			continue
		}
		h := &holding{marked: marked}
		for at := range copies {
			var b *block
			if alias && i == 0 {
				b = m.at(n.Input(0), at)
			} else {
				b = m.take(v)
			}
			h.blocks = append(h.blocks, m.hold(b))
		}
		m.slots[v] = h
	}
}

// at is the buffer of an analog value at a checkpoint; nil for the caller's own
// and for constants.
func (m *memory) at(v *graph.Value, checkpoint int) *block {
	h := m.slots[v]
	switch {
	case h == nil || len(h.blocks) == 0:
		return nil
	case len(h.blocks) == 1:
		return h.blocks[0]
	}
	return h.blocks[checkpoint]
}

// size is the number of elements of a value, of one slice if it is time-major.
// A value that does not vary with the image counts as nothing.
func (m *memory) size(v *graph.Value) int {
	a, ok := m.areas[v]
	if !ok {
		return 0
	}
	return a.N * a.C * a.Axes[0].Size * a.Axes[1].Size
}

// take makes a value's buffer. Whole numbers are no part of the arena.
func (m *memory) take(v *graph.Value) *block {
	n := m.size(v)
	if wholeNumbers(v) {
		m.other += 8 * int64(n)
		return nil
	}
	return m.floats.take(n)
}

// wholeNumbers reports whether a value is kept as integers.
func wholeNumbers(v *graph.Value) bool {
	if t := v.Type; t.Kind == graph.TensorType && t.Elem != 0 {
		return !t.Elem.IsFloat()
	}
	n := v.Producer()
	for _, name := range []string{"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Not"} {
		if n != nil && n.Is(name) {
			return true
		}
	}
	return false
}

func (m *memory) hold(b *block) *block {
	if b != nil {
		b.values++
	}
	return b
}

func (m *memory) release(b *block) {
	if b == nil {
		return
	}
	if b.values--; b.values <= 0 {
		m.floats.give(b)
	}
}

// drop ends the life of a value.
func (m *memory) drop(v *graph.Value) {
	h := m.slots[v]
	if h == nil || v.IsInput() {
		return
	}
	delete(m.slots, v)
	for _, b := range append(h.blocks, h.series...) {
		m.release(b)
	}
	if h.train > 0 {
		m.words.free[h.train]++
	}
	if h.masks > 0 {
		m.masks.free[h.masks]++
	}
}

func (s *stock) take(n int) *block {
	if n == 0 {
		return nil
	}
	if s.free[n] > 0 {
		s.free[n]--
	} else {
		s.made += int64(n)
	}
	return &block{length: n}
}

func (s *stock) give(b *block) {
	if b != nil {
		s.free[b.length]++
	}
}
