package plain

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes/annotations"
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
// spikes that Count may hold. A bias counts T times; v0 = 0 and a bias of 0 take no node.
//
//	v = total + T*bias + v0*theta
//	q = Floor(v/theta), k = Clip(q, 0, top)
//	p = v - theta*k,    s = [p >= alpha*theta]
//	v_res = p - theta*s
func (l *Lowering) TwoPhase(n *graph.Node, s op.Neuron, total *graph.Value, top int64) (Neuron, error) {
	v := total
	if bias := l.effective(s.Bias); bias != nil {
		b, err := l.TimesSteps(n, bias, s.Steps)
		if err != nil {
			return Neuron{}, err
		}
		v = l.Node(n, "current", "Add", nil, v, b)
	}
	if s.V0 != 0 {
		start, err := l.scaled(n, "start", s.V0, s.Theta)
		if err != nil {
			return Neuron{}, err
		}
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
	level, err := l.level(n, s)
	if err != nil {
		return Neuron{}, err
	}
	fires := l.Node(n, "fires", "GreaterOrEqual", nil, k.Residual, level)
	k.Late = l.Node(n, "late", "Cast", Cast(), fires)
	if Wanted(s.VRes) {
		k.Residual = l.Node(n, "v", "Sub", nil, k.Residual, l.Node(n, "late_y", "Mul", nil, s.Theta, k.Late))
	}
	return k, nil
}

// effective is a neuron's bias; nil for zeros, which take no node.
func (l *Lowering) effective(bias *graph.Value) *graph.Value {
	if bias == nil || !isAll(bias, 0) {
		return bias
	}
	l.Spend(bias)
	return nil
}

// TimesSteps is T times a bias.
func (l *Lowering) TimesSteps(n *graph.Node, b *graph.Value, s op.Steps) (*graph.Value, error) {
	return l.scaled(n, "biases", float32(s.Timesteps), b)
}

// scaled is x times v, an initializer where v is constant.
func (l *Lowering) scaled(n *graph.Node, role string, x float32, v *graph.Value) (*graph.Value, error) {
	t := op.Constant(v)
	if t == nil {
		return l.Node(n, role, "Mul", nil, spiking.Parameter(n, role+".factor", nil, []float32{x}), v), nil
	}
	xs, err := t.Float32s()
	if err != nil {
		return nil, op.Errorf(n, "%q: %v", v.Name(), err)
	}
	l.Spend(v)
	products := make([]float32, len(xs))
	for i, y := range xs {
		products[i] = x * y
	}
	list := spiking.Parameter(n, role, t.Dims, products)
	l.stated(v, list, x)
	return list, nil
}

// level is alpha*theta, from which an MPRN fires in the post step.
func (l *Lowering) level(n *graph.Node, s op.Neuron) (*graph.Value, error) {
	alpha := op.Constant(s.Alpha)
	if alpha != nil {
		if xs, err := alpha.Float32s(); err == nil && len(xs) == 1 {
			l.Spend(s.Alpha)
			level, err := l.scaled(n, "post_theta", xs[0], s.Theta)
			if err == nil && level.IsInitializer() {
				l.Record.Sources[s.Alpha] = annotations.Tensor{From: level.Name(), Over: s.Theta.Name()}
			}
			return level, err
		}
	}
	return l.Node(n, "post_theta", "Mul", nil, s.Theta, s.Alpha), nil
}
