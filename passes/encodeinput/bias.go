package encodeinput

import (
	"slices"

	"spikingir/passes/weights"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/spiking"
)

// current is a constant that is still to be added to a value: one number, or
// one per channel.
type current struct {
	xs   []float32
	from *graph.Node // the node that added it, or the first one
}

// mover carries constants downstream through the spiking region. A value v of
// the model as it was equals raw(v) + due[v], where raw(v) is what the model
// computes now.
type mover struct {
	*passes.Context
	raws   map[*graph.Value]*graph.Value // where it is not v itself
	due    map[*graph.Value]*current
	biased map[*graph.Value]*graph.Value // raw(v) + due[v], made by a Bias
	dead   []*graph.Node
}

// moveBiases turns every constant that the region adds into a neuron's bias or
// a Bias.
func moveBiases(c *passes.Context) error {
	m := &mover{c, map[*graph.Value]*graph.Value{}, map[*graph.Value]*current{},
		map[*graph.Value]*graph.Value{}, nil}
	for n := range c.Model.Graph.Nodes() {
		if n.Region != graph.SpikingRegion {
			continue
		}
		if err := m.visit(n); err != nil {
			return err
		}
	}
	slices.Reverse(m.dead)
	return c.Model.Graph.Remove(m.dead...)
}

// raw is the value that v is without what is due to it.
func (m *mover) raw(v *graph.Value) *graph.Value {
	if r := m.raws[v]; r != nil {
		return r
	}
	return v
}

// visit moves what is due to n's inputs behind n, or adds it in front of n.
func (m *mover) visit(n *graph.Node) error {
	switch {
	case op.IsNeuron(n):
		return m.fuse(n)
	case weights.IsLayer(n):
		m.settle(n)
		return m.detach(n)
	case n.Is("Identity"):
		m.pass(n, n.Input(0), m.due[n.Input(0)])
	case n.Is("Neg"):
		m.forward(n, m.due[n.Input(0)].apply(func(x float64) float64 { return -x }))
	case n.Is("Add"), n.Is("Sub"), n.IsSpiking("Bias"):
		return m.add(n)
	case n.Is("Mul"), n.Is("Div"):
		return m.scale(n)
	case n.Is("Concat"):
		m.concat(n)
	default:
		m.settle(n)
	}
	return nil
}

// settle makes n read its inputs with all that is due to them.
func (m *mover) settle(n *graph.Node) {
	for i, v := range n.Inputs() {
		if v != nil {
			m.reads(n, i, m.complete(n, v))
		}
	}
}

// complete is v with all that is due to it; a Bias for it goes before n.
func (m *mover) complete(n *graph.Node, v *graph.Value) *graph.Value {
	due := m.due[v]
	if due == nil {
		return m.raw(v)
	}
	if m.biased[v] != nil {
		return m.biased[v]
	}
	rank := len(v.Type.Shape)
	b := m.Insert(n, due.from, due.from.Label()+".bias", spiking.Op("Bias"), spiking.Attrs(op.Steps{}),
		[]*graph.Value{m.raw(v)}, v.Graph().FreshName(v.Name()+".biased"))
	b.Region = graph.SpikingRegion
	b.SetInput(1, due.parameter(b, due.from.Label()+".bias", rank))
	b.Output(0).Type = v.Type
	m.biased[v] = b.Output(0)
	return b.Output(0)
}

func (m *mover) reads(n *graph.Node, i int, v *graph.Value) {
	if n.Input(i) != v {
		n.SetInput(i, v)
	}
}

// forward makes n read the raw values of its inputs; due is due to its output.
func (m *mover) forward(n *graph.Node, due *current) {
	for i, v := range n.Inputs() {
		if v != nil {
			m.reads(n, i, m.raw(v))
		}
	}
	m.owe(n.Output(0), due)
}

// pass takes n out: its output is x plus what is due.
func (m *mover) pass(n *graph.Node, x *graph.Value, due *current) {
	m.raws[n.Output(0)] = m.raw(x)
	m.owe(n.Output(0), due)
	m.dead = append(m.dead, n)
}

func (m *mover) owe(v *graph.Value, due *current) {
	if due != nil && slices.ContainsFunc(due.xs, func(x float32) bool { return x != 0 }) {
		m.due[v] = due
	}
}

