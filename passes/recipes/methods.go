package recipes

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/iftomprn"
	"spikingir/passes/insertcpm"
	"spikingir/passes/normalizethresholds"
	"spikingir/passes/shiftbiases"
)

var spikingIR = Recipe{
	Name: "spikingir",
	Doc: "MPRN neurons, which reuse their membrane potential in a post step, and CPM " +
		"readouts, which compensate for what is left of it",
	Source: "Ouyang et al., SpikingIR, AAAI 2026", Timesteps: []int{5, 8, 10, 15},
	Per: normalizethresholds.PerChannel, Readout: insertcpm.CPM, Schedule: op.Lockstep,
	reuse: true, neurons: reuse,
}

var rueckauer = Recipe{
	Name:   "rueckauer",
	Doc:    "integrate-and-fire neurons with soft reset, thresholds from percentiles, rates read out",
	Source: "Rueckauer et al., Conversion of Continuous-Valued Deep Networks, Front. Neurosci. 2017", Timesteps: []int{20, 50},
	Per: normalizethresholds.PerLayer, Readout: insertcpm.Rate, Schedule: op.Lockstep,
}

var twoPhase = Recipe{
	Name: "two-phase",
	Doc:  "the neurons of spikingir, which integrate all of their input before they fire: no spike comes too early, and all come later",
	Source: "Liu et al., SpikeConverter, AAAI 2022; Wang et al., dual-phase conversion, 2022; " +
		"neurons and readouts of Ouyang et al., SpikingIR, AAAI 2026", Timesteps: []int{5, 8, 10},
	Per: normalizethresholds.PerChannel, Readout: insertcpm.CPM, Schedule: op.TwoPhase,
	reuse: true, neurons: reuse,
}

// reuse makes MPRNs of hidden neurons.
func reuse(s Settings) passes.Pipeline {
	return passes.Pipeline{iftomprn.Pass.With(iftomprn.Beta.Set(s.Beta))}
}

// qcfs reads out the rate, as in the tables of SpikingIR; the authors' own networks end in a
// linear layer whose current is summed, which is the readout membrane. Its training is the
// stage rates: with v0 = 1/2 the rounded rate of an IF is their clip-floor-shift function of
// T levels, and a trained threshold their lambda.
var qcfs = Recipe{
	Name: "qcfs",
	Doc: "integrate-and-fire neurons that start at half a threshold, rates read out; fine-tuning trains the ANN with its activations clipped " +
		"and rounded to T levels, and the thresholds with it",
	Source: "Bu et al., Optimal ANN-SNN Conversion, ICLR 2022", Timesteps: []int{5, 8, 10},
	Per: normalizethresholds.PerLayer, Readout: insertcpm.Rate, Schedule: op.Lockstep, V0: 0.5,
	Training: Training{Stages: "rates=100%", Thresholds: true},
}

// dengGu adds the shift to the biases, as the authors do, and not as an initial potential.
var dengGu = Recipe{
	Name: "deng-gu",
	Doc: "thresholds at the largest activation, and biases that are larger by half a threshold over all timesteps; " +
		"the last layer integrates and never fires",
	Source: "Deng and Gu, Optimal Conversion of Conventional ANNs to SNNs, ICLR 2021", Timesteps: []int{16, 32},
	Per: normalizethresholds.PerLayer, Readout: insertcpm.Membrane, Schedule: op.Lockstep, Percent: 100,
	timed: func(Settings) passes.Pipeline { return steps(shiftbiases.Pass) },
}

var balancing = Recipe{
	Name: "ltb",
	Doc: "a threshold for each channel by local threshold balancing, a descent on what saturation cuts off; neurons start at half a threshold, " +
		"the last layer integrates and never fires",
	Source: "Bu et al., Inference-Scale Complexity in ANN-SNN Conversion, CVPR 2025", Timesteps: []int{16, 32},
	Per: normalizethresholds.PerChannel, Readout: insertcpm.Membrane, Schedule: op.Lockstep, V0: 0.5,
	balanced: true,
}

// dnsnn is a network of integrate-and-fire neurons that is trained in the spike domain, its
// neurons' parameters too; abstracts tell no more.
var dnsnn = Recipe{
	Name: "dnsnn",
	Doc: "integrate-and-fire neurons, the last layer integrates and never fires; fine-tuning trains all of it through its spikes, " +
		"the thresholds too",
	Source: "Castagnetti et al., SPIDEN, Front. Neurosci. 2023", Timesteps: []int{15}, Reconstructed: true,
	Per: normalizethresholds.PerLayer, Readout: insertcpm.Membrane, Schedule: op.Lockstep,
	Training: Training{Stages: "spikes=100%", Thresholds: true},
}

// lan has the static half of the method: a threshold that lets one neuron in a thousand fire at
// its first step, the silent ones counted. That its thresholds follow the potentials from
// step to step, and that neurons fire more than once a step, is not in it.
var lan = Recipe{
	Name: "lan2023",
	Doc: "thresholds at which a thousandth of all neurons of a layer fires from the first step on, rates read out; " +
		"thresholds that change from step to step, and several spikes a step, are not in it",
	Source: "Lan et al., Efficient Converted SNN for 3D and 2D Classification, ICCV 2023", Timesteps: []int{20, 50}, Reconstructed: true,
	Per: normalizethresholds.PerLayer, Readout: insertcpm.Rate, Schedule: op.Lockstep, Over: graph.OverAll, Percent: 99.9,
}
