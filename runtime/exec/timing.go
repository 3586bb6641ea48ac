package exec

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel/spike"
)

// timing is what the compiler knows of every value: whether it is time-major,
// and how many layers lie before it.
type timing struct {
	op.Timing
	steps, post int   // of the whole model; steps is 0 when nothing is timed
	results     []int // numbers of main steps after which results are read, rising
	timed       map[*graph.Value]bool
	depth       map[*graph.Value]int
}

// mostSteps bounds the number of timesteps, so that sizes cannot overflow.
const mostSteps = 1 << 20

// sink reports whether n ends a layer: a neuron or a readout.
func sink(n *graph.Node) bool {
	return op.IsNeuron(n) || n.IsSpiking("Decode") || n.IsSpiking("CPM")
}

// analyse finds the time-major values. results, when not empty, replace the number of
// timesteps that the nodes state.
func analyse(g *graph.Graph, results []int) (*timing, error) {
	t := &timing{timed: map[*graph.Value]bool{}, depth: map[*graph.Value]int{}}
	var err error
	if t.Timing, err = op.TimingOf(g); err != nil {
		return nil, err
	}
	for n := range g.Nodes() {
		if err := t.attributes(n); err != nil {
			return nil, err
		}
	}
	if n := len(results); n > 0 {
		if t.steps == 0 {
			return nil, fmt.Errorf("the model has no timesteps to set to %d: it is not a spiking model", results[n-1])
		}
		t.steps, t.results = results[n-1], slices.Clone(results)
	} else {
		t.results = []int{t.steps}
	}
	for n := range g.Nodes() {
		if err := t.checkTime(n); err != nil {
			return nil, err
		}
		t.visit(n)
	}
	return t, nil
}

// attributes checks that every spiking node states the same time.
func (t *timing) attributes(n *graph.Node) error {
	s, err := stepsOf(n)
	switch {
	case err != nil:
		return op.Wrap(n, err)
	case s.Timesteps > mostSteps:
		return op.Errorf(n, "timesteps=%d, want 0..%d", s.Timesteps, mostSteps)
	case s.Timesteps == 0:
		return nil
	case t.steps == 0:
		t.steps, t.post = int(s.Timesteps), int(s.Post)
	case t.steps != int(s.Timesteps) || t.post != int(s.Post):
		return op.Errorf(n, "runs %d+%d timesteps where others run %d+%d", s.Timesteps, s.Post, t.steps, t.post)
	}
	return nil
}

// stepsOf checks the attributes and the inputs of a spiking node and gives its time,
// none for other nodes. An unknown operator passes; what runs it refuses it.
func stepsOf(n *graph.Node) (op.Steps, error) {
	if n.Op().Domain != graph.Spiking {
		return op.Steps{}, nil
	}
	switch n.Op().Type {
	case "Encode":
		v, err := op.EncodeOf(n)
		return v.Steps, err
	case "Decode":
		v, err := op.DecodeOf(n)
		return v.Steps, err
	case "Bias":
		v, err := op.BiasOf(n)
		return v.Steps, err
	case "IF", "MPRN", "TwoPhaseIF", "TwoPhaseMPRN", "BurstIF", "MultiThresholdIF", "SignedIF":
		v, err := op.NeuronOf(n)
		return v.Steps, err
	case "CPM":
		v, err := op.CPMOf(n)
		return v.Steps, err
	}
	return op.Steps{}, nil
}

// ownSteps reports whether a spiking node is in its timed form.
func (t *timing) ownSteps(n *graph.Node) bool {
	s, _ := stepsOf(n)
	return s.Timesteps > 0
}

// checkTime refuses a timed spiking node whose input has no time.
func (t *timing) checkTime(n *graph.Node) error {
	if n.Op().Domain != graph.Spiking || n.IsSpiking("Encode") || !t.ownSteps(n) {
		return nil
	}
	if v := n.Input(0); v != nil && !t.timed[v] {
		return op.Errorf(n, "input %q has no time, want a time-major value: put an Encode before it",
			v.Name())
	}
	return nil
}

// visit sets the timing of a node's outputs from its inputs'.
func (t *timing) visit(n *graph.Node) {
	timed, depth := false, 0
	for _, v := range present(n.Inputs()) {
		timed = timed || t.timed[v]
		depth = max(depth, t.depth[v])
	}
	if n.Op().Domain == graph.Spiking {
		timed = t.ownSteps(n) && !n.IsSpiking("Decode") && !n.IsSpiking("CPM")
		if sink(n) {
			depth++
		}
	}
	for i, v := range n.Outputs() {
		if v == nil {
			continue
		}
		t.timed[v] = timed && !(op.IsNeuron(n) && i == 1)
		t.depth[v] = depth
	}
}

// sums tells that the network has the two-phase schedule, see twophase.go.
func (t *timing) sums() bool { return t.Schedule == op.TwoPhase }

// slices is the number of slices kept of a time-major value: the main steps,
// then a post step for each result.
func (t *timing) slices() int { return t.steps + t.post*len(t.results) }

// result is the one read after main step k (from 0), -1 when there is none.
func (t *timing) result(k int) int { return slices.Index(t.results, k+1) }

// spikeSteps is the time in the terms of the spiking kernels.
func (t *timing) spikeSteps() spike.Steps {
	return spike.Steps{Main: t.steps, Timesteps: t.results, Post: t.post > 0}
}
