package exec

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// encodedInput is the Encode in front of a neuron of two phases, with its sign turned by a
// Neg or not: the neuron multiplies by T itself, which gives the same bits.
type encodedInput struct {
	from *graph.Value // what is encoded
	sign float32
	all  []*graph.Node // that the neuron's unit stands for
}

// encodedNeuron is a neuron that reads an encoded input.
type encodedNeuron struct{ *neuronSum }

func (u encodedNeuron) nodes() []*graph.Node { return u.encoded.all }
func (u encodedNeuron) timed()               {} // see run.unit

func (u encodedNeuron) run(r *run) error {
	for at := range r.timing.results {
		if err := r.forResult(at, nil, func() error { return u.neuronSum.run(r) }); err != nil {
			return err
		}
	}
	return nil
}

// joinEncoded makes neurons read what is encoded, where nothing but neurons reads the Encode.
func (p *plan) joinEncoded(owner map[*graph.Node]unit) {
	for n := range p.graph.Nodes() {
		if !p.timing.sums() || !n.IsSpiking("Encode") {
			continue
		}
		v := n.Output(0)
		uses := v.Uses()
		if v.IsOutput() || slices.ContainsFunc(uses, func(u graph.Use) bool { return integrating(u) == nil }) {
			continue
		}
		for i, u := range uses {
			k := owner[integrating(u)].(*neuronSum)
			k.encoded = &encodedInput{from: n.Input(0), sign: 1}
			if i == 0 {
				k.encoded.all = append(k.encoded.all, n)
			}
			if u.Node != k.node {
				k.encoded.sign = -1
				k.encoded.all = append(k.encoded.all, u.Node)
			}
			k.encoded.all = append(k.encoded.all, k.node)
			for _, n := range k.encoded.all {
				owner[n] = encodedNeuron{k}
			}
		}
	}
}

// integrating is the neuron that integrates a value as it is or, alone, with the other sign; nil
// for another use.
func integrating(u graph.Use) *graph.Node {
	n := u.Node
	if v := n.Output(0); n.Is("Neg") && v.NumUses() == 1 && !v.IsOutput() {
		u = v.Uses()[0]
		n = u.Node
	}
	if !op.IsNeuron(n) || u.Index != op.NeuronX {
		return nil
	}
	return n
}
