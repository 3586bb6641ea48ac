// Package lowerfunctions holds the pass lower-functions, which defines the
// spiking operators by functions of standard operators.
package lowerfunctions

import (
	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/annotations"
	"spikingir/passes/plain"
	"spikingir/passes/spiking"
)

// Pass adds one model-local function for each spiking operator in use, so that
// any ONNX runtime can execute the model.
//
// Before: timed operators of domain ai.spikingir.
// After: the same nodes, and functions that define them: attributes timesteps,
// post, v0; a Scan over the slices inside the neurons of lock-step. A neuron without a bias
// gets a zero scalar, NAME.bias, because functions cannot have omitted inputs;
// likewise a CPM, where another one has a bias. A neuron states its residual
// potential even where nothing reads it. The model's metadata state the operators, so that
// raise-forms finds them where another tool has put the bodies in the place of the calls.
// Conditions: the default opset is 17 or later; the bodies hold for each.
// Algebra: the bodies state the operators' definitions step by step, rounded as
// those are: c = x + bias at t <= T, v = v + c, s = [v >= theta], y = theta*s,
// v = v - y (SpikingIR, Eq. 1-3 and 13-16). A two-phase neuron has v = v0*theta + (sum_t x_t +
// T*bias), fires at t where floor(v/theta) >= t, and keeps v - theta*k for the post step.
var Pass = &passes.Pass{
	Name: "lower-functions",
	Doc: "define the spiking operators by functions\n\n" +
		"Each spiking operator in use gets a model-local function of standard\n" +
		"operators, so that other runtimes execute the model.",
	Needs: passes.Timed | passes.OpsetCurrent,
	Gives: passes.Lowered,
	Run:   run,
}

func run(c *passes.Context) (changed bool, err error) {
	m := c.Model
	if _, err := op.TimingOf(m.Graph); err != nil {
		return false, err
	}
	if m.Opset(graph.Spiking) == 0 {
		m.SetOpset(graph.Spiking, op.SpikingVersion)
	}
	used := map[string]bool{}
	biased := false
	for n := range m.Graph.Nodes() {
		if n.Op().Domain != graph.Spiking {
			continue
		}
		if op.Lookup(n.Op()) == nil {
			return false, plain.Unknown(n)
		}
		used[n.Op().Type] = true
		biased = biased || n.IsSpiking("CPM") && n.Input(3) != nil
	}
	changed, err = c.Each(func(n *graph.Node) (bool, error) { return explicit(c, n, biased) })
	if err != nil {
		return changed, err
	}
	if len(used) > 0 {
		if err := annotations.Begin(m, "functions").Finish(); err != nil {
			return changed, err
		}
	}
	for _, d := range definitions {
		if !used[d.name] || m.Function(spiking.Op(d.name), "") != nil {
			continue
		}
		f := newFunction(d, m.Opset(""))
		d.body(f, biased)
		m.Functions = append(m.Functions, f.Function)
		changed = true
	}
	if !changed {
		return false, nil
	}
	return true, infer.Model(m)
}

// explicit states the inputs and outputs that n omits.
func explicit(c *passes.Context, n *graph.Node, biased bool) (changed bool, err error) {
	switch {
	case op.IsNeuron(n):
		if n.Input(op.NeuronBias) == nil {
			n.SetInput(op.NeuronBias, spiking.Parameter(n, "bias", nil, []float32{0}))
			changed = true
		}
		if n.Output(op.NeuronVRes) == nil {
			return true, addResidual(c, n)
		}
	case n.IsSpiking("CPM"):
		if changed, err = explicitWindow(n); err != nil || !biased || n.Input(3) != nil {
			return changed, err
		}
		w := op.Constant(n.Input(2))
		if w == nil || len(w.Dims) == 0 {
			return false, op.Unsupportedf(n, "its weights are computed at run time, want a constant")
		}
		k := w.Dims[0]
		n.SetInput(3, spiking.Parameter(n, "bias", []int64{k}, make([]float32, k)))
		changed = true
	}
	return changed, nil
}

