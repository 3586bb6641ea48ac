package exec

import (
	"spikingir/graph"
	"spikingir/runtime/kernel"
	"spikingir/runtime/ops"
)

// potentials is the membrane potentials that a layer leaves at each checkpoint:
// none where nobody reads them.
type potentials struct {
	list    []kernel.Potential
	tensors []*ops.Tensor
}

// potentials makes room for those of a neuron with slices of dims.
func (r *run) potentials(n *graph.Node, dims []int, scale []float64) *potentials {
	p := &potentials{}
	if n.Output(1) == nil && !r.o.Measure {
		return p
	}
	for range r.timing.marks {
		t := r.arena.tensor(graph.Float32, dims)
		p.tensors = append(p.tensors, t)
		p.list = append(p.list, kernel.Potential{Data: t.F32, Scale: scale})
	}
	return p
}

// put reports the neurons and makes the potentials the node's second output.
func (p *potentials) put(r *run, n *graph.Node, out *packed) {
	for at, t := range p.tensors {
		if r.o.Measure {
			r.neurons[at] = append(r.neurons[at], r.reportPacked(n, out, t.F32, at))
		}
		r.at = r.place(at)
		r.put(n.Output(1), t)
		r.at = everywhere
	}
}

// keepPacked makes a train the node's first output.
func (r *run) keepPacked(n *graph.Node, out *packed) {
	if y := n.Output(0); y != nil {
		r.slots[y] = &slot{packed: out}
	} else {
		r.arena.bringBackMasks(out)
	}
}
