package nir

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"spikingir/graph"
	"spikingir/graph/op"
)

// Readout is how the result of a network is read from a NIR file.
type Readout string

// Integrator ends in a node I, an integrator that does not fire, whose potential after the
// last step is the result: exactly that of the CPM or of Decode. Spikes ends in the spikes of the output
// neuron, the mean of which over the steps is the result without the residual potential.
const (
	Integrator Readout = "integrator"
	Spikes     Readout = "spikes"
)

// Readouts lists the readouts; the first is the default.
func Readouts() []string { return []string{string(Integrator), string(Spikes)} }

// Refused lists the nodes of a model for which NIR has no words.
type Refused struct{ Nodes []error }

func (e *Refused) Error() string {
	parts := make([]string, len(e.Nodes))
	for i, err := range e.Nodes {
		parts[i] = err.Error()
	}
	return strings.Join(parts, "; ")
}

// Unwrap gives the errors of the nodes.
func (e *Refused) Unwrap() []error { return e.Nodes }

// Export says a spiking network in NIR. The network is in unit form, its inputs and all that
// it computes have sizes, and its batch is one. It does not change. Operators for which NIR has no node are an error,
// a [Refused], where they work on spikes; in front of the first neuron and behind the readout they are left
// to the caller, and the report names them.
func Export(m *graph.Model, r Readout) (*Network, *Report, error) {
	t, err := op.TimingOf(m.Graph)
	if err != nil {
		return nil, nil, err
	}
	if t.Timesteps == 0 {
		return nil, nil, errors.New("the model has no neurons that fire at timesteps; convert it first, to a form other than flat, counts and qdq")
	}
	e := &exporter{model: m, opset: m.Opset(""), readout: r, timing: t, net: &Network{},
		report:  &Report{Inputs: []Port{}, Outputs: []Port{}, Timesteps: t.Timesteps, Readout: string(r), Lost: []Finding{}, Reworded: []Finding{}},
		signals: map[*graph.Value]signal{}, stages: map[*graph.Value]stage{}, outside: map[*graph.Value]bool{}, unsaid: map[*graph.Value]bool{},
		sources: map[*graph.Value]source{}, embedded: map[embedding]*Node{}, names: map[string]bool{}}
	for n := range m.Graph.Nodes() {
		if err := e.visit(n); err != nil {
			return nil, nil, err
		}
	}
	if len(e.refused) > 0 {
		return nil, nil, &Refused{e.refused}
	}
	if err := e.finish(); err != nil {
		return nil, nil, err
	}
	return e.net, e.report, nil
}

// stage says whether a value is known before the first neuron, is made of currents or spikes, or
// is behind a readout.
type stage uint8

const (
	before stage = iota
	firing
	behind
)

// exporter follows a model in the order of evaluation.
type exporter struct {
	model   *graph.Model
	opset   int64
	readout Readout
	timing  op.Timing
	net     *Network
	report  *Report

	signals  map[*graph.Value]signal
	stages   map[*graph.Value]stage
	outside  map[*graph.Value]bool   // behind the readout, and not in the file
	unsaid   map[*graph.Value]bool   // made by nodes that are refused
	sources  map[*graph.Value]source // of the outputs of neurons
	neurons  []firingNode
	embedded map[embedding]*Node
	names    map[string]bool
	lost     findings
	reworded findings
	refused  []error
}

// firingNode is a neuron of the model and of the file.
type firingNode struct {
	from *graph.Node
	to   *Node
	op.Neuron
}

// visit says one node in NIR, or notes that it cannot.
func (e *exporter) visit(n *graph.Node) error {
	s := e.stage(n)
	for _, v := range n.Outputs() {
		if v != nil {
			e.stages[v] = s
		}
	}
	if s == behind && slices.ContainsFunc(n.Inputs(), func(v *graph.Value) bool { return e.outside[v] }) {
		e.leave(n)
		return nil
	}
	err := e.express(n)
	var fault *op.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errUnsaid):
		e.leaveUnsaid(n)
		return nil
	case !errors.As(err, &fault) || !fault.Unsupported:
		return err
	case s == firing:
		e.refused = append(e.refused, err)
		e.leaveUnsaid(n)
	case s == behind:
		e.leave(n)
	} // else what it gives is an input of the file, where anything reads it
	return nil
}

// errUnsaid is the error of a node that reads what a refused node makes, directly or not.
var errUnsaid = errors.New("the value is made by a node that is refused")

// leaveUnsaid marks what a node makes that is not in the file.
func (e *exporter) leaveUnsaid(n *graph.Node) {
	for _, v := range n.Outputs() {
		if v != nil {
			e.unsaid[v] = true
		}
	}
}

