package exec

import (
	"math/bits"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/ops"
)

// one is the amplitude of spikes that are counted.
var one = []float32{1}

// tellFired gives RunOptions.Fired the spikes of the neurons of a unit that has run.
func (r *run) tellFired(u unit) {
	if r.o.Fired == nil || r.areas != nil {
		return
	}
	for _, n := range u.nodes() {
		if !op.IsNeuron(n) || n.Output(op.NeuronY) == nil {
			continue
		}
		if x := r.fired(r.slots[n.Output(op.NeuronY)]); x != nil {
			r.o.Fired(n, x)
			r.arena.discard(x)
		}
	}
}

// fired is the numbers of spikes of a value, up to the last result and with its post step; nil
// for a value that has none.
func (r *run) fired(s *slot) *ops.Tensor {
	if s == nil {
		return nil
	}
	at := len(r.timing.results) - 1
	var steps []int
	for t := range r.timing.results[at] {
		steps = append(steps, t)
	}
	if r.timing.post > 0 {
		steps = append(steps, r.timing.steps+at)
	}
	switch {
	case s.counts != nil:
		return r.expand(s.counts[at], one)
	case s.spikes != nil:
		x := r.arena.tensor(graph.Float32, s.spikes[at].Dims)
		copy(x.F32, s.spikes[at].F32)
		return x
	case s.packed != nil:
		x := r.arena.tensor(graph.Float32, s.packed.dims())
		if s.packed.graded != nil {
			s.packed.countEach(x.F32, steps)
			return x
		}
		p := &packed{Tensor: s.packed.Tensor, amplitude: one}
		p.sum(r.pool, x.F32, steps)
		return x
	case s.planar != nil:
		x := r.arena.tensor(graph.Float32, s.planar.dims)
		clear(x.F32)
		s.planar.count(x.F32, steps)
		return x
	}
	return nil
}

// count adds the numbers of spikes in slices to dst.
func (p *planar) count(dst []float32, steps []int) {
	for plane := range p.N * p.C {
		to := dst[plane*p.Plane : (plane+1)*p.Plane]
		for _, t := range steps {
			for i, word := range p.Bits(t, plane) {
				for ; word != 0; word &= word - 1 {
					to[i*64+bits.TrailingZeros64(word)]++
				}
			}
		}
	}
}