// fuse makes what is due to a neuron's current its bias.
func (m *mover) fuse(n *graph.Node) error {
	x := n.Input(op.NeuronX)
	due := m.due[x]
	m.reads(n, op.NeuronX, m.raw(x))
	if due == nil {
		return nil
	}
	if b := n.Input(op.NeuronBias); b != nil {
		own, err := constant(n, b, len(x.Type.Shape))
		if err != nil {
			return err
		}
		due = sum(due, own, 1)
	}
	n.SetInput(op.NeuronBias, due.parameter(n, n.Label()+".bias", len(x.Type.Shape)))
	return nil
}

func (m *mover) detach(n *graph.Node) error {
	b := n.Input(2)
	if b == nil {
		return nil
	}
	_, xs, err := weights.Floats(n, b, "bias")
	if err != nil {
		return err
	}
	due := &current{xs, n}
	if n.Is("Gemm") {
		if due, err = constant(n, b, 2); err != nil {
			return err
		}
		beta, err := graph.Get(n.Attrs, "beta", graph.Float(1))
		if err != nil {
			return op.Errorf(n, "%v", err)
		}
		due = due.apply(func(x float64) float64 { return x * float64(beta) })
		n.Attrs.Delete("beta")
	}
	n.TruncateInputs(2)
	m.owe(n.Output(0), due)
	return nil
}

// add moves what is due through an Add, Sub or Bias; a constant operand becomes
// due itself.
func (m *mover) add(n *graph.Node) error {
	rank := len(n.Output(0).Type.Shape)
	a, b := n.Input(0), n.Input(1)
	sign := 1.0
	if n.Is("Sub") {
		sign = -1
	}
	x, _, left, ok := op.Binary{A: a, B: b}.Const()
	if !ok {
		m.forward(n, sum(m.due[a], m.due[b], sign))
		return nil
	}
	if left {
		k, err := constant(n, a, rank)
		if err != nil {
			return err
		}
		if sign < 0 {
			x = m.negate(n, x)
		}
		m.pass(n, x, sum(k, m.due[x], 1))
		return nil
	}
	k, err := constant(n, b, rank)
	if err != nil {
		return err
	}
	m.pass(n, x, sum(m.due[x], k, sign))
	return nil
}

// negate puts a Neg before n; what is due to x is due to the result, negated.
func (m *mover) negate(n *graph.Node, x *graph.Value) *graph.Value {
	neg := m.Insert(n, n, "", graph.Op{Type: "Neg"}, nil, []*graph.Value{m.raw(x)},
		n.Graph().FreshName(x.Name()+".neg"))
	neg.Output(0).Type = x.Type
	m.owe(neg.Output(0), m.due[x].apply(func(x float64) float64 { return -x }))
	return neg.Output(0)
}

// scale moves what is due through a Mul or Div by one number per channel.
func (m *mover) scale(n *graph.Node) error {
	x, c, left, ok := op.Binary{A: n.Input(0), B: n.Input(1)}.Const()
	if !ok || m.due[x] == nil || n.Is("Div") && left || !channelwise(c, len(n.Output(0).Type.Shape)) {
		m.settle(n)
		return nil
	}
	k, err := c.Float32s()
	if err != nil {
		return op.Unsupportedf(n, "its constant: %v", err)
	}
	m.forward(n, combine(m.due[x], &current{k, n}, func(a, b float64) float64 {
		if n.Is("Div") {
			return a / b
		}
		return a * b
	}))
	return nil
}

// concat moves what is due through a Concat of channels.
func (m *mover) concat(n *graph.Node) {
	v, err := op.ConcatOf(n)
	axis, ok := op.Axis(v.Axis, len(n.Output(0).Type.Shape))
	if err != nil || !ok || axis != 1 {
		m.settle(n)
		return
	}
	var all *current
	var xs []float32
	for _, x := range v.Xs {
		channels, known := x.Type.Shape[1].Size()
		if !known {
			m.settle(n)
			return
		}
		due := m.due[x]
		if due != nil && all == nil {
			all = &current{from: due.from}
		}
		for i := range int(channels) {
			xs = append(xs, due.at(i))
		}
	}
	if all != nil {
		all.xs = xs
	}
	m.forward(n, all)
}
