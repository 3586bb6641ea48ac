// Package exec runs a model: one planner and one executor for networks of
// analog and of spiking operators.
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
// # Fixed point
//
// Unless [Options.Precision] says Float32, a neuron layer of the form
//
//	trains ─> [Concat] ─> Conv or ConvTranspose ─> [Bias] ─> IF or MPRN ─> train
//
// with constant parameters is computed in integers by [spike.Conv],
// strip by strip. Each output channel has a scale: the weights, times the amplitude
// of their input's spikes, become whole numbers of up to 16 bits in it; bias,
// threshold, firing levels and initial potential follow. The scale is the smallest
// one at which weights fit and no potential can leave 32 bits in T+1 steps. Where
// that leaves a weight or threshold too few digits (some thousand timesteps,
// thresholds far below the weights), and for every other form (sums of branches,
// pooling, computed weights, auto_pad), the layer runs in float32, slice by slice.
// The first layer, whose current is constant, is float32 too: each of its neurons
// goes through all timesteps at once.
//
// # Meaning
//
// The operators of domain ai.spikingir mean what package graph/op says of
// them. Their time-major tensors never exist as a whole here, unless such a
// value is an output of the graph. With timesteps = 0 (the form in which
// passes see them) they have their rate semantics: an IF is a ReLU clipped at
// its threshold.
//
// Results do not depend on the number of threads, the kernels or the tiles. In a
// model without thresholds convolutions of 3 x 3 run by minimal filtering, which rounds
// in another order than the sums of other convolutions; tiles of such a model begin
// at multiples of its grid and overlap by up to four pixels for each of its layers and
// side. Where there are spikes, last bits may move them, and every convolution is the
// sum that package kernel promises.
package exec
