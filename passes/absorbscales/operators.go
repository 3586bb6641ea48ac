package absorbscales

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/spiking"
)

// encode scales the analog current for the neurons that it drives: in the
// weights of the Conv that makes it, or by a Mul.
func (a *absorber) encode(n *graph.Node) error {
	s := a.want(n.Output(0))
	if s.isOne() {
		return nil
	}
	inverse, err := s.ratio(n, one)
	if err != nil {
		return err
	}
	a.have[n.Output(0)] = s
	x := n.Input(0)
	if p := x.Producer(); p != nil && p.Is("Conv") && x.NumUses() == 1 && !x.IsOutput() {
		done, err := scaleConv(p, s)
		if err != nil || done {
			return err
		}
	}
	m := a.multiply(n, x, inverse)
	m.Region = graph.AnalogPre
	if p := x.Producer(); p != nil {
		m.Region = p.Region
	}
	n.SetInput(0, m.Output(0))
	return nil
}

func (a *absorber) neuron(n *graph.Node) error {
	theta, err := passes.Threshold(n)
	if err != nil {
		return err
	}
	s := scale(theta)
	a.have[n.Output(0)] = s
	if err := a.bring(n, op.NeuronX, s); err != nil {
		return err
	}
	rank := len(n.Input(op.NeuronX).Type.Shape)
	if err := divide(n, op.NeuronBias, s, rank); err != nil {
		return err
	}
	renew(n, op.NeuronTheta, graph.Scalar(1))
	return nil
}

func (a *absorber) bias(n *graph.Node) error {
	s := a.have[n.Input(0)]
	a.have[n.Output(0)] = s
	return divide(n, 1, s, len(n.Output(0).Type.Shape))
}

func (a *absorber) unify(n *graph.Node) error {
	target := a.want(n.Output(0))
	for i, v := range n.Inputs() {
		if op.Constant(v) != nil {
			return op.Unsupportedf(n, "it adds a constant, want encode-input to have made it a Bias")
		}
		if target == nil && i == 0 {
			target = a.have[v]
		}
	}
	for i := range n.NumInputs() {
		if err := a.bring(n, i, target); err != nil {
			return err
		}
	}
	a.have[n.Output(0)] = target
	return nil
}

// concat joins the scales of channels; along another axis they must agree.
func (a *absorber) concat(n *graph.Node) error {
	v, err := op.ConcatOf(n)
	if err != nil {
		return err
	}
	axis, ok := op.Axis(v.Axis, len(n.Output(0).Type.Shape))
	if !ok || axis != 1 {
		return a.unify(n)
	}
	var all scale
	for i, x := range v.Xs {
		channels, known := x.Type.Shape[1].Size()
		if !known {
			return a.unify(n)
		}
		for c := range int(channels) {
			all = append(all, a.have[v.Xs[i]].at(c))
		}
	}
	a.have[n.Output(0)] = all.short()
	return nil
}

// other stands for every operator that may mix channels: it passes one number
// for all of them on, and gets the amplitude form otherwise.
func (a *absorber) other(n *graph.Node) error {
	var target scale
	first := true
	for _, v := range n.Inputs() {
		if v == nil || op.Constant(v) != nil {
			continue
		}
		s := a.have[v].short()
		if first {
			target, first = s, false
		}
		if len(s) > 1 || !s.equal(target) {
			target = one
		}
	}
	for i, v := range n.Inputs() {
		if v == nil || op.Constant(v) != nil {
			continue
		}
		if err := a.bring(n, i, target); err != nil {
			return err
		}
	}
	for _, v := range n.Outputs() {
		if v != nil {
			a.have[v] = target
		}
	}
	return nil
}

// behind multiplies the analog result of a readout by s.
func (a *absorber) behind(n *graph.Node, s scale) error {
	if s.isOne() {
		return nil
	}
	g, r := n.Graph(), n.Output(0)
	m := a.Append(n, n.Label()+".scale", graph.Op{Type: "Mul"}, nil, []*graph.Value{r},
		g.FreshName(r.Name()+".scaled"))
	m.Region = graph.AnalogPost
	m.Output(0).Type = r.Type
	if err := g.ReplaceUses(r, m.Output(0)); err != nil {
		return err
	}
	m.SetInput(0, r)
	m.SetInput(1, spiking.Parameter(m, "factor", s.dims(len(r.Type.Shape)), slices.Clone(s)))
	return nil
}
