// Package insertcpm holds the pass insert-cpm, which ends the spiking region:
// it turns spikes back into analog values.
package insertcpm

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/spiking"
)

// Pass puts an output neuron and a readout where analog operators, or the
// model's outputs, read a value of the spiking region.
//
// Before: such a value y, made by a neuron IF(x) or by a linear operator.
// After: s, vres = IF(x); o = CPM(s, vres, W) with W a Dirac convolution, and the
// readers of y read o, or Relu(o) where y was an activation (Clip where its
// threshold is finite). The neuron of an activation that is also used inside the
// region is doubled; a linear operator's result x gets an output neuron of its
// own. An MPRN that only readouts read becomes an IF. With readout=rate the
// readout is Decode(s), for a signed value the difference of an ON and an OFF
// population, which start at v0. With readout=membrane there is no output neuron:
// o = Decode(x), the mean current.
// Conditions: float values of rank 3 or more with a known number of channels
// (readout=rate: of any rank). Output neurons of a CPM start at v0 = 0.
// Algebra: v_res = sum_t I(t) - theta*sum_t s(t), hence
// (theta/T)*sum_t s(t) + v_res/T = (1/T)*sum_t I(t): with a Dirac convolution CPM
// gives the mean input current, for either sign and past saturation (SpikingIR,
// Eq. 7-9), which is what readout=membrane computes without a neuron.
var Pass = &passes.Pass{
	Name: "insert-cpm",
	Doc: "read analog values out of the spiking region\n\n" +
		"Each value that leaves the region gets an output neuron and a CPM, which\n" +
		"compensates for the membrane potential that never became a spike; or, with\n" +
		"readout=rate, the plain firing rate; or, with readout=membrane, no neuron that\n" +
		"fires, only the potential that its current would leave.",
	Options: []passes.Option{Readout, Conv, Residual, Kernel, Relu, V0},
	Needs:   passes.Typed | passes.Split | passes.Neurons,
	Gives:   passes.Readout,
	Run:     run,
}

// The options.
var (
	Readout  = passes.OneOf("readout", "cpm, rate: the firing rate alone, or membrane: the current of a neuron that never fires", CPM, Rate, Membrane)
	Conv     = passes.Switch("conv", true, "the CPM's convolution may be fine-tuned (on), or stays the identity")
	Residual = passes.Switch("residual", true, "the CPM's shortcut of the residual membrane potential")
	Kernel   = passes.Odd("kernel", 3, 1, 31, "width of the CPM's convolution, odd")
	Relu     = passes.OneOf("relu", "apply the activation again behind its readout (keep), or not", "keep", "off")
	V0       = passes.Float("v0", 0, 0, 1, "initial potential of the ON and the OFF population of a signed rate, in units of the threshold")
)

// Kind is a way to read spikes out.
type Kind string

// CPM compensates for the residual potential, Rate is the firing rate alone, Membrane the
// potential of a neuron that integrates and never fires.
const (
	CPM      Kind = "cpm"
	Rate     Kind = "rate"
	Membrane Kind = "membrane"
)

func run(c *passes.Context) (changed bool, err error) {
	for _, v := range leaving(c.Model.Graph) {
		r, err := newReadout(c, v)
		if err != nil {
			return changed, err
		}
		if err := r.insert(); err != nil {
			return changed, err
		}
		changed = true
	}
	if changed && !spiking.HasNeurons(c.Model.Graph) {
		return changed, &passes.Unsupported{Refusals: []passes.Refusal{{Node: c.Model.Graph.Name, Op: "graph",
			Why: "nothing to convert: the only neurons are those of the output, and readout membrane takes them away; want readout cpm or rate"}}}
	}
	return changed, nil
}

// leaving is the values of the spiking region that are read outside of it,
// readouts' results excepted, in graph order.
func leaving(g *graph.Graph) []*graph.Value {
	var list []*graph.Value
	for n := range g.Nodes() {
		if n.Region != graph.SpikingRegion || spiking.IsReadout(n) {
			continue
		}
		for i, v := range n.Outputs() {
			if v == nil || op.IsNeuron(n) && i == op.NeuronVRes {
				continue
			}
			if v.IsOutput() || slices.ContainsFunc(v.Uses(), outside) {
				list = append(list, v)
			}
		}
	}
	return list
}

func outside(u graph.Use) bool { return u.Node.Region != graph.SpikingRegion }
