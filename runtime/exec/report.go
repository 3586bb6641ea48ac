package exec

import (
	"spikingir/graph"
	"spikingir/runtime/neuron"
)

// NeuronReport is what one neuron population did in a run.
type NeuronReport struct {
	Node     string // its name
	Origin   string // the node of the user's model that it replaces
	Op       string // IF or MPRN
	Elements int64  // neurons: N*C*H*W
	Steps    int    // T
	Bias     bool   // adds a bias at each of the T steps
	Post     bool   // integrates the post step too
	Spikes   int64  // over all steps, the post step included
	PostStep int64  // of these, in the post step
	Residual neuron.Residual
}

// FiringRate is the mean number of spikes per neuron and main step; the post
// step's count in, as in the rate of the MPRN.
func (n NeuronReport) FiringRate() float64 {
	if n.Elements == 0 || n.Steps == 0 {
		return 0
	}
	return float64(n.Spikes) / (float64(n.Elements) * float64(n.Steps))
}

// reportNeurons notes the spikes of a population up to a result and what its
// potentials are then; count gives the spikes of a slice.
func (r *run) reportNeurons(n *graph.Node, at int, left neuron.Residual, count func(step int) int64) {
	rep := NeuronReport{
		Node: n.Name, Origin: n.OriginLabel(), Op: n.Op().Type, Elements: left.Elements, Residual: left,
		Steps: r.timing.results[at], Bias: n.Input(1) != nil, Post: r.timing.post > 0,
	}
	for t := range rep.Steps {
		rep.Spikes += count(t)
	}
	if rep.Post {
		rep.PostStep = count(r.timing.steps + at)
		rep.Spikes += rep.PostStep
	}
	r.neurons[at] = append(r.neurons[at], rep)
}

// WorkReport is what one operator with weights computed in a run, for energy.
type WorkReport struct {
	Node, Origin string
	Op           graph.Op

	// MACs of one dense application, as the paper counts them:
	// k*k*Cin/group*Cout*Hout*Wout, for all images, no bias. ExactMACs leaves out the
	// taps that fall into padding.
	MACs, ExactMACs float64
	Inputs, Outputs float64 // elements
	Bias            bool    // adds one

	// Driven tells that spikes drive the operator. Otherwise it runs on analog values,
	// and Current tells that it computes the constant current of an encoding: before
	// it, or behind it once for all steps.
	Driven, Current bool
	Runs            int     // of an analog operator, with new values
	SpikesIn        float64 // nonzero input elements of all steps, post step included
	ExactOps        float64 // the synapses of these spikes that do exist at their place
	// Adds and Muls are the elementwise operations of Add, Sub, Mul, Div, Bias and
	// BatchNormalization and the additions of a CPM's residual and bias, of all steps.
	Adds, Muls float64
}
