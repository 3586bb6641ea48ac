package encodeinput

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes/spiking"
)

// at is the number of channel i; 0 where nothing is due.
func (k *current) at(i int) float32 {
	switch {
	case k == nil:
		return 0
	case len(k.xs) == 1:
		return k.xs[0]
	}
	return k.xs[i]
}

func (k *current) apply(f func(float64) float64) *current {
	if k == nil {
		return nil
	}
	out := &current{make([]float32, len(k.xs)), k.from}
	for i, x := range k.xs {
		out.xs[i] = float32(f(float64(x)))
	}
	return out
}

func combine(a, b *current, f func(a, b float64) float64) *current {
	out := &current{make([]float32, max(len(a.xs), len(b.xs))), a.from}
	for i := range out.xs {
		out.xs[i] = float32(f(float64(a.at(i)), float64(b.at(i))))
	}
	return out
}

// sum is a + sign*b, either of which may be nil.
func sum(a, b *current, sign float64) *current {
	switch {
	case b == nil:
		return a
	case a == nil:
		return b.apply(func(x float64) float64 { return sign * x })
	}
	return combine(a, b, func(x, y float64) float64 { return x + sign*y })
}

// parameter makes k an initializer, the parameter of a node whose input has the
// given rank.
func (k *current) parameter(n *graph.Node, name string, rank int) *graph.Value {
	dims := []int64{}
	if len(k.xs) > 1 {
		dims = spiking.PerChannel(len(k.xs), rank)
	}
	g := n.Graph()
	return g.AddInitializer(g.FreshName(name), graph.NewFloat32(dims, k.xs))
}

// channelwise reports whether t is one number, or one per channel of a tensor
// of the given rank.
func channelwise(t *graph.Tensor, rank int) bool {
	for i, d := range t.Dims {
		if d != 1 && rank-len(t.Dims)+i != 1 {
			return false
		}
	}
	return len(t.Dims) <= rank
}

// constant reads a constant operand of n, whose result has the given rank.
func constant(n *graph.Node, v *graph.Value, rank int) (*current, error) {
	t := op.Constant(v)
	if t == nil {
		return nil, op.Unsupportedf(n, "its operand %q is computed at run time, want a constant", v.Name())
	}
	if !channelwise(t, rank) {
		return nil, op.Unsupportedf(n, "it adds a constant of dimensions %v, "+
			"want one number or one per channel", t.Dims)
	}
	xs, err := t.Float32s()
	if err != nil {
		return nil, op.Unsupportedf(n, "constant %q: %v", v.Name(), err)
	}
	return &current{xs, n}, nil
}
