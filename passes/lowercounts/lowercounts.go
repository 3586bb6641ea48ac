// Package lowercounts holds the pass lower-counts, which writes a two-phase network
// without a time axis.
package lowercounts

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/plain"
)

// Pass replaces every spiking operator of a two-phase network by standard ones that work
// on the sums of all slices.
//
// Before: timed operators of domain ai.spikingir on time-major values
// [S*N, C, ...], S = T + post, with neurons of the two-phase schedule; linear
// operators between them.
// After: the linear operators as they were, once each, on the sum over the slices,
// [N, C, ...]:
//
//	Encode   Mul(x, T)
//	Bias     Add(x, T*b)
//	neurons  v = Add(x, T*bias); with v0, Add(v, v0*theta)
//	         k = Clip(Floor(Div(v, theta)), 0, T); T+1 for an IF with a post step
//	         p = Sub(v, Mul(theta, k))
//	         s = Cast(GreaterOrEqual(p, alpha*theta)), of an MPRN
//	         y = Mul(theta, Add(k, s)); v_res = Sub(p, Mul(theta, s))
//	Decode   Div(y, T)
//	CPM      Div(Add(Conv(y), vres), T), then Add of the bias
//
// Functions of the spiking domain and its import go. The node that makes what the old
// node made keeps the old one's name and metadata; all have its origin.
// Conditions: the default opset is 17 or later. A neuron of lock-step is refused: when it
// fires depends on the slices, not on their sum. So is an operator that adds a constant
// to every slice.
// Algebra: sum_t F(x_t) = F(sum_t x_t) for a linear F, and a two-phase neuron reads
// nothing but the sum of its currents. The executor computes such a network in the same
// order, to the same bits.
//
// The result is a plain network: no spiking operator can be recovered from it.
var Pass = &passes.Pass{
	Name: "lower-counts",
	Doc: "write a two-phase network on spike counts, without a time axis\n\n" +
		"Each layer becomes one convolution of the sum over time. The result is a\n" +
		"plain network, which cannot be read back as a spiking one.",
	Needs: passes.Timed | passes.OpsetCurrent,
	Gives: passes.Lowered,
	Drops: passes.Timed | passes.Readout,
	Run:   run,
}

func run(c *passes.Context) (changed bool, err error) {
	if _, err := op.TimingOf(c.Model.Graph); err != nil {
		return false, err
	}
	for n := range c.Model.Graph.Nodes() {
		if op.IsNeuron(n) && op.ScheduleOf(n) == op.Lockstep {
			c.Refuse(n, "it fires by each slice, which a sum over time does not tell, want the schedule %s", op.TwoPhase)
			return false, nil
		}
	}
	if err := forgetTime(c.Model); err != nil {
		return false, err
	}
	l := &lowering{plain.New(c)}
	return l.Run(l.lower)
}

// forgetTime takes the types of time-major values away, which are sums from now on.
func forgetTime(m *graph.Model) error {
	timed := map[*graph.Value]bool{}
	for n := range m.Graph.Nodes() {
		inTime := n.IsSpiking("Encode")
		for _, v := range n.Inputs() {
			inTime = inTime || timed[v]
		}
		if !inTime || n.IsSpiking("Decode") || n.IsSpiking("CPM") {
			continue
		}
		affine, err := op.LinearInTime(n, m.Opset(""), func(v *graph.Value) bool { return timed[v] })
		if err == nil && affine {
			err = op.Errorf(n, "it adds a constant to every slice, want a Bias")
		}
		if err != nil {
			return err
		}
		for i, v := range n.Outputs() {
			if v != nil && !(op.IsNeuron(n) && i == op.NeuronVRes) {
				timed[v], v.Type = true, graph.Type{}
			}
		}
	}
	return nil
}

type lowering struct{ *plain.Lowering }

// of is the sum that stands for a time-major value.
func (l *lowering) of(v *graph.Value) *graph.Value {
	if h := l.Heirs[v]; h != nil {
		return h
	}
	return v
}

// lower builds what computes the outputs of n.
func (l *lowering) lower(n *graph.Node) error {
	switch {
	case n.IsSpiking("Encode"):
		e, err := op.EncodeOf(n)
		if err != nil {
			return err
		}
		l.Heirs[n.Output(0)] = l.Node(n, "sum", "Mul", nil, e.X, l.Steps(n, e.Steps))
	case n.IsSpiking("Bias"):
		b, err := op.BiasOf(n)
		if err != nil {
			return err
		}
		sums, err := l.TimesSteps(n, b.B, b.Steps)
		if err != nil {
			return err
		}
		l.Heirs[n.Output(0)] = l.Node(n, "sum", "Add", nil, l.of(b.X), sums)
	case op.IsNeuron(n):
		return l.neuron(n)
	case n.IsSpiking("Decode"):
		d, err := op.DecodeOf(n)
		if err != nil {
			return err
		}
		l.Decode(n, d, l.of(d.X))
	case n.IsSpiking("CPM"):
		m, err := op.CPMOf(n)
		if err != nil {
			return err
		}
		l.CPM(n, m, l.of(m.Y))
	default:
		return plain.Unknown(n)
	}
	return nil
}

func (l *lowering) neuron(n *graph.Node) error {
	s, err := op.NeuronOf(n)
	if err != nil {
		return err
	}
	top := s.Slices()
	if s.Alpha != nil {
		top = s.Timesteps
	}
	k, err := l.TwoPhase(n, s, l.of(s.X), top)
	if err != nil {
		return err
	}
	count := k.Count
	if k.Late != nil {
		count = l.Node(n, "spikes", "Add", nil, count, k.Late)
	}
	l.Heirs[s.Y] = l.Node(n, "y", "Mul", nil, s.Theta, count)
	if plain.Wanted(s.VRes) {
		l.Heirs[s.VRes] = k.Residual
	}
	return nil
}
