// Package exec runs a model: one planner and one executor for networks of
// analog and of spiking operators, in float32.
//
// # Plan
//
// [Compile] splits the graph into units in evaluation order. An analog unit is
// one standard operator on whole tensors, or a convolution with the operators
// that follow it element by element and alone read it: those run on its results
// while they are in the caches, unless someone observes the values between. A
// layer is what the time loop runs over: one or more sinks (neurons, readouts) with
// the linear operators that lead to them from spike trains, encoded inputs and
// earlier currents:
//
//	train ─┐                      ┌─> IF / MPRN ──> train, residual potential
//	train ─┼─> Concat, Conv, ... ─┤
//	Encode ┘   one slice [N,C,H,W]└─> Decode, CPM ──> analog value
//
// Time runs inside the layer: slice after slice is computed, integrated and
// forgotten, so that only membrane potentials and spikes (a bit each) live
// longer than a slice. What depends on encoded inputs alone is the same at
// every main step and computed once: the first convolution runs once, not T
// times. A current that two layers need at different times is kept as floats
// until the later one has run. Buffers return to an arena after the last use.
//
// # Meaning
//
// The operators of domain ai.spikingir mean what package graph/op says of
// them. Their time-major tensors never exist as a whole here, unless such a
// value is an output of the graph. With timesteps = 0 (the form in which
// passes see them) they have their rate semantics: an IF is a ReLU clipped at
// its threshold.
//
// Results do not depend on the number of threads.
package exec
