package lowerflat

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes/plain"
	"spikingir/passes/spiking"
)

// twoPhase makes the slices of a neuron that has the sum of its currents.
func (l *lowering) twoPhase(n *graph.Node) error {
	s, err := op.NeuronOf(n)
	if err != nil {
		return err
	}
	main := s.Slices()
	if s.Alpha != nil {
		main = s.Timesteps
	}
	k, err := l.TwoPhase(n, s, l.sum(n, s), main)
	if err != nil {
		return err
	}
	var ys []*graph.Value
	for t := range main {
		step := spiking.Parameter(n, "step", nil, []float32{float32(t + 1)})
		fires := l.At(n, t, "fires", "GreaterOrEqual", nil, k.Quotient, step)
		ys = append(ys, l.At(n, t, "y", "Mul", nil, s.Theta, l.At(n, t, "spikes", "Cast", plain.Cast(), fires)))
	}
	if k.Late != nil {
		ys = append(ys, l.At(n, main, "y", "Mul", nil, s.Theta, k.Late))
	}
	l.emit(n, ys)
	if plain.Wanted(s.VRes) {
		l.Heirs[s.VRes] = k.Residual
	}
	return nil
}

// sum is the sum of a neuron's slices; a constant current is multiplied by T.
func (l *lowering) sum(n *graph.Node, s op.Neuron) *graph.Value {
	xs := l.split(n, s.X, s.Steps)
	for t, x := range xs {
		if int64(t) < s.Timesteps && x != xs[0] || int64(t) >= s.Timesteps && x != nil {
			return l.total(n, s.X, s.Steps)
		}
	}
	return l.Node(n, "total", "Mul", nil, xs[0], l.Steps(n, s.Steps))
}
