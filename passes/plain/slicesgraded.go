package plain

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes/spiking"
)

// graded unrolls a neuron whose spikes have several values.
//
//	v = v + c
//	k = Clip(Floor(v/unit), 0, most)
//	k = [v >= theta] - [-v >= theta]*[sent >= 1]    of a SignedIF, which has sent the sum of k so far
//	y = unit*k,  v = v - y
func (l *Slices) graded(n *graph.Node) error {
	s, err := op.NeuronOf(n)
	if err != nil {
		return err
	}
	return l.unroll(n, s, func() (sender, error) {
		u := &gradedUnroller{Slices: l, n: n, s: s, unit: s.Theta, numbers: map[string]*graph.Value{}}
		if s.Grade.Unit != 1 {
			if u.unit, err = l.scaled(n, "unit", s.Grade.Unit, s.Theta); err != nil {
				return nil, err
			}
		}
		return u.send, nil
	})
}

// gradedUnroller is one such neuron.
type gradedUnroller struct {
	*Slices
	n       *graph.Node
	s       op.Neuron
	unit    *graph.Value
	sent    *graph.Value // of a SignedIF so far; nil before the first step
	numbers map[string]*graph.Value
}

// number is a constant that all steps share.
func (u *gradedUnroller) number(name string, x float32) *graph.Value {
	if u.numbers[name] == nil {
		u.numbers[name] = spiking.Parameter(u.n, name, nil, []float32{x})
	}
	return u.numbers[name]
}

// send is what the neuron of potential v emits at step t.
func (u *gradedUnroller) send(t int64, v *graph.Value) *graph.Value {
	var k *graph.Value
	if u.s.Grade.Signed() {
		k = u.signed(t, v)
	} else {
		ratio := v
		if !isOne(u.unit) {
			ratio = u.At(u.n, t, "ratio", "Div", nil, v, u.unit)
		}
		k = u.At(u.n, t, "spikes", "Clip", nil, u.At(u.n, t, "quotient", "Floor", nil, ratio),
			u.number("none", 0), u.number("most", float32(u.s.Grade.Most)))
	}
	if isOne(u.unit) {
		return k
	}
	return u.At(u.n, t, "y", "Mul", nil, u.unit, k)
}

// signed is the spike of a SignedIF, which takes one back only where one was sent.
func (u *gradedUnroller) signed(t int64, v *graph.Value) *graph.Value {
	at := func(role, typ string, in ...*graph.Value) *graph.Value {
		var attrs graph.Attrs
		if typ == "Cast" {
			attrs = Cast()
		}
		return u.At(u.n, t, role, typ, attrs, in...)
	}
	k := at("spikes", "Cast", at("fires", "GreaterOrEqual", v, u.unit))
	if u.sent == nil {
		u.sent = k
		return k
	}
	low := at("low", "Cast", at("below", "GreaterOrEqual", at("negative", "Neg", v), u.unit))
	some := at("some", "Cast", at("has_sent", "GreaterOrEqual", u.sent, u.number("one", 1)))
	k = at("signed", "Sub", k, at("back", "Mul", low, some))
	u.sent = at("sent", "Add", u.sent, k)
	return k
}
