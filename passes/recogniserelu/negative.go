package recogniserelu

import (
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

// negatives writes what is left of the negative side of x, alone, as a Relu of -x: the smaller
// of x and 0, as implementations of PReLU in other frameworks add to a ReLU. Of x - |x| it is twice that.
func (f finder) negatives(c *passes.Context) (changed bool, err error) {
	return c.Each(func(n *graph.Node) (bool, error) {
		if n.Output(0) == nil || n.Output(0).NumUses() == 0 && !n.Output(0).IsOutput() {
			return false, nil // the Relus that it was part of do without it
		}
		x, times, err := f.negative(n)
		if err != nil || x == nil || x.Type.Kind != graph.TensorType || x.Type.Elem != graph.Float32 {
			return false, err
		}
		g := n.Graph()
		minus := c.Insert(n, n, "", graph.Op{Type: "Neg"}, nil, []*graph.Value{x}, g.FreshName(n.Label()+".minus"))
		relu := c.Insert(n, n, "", graph.Op{Type: "Relu"}, nil, []*graph.Value{minus.Output(0)}, g.FreshName(n.Label()+".off"))
		minus.Output(0).Type, relu.Output(0).Type = x.Type, x.Type
		if times == 1 {
			_, err = c.Replace(n, graph.Op{Type: "Neg"}, nil, relu.Output(0))
			return true, err
		}
		factor := g.AddInitializer(g.FreshName(n.Label()+".factor"), graph.Scalar(-times))
		_, err = c.Replace(n, graph.Op{Type: "Mul"}, nil, relu.Output(0), factor)
		return true, err
	})
}

// negative is x where n computes the smaller of x and 0 so many times.
func (f finder) negative(n *graph.Node) (x *graph.Value, times float32, err error) {
	switch {
	case n.Is("Sub"):
		if a := n.Input(1).Producer(); a != nil && a.Is("Abs") && a.Input(0) == n.Input(0) {
			return n.Input(0), 2, nil
		}
	case n.Is("Min"), n.Is("Clip"):
		v, low, high, ok, err := f.limits(n)
		if err != nil || !ok || high != 0 || !math.IsInf(low, -1) || op.Constant(v) != nil {
			return nil, 0, err
		}
		return v, 1, nil
	}
	return nil, 0, nil
}
