package exec

import (
	"spikingir/graph"
	"spikingir/runtime/kernel"
)

// packed is the number of masks of a neuron's train.
func (m *memory) packed(v *graph.Value) int {
	a := m.areas[v]
	return m.timing.slices() * a.N * a.Axes[0].Size * a.Axes[1].Size * kernel.SpikeMasks(a.C)
}

// fixed makes what a layer in fixed point does: strips are scratch of the kernels.
func (m *memory) fixed(u *fixedLayer) {
	for _, v := range u.sources {
		if h := m.slots[v]; h != nil && h.masks == 0 {
			h.masks = m.packed(v)
			m.masks.take(h.masks)
		}
	}
	m.population(u.neuron)
}

// population makes the train and the potentials of a neuron.
func (m *memory) population(n *graph.Node) {
	t := m.tally(nil)
	shape := n.Input(0)
	masks := m.packed(shape)
	m.masks.take(masks)
	if v := n.Output(1); v != nil {
		for range m.Checkpoints {
			t.put(v, m.floats.take(m.size(shape)))
		}
	}
	if y := n.Output(0); y != nil {
		m.slots[y] = &holding{masks: masks}
	} else {
		m.masks.free[masks]++
	}
}

// steady makes the currents of a steady layer, that of the main steps and that of
// the post step.
func (m *memory) steady(u *steadyLayer) {
	t := m.tally(u.layer)
	t.advance()
	t.value(u.sink.source())
	if u.post {
		t.trial = true
		for range m.Checkpoints {
			t.releaseAll(t.now)
			t.advance()
			t.value(u.sink.source())
		}
	}
	if m.measured && u.sink.node.Output(1) == nil { // potentials are made all the same
		for range m.Checkpoints {
			defer m.floats.give(m.floats.take(m.size(u.sink.source())))
		}
	}
	m.population(u.sink.node)
	t.releaseAll(t.now)
	t.releaseAll(t.fixed)
}

// readout makes the result of a readout.
func (m *memory) readout(u *packedReadout) {
	t := m.tally(u.layer)
	for range m.Checkpoints {
		total := m.floats.take(m.size(u.sink.source()))
		if u.sink.conv != nil && !u.identity {
			mapped := m.floats.take(m.size(u.sink.node.Output(0)))
			m.floats.give(total)
			total = mapped
		}
		t.put(u.sink.node.Output(0), total)
	}
}
