// Package lowercounts holds the pass lower-counts, which writes a two-phase network
// without a time axis.
package lowercounts

import (
	"spikingir/passes"
	"spikingir/passes/plain"
)

// Pass replaces every spiking operator of a two-phase network by standard ones that work
// on the sums of all slices.
//
// Before: timed operators of domain ai.spikingir on time-major values
// [S*N, C, ...], S = T + post, with neurons of the two-phase schedule; linear
// operators between them.
// After: the linear operators as they were, once each, on the sum over the slices,
// [N, C, ...]:
//
//	Encode   Mul(x, T)
//	Bias     Add(x, T*b)
//	neurons  v = Add(x, T*bias), x without a bias; with v0, Add(v, v0*theta)
//	         k = Clip(Floor(Div(v, theta)), 0, T); T+1 for an IF with a post step
//	         p = Sub(v, Mul(theta, k))
//	         s = Cast(GreaterOrEqual(p, alpha*theta)), of an MPRN
//	         y = Mul(theta, Add(k, s)); v_res = Sub(p, Mul(theta, s))
//	Decode   Div(y, T)
//	CPM      Div(Add(Conv(y), vres), T), then Add of the bias
//
// Functions of the spiking domain and its import go. The node that makes what the old
// node made keeps the old one's name and metadata; all have its origin.
// Conditions: the default opset is 17 or later. A neuron of lock-step is refused: when it
// fires depends on the slices, not on their sum. So is an operator that adds a constant
// to every slice.
// Algebra: sum_t F(x_t) = F(sum_t x_t) for a linear F, and a two-phase neuron reads
// nothing but the sum of its currents. The executor computes such a network in the same
// order, to the same bits.
//
// The result is a plain network. Its metadata state the operators, so that raise-forms puts
// them back.
var Pass = &passes.Pass{
	Name: "lower-counts",
	Doc: "write a two-phase network on spike counts, without a time axis\n\n" +
		"Each layer becomes one convolution of the sum over time.",
	Needs: passes.Timed | passes.OpsetCurrent,
	Gives: passes.Lowered,
	Drops: passes.Timed | passes.Readout,
	Run:   run,
}

func run(c *passes.Context) (changed bool, err error) {
	l, err := plain.NewSums(c, "counts")
	if l == nil {
		return false, err
	}
	return l.Run(l.Lower)
}
