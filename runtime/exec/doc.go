// Package exec runs a model: it plans once, and executes networks of analog and of
// spiking operators.
//
// # Plan
//
// [Compile] splits the graph into units in evaluation order. An analog unit is one
// standard operator on whole tensors, or a convolution with the elementwise operators
// that alone read it: they run on its results while those are in the caches, unless
// someone observes the values between. A layer is what the time loop runs over: one or
// more sinks (neurons, readouts) with the linear operators that lead to them from
// spikes, encoded inputs and earlier currents:
//
//	spikes ─┐                      ┌─> IF / MPRN ──> spikes, residual potential
//	spikes ─┼─> Concat, Conv, ... ─┤
//	Encode ─┘  one slice [N,C,H,W] └─> Decode, CPM ──> analog value
//
// Time runs inside the layer: a slice is computed, integrated and forgotten, so that
// only membrane potentials and spikes (a bit each) live longer. What depends on encoded
// inputs alone is the same at every main step and computed once. A current that two
// layers need is kept as floats until the later one has run. Buffers are used again
// after the last reader of a value. A [Program] never changes; what a run holds is its
// own.
//
// # Fixed point
//
// Unless [Options.Precision] says Float32, a layer of the form
//
//	spikes ─> [Concat] ─> Conv or ConvTranspose ─> [Bias] ─> IF or MPRN ─> spikes
//
// with constant parameters is computed in integers, strip by strip. Each output channel
// has a scale, in which the weights times the amplitude of their input's spikes are
// integers of up to 16 bits; bias, threshold, firing levels and initial potential follow.
// It is the smallest scale at which weights fit and no potential can leave 32 bits in
// T+1 steps. Where that leaves a weight or threshold too few digits (some thousand
// timesteps, thresholds far below the weights), and for every other form (sums of
// branches, pooling, computed weights, auto_pad), the layer runs in float32, slice by
// slice. The first layer, whose current is constant, is float32 too: each of its neurons
// goes through all timesteps at once.
//
// # Two phases
//
// A network of the two-phase schedule has no layers: its values are sums over time, and
// its neurons, readouts and linear operators analog units (see twophase.go). In fixed
// point, units that read spikes compute on counts, one byte a neuron (see countplan.go):
//
//	counts ─> Conv or ConvTranspose ─┐
//	counts ─────────────────────────(+)─> [Bias] ─> neuron ─> counts, residual potential
//	counts ─> Conv or ConvTranspose ─> float current
//
// Concat, sums and scales of counts are read through. What else reads a value that is
// kept as counts gets its floats, made once.
//
// # Meaning
//
// The operators of domain ai.spikingir mean what package graph/op says. With
// timesteps = 0, the form in which passes see them, they have their rate semantics: an
// IF is a ReLU clipped at its threshold.
//
// Results do not depend on the number of threads, the kernels or the tiles. In a model
// without thresholds convolutions of 3 x 3 run by Winograd, which rounds in another
// order than other convolutions do; its tiles begin at multiples of Winograd's grid and
// overlap by up to four pixels for each layer and side. Where there are spikes, a last
// bit may move them, and every convolution is the sum that package kernel promises.
package exec
