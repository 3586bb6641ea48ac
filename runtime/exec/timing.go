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
	steps, post int   // of the whole model; steps is 0 when nothing is timed
	results     []int // numbers of main steps after which results are read, rising
	timed       map[*graph.Value]bool
	depth       map[*graph.Value]int
}

// mostSteps bounds the number of timesteps, so that sizes cannot overflow.
const mostSteps = 1 << 20

// sink reports whether n ends a layer: a neuron or a readout.
func sink(n *graph.Node) bool {
	if n.Op().Domain != graph.Spiking {
		return false
	}
	switch n.Op().Type {
	case "IF", "MPRN", "Decode", "CPM":
		return true
	}
	return false
}

// analyse finds the time-major values. results, when not empty, replace the number of
// timesteps that the nodes state.
func analyse(g *graph.Graph, results []int) (*timing, error) {
	t := &timing{timed: map[*graph.Value]bool{}, depth: map[*graph.Value]int{}}
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
	if n.Op().Domain != graph.Spiking {
		return nil
	}
	if err := decode(n); err != nil {
		return op.Wrap(n, err)
	}
	steps, err := graph.Get(n.Attrs, "timesteps", graph.Int(0))
	if err != nil {
		return op.Wrap(n, err)
	}
	post, err := graph.Get(n.Attrs, "post", graph.Int(0))
	if err != nil {
		return op.Wrap(n, err)
	}
	if steps < 0 || steps > mostSteps || post < 0 || post > 1 {
		return op.Errorf(n, "timesteps=%d, post=%d, want 0..%d and 0 or 1", steps, post, mostSteps)
	}
	if steps == 0 {
		return nil
	}
	if t.steps == 0 {
		t.steps, t.post = int(steps), int(post)
	}
	if t.steps != int(steps) || t.post != int(post) {
		return op.Errorf(n, "runs %d+%d timesteps where others run %d+%d",
			steps, post, t.steps, t.post)
	}
	return nil
}

// decode checks the attributes and the inputs of a spiking node. An unknown
// operator passes; what runs it refuses it.
func decode(n *graph.Node) (err error) {
	switch n.Op().Type {
	case "Encode":
		_, err = op.EncodeOf(n)
	case "Decode":
		_, err = op.DecodeOf(n)
	case "Bias":
		_, err = op.BiasOf(n)
	case "IF", "MPRN":
		_, err = op.NeuronOf(n)
	case "CPM":
		_, err = op.CPMOf(n)
	}
	return err
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
	for _, v := range n.Inputs() {
		if v == nil {
			continue
		}
		timed = timed || t.timed[v]
		depth = max(depth, t.depth[v])
	}
	if n.Op().Domain == graph.Spiking {
		steps, _ := graph.Get(n.Attrs, "timesteps", graph.Int(0))
		timed = steps > 0 && !n.IsSpiking("Decode") && !n.IsSpiking("CPM")
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

// slices is the number of slices kept of a time-major value: the main steps,
// then a post step for each result.
func (t *timing) slices() int { return t.steps + t.post*len(t.results) }

// result is the one read after main step k (from 0), -1 when there is none.
func (t *timing) result(k int) int { return slices.Index(t.results, k+1) }

// spikeSteps is the time in the terms of the spiking kernels.
func (t *timing) spikeSteps() spike.Steps {
	return spike.Steps{Main: t.steps, Marks: t.results, Post: t.post > 0}
}
