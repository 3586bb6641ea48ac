package plain

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

// Sums is a lowering of a two-phase network to the sums of all slices, without a time
// axis.
type Sums struct{ *Lowering }

// NewSums begins such a lowering, to a form; it gives nil where it refused a node.
func NewSums(c *passes.Context, form string) (*Sums, error) {
	if _, err := op.TimingOf(c.Model.Graph); err != nil {
		return nil, err
	}
	for n := range c.Model.Graph.Nodes() {
		if op.IsNeuron(n) && op.ScheduleOf(n) == op.Lockstep {
			c.Refuse(n, "it fires by each slice, which a sum over time does not tell, want the schedule %s", op.TwoPhase)
			return nil, nil
		}
	}
	l := New(c, form)
	if err := forgetTime(c.Model); err != nil {
		return nil, err
	}
	return &Sums{l}, nil
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
			err = op.Unsupportedf(n, "it adds a constant to every slice, want a Bias")
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

// Of is the sum that stands for a time-major value.
func (l *Sums) Of(v *graph.Value) *graph.Value {
	if h := l.Heirs[v]; h != nil {
		return h
	}
	return v
}

// Lower builds what computes the outputs of n.
func (l *Sums) Lower(n *graph.Node) error {
	switch {
	case n.IsSpiking("Encode"):
		e, err := op.EncodeOf(n)
		if err != nil {
			return err
		}
		// ONNX Runtime would multiply the weights of a Conv by a constant that stands behind, which
		// rounds otherwise.
		l.Heirs[n.Output(0)] = l.Node(n, "sum", "Mul", nil, l.Steps(n, e.Steps), e.X)
	case n.IsSpiking("Bias"):
		b, err := op.BiasOf(n)
		if err != nil {
			return err
		}
		sums, err := l.TimesSteps(n, b.B, b.Steps)
		if err != nil {
			return err
		}
		l.Heirs[n.Output(0)] = l.Node(n, "sum", "Add", nil, l.Of(b.X), sums)
	case op.IsNeuron(n):
		return l.neuron(n)
	case n.IsSpiking("Decode"):
		d, err := op.DecodeOf(n)
		if err != nil {
			return err
		}
		l.Decode(n, d, l.Of(d.X))
	case n.IsSpiking("CPM"):
		m, err := op.CPMOf(n)
		if err != nil {
			return err
		}
		return l.CPM(n, m, l.Of(m.Y))
	default:
		return Unknown(n)
	}
	return nil
}

func (l *Sums) neuron(n *graph.Node) error {
	s, err := op.NeuronOf(n)
	if err != nil {
		return err
	}
	top := s.Slices()
	if s.Alpha != nil {
		top = s.Timesteps
	}
	k, err := l.TwoPhase(n, s, l.Of(s.X), top)
	if err != nil {
		return err
	}
	count := k.Count
	if k.Late != nil {
		count = l.Node(n, "spikes", "Add", nil, count, k.Late)
	}
	l.Heirs[s.Y] = l.Node(n, "y", "Mul", nil, s.Theta, count)
	if Wanted(s.VRes) {
		l.Heirs[s.VRes] = k.Residual
	}
	return nil
}
