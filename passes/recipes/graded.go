package recipes

import (
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/iftograded"
	"spikingir/passes/insertcpm"
	"spikingir/passes/normalizethresholds"
)

// burst has the output neurons fire in bursts too: the publication adds up what the last layer
// sends. Its program halves activations above 1 before it takes their percentile; those of the networks
// that its figures are compared on are below.
var burst = Recipe{
	Name:   "burst",
	Doc:    "neurons that fire up to five times a step, so that what lies above the threshold comes through in time; rates read out",
	Source: "Li & Zeng, Efficient and Accurate Conversion of Spiking Neural Network with Burst Spikes, IJCAI 2022", Timesteps: []int{20, 50},
	Per: normalizethresholds.PerLayer, Readout: insertcpm.Rate, Schedule: op.Lockstep,
	neurons: func(Settings) passes.Pipeline {
		return passes.Pipeline{iftograded.Pass.With(iftograded.Neuron.Set(iftograded.BurstKind))}
	},
}

// multiThreshold reads the mean current of the last layer, as the publication does.
var multiThreshold = Recipe{
	Name:   "multi-threshold",
	Doc:    "neurons of four thresholds, 2, 1, 1/2 and 1/4 of the usual one, which fire for each that is reached in a step; the last layer integrates and never fires",
	Source: "Li et al., Deep Multi-Threshold Spiking-UNet for Image Processing, 2023 (arXiv 2307.10974)", Timesteps: []int{10, 50},
	Per: normalizethresholds.PerLayer, Readout: insertcpm.Membrane, Schedule: op.Lockstep,
	neurons: func(Settings) passes.Pipeline {
		return passes.Pipeline{iftograded.Pass.With(iftograded.Neuron.Set(iftograded.MultiThreshold))}
	},
}

// ternary converts, where the first of its publications trains a leaky neuron from the start: spikes
// of -1 behind a ReLU may only take back such as came too early.
var ternary = Recipe{
	Name: "ternary",
	Doc: "neurons that send -1, 0 or 1: a spike that came too early is taken back by a negative one; rates read out. " +
		"A conversion with the spikes of Guo et al., whose network is trained from the start, and the neurons of Wang et al.",
	Source: "Guo et al., Ternary Spike, AAAI 2024; Wang et al., Signed Neuron with Memory, IJCAI 2022", Timesteps: []int{15},
	Per: normalizethresholds.PerChannel, Readout: insertcpm.Rate, Schedule: op.Lockstep,
	neurons: func(Settings) passes.Pipeline {
		return passes.Pipeline{iftograded.Pass.With(iftograded.Neuron.Set(iftograded.SignedKind))}
	},
}
