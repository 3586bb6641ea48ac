package nir

import (
	"fmt"
	"slices"
	"strconv"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/onnxio/hdf5"
)

// source is the neuron that makes a value, and the current that it integrates.
type source struct {
	neuron  op.Neuron
	current signal
}

// encode says an Encode: the image is there at every step.
func (e *exporter) encode(n *graph.Node) error {
	x := n.Input(0)
	if e.stages[x] != before {
		return op.Unsupportedf(n, "it makes a constant current of %q, which depends on spikes: an analog island, and a NIR graph runs all nodes in the same steps; %s", x.Name(), remedy)
	}
	s, err := e.signal(n, x)
	if err != nil {
		return err
	}
	e.lost.note("encoding", fmt.Sprintf("the inputs have to be fed at all of T = %d steps, then the network be reset: NIR knows no duration", e.timing.Timesteps), n.OriginLabel())
	e.signals[n.Output(0)] = s
	return nil
}

// neuron says an IF or MPRN as an IF of threshold 1, whose bias is one of the layer in front of it.
func (e *exporter) neuron(n *graph.Node) error {
	v, err := op.NeuronOf(n)
	if err != nil {
		return err
	}
	if op.IsGraded(n) {
		return op.Unsupportedf(n, "a spike of a %s has several values, and NIR has none such; convert with a recipe of IF or MPRN", n.Op().Type)
	}
	s, err := e.signal(n, v.X)
	if err != nil {
		return err
	}
	bias, err := perChannel(n, op.NeuronBias, "the bias", s.shape)
	if err != nil {
		return err
	}
	theta, err := perChannel(n, op.NeuronTheta, "the threshold", s.shape)
	if err != nil {
		return err
	}
	if s, err = e.biased(n, s, bias); err != nil {
		return err
	}
	k := e.node(n.OriginLabel(), "IF", map[string]dataset{
		"r": hdf5.Filled(s.shape, 1), "v_threshold": spread(s.shape, theta), "v_reset": hdf5.Filled(s.shape, 0)})
	put := k.Metadata.Set
	put("kind", n.Op().Type)
	put("reset", "soft")
	put("v0", number(v.V0))
	if v.Alpha != nil {
		alpha, err := perChannel(n, op.NeuronAlpha, "alpha", s.shape)
		if err != nil {
			return err
		}
		put("alpha", number(alpha[0]))
	}
	e.link(s, k)
	e.neurons = append(e.neurons, firingNode{n, k, v})
	from := source{v, s.shared()}
	spikes := made(k, s.shape)
	if v.Y != nil {
		e.signals[v.Y], e.sources[v.Y] = spikes, from
	}
	if v.VRes != nil {
		e.sources[v.VRes] = from
	}
	return nil
}

func number(x float32) string { return strconv.FormatFloat(float64(x), 'g', -1, 32) }

// decode says a Decode: the spikes, or their sum over T steps by T.
func (e *exporter) decode(n *graph.Node) error {
	s, err := e.signal(n, n.Input(0))
	if err != nil {
		return err
	}
	if e.readout == Integrator {
		s = e.integrated(n, s)
	}
	e.signals[n.Output(0)] = s
	return nil
}

// integrated is the mean of a signal over the main steps, after the last of them.
func (e *exporter) integrated(n *graph.Node, s signal) signal {
	k := e.node(n.OriginLabel()+".mean", "I", map[string]dataset{"r": hdf5.Filled(s.shape, 1/float32(e.timing.Timesteps))})
	e.link(s, k)
	return made(k, s.shape)
}

// cpm says a CPM. With W its kernel, D the Dirac kernel and I the current of the output neuron, in unit form
//
//	O = (W*sum s + v_res)/T + b  and  v_res = v0 + sum I - sum s,  so that
//	O = (sum I + (W-D)*sum s + v0)/T + b,
//
// which an integrator of I and of (W-D)*s gives, and where W is the Dirac kernel one of I alone.
// The spikes of the output neuron convolved are the other readout.
func (e *exporter) cpm(n *graph.Node) error {
	v, err := op.CPMOf(n)
	if err != nil {
		return err
	}
	spikes, err := e.signal(n, v.Y)
	if err != nil {
		return err
	}
	from, ok := e.sources[v.Y]
	if other, same := e.sources[v.VRes]; !ok || !same || other.neuron.Y != from.neuron.Y {
		return op.Unsupportedf(n, "its spikes and its potential are not those of one neuron")
	}
	bias, err := perChannel(n, 3, "bias", spikes.shape[:1])
	if err != nil {
		return err
	}
	if e.readout == Spikes {
		s, err := e.convolved(n, v, spikes, false)
		if err == nil {
			s, err = e.biased(n, s, bias)
		}
		e.signals[n.Output(0)] = s
		return err
	}
	more, err := e.convolved(n, v, spikes, true)
	if err != nil {
		return err
	}
	s := from.current
	s.terms = append(slices.Clone(s.terms), more.terms...)
	constant := make([]float32, spikes.shape[0])
	for c := range constant {
		constant[c] = from.neuron.V0 / float32(e.timing.Timesteps)
		if bias != nil {
			constant[c] += bias[c]
		}
	}
	if s, err = e.biased(n, s, constant); err != nil {
		return err
	}
	e.signals[n.Output(0)] = e.integrated(n, s)
	return nil
}

