// Package graph is the intermediate representation that every other package
// works on: an ONNX model as Go values that can be edited safely. It imports
// only the standard library; only package onnxio knows the wire format.
//
// # Ownership
//
//	Model ── Graph ── inputs, initializers: Value (no producer)
//	  │        └───── Node ── outputs: Value (producer = that Node, for life)
//	  │                 └──── attributes, some of which hold subgraphs (Graph)
//	  └── Functions: each owns a body Graph
//
// A Value is one edge: it knows its producer and, in order of creation, every
// use by a Node. A Node owns its outputs for life: a rewrite makes a new node
// and moves the uses over ([Graph.ReplaceUses]), it never retargets outputs.
// Being a graph output is not a use; ReplaceUses handles it separately, because
// the names of a model's inputs and outputs are its public interface.
//
// # Mutation
//
// Inputs of a node change only through [Node.SetInput] and friends, names only
// through [Graph.Rename], so that both ends of an edge and the name table stay
// right. Tensors are immutable once attached: replace them, do not edit them;
// clones share them. Iteration ([Graph.Nodes], [Value.Uses]) runs over a
// snapshot, so that a loop may edit. [Graph.Check] reports every violation of
// these invariants, in both directions.
//
// # Losslessness
//
// What the IR does not model is kept as opaque wire bytes in the Unknown field
// of the entity it was found in, and written back unchanged.
//
// Other modules may import this package: it is stable, as package spikingir says.
package graph
