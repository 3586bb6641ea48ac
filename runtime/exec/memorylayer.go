package exec

import (
	"spikingir/graph"
	"spikingir/runtime/ops"
)

// tally is a clock on sizes alone.
type tally struct {
	*memory
	layer      *layer
	now, fixed map[*graph.Value]*block
	state      map[layerSink]*block // membranes and sums
	trains     map[layerSink]int
	trial      bool
}

func (m *memory) tally(l *layer) *tally {
	return &tally{memory: m, layer: l, now: map[*graph.Value]*block{}, fixed: map[*graph.Value]*block{},
		state: map[layerSink]*block{}, trains: map[layerSink]int{}}
}

// layer makes a step of a layer before each checkpoint, whose buffers serve all
// others.
func (m *memory) layer(l *layer) {
	t := m.tally(l)
	for at := range m.Checkpoints {
		t.tick(at == 0)
		t.checkpoint(at)
	}
	for _, s := range l.sinks {
		t.finish(s)
	}
	t.releaseAll(t.now)
	t.releaseAll(t.fixed)
}

func (t *tally) tick(first bool) {
	t.advance()
	for v := range t.layer.group.keep {
		if first { // what later steps keep is counted at once
			t.record(v, t.timing.steps)
		}
	}
	for _, s := range t.layer.sinks {
		t.value(s.source())
		if !first {
			continue
		}
		t.state[s] = t.floats.take(t.size(s.source()))
		if n, ok := s.(*neuronSink); ok {
			a := t.areas[n.source()]
			words := (a.Axes[0].Size*a.Axes[1].Size + 63) / 64
			t.trains[s] = words * a.N * a.C * t.timing.slices()
			t.words.take(t.trains[s])
		}
	}
	t.releaseAll(t.now)
}

// advance makes a slice of every value of the layer.
func (t *tally) advance() {
	for _, s := range t.layer.steps {
		for _, v := range present(s.node.Inputs()) {
			t.value(v)
		}
		where := t.now
		if s.steady && !t.trial {
			where = t.fixed
		}
		alias := s.op != nil && ops.Aliases(s.node.Op()) || s.op == nil && t.trial
		if where[s.node.Output(0)] != nil {
			continue // a steady node: computed at the first step
		}
		for i, v := range s.node.Outputs() {
			switch {
			case v == nil:
			case alias && i == 0:
				where[v] = t.hold(t.value(s.node.Input(0)))
			default:
				where[v] = t.hold(t.take(v))
			}
		}
	}
}

// value is the buffer of a slice.
func (t *tally) value(v *graph.Value) *block {
	if b, ok := t.now[v]; ok {
		return b
	}
	if b, ok := t.fixed[v]; ok && !t.trial {
		return b
	}
	h := t.slots[v]
	if !t.timing.timed[v] || h == nil {
		return nil
	}
	var b *block
	switch {
	case h.train > 0, h.masks > 0, h.steady && t.trial:
		b = t.floats.take(t.size(v))
	case h.steady && len(h.blocks) > 0:
		b = h.blocks[0]
	case len(h.series) > 0:
		b = h.series[0]
	}
	t.now[v] = t.hold(b)
	return b
}

// record keeps a value for later layers: the slice at hand, as often as there
// are steps.
func (t *tally) record(v *graph.Value, steps int) {
	b := t.value(v)
	h := t.slots[v]
	if h == nil {
		h = &holding{}
		t.slots[v] = h
	}
	_, same := t.fixed[v]
	for i := range steps {
		if i > 0 && !(same && !t.trial) {
			b = t.floats.take(t.size(v))
		}
		h.series = append(h.series, t.hold(b))
	}
}

func (t *tally) checkpoint(at int) {
	t.trial = true
	post := t.timing.post > 0
	if post {
		t.advance()
		for v := range t.layer.group.keep {
			t.record(v, 1)
		}
	}
	for _, s := range t.layer.sinks {
		if post {
			t.value(s.source())
		}
		switch s := s.(type) {
		case *neuronSink:
			keep := t.state[s]
			if at < len(t.Checkpoints)-1 {
				keep = t.floats.take(t.size(s.source()))
			}
			t.put(s.node.Output(1), keep)
		case *readoutSink:
			total := t.floats.take(t.size(s.source()))
			if s.conv != nil {
				mapped := t.floats.take(t.size(s.node.Output(0)))
				t.floats.give(total)
				total = mapped
			}
			t.put(s.node.Output(0), total)
		}
	}
	t.trial = false
	t.releaseAll(t.now)
}

// put makes b the value v of a checkpoint.
func (t *tally) put(v *graph.Value, b *block) {
	t.hold(b)
	if v == nil {
		t.release(b)
		return
	}
	if t.slots[v] == nil {
		t.slots[v] = &holding{marked: len(t.Checkpoints) > 1}
	}
	h := t.slots[v]
	h.blocks = append(h.blocks, b)
}

func (t *tally) finish(s layerSink) {
	switch s := s.(type) {
	case *neuronSink:
		if y := s.node.Output(0); y != nil {
			t.slots[y] = &holding{train: t.trains[s]}
		}
	case *readoutSink:
		t.floats.give(t.state[s])
	}
}

func (t *tally) releaseAll(blocks map[*graph.Value]*block) {
	for v, b := range blocks {
		t.release(b)
		delete(blocks, v)
	}
}
