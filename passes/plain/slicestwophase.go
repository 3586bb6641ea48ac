package plain

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes/spiking"
)

// twoPhase makes the slices of a neuron that has the sum of its currents.
func (l *Slices) twoPhase(n *graph.Node) error {
	s, err := op.NeuronOf(n)
	if err != nil {
		return err
	}
	main := s.Slices()
	if s.Alpha != nil {
		main = s.Timesteps
	}
	sum, err := l.sum(n, s)
	if err != nil {
		return err
	}
	k, err := l.TwoPhase(n, s, sum, main)
	if err != nil {
		return err
	}
	var ys []*graph.Value
	for t := range main {
		step := spiking.Parameter(n, "step", nil, []float32{float32(t + 1)})
		fires := l.At(n, t, "fires", "GreaterOrEqual", nil, k.Quotient, step)
		ys = append(ys, l.spike(n, t, s, l.At(n, t, "spikes", "Cast", Cast(), fires)))
	}
	if k.Late != nil {
		ys = append(ys, l.spike(n, main, s, k.Late))
	}
	l.Emit(n, s.Y, ys)
	if Wanted(s.VRes) {
		l.Heirs[s.VRes] = k.Residual
	}
	return nil
}

// sum is the sum of a neuron's slices; a constant current is multiplied by T.
func (l *Slices) sum(n *graph.Node, s op.Neuron) (*graph.Value, error) {
	xs, err := l.split(n, s.X, s.Steps)
	if err != nil {
		return nil, err
	}
	for t, x := range xs {
		if int64(t) < s.Timesteps && x != xs[0] || int64(t) >= s.Timesteps && x != nil {
			return l.total(n, s.X, s.Steps)
		}
	}
	// In this order, for ONNX Runtime would multiply the weights of a Conv by a constant that stands behind.
	return l.Node(n, "total", "Mul", nil, l.Steps(n, s.Steps), xs[0]), nil
}
