package exec

import (
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel/count"
)

// A part is the share of one counted value in a value that is linear in counts: each
// channel of the source, times its amplitude, is added to a channel of the value.
type part struct {
	source    *graph.Value
	at        int // the value's channel that the source's first is added to
	amplitude []float64
	most      int // the largest count of the source
}

// times is p with its amplitudes replaced by those that f gives for a channel of the
// value and the amplitude.
func (p part) times(f func(channel int, a float64) float64) part {
	list := make([]float64, len(p.amplitude))
	for i, a := range p.amplitude {
		list[i] = f(p.at+i, a)
	}
	p.amplitude = list
	return p
}

// A mix is a value that is a sum of counted values.
type mix struct {
	parts    []part
	channels int
}

// counting finds what a two-phase network can compute from counts.
type counting struct {
	*plan
	mixes map[*graph.Value]*mix
	sizes map[*graph.Value]*graph.Value // see sizeFrom
}

// mix reads a value as a sum of counted values; nil when it is anything else.
func (c *counting) mix(v *graph.Value) *mix {
	m, seen := c.mixes[v]
	if n := v.Producer(); !seen && n != nil && c.timing.timed[v] {
		m = c.read(n, v)
		c.mixes[v] = m
	}
	return m
}

func (c *counting) read(n *graph.Node, v *graph.Value) *mix {
	switch {
	case op.IsNeuron(n):
		return c.spikes(n)
	case n.Is("AveragePool"):
		return c.pooled(n)
	case n.Is("Concat"):
		return c.joined(n)
	case n.Is("Add"), n.Is("Sum"), n.Is("Sub"):
		return c.added(n)
	case n.Is("Neg"):
		return c.mix(n.Input(0)).times(func(_ int, a float64) float64 { return -a })
	case n.Is("Mul"), n.Is("Div"):
		return c.scaled(n)
	}
	return nil
}

// spikes is those of a neuron.
func (c *counting) spikes(n *graph.Node) *mix {
	v, most := n.Output(op.NeuronY), c.timing.steps+c.timing.post
	channels := channels(c.plan, v)
	if channels == 0 || most > count.Most {
		return nil
	}
	theta, ok := constants(c.plan, n.Input(op.NeuronTheta), channels, 0)
	if !ok {
		return nil
	}
	p := part{source: v, most: most}
	for _, a := range theta {
		if !(a > 0) || math.IsInf(float64(a), 1) {
			return nil
		}
		p.amplitude = append(p.amplitude, float64(a))
	}
	return &mix{[]part{p}, channels}
}

// pooled is the sums of one counted value in each window, where all windows have one
// divisor.
func (c *counting) pooled(n *graph.Node) *mix {
	w, area := poolOf(n)
	m := c.mix(n.Input(0))
	if w == nil || m == nil || m.parts[0].source != n.Input(0) || m.parts[0].most > count.Most/area {
		return nil
	}
	p := m.parts[0].times(func(_ int, a float64) float64 { return a / float64(area) })
	p.source, p.most = n.Output(0), p.most*area
	return &mix{[]part{p}, m.channels}
}

// joined is a Concat of channels.
func (c *counting) joined(n *graph.Node) *mix {
	k, err := op.ConcatOf(n)
	if err != nil || k.Axis != 1 && k.Axis != -3 {
		return nil
	}
	all := &mix{}
	for _, v := range n.Inputs() {
		m := c.mix(v)
		if m == nil {
			return nil
		}
		for _, p := range m.parts {
			p.at += all.channels
			all.parts = append(all.parts, p)
		}
		all.channels += m.channels
	}
	return all
}

// added is a sum or difference of values of one size.
func (c *counting) added(n *graph.Node) *mix {
	all := &mix{}
	for i, v := range n.Inputs() {
		m := c.mix(v)
		if m == nil || i > 0 && (m.channels != all.channels || !c.sameSize(v, n.Input(0))) {
			return nil
		}
		if i > 0 && n.Is("Sub") {
			m = m.times(func(_ int, a float64) float64 { return -a })
		}
		all.parts, all.channels = append(all.parts, m.parts...), m.channels
	}
	return all
}

// scaled is a product, or quotient, of a value and a constant for each channel.
func (c *counting) scaled(n *graph.Node) *mix {
	v, k := n.Input(0), n.Input(1)
	if !c.timing.timed[v] && n.Is("Mul") {
		v, k = k, v
	}
	m := c.mix(v)
	if m == nil {
		return nil
	}
	factors, ok := constants(c.plan, k, m.channels, 0)
	if !ok {
		return nil
	}
	return m.times(func(channel int, a float64) float64 {
		if n.Is("Div") {
			return a / float64(factors[channel])
		}
		return a * float64(factors[channel])
	})
}

// times is part.times for all parts; nil for nil.
func (m *mix) times(f func(channel int, a float64) float64) *mix {
	if m == nil {
		return nil
	}
	list := slices.Clone(m.parts)
	for i, p := range list {
		list[i] = p.times(f)
	}
	return &mix{list, m.channels}
}

// plain reports whether every channel of the value is one of one source.
func (m *mix) plain() bool {
	next := 0
	for _, p := range m.parts {
		if p.at != next {
			return false
		}
		next += len(p.amplitude)
	}
	return next == m.channels
}

// sources are those of the parts.
func (m *mix) sources() []*graph.Value {
	var list []*graph.Value
	for _, p := range m.parts {
		list = append(list, p.source)
	}
	return list
}

// poolOf is the window of an AveragePool over two axes whose windows all have the same
// divisor, and that divisor; nil for another.
func poolOf(n *graph.Node) (*op.Pool, int) {
	p, err := op.PoolOf(n)
	if err != nil || len(p.Kernel) != 2 || p.AutoPad != op.NotSet || p.CeilMode || p.Dilation[0] != 1 || p.Dilation[1] != 1 {
		return nil, 0
	}
	for _, k := range p.Pads {
		if k < 0 || k > 0 && !p.CountPad {
			return nil, 0
		}
	}
	return &p, int(p.Kernel[0] * p.Kernel[1])
}
