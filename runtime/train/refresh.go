package train

import (
	"slices"
	"sync"
	"sync/atomic"

	base "spikingir/runtime/kernel"
)

// each calls f for numbers below count on the threads of the network. What f does for one
// number must not depend on what it does for another.
func (n *Net) each(count int, f func(i int)) {
	threads := min(n.Threads, count)
	if threads < 2 {
		for i := range count {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var group sync.WaitGroup
	for range threads {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < count; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	group.Wait()
}

// Refresh makes the layers follow changed parameters. No worker may run meanwhile. A
// step's batch is small, and so the time that this takes shows: it is shared out.
func (n *Net) Refresh() {
	for _, p := range n.params {
		p.refresh()
	}
	// First the neurons, whose thresholds the rounding of weights and the layers that
	// read spikes have; then those that a rounding gave another bias.
	for _, f := range n.following {
		copy(f.layer.fixed.theta, f.given)
	}
	for _, l := range n.neurons {
		l.refresh()
	}
	n.round()
	n.each(len(n.layers), func(i int) {
		if _, done := n.layers[i].(*neuronLayer); !done {
			n.layers[i].refresh()
		}
	})
}

// round rounds the weights of all layers. A threshold that moves gives the layers behind it other
// amplitudes, so that one follows the other where there is such a threshold.
func (n *Net) round() {
	moved := make([][]*neuronLayer, len(n.roundings))
	one := func(i int) { moved[i] = n.roundings[i].refresh() }
	if slices.ContainsFunc(n.roundings, func(r *rounding) bool { return len(r.readers) > 1 }) {
		for i := range n.roundings {
			one(i)
		}
	} else {
		n.each(len(n.roundings), one)
	}
	for _, list := range moved {
		for _, l := range list {
			l.refresh()
		}
	}
}

// Gradients sums what workers have, in their order, as gradients by the
// parameters' Data: one slice a parameter, which dst keeps.
func (n *Net) Gradients(dst [][]float32, workers []*Worker) [][]float32 {
	var parts []*accumulated
	for _, w := range workers {
		parts = append(parts, w.accumulated)
	}
	return n.gradients(dst, parts)
}

// gradients is Gradients of what was accumulated in parts.
func (n *Net) gradients(dst [][]float32, parts []*accumulated) [][]float32 {
	if dst == nil {
		for _, p := range n.params {
			dst = append(dst, make([]float32, len(p.Data)))
		}
	}
	readers := make([][]int, len(n.params)) // layers that have sums by bits for them
	for i, l := range n.layers {
		if c, ok := l.(*convLayer); ok && parts[0].units[i] != nil {
			readers[c.w.grad] = append(readers[c.w.grad], i)
		}
	}
	n.each(len(n.params), func(i int) {
		clear(dst[i])
		for _, w := range parts {
			base.Add(dst[i], dst[i], w.grads[i])
		}
		for _, k := range readers[i] {
			n.layers[k].(*convLayer).amplify(dst[i], k, parts)
		}
		n.params[i].chain(dst[i])
	})
	return dst
}
