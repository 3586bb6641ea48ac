package plain

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes/spiking"
)

// Neuron is what a neuron of the two-phase schedule computes.
type Neuron struct {
	// Quotient is floor(v/theta): the neuron fires at step t where it is t or more.
	Quotient *graph.Value
	Count    *graph.Value // of spikes, without that of an MPRN's post step
	Late     *graph.Value // the spike of an MPRN's post step, 0 or 1; nil for an IF
	Residual *graph.Value // the potential that is left; nil where nothing reads it
}

// TwoPhase builds a neuron from the sum of its currents over all slices; top is the most
// spikes that Count may hold. A bias counts T times, and v0 = 0 takes no node.
//
//	v = total + T*bias + v0*theta
//	q = Floor(v/theta), k = Clip(q, 0, top)
//	p = v - theta*k,    s = [p >= alpha*theta]
//	v_res = p - theta*s
func (l *Lowering) TwoPhase(n *graph.Node, s op.Neuron, total *graph.Value, top int64) (Neuron, error) {
	v := total
	if s.Bias != nil {
		b, err := l.TimesSteps(n, s.Bias, s.Steps)
		if err != nil {
			return Neuron{}, err
		}
		v = l.Node(n, "current", "Add", nil, v, b)
	}
	if s.V0 != 0 {
		start := l.Node(n, "start", "Mul", nil, spiking.Parameter(n, "v0", nil, []float32{s.V0}), s.Theta)
		v = l.Node(n, "potential", "Add", nil, v, start)
	}
	var k Neuron
	k.Quotient = l.Node(n, "quotient", "Floor", nil, l.Node(n, "ratio", "Div", nil, v, s.Theta))
	k.Count = l.Node(n, "count", "Clip", nil, k.Quotient, spiking.Parameter(n, "none", nil, []float32{0}),
		spiking.Parameter(n, "most", nil, []float32{float32(top)}))
	if s.Alpha == nil && !Wanted(s.VRes) {
		return k, nil
	}
	k.Residual = l.Node(n, "left", "Sub", nil, v, l.Node(n, "fired", "Mul", nil, s.Theta, k.Count))
	if s.Alpha == nil {
		return k, nil
	}
	fires := l.Node(n, "fires", "GreaterOrEqual", nil, k.Residual, l.Node(n, "post_theta", "Mul", nil, s.Theta, s.Alpha))
	k.Late = l.Node(n, "late", "Cast", Cast(), fires)
	if Wanted(s.VRes) {
		k.Residual = l.Node(n, "v", "Sub", nil, k.Residual, l.Node(n, "late_y", "Mul", nil, s.Theta, k.Late))
	}
	return k, nil
}

// TimesSteps is T times a bias, an initializer where that is constant.
func (l *Lowering) TimesSteps(n *graph.Node, b *graph.Value, s op.Steps) (*graph.Value, error) {
	t := op.Constant(b)
	if t == nil {
		return l.Node(n, "biases", "Mul", nil, b, l.Steps(n, s)), nil
	}
	xs, err := t.Float32s()
	if err != nil {
		return nil, op.Errorf(n, "bias %q: %v", b.Name(), err)
	}
	if !slices.Contains(l.spent, b) {
		l.spent = append(l.spent, b)
	}
	sums := make([]float32, len(xs))
	for i, x := range xs {
		sums[i] = float32(s.Timesteps) * x
	}
	return spiking.Parameter(n, "biases", t.Dims, sums), nil
}
