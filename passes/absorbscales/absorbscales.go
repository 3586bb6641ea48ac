// Package absorbscales holds the pass absorb-scales, which brings a spiking
// network into unit form: every threshold is 1.
package absorbscales

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/spiking"
)

// Pass moves the thresholds into the weights.
//
// Before: amplitude form, in which a neuron emits theta*s.
// After: unit form, in which it emits s. A layer between neurons has the weights
// W*theta_in/theta_out, a bias is b/theta; where branches with different
// thresholds meet, one of them gets a Mul by a constant; the analog current of
// the first neurons is scaled in the weights of its Conv, or by a Mul in front of
// Encode; the rate that a readout gives is multiplied by theta behind it.
// Conditions: none beyond those of the region. A scale that is no normal float,
// or a weight that becomes infinite, is refused by name; a weight that becomes
// smaller than any normal float is 0.
// Algebra: with v' = v/theta and I' = I/theta, v' fires at 1 where v fires at
// theta (SpikingIR, Eq. 1-3 are homogeneous), so both forms have the same spikes:
// exactly for thresholds that are powers of two, else up to rounding. Every
// factor is computed in float64 and rounded once.
var Pass = &passes.Pass{
	Name: "absorb-scales",
	Doc: "move the thresholds into the weights\n\n" +
		"Every neuron's threshold becomes 1 and every spike 1, as neuromorphic\n" +
		"hardware has them. The spikes stay the same.",
	Needs: passes.Typed | passes.Timed | passes.Thresholds,
	Gives: passes.UnitForm,
	Run:   run,
}

func run(c *passes.Context) (changed bool, err error) {
	if passes.UnitForm.Check(c.Model) == nil {
		return false, nil
	}
	a := &absorber{c, map[*graph.Value]scale{}, map[*graph.Value]scale{}, map[*graph.Value]bool{}}
	for n := range c.Model.Graph.Nodes() {
		if n.Region != graph.SpikingRegion {
			continue
		}
		if err := a.visit(n); err != nil {
			return changed, err
		}
		changed = true
	}
	return changed, nil
}

// absorber rewrites the region in evaluation order. A value v of the amplitude
// form is have[v] times what the model computes now.
type absorber struct {
	*passes.Context
	have   map[*graph.Value]scale
	wanted map[*graph.Value]scale // memory of want
	asked  map[*graph.Value]bool
}

func (a *absorber) visit(n *graph.Node) error {
	switch {
	case n.IsSpiking("Encode"):
		return a.encode(n)
	case op.IsNeuron(n):
		return a.neuron(n)
	case n.IsSpiking("Bias"):
		return a.bias(n)
	case n.IsSpiking("Decode"):
		return a.behind(n, a.have[n.Input(0)])
	case n.IsSpiking("CPM"):
		return a.cpm(n)
	case isLayer(n):
		return a.layer(n)
	case n.Is("Add"), n.Is("Sub"), n.Is("Sum"), n.Is("Mean"):
		return a.unify(n)
	case n.Is("Concat"):
		return a.concat(n)
	case keepsChannels(n):
		a.have[n.Output(0)] = a.have[varying(n)]
		return nil
	}
	return a.other(n)
}

// keepsChannels reports whether n is homogeneous in its only varying operand
// and leaves each channel to itself.
func keepsChannels(n *graph.Node) bool {
	switch n.Op().Type {
	case "Neg", "Identity", "Mul", "Div", "AveragePool", "GlobalAveragePool", "Resize", "Pad":
	default:
		return false
	}
	x := varying(n)
	if n.Op().Domain != "" || x == nil {
		return false
	}
	in, out := x.Type.Shape, n.Output(0).Type.Shape
	return len(in) == len(out) && len(in) > 1 && in[1].Same(out[1])
}

// varying is the only input that is not constant, nil when there are more.
func varying(n *graph.Node) *graph.Value {
	var x *graph.Value
	for _, v := range n.Inputs() {
		if v == nil || op.Constant(v) != nil {
			continue
		}
		if x != nil {
			return nil
		}
		x = v
	}
	return x
}

// want is the scale that the readers of v ask for: the thresholds of the neurons
// that it reaches unmixed. It is nil where they differ or something else reads v.
func (a *absorber) want(v *graph.Value) scale {
	if a.asked[v] {
		return a.wanted[v]
	}
	a.asked[v] = true
	var all scale
	for _, u := range v.Uses() {
		s := a.wantOf(u)
		if s == nil || all != nil && !all.equal(s) {
			return nil
		}
		all = s
	}
	a.wanted[v] = all
	return all
}

func (a *absorber) wantOf(u graph.Use) scale {
	n := u.Node
	switch {
	case op.IsNeuron(n):
		theta, err := passes.Threshold(n)
		if err != nil || a.have[n.Output(0)] != nil {
			return nil
		}
		return theta
	case n.IsSpiking("Bias"), n.Is("Add"), n.Is("Sub"), n.Is("Neg"), n.Is("Identity"):
		return a.want(n.Output(0))
	}
	return nil
}

func (a *absorber) multiply(n *graph.Node, x *graph.Value, s scale) *graph.Node {
	g := n.Graph()
	m := a.Insert(n, n, n.Label()+".scale", graph.Op{Type: "Mul"}, nil, []*graph.Value{x},
		g.FreshName(x.Name()+".scaled"))
	m.SetInput(1, spiking.Parameter(m, "factor", s.dims(len(x.Type.Shape)), s))
	m.Output(0).Type = x.Type
	return m
}

// bring makes input i of n come with scale to.
func (a *absorber) bring(n *graph.Node, i int, to scale) error {
	x := n.Input(i)
	if a.have[x].equal(to) {
		return nil
	}
	r, err := to.ratio(n, a.have[x])
	if err != nil {
		return err
	}
	n.SetInput(i, a.multiply(n, x, r).Output(0))
	return nil
}