// explicitWindow states the kernel and the pads of a CPM, which its function reads from
// attributes of the node.
func explicitWindow(n *graph.Node) (changed bool, err error) {
	c, err := op.CPMOf(n)
	if err != nil {
		return false, err
	}
	if c.Kernel == nil {
		return false, op.Unsupportedf(n, "its kernel is not known, want constant weights or attribute %q", "kernel_shape")
	}
	pads := c.Pads
	for i := range c.Kernel {
		if c.Dilation[i] != 1 {
			return false, op.Unsupportedf(n, "attribute %q is %v, of which functions know nothing; want 1 on each axis, or another form than functions", "dilations", c.Dilation)
		}
		if both := c.Extent(i) - 1; c.AutoPad != op.NotSet {
			less, more := both/2, both-both/2
			if c.AutoPad == op.SameLower {
				less, more = more, less
			}
			pads[i], pads[len(c.Kernel)+i] = less, more
		}
	}
	for _, a := range []struct {
		name string
		list []int64
	}{{"kernel_shape", c.Kernel}, {"pads", pads}} {
		if _, stated := n.Attrs.Lookup(a.name); !stated || c.AutoPad != op.NotSet {
			n.Attrs.Set(a.name, graph.Ints(a.list))
			changed = true
		}
	}
	for _, name := range []string{"auto_pad", "strides", "dilations", "group"} { // all say nothing more
		if _, stated := n.Attrs.Lookup(name); stated {
			n.Attrs.Delete(name)
			changed = true
		}
	}
	return changed, nil
}

// addResidual replaces a neuron by one that has its residual potential as
// second output; nothing else of it changes.
func addResidual(c *passes.Context, n *graph.Node) error {
	g, y := n.Graph(), n.Output(0)
	r := c.Insert(n, n, "", n.Op(), append(graph.Attrs(nil), n.Attrs...), n.Inputs(),
		g.FreshName(y.Name()+".spikes"), g.FreshName(y.Name()+".residual"))
	r.Doc, r.Metadata = n.Doc, n.Metadata.Clone()
	if n.From.Pass != "" {
		r.From = n.From
	}
	name := n.Name
	declared := y.IsDeclared()
	if err := c.SupersedeAll(n, r.Outputs()[:1]); err != nil {
		return err
	}
	r.Name = name
	if declared {
		g.Declare(r.Output(op.NeuronVRes))
	}
	return nil
}

// definition is one function: its attributes and the builder of its body.
type definition struct {
	name, doc string
	attrs     []string
	body      func(f *function, biased bool)
}

var definitions = []definition{
	{"Encode", "y is x at steps 1..T, 0 at the post step; time-major, slice by slice",
		steps, encode},
	{"Bias", "y is x + b at steps 1..T, x at the post step", steps, bias},
	{"IF", "integrate-and-fire neuron, soft reset; y emits theta, vres is the final potential",
		append(steps[:2:2], "v0"), neuron},
	{"MPRN", "IF whose post step fires from alpha*theta on", append(steps[:2:2], "v0"), neuron},
	{"TwoPhaseIF", "IF that integrates all slices before it fires, at step t where floor(v/theta) >= t",
		append(steps[:2:2], "v0"), twoPhase},
	{"TwoPhaseMPRN", "TwoPhaseIF whose post step fires where alpha*theta is left",
		append(steps[:2:2], "v0"), twoPhase},
	{"BurstIF", "IF that fires up to burst times a step",
		append(steps[:2:2], "v0", "burst"), graded},
	{"MultiThresholdIF", "IF with the thresholds 2*theta, theta, ... finest*theta, tried one after another in a step",
		append(steps[:2:2], "v0", "finest"), graded},
	{"SignedIF", "IF that sends -theta from -theta down, where what it has sent is more than 0",
		append(steps[:2:2], "v0"), graded},
	{"Decode", "r is the sum of y over all slices, divided by T", steps, decode},
	{"CPM", "o is (Conv(sum of y over all slices) + vres) / T + b",
		append(steps[:2:2], "kernel_shape", "pads"), cpm},
}

var steps = []string{"timesteps", "post"}
