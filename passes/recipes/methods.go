package recipes

import (
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/iftomprn"
	"spikingir/passes/insertcpm"
	"spikingir/passes/normalizethresholds"
)

var spikingIR = Recipe{
	Name: "spikingir",
	Doc: "MPRN neurons, which reuse their membrane potential in a post step, and CPM " +
		"readouts, which compensate for what is left of it",
	Source: "Ouyang et al., SpikingIR, AAAI 2026",
	Per:    normalizethresholds.PerChannel, Readout: insertcpm.CPM, Schedule: op.Lockstep,
	reuse: true, neurons: reuse,
}

var rueckauer = Recipe{
	Name:   "rueckauer",
	Doc:    "integrate-and-fire neurons with soft reset, thresholds from percentiles, rates read out",
	Source: "Rueckauer et al., Conversion of Continuous-Valued Deep Networks, Front. Neurosci. 2017",
	Per:    normalizethresholds.PerLayer, Readout: insertcpm.Rate, Schedule: op.Lockstep,
}

var twoPhase = Recipe{
	Name: "two-phase",
	Doc:  "the neurons of spikingir, which integrate all of their input before they fire: no spike comes too early, and all come later",
	Source: "Liu et al., SpikeConverter, AAAI 2022; Wang et al., dual-phase conversion, 2022; " +
		"neurons and readouts of Ouyang et al., SpikingIR, AAAI 2026",
	Per: normalizethresholds.PerChannel, Readout: insertcpm.CPM, Schedule: op.TwoPhase,
	reuse: true, neurons: reuse,
}

// reuse makes MPRNs of hidden neurons.
func reuse(s Settings) passes.Pipeline {
	return passes.Pipeline{iftomprn.Pass.With(iftomprn.Beta.Set(s.Beta))}
}