// convolved is the spikes of an output neuron convolved by the kernel of a CPM, or by what that has more than the
// Dirac kernel: nothing, where it is that.
func (e *exporter) convolved(n *graph.Node, v op.CPM, spikes signal, more bool) (signal, error) {
	w, dims, err := constant(n, 2, "weights")
	if err != nil {
		return signal{}, err
	}
	if len(dims) != 4 || len(spikes.shape) != 3 {
		return signal{}, op.Unsupportedf(n, "it is of %d dimensions, and NIR has images [C,H,W]", len(spikes.shape))
	}
	k := kernel{dims: dims, w: slices.Clone(w), stride: v.Stride, dilation: v.Dilation, pads: v.PadsFor(spikes.shape[1:])}
	rest := k
	rest.w = slices.Clone(w)
	centred := rest.subtractDirac()
	dirac := centred && !slices.ContainsFunc(rest.w, nonzero)
	switch {
	case more && !centred:
		return signal{}, op.Unsupportedf(n, "its kernel %v with pads %v has no centre", v.Kernel, k.pads)
	case more && dirac:
		return signal{shape: spikes.shape}, nil
	case dirac:
		return spikes, nil
	case more:
		k = rest
	}
	if k, _, err = k.square(n); err != nil {
		return signal{}, err
	}
	c := e.node(n.OriginLabel(), "Conv2d", convolution(spikes.shape[1:], k.dims, k.w, k.stride, k.pads[:2], k.dilation))
	e.link(spikes, c)
	return made(c, spikes.shape), nil
}

func nonzero(x float32) bool { return x != 0 }

// subtractDirac takes the kernel away that leaves an image as it is; false where the window has no
// tap at the place that it is about.
func (k *kernel) subtractDirac() bool {
	var centre [2]int64
	for i := range centre {
		centre[i] = k.pads[i] / k.dilation[i]
		if k.pads[i]%k.dilation[i] != 0 || centre[i] >= k.dims[2+i] {
			return false
		}
	}
	for c := range min(k.dims[0], k.dims[1]) {
		k.w[((c*k.dims[1]+c)*k.dims[2]+centre[0])*k.dims[3]+centre[1]]--
	}
	return true
}

// tell notes what is lost of the neurons that are left in the file, and what the caller has to
// compute in front of it.
func (e *exporter) tell() {
	there := map[*Node]bool{}
	for _, k := range e.net.Nodes {
		there[k] = true
	}
	for _, k := range e.neurons {
		if !there[k.to] {
			e.reworded.note("output-neuron", "its readout is an integrator of its current, which is what spikes and residual potential add up to", k.from.OriginLabel())
			continue
		}
		e.tellNeuron(k)
	}
	for n := range e.model.Graph.Nodes() {
		switch {
		case n.IsSpiking("CPM") && e.readout == Spikes:
			e.lost.note("residual-potential", "is not added to the spikes: the result is the mean of the outputs over the steps, and negative currents are lost", n.OriginLabel())
		case n.IsSpiking("Decode") && e.readout == Spikes:
			e.lost.note("rate", "the result is the mean of the outputs over the steps, which is left to the reader", n.OriginLabel())
		}
	}
	e.tellGiven()
	if e.readout == Integrator {
		e.lost.note("reading", fmt.Sprintf("the outputs have to be read after step T = %d: NIR knows no duration", e.timing.Timesteps), "")
	}
	e.report.Lost = append(e.report.Lost, e.lost...)
	e.report.Reworded = append(e.report.Reworded, e.reworded...)
}

// tellNeuron notes what of a neuron NIR's IF is not.
func (e *exporter) tellNeuron(k firingNode) {
	name := k.from.OriginLabel()
	e.lost.note("soft-reset", "a neuron keeps what is above its threshold when it fires, and NIR's IF is set to v_reset (metadata: reset)", name)
	e.lost.note("comparison", "a neuron fires from its threshold on, and NIR's IF above it", name)
	if k.Schedule == op.TwoPhase {
		e.lost.note("schedule", "a two-phase neuron fires once it has integrated all of its input, and NIR's IF at each step (metadata: kind)", name)
	}
	if k.V0 != 0 {
		e.lost.note("initial-potential", "a neuron begins at a potential above 0, and NIR's IF at 0 (metadata: v0)", name)
	}
	if k.Post > 0 {
		e.lost.note("post-step", "the step T+1 without biases, in which an MPRN fires from alpha on, is no step of a NIR graph (metadata: alpha)", name)
	}
}

// tellGiven notes nodes in front of the first neuron whose results are inputs of the file.
func (e *exporter) tellGiven() {
	asked := map[*graph.Value]bool{}
	for _, p := range e.report.Inputs {
		asked[e.model.Graph.Value(p.Value)] = true
	}
	var names []string
	var list []*graph.Node
	for n := range e.model.Graph.Nodes() {
		list = append(list, n)
	}
	for _, n := range slices.Backward(list) {
		if e.stages[n.Output(0)] != before || !slices.ContainsFunc(n.Outputs(), func(v *graph.Value) bool { return asked[v] }) {
			continue
		}
		names = append(names, n.OriginLabel())
		for _, v := range n.Inputs() {
			if v != nil {
				asked[v] = true
			}
		}
	}
	for _, name := range slices.Backward(names) {
		e.lost.note("analog-pre", "is in front of the first neuron and not in the file: compute it for the inputs", name)
	}
}
