package fit

import (
	"slices"
	"sync"

	"spikingir/graph"
	"spikingir/graph/infer"
)

// trials finds which sizes of an image run although they are no multiples: those that
// pooling and strides round to sizes which fit. A network is run on them as it is, as other
// runtimes do.
type trials struct {
	model *graph.Model
	input string
	mu    sync.Mutex
	known map[[2]int]bool
}

// mostTrials bounds the sizes that are remembered.
const mostTrials = 1024

// runs reports whether an image of h rows and w columns runs as it is, as far as inference can
// tell; all sizes have to be known.
func (t *trials) runs(h, w int) bool {
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	size := [2]int{h, w}
	runs, tried := t.known[size]
	if !tried {
		if len(t.known) >= mostTrials {
			clear(t.known)
		}
		runs = t.try(int64(h), int64(w))
		t.known[size] = runs
	}
	return runs
}

func (t *trials) try(h, w int64) bool {
	m := t.model.Clone()
	v := m.Graph.Value(t.input)
	shape := slices.Clone(v.Type.Shape)
	if _, known := shape[0].Size(); !known {
		shape[0] = graph.Known(1)
	}
	shape[2], shape[3] = graph.Known(h), graph.Known(w)
	replace(m.Graph, v, shape)
	found, err := infer.SizesOf(m)
	if err != nil {
		return false
	}
	for n := range m.Graph.Nodes() {
		for _, y := range n.Outputs() {
			if y == nil {
				continue
			}
			if _, known := found.Type(y).Shape.Sizes(); !known {
				return false
			}
		}
	}
	return true
}
