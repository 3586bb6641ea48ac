// Package op knows the operators: what each takes and gives, and what its
// attributes mean.
//
// The table ([All], [Lookup]) has one row per operator: the opsets understood,
// how many inputs and outputs it has, which attributes, and how it behaves over
// time ([Temporal]). [Check] holds a node against its row. OPERATORS.md prints
// the table.
//
// A typed view ([ConvOf], [ClipOf], ...) decodes a node's attributes once, with
// the standard's defaults, so that passes and the runtime never look up a
// string. What moved from an attribute to an input in a later opset comes out
// the same both ways, as a [Param]: known when it is a constant, else naming
// the input that carries it. A view holds values of the graph it was taken
// from; it does not follow later edits of the node.
//
// Opsets from [Oldest] to [Newest] are understood; the binary operators from 7 on,
// for they broadcast by other rules before, and a few that never changed from 1 on.
//
// Other modules may import this package: it is stable, as package spikingir says.
package op
