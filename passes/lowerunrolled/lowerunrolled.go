// Package lowerunrolled holds the pass lower-unrolled, which writes a network of standard
// operators for each timestep.
package lowerunrolled

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/plain"
)

// Pass replaces every spiking operator by standard ones, as lower-flat does, and gives every
// operator between them a copy for each timestep. There is no time axis, so a runtime that
// takes one image at a time, or plans for one batch, executes the model.
//
// Before: timed operators of domain ai.spikingir on time-major values
// [S*N, C, ...], S = T + post; linear operators between them.
// After: for each slice the nodes of lower-flat, and in the place of a linear operator F
//
//	y_t = F(x_t)    for t = 1..S, on [N, C, ...], with the same weights
//
// A slice of zeros, which only an Encode makes and only at T+1, takes part in no Add
// of a neuron and gives no copy of F, unless a slice that is none meets it there. Steps at which
// the inputs are the same value share a copy. The copy conv2/step 1 keeps the metadata of conv2. An output
// of the model that has a time axis is joined by a Concat.
// Conditions: those of lower-flat. A node between neurons that is not linear over time is
// refused by name, and so is a time-major input of the model.
// Algebra: F keeps dimension 0 to itself, so that a slice of F(x) is F of a slice; all else is
// that of lower-flat.
//
// The metadata state the operators, so that raise-forms puts them back.
var Pass = &passes.Pass{
	Name: "lower-unrolled",
	Doc: "write standard operators for each timestep\n\n" +
		"Neurons are unrolled over the timesteps as by lower-flat, and so are the\n" +
		"operators between them: no value has a time axis, and every convolution\n" +
		"stands once for each timestep, on the same weights.",
	Needs: passes.Timed | passes.OpsetCurrent,
	Gives: passes.Lowered,
	Drops: passes.Timed | passes.Readout,
	Run:   run,
}

func run(c *passes.Context) (changed bool, err error) {
	s, err := plain.NewSlices(c, "unrolled")
	if err != nil {
		return false, err
	}
	l := &lowering{s}
	l.Cut, l.Whole = uncut, (*graph.Value).IsOutput
	return l.RunOn(l.chosen, l.lower)
}

// lowering is one run of the pass.
type lowering struct{ *plain.Slices }

// uncut refuses a value with a time axis that nothing in the network makes.
func uncut(n *graph.Node, v *graph.Value, _ op.Steps) ([]*graph.Value, error) {
	return nil, op.Unsupportedf(n, "its input %q is no slices of an Encode or of neurons, want one of these", v.Name())
}

// chosen reports whether n, or a subgraph of it, reads what varies over time.
func (l *lowering) chosen(n *graph.Node) bool {
	if n.Op().Domain == graph.Spiking {
		return true
	}
	for m := range n.Within() {
		if slices.ContainsFunc(m.Inputs(), l.varies) {
			return true
		}
	}
	return false
}

func (l *lowering) varies(v *graph.Value) bool { return v != nil && l.Of[v] != nil }

func (l *lowering) lower(n *graph.Node) error {
	if n.Op().Domain == graph.Spiking {
		return l.Lower(n)
	}
	if len(n.Subgraphs()) > 0 {
		return op.Unsupportedf(n, "it has a subgraph that varies over time, want an operator that is linear over time")
	}
	affine, err := op.LinearInTime(n, l.Model.Opset(""), l.varies)
	if err != nil {
		return err
	}
	l.repeat(n, affine)
	return nil
}

// repeat makes a copy of n for each timestep. affine says that it gives something for
// zeros, too.
func (l *lowering) repeat(n *graph.Node, affine bool) {
	outs := make([][]*graph.Value, n.NumOutputs())
	var last []*graph.Value
	for t := range l.count(n) {
		in := l.at(n, t)
		switch {
		case t > 0 && slices.Equal(in, last):
			for i := range outs {
				outs[i] = append(outs[i], outs[i][t-1])
			}
		case !affine && l.empty(n, in):
			for i := range outs {
				outs[i] = append(outs[i], nil)
			}
		default:
			c := l.copy(n, t, in)
			for i := range outs {
				outs[i] = append(outs[i], c.Output(i))
			}
		}
		last = in
	}
	for i, ys := range outs {
		l.Emit(n, n.Output(i), ys)
	}
}

// count is the number of slices of what n reads.
func (l *lowering) count(n *graph.Node) int {
	for _, v := range n.Inputs() {
		if l.varies(v) {
			return len(l.Of[v])
		}
	}
	return 0
}

// at is the inputs of n at timestep t; nil in the place of zeros.
func (l *lowering) at(n *graph.Node, t int) []*graph.Value {
	in := n.Inputs()
	for i, v := range in {
		if l.varies(v) {
			in[i] = l.Of[v][t]
		}
	}
	return in
}

// empty reports whether all that varies is zeros in the inputs of a step.
func (l *lowering) empty(n *graph.Node, in []*graph.Value) bool {
	for i, v := range n.Inputs() {
		if l.varies(v) && in[i] != nil {
			return false
		}
	}
	return true
}

func (l *lowering) copy(n *graph.Node, t int, in []*graph.Value) *graph.Node {
	in = slices.Clone(in)
	for i, v := range n.Inputs() {
		if in[i] == nil && v != nil {
			in[i] = l.Zeros(n, l.Of[v][0])
		}
	}
	names := make([]string, n.NumOutputs())
	for i, v := range n.Outputs() {
		if v != nil {
			names[i] = n.Graph().FreshName(plain.AtStep(v.Name(), int64(t)))
		}
	}
	c := l.Insert(n, n, plain.AtStep(n.Label(), int64(t)), n.Op(), slices.Clone(n.Attrs), in, names...)
	if t == 0 {
		c.Doc, c.Metadata = n.Doc, n.Metadata.Clone()
		l.Record.Copies[n] = c
	}
	return c
}
