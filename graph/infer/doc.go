// Package infer finds the type of every value of a model: element type and
// shape, with symbols where sizes are not fixed.
//
// # Dimensions
//
// A dimension that depends on symbols is an [Expr], and the Param of its
// [graph.Dim] is that expression's text: "2*H+1", "floor((H+1)/2)", "11*N".
// Equal expressions have equal text. Symbols stand for sizes of 1 or more; a
// dimension that comes out negative for some sizes means that an input of that
// size is too small for the model, and what follows from it says nothing of
// such an input: where [1:-1] leaves s-2, nothing is left of 1. A parameter
// name that does not read as an expression ("input.1 dim 0", "a/b") is a symbol
// all the same.
//
// # Inference
//
// [Model] runs over the nodes in order with one rule per operator of the table
// in package op, carries the contents of small integer tensors along (so that
// the chains of Shape, Gather and Concat that exporters emit for a Reshape or
// Resize resolve), and goes into subgraphs and model-local functions. Where the
// file declares a type too, both are merged: a number beats a symbol, and what
// the inputs imply beats a declared symbol, for exporters name output sizes
// carelessly. Different numbers, ranks or element types are an error. What
// cannot be known stays unknown: two different symbols that broadcast, the
// outputs of an unknown operator.
package infer
