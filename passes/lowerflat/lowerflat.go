// Package lowerflat holds the pass lower-flat, which unrolls the spiking
// operators over time into standard operators.
package lowerflat

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/plain"
)

// Pass replaces every spiking operator by standard ones: no functions, no
// control flow. Any runtime of opset 17 executes the model, and one that fuses
// and plans plain graphs can do so.
//
// Before: timed operators of domain ai.spikingir on time-major values
// [S*N, C, ...], S = T + post; linear operators between them.
// After: the linear operators as they were, once each, with time in the batch. A
// time-major value that they make is cut into its S slices [N, C, ...] by one
// Split in equal parts, so that N stays open; slices are joined by one Concat
// where a standard operator reads them, and not at all where a neuron, Bias or
// readout does. Slice by slice,
//
//	Encode    x at t <= T; Mul(x, 0) at T+1, where a Concat reads it
//	Bias      Add(x_t, b) at t <= T; x_t at T+1
//	IF, MPRN  c = Add(x_t, bias) at t <= T, x_t at T+1 and where the bias is 0 or none
//	          p = Add(v, c); first v = v0*theta, or p = c where that is 0
//	          s = Cast(GreaterOrEqual(p, theta)); an MPRN takes
//	          alpha*theta in place of theta at T+1
//	          y_t = Mul(theta, s), or s where theta is 1
//	          v = Sub(p, y_t); the last one is the residual potential
//	two-phase q = Floor(Div(v, theta)), v as in lower-counts from the sum of the
//	          slices, Mul(x, T) where they are the same; fires at t where
//	          GreaterOrEqual(q, t); an MPRN at T+1 as there
//	sum       Add(Add(Add(y_1, y_2), ...), y_S)
//	Decode    Div(sum, T)
//	CPM       Div(Add(Conv(sum), vres), T), then Add of the bias
//
// A slice of zeros, which only an Encode makes and only at T+1, takes part in
// no Add. What is constant is computed here. Functions of the spiking domain and
// its import go. The nodes of step 4 of a neuron relu3 are called relu3/MPRN/step 4/.... The
// node that makes what the old node made keeps the old one's name and metadata;
// all have its origin.
// Conditions: the default opset is 17 or later; x is finite.
// Algebra: none; the operators' definitions step by step (SpikingIR, Eq. 1-3 and
// 13-16), in the order and with the rounding of the functions of lower-functions.
// There a missing bias is 0 and a missing slice a tensor of 0; adding them
// changes at most the sign of a zero. Two-phase
// neurons here read the sum of a convolution's slices, and in the executor the
// convolution of the sum, which may differ in the last bit.
//
// The result is a plain network. Its metadata state the operators, so that raise-forms puts
// them back.
var Pass = &passes.Pass{
	Name: "lower-flat",
	Doc: "unroll the spiking operators into standard operators\n\n" +
		"Neurons are unrolled over the timesteps, without functions and control\n" +
		"flow; convolutions stay single, with time in the batch.",
	Needs: passes.Timed | passes.OpsetCurrent,
	Gives: passes.Lowered,
	Drops: passes.Timed | passes.Readout,
	Run:   run,
}

func run(c *passes.Context) (changed bool, err error) {
	s, err := plain.NewSlices(c, "flat")
	if err != nil {
		return false, err
	}
	l := &lowering{s}
	l.Cut, l.Whole = l.cut, whole
	return l.Run(l.Lower)
}

// lowering is one run of the pass.
type lowering struct{ *plain.Slices }

// cut takes a value apart by one Split.
func (l *lowering) cut(n *graph.Node, v *graph.Value, s op.Steps) ([]*graph.Value, error) {
	count := s.Slices()
	attrs := graph.Attrs{{Name: "axis", Value: graph.Int(0)}}
	if l.Model.Opset("") >= 18 {
		attrs = append(attrs, graph.NamedAttr{Name: "num_outputs", Value: graph.Int(count)})
	}
	names := make([]string, count)
	for t := range names {
		names[t] = n.Graph().FreshName(plain.AtStep(v.Name(), int64(t)))
	}
	return l.Insert(n, n, plain.Part(n, "slices"), graph.Op{Type: "Split"}, attrs, []*graph.Value{v}, names...).Outputs(), nil
}

// whole reports whether a standard operator or a caller of the model reads v.
func whole(v *graph.Value) bool {
	return v.IsOutput() || slices.ContainsFunc(v.Uses(), func(u graph.Use) bool {
		return u.Node.Op().Domain != graph.Spiking
	})
}
