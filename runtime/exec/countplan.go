package exec

import (
	"slices"

	"spikingir/graph"
	"spikingir/runtime/kernel/count"
)

// integers puts integers in the place of floats where a two-phase network lets it: layers
// neuron([Bias](terms)), whose terms are convolutions of counts and counts that are added,
// and other convolutions of counts. Counts are the spikes of neurons, and what Concat,
// sums, scales and average pooling make of them. owner is the units of all nodes in float32.
func (p *plan) integers(owner map[*graph.Node]unit) {
	c := &counting{p, map[*graph.Value]*mix{}, map[*graph.Value]*graph.Value{}}
	if p.timing.steps+p.timing.post > count.Most {
		return
	}
	taken := map[*graph.Node]bool{} // what reads counts
	sources := map[*graph.Value]bool{}
	take := func(u unit, from []*graph.Value) {
		for _, n := range u.nodes() {
			owner[n], taken[n] = u, true
		}
		for _, v := range from {
			sources[v] = true
		}
	}
	layers := c.layers(owner)
	for n := range p.graph.Nodes() {
		if u := layers[n]; u != nil {
			// What a pair shares is the first one's, which counts its work.
			u.all = slices.DeleteFunc(u.all, func(n *graph.Node) bool { return taken[n] })
			take(u, u.sources)
		}
	}
	for n := range p.graph.Nodes() {
		if !taken[n] && p.timing.timed[n.Output(0)] && (n.Is("Conv") || n.Is("ConvTranspose")) {
			if u := c.current(n); u != nil {
				take(u, u.sources)
			}
		}
	}
	c.keep(owner, sources)
	c.readThrough(owner, taken)
}

// layers binds the layers of neurons, by neuron. Where one of a pair is none, the other cannot be
// either: its convolution has to be there as floats.
func (c *counting) layers(owner map[*graph.Node]unit) map[*graph.Node]*countLayer {
	layers := map[*graph.Node]*countLayer{}
	for n := range c.graph.Nodes() {
		if k, ok := owner[n].(*neuronSum); ok {
			if u := c.layer(k.sink); u != nil {
				layers[n] = u
			}
		}
	}
	for again := true; again; {
		again = false
		for n := range c.graph.Nodes() {
			u := layers[n]
			if u == nil || !slices.ContainsFunc(u.terms, func(t term) bool { return t.conv != nil && !c.allRead(t.conv, layers) }) {
				continue
			}
			delete(layers, n)
			again = true
		}
	}
	return layers
}

// allRead reports whether all that reads a convolution computes it itself.
func (c *counting) allRead(conv *graph.Node, layers map[*graph.Node]*countLayer) bool {
	uses := conv.Output(0).Uses()
	return len(uses) == 1 || !slices.ContainsFunc(uses, func(u graph.Use) bool { return layers[integrating(u)] == nil })
}

// current binds a convolution of counts that gives currents as floats; nil when it is
// none.
func (c *counting) current(n *graph.Node) *countCurrent {
	u := &countCurrent{alone: alone{n}, input: c.mix(n.Input(0))}
	if u.input == nil {
		return nil
	}
	rows, ok := c.rowsOf([]term{{n, u.input, 1}})
	if !ok {
		return nil
	}
	if u.countConv, ok = rows.pack(nil, 0); !ok {
		return nil
	}
	return u
}

// keep makes the units of sources give counts, and those of what they are pooled from.
func (c *counting) keep(owner map[*graph.Node]unit, sources map[*graph.Value]bool) {
	nodes := slices.Collect(c.graph.Nodes())
	for _, n := range slices.Backward(nodes) {
		if !sources[n.Output(0)] {
			continue
		}
		switch u := owner[n].(type) {
		case *neuronSum:
			u.counts = true
		case *analog:
			w, _ := poolOf(n)
			p := c.mixes[n.Output(0)].parts[0]
			pool := &countPool{alone: alone{n}, window: w, most: p.most}
			for _, a := range p.amplitude {
				pool.amplitude = append(pool.amplitude, float32(a))
			}
			owner[n] = pool
			sources[n.Input(0)] = true
		}
	}
}

// readThrough leaves nothing to compute to nodes between counts and what reads them, where
// nothing else reads what they would give.
func (c *counting) readThrough(owner map[*graph.Node]unit, taken map[*graph.Node]bool) {
	nodes := slices.Collect(c.graph.Nodes())
	for _, n := range slices.Backward(nodes) {
		v := n.Output(0)
		m := c.mixes[v]
		if _, ok := owner[n].(*analog); !ok || m == nil || taken[n] || v.IsOutput() || v.NumUses() == 0 {
			continue
		}
		if !slices.ContainsFunc(v.Uses(), func(u graph.Use) bool { return !taken[u.Node] }) {
			owner[n], taken[n] = &through{alone{n}, m}, true
		}
	}
}