// stage is that of what a node computes.
func (e *exporter) stage(n *graph.Node) stage {
	switch {
	case n.IsSpiking("Encode"):
		return firing
	case n.IsSpiking("Decode"), n.IsSpiking("CPM"):
		return behind
	}
	s := before
	for _, v := range n.Inputs() {
		s = max(s, e.stages[v])
	}
	return s
}

// leave leaves a node behind the readout to the caller, who gets what it reads.
func (e *exporter) leave(n *graph.Node) {
	e.lost.note("analog-post", "is behind the readout and not in the file: compute it on the outputs", n.OriginLabel())
	for _, v := range n.Inputs() {
		if v != nil && e.stages[v] != before && !e.outside[v] {
			e.output(v)
		}
	}
	for _, v := range n.Outputs() {
		if v != nil {
			e.outside[v] = true
		}
	}
}

// output makes a value an output of the file, once.
func (e *exporter) output(v *graph.Value) {
	if slices.ContainsFunc(e.report.Outputs, func(p Port) bool { return p.Value == v.Name() }) {
		return
	}
	s, err := e.signal(v.Producer(), v)
	switch {
	case errors.Is(err, errUnsaid):
		return
	case err != nil:
		e.refused = append(e.refused, err)
		return
	}
	n := e.node(v.Name(), "Output", map[string]dataset{"shape": ints(s.shape...)})
	e.link(s, n)
	e.report.Outputs = append(e.report.Outputs, Port{n.Name, v.Name(), s.shape})
}

// signal is what a value is in the file, for n, which reads it. A value that is known before the first neuron, and that
// nothing in the file makes, is an input of it.
func (e *exporter) signal(n *graph.Node, v *graph.Value) (signal, error) {
	if s, ok := e.signals[v]; ok {
		if v.NumUses() > 1 || v.IsOutput() {
			s = s.shared()
		}
		return s, nil
	}
	p := v.Producer()
	switch {
	case e.unsaid[v]:
		return signal{}, errUnsaid
	case op.Constant(v) != nil:
		return signal{}, op.Unsupportedf(n, "it reads the constant %q, and NIR has none", v.Name())
	case e.stages[v] != before || p == nil && !v.IsInput():
		return signal{}, op.Unsupportedf(n, "it reads %q, which %s, and NIR has no words for that", v.Name(), op.Source(v))
	}
	shape, err := shapeOf(n, v)
	if err != nil {
		return signal{}, err
	}
	x := e.node(v.Name(), "Input", map[string]dataset{"shape": ints(shape...)})
	e.report.Inputs = append(e.report.Inputs, Port{x.Name, v.Name(), shape})
	s := signal{shape: shape, terms: []term{{node: x, channels: shape[0]}}}
	e.signals[v] = s
	return s, nil
}

// finish makes the outputs, drops what leads to none, and tells what is lost.
func (e *exporter) finish() error {
	for _, v := range e.model.Graph.Outputs() {
		switch {
		case e.outside[v]:
		case e.stages[v] == before:
			e.lost.note("outputs", "depends on no spikes and is not in the file", v.Name())
		default:
			e.output(v)
		}
	}
	if len(e.refused) > 0 {
		return &Refused{e.refused}
	}
	if len(e.report.Outputs) == 0 {
		return errors.New("no output of the model depends on anything that NIR can say")
	}
	e.prune()
	for _, n := range e.net.Nodes {
		n.settle()
	}
	e.tell()
	put := e.net.Metadata.Set
	put("source", "spikingir")
	put("timesteps", strconv.FormatInt(e.timing.Timesteps, 10))
	put("readout", string(e.readout))
	e.report.count(e.net)
	return nil
}

// prune drops nodes that lead to no output, and edges and inputs with them.
func (e *exporter) prune() {
	from := map[string][]string{}
	for _, x := range e.net.Edges {
		from[x.To] = append(from[x.To], x.From)
	}
	needed := map[string]bool{}
	var open []string
	for _, p := range e.report.Outputs {
		open = append(open, p.Node)
	}
	for len(open) > 0 {
		name := open[len(open)-1]
		open = open[:len(open)-1]
		if !needed[name] {
			needed[name] = true
			open = append(open, from[name]...)
		}
	}
	e.net.Nodes = slices.DeleteFunc(e.net.Nodes, func(n *Node) bool { return !needed[n.Name] })
	e.net.Edges = slices.DeleteFunc(e.net.Edges, func(x Edge) bool { return !needed[x.From] || !needed[x.To] })
	e.report.Inputs = slices.DeleteFunc(e.report.Inputs, func(p Port) bool { return !needed[p.Node] })
}
