// Package randommodel makes small models out of bytes, for tests that hold whatever model
// there is to a property. The same bytes give the same model, so that a fuzzing engine can
// search them and a failure can be kept as a file. A model is grown by trial: each node is
// computed as it is added, and one that cannot be, or whose result would be large, is left
// out again. So every model is valid, and what its values are is known.
//
// [Any] makes models of any operators of the table, [Network] networks as exporters
// write them.
package randommodel

import (
	"fmt"
	"math/rand/v2"

	"spikingir/graph"
)

// Model is a model, with an input that it runs on.
type Model struct {
	*graph.Model
	// Inputs is what the model's inputs without a default are fed, by name.
	Inputs map[string]*graph.Tensor
	// Values is what the values of the main graph are then, by name.
	Values map[string]*graph.Tensor
	// Sizes is what the symbols of the inputs' dimensions stand for.
	Sizes map[string]int64
}

// Other is further inputs of the same sizes, other ones for each i.
func (m *Model) Other(i int) map[string]*graph.Tensor {
	rng := rand.New(rand.NewPCG(uint64(i), 1))
	in := map[string]*graph.Tensor{}
	for _, v := range m.Graph.Inputs() { // in order, as they share the generator
		if t := m.Inputs[v.Name()]; t != nil {
			in[v.Name()] = draw(rng, t.DType, t.Dims, 16)
		}
	}
	return in
}

// Seeds is n byte strings to make models of, from a fixed seed; the first is empty.
func Seeds(n int) [][]byte {
	list := make([][]byte, n)
	for i := range list {
		rng := rand.New(rand.NewPCG(uint64(i), 2))
		list[i] = make([]byte, min(16*i, 40+rng.IntN(260)))
		for k := range list[i] {
			list[i][k] = byte(rng.Uint32())
		}
	}
	return list
}

// finish makes a model of what was built. The results that nothing reads are its outputs,
// or some of them.
func (b *builder) finish() *Model {
	for _, v := range b.made {
		if len(v.Uses()) == 0 && !v.IsOutput() && len(b.g.Outputs()) < 4 {
			b.g.AddOutput(v)
		}
	}
	if len(b.g.Outputs()) == 0 {
		out := b.try(graph.Op{Type: "Identity"}, nil, []*graph.Value{b.g.Inputs()[0]}, 1)
		b.g.AddOutput(out[0])
	}
	for _, v := range b.g.Outputs() {
		v.Type = b.declared(b.held[v])
	}
	m := &Model{Model: b.m, Inputs: map[string]*graph.Tensor{}, Values: map[string]*graph.Tensor{}, Sizes: b.sizes}
	for v, t := range b.held {
		if v.Graph() == b.g {
			m.Values[v.Name()] = t
		}
	}
	for _, v := range b.g.Inputs() {
		if !v.IsInitializer() {
			m.Inputs[v.Name()] = b.held[v]
		}
	}
	if err := m.Check(); err != nil {
		panic(fmt.Sprintf("randommodel: %v", err))
	}
	return m
}

// declared is the type that an output of the graph states: all of it, its rank alone, or the type of
// its elements.
func (b *builder) declared(t *graph.Tensor) graph.Type {
	switch b.N(4) {
	case 0, 1:
		return graph.TensorOf(t.DType, make(graph.Shape, len(t.Dims)))
	case 2:
		return graph.TensorOf(t.DType, nil)
	}
	shape := make(graph.Shape, len(t.Dims))
	for i := range t.Dims {
		shape[i] = graph.Symbol(fmt.Sprintf("out_%d", i)) // as exporters name what they do not know
	}
	return graph.TensorOf(t.DType, shape)
}

// Rounding is how far two ways of computing the model may lie apart, relative to magnitudes
// above 1: sums in another order, in the coarsest type of its values.
func (m *Model) Rounding() float64 {
	worst := 1e-4
	for _, t := range m.Values {
		switch t.DType {
		case graph.Float16:
			worst = max(worst, 0.02)
		case graph.BFloat16:
			worst = max(worst, 0.2)
		}
	}
	return worst
}
