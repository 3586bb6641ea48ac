// Package encodeinput holds the pass encode-input, which gives a spiking
// network its time.
package encodeinput

import (
	"fmt"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/spiking"
)

// Pass makes the model timed: it encodes the analog values that the spiking
// region reads, and turns every constant that the region adds into a current of
// the main timesteps.
//
// Before: neurons and readouts in untimed form; values [N, C, ...].
// After: values of the region are time-major, [S*N, C, ...] with S = T + post
// slices. Encode(x) stands behind each analog value x that the region reads, and each constant
// that a Concat of it joins. A
// bias of Conv, ConvTranspose and Gemm, and the constant of Add and Sub, moves
// downstream through Neg, Add, Sub, Identity, Concat of channels and scales per
// channel into the bias of the neurons behind; what cannot move that far becomes
// a Bias node. Shapes that state the batch are rewritten. post is 1 where the
// model holds an MPRN, else 0.
// Conditions: what split-regions demands of the region.
// Algebra: direct encoding repeats x at t = 1..T and is 0 at T+1; a bias acts at
// t = 1..T only. For a linear F with F(x + b) = F(x) + F(b), where F(b) is again
// one number per channel, b can act behind F instead. With schedule=two-phase neurons become
// those that integrate all slices before they fire (TwoPhaseIF, TwoPhaseMPRN), and the
// model imports the version of the domain that has them. Sums and products of
// constants are computed in float64 and rounded once; a single bias keeps its
// bits.
var Pass = &passes.Pass{
	Name: "encode-input",
	Doc: "give the spiking network its timesteps\n\n" +
		"Analog inputs of the spiking region are encoded as constant currents, biases\n" +
		"become currents of the main timesteps, and every spiking operator states\n" +
		"the number of timesteps.",
	Options: []passes.Option{Timesteps, Schedule},
	Needs:   passes.Typed | passes.Neurons | passes.Readout | passes.Thresholds,
	Gives:   passes.Timed,
	Changes: "activations become numbers of spikes",
	Run:     run,
}

// Timesteps is the number of main timesteps.
var Timesteps = passes.Int("timesteps", 10, 1, op.MaxTimesteps, "number of main timesteps T")

// Schedule is when neurons integrate and when they fire.
var Schedule = passes.OneOf("schedule", "slice by slice (lockstep), or all slices before the first spike (two-phase)",
	op.Lockstep, op.TwoPhase)

func run(c *passes.Context) (changed bool, err error) {
	want := Timesteps.Of(c)
	have, err := op.TimingOf(c.Model.Graph)
	switch {
	case err != nil:
		return false, err
	case have.Timesteps > 0 && have.Schedule != Schedule.Of(c):
		return false, fmt.Errorf("the model has the schedule %s already, want a model without time", have.Schedule)
	}
	if have := spiking.Steps(c.Model).Timesteps; have == want {
		return false, nil
	} else if have > 0 {
		return false, fmt.Errorf("the model runs %d timesteps already, want a model without time", have)
	}
	if err := fixShapes(c); err != nil {
		return false, err
	}
	if err := moveBiases(c); err != nil {
		return true, err
	}
	steps := op.Steps{Timesteps: want}
	for n := range c.Model.Graph.Nodes() {
		if Schedule.Of(c) == op.TwoPhase && op.IsGraded(n) {
			return true, op.Unsupportedf(n, "a %s fires several spikes in each step as its current comes in, want schedule %s", n.Op().Type, op.Lockstep)
		}
		if n.IsSpiking("MPRN") {
			steps.Post = 1
		}
	}
	encode(c)
	for n := range c.Model.Graph.Nodes() {
		if n.Op().Domain == graph.Spiking {
			n.Attrs.Set("timesteps", graph.Int(steps.Timesteps))
			n.Attrs.Set("post", graph.Int(steps.Post))
		}
	}
	if Schedule.Of(c) == op.TwoPhase {
		twoPhase(c.Model)
	}
	return true, retype(c.Model)
}

// twoPhase gives the neurons their schedule.
func twoPhase(m *graph.Model) {
	for n := range m.Graph.Nodes() {
		if op.IsNeuron(n) {
			op.SetTwoPhase(n)
			m.SetOpset(graph.Spiking, op.TwoPhaseVersion)
		}
	}
}

// encode puts an Encode behind each analog value that the spiking region reads.
func encode(c *passes.Context) {
	g := c.Model.Graph
	encoded := map[*graph.Value]*graph.Value{}
	for n := range g.Nodes() {
		if n.Region != graph.SpikingRegion {
			continue
		}
		for i, v := range n.Inputs() {
			parameter := n.Op().Domain == graph.Spiking && i > 0 || op.StatesSize(n, i)
			constant := op.Constant(v) != nil
			if v == nil || parameter || constant && !n.Is("Concat") || !constant && !isAnalog(v) {
				continue
			}
			if encoded[v] == nil {
				encoded[v] = insertEncode(c, n, v)
			}
			n.SetInput(i, encoded[v])
		}
	}
}

func isAnalog(v *graph.Value) bool {
	p := v.Producer()
	return p == nil || p.Region != graph.SpikingRegion
}

func insertEncode(c *passes.Context, n *graph.Node, v *graph.Value) *graph.Value {
	from, name := n, v.Name()
	if p := v.Producer(); p != nil {
		from, name = p, p.Label()
	}
	e := c.Insert(n, from, name+".encode", spiking.Op("Encode"), spiking.Attrs(op.Steps{}),
		[]*graph.Value{v}, n.Graph().FreshName(v.Name()+".encoded"))
	e.Region = graph.SpikingRegion
	return e.Output(0)
}

// retype finds the types of the region's values afresh: they are time-major now.
func retype(m *graph.Model) error {
	for n := range m.Graph.Nodes() {
		if n.Region != graph.SpikingRegion || spiking.IsReadout(n) {
			continue
		}
		for i, v := range n.Outputs() {
			if v != nil && !(op.IsNeuron(n) && i == op.NeuronVRes) {
				v.Type = graph.Type{}
			}
		}
	}
	return infer.Model(m)
}
