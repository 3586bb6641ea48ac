// Package passes holds what a pass is: a documented value with the facts it
// needs, gives and drops; the pipeline that runs passes in an order that those
// facts prove right; and the text form of a pipeline, as `--passes` takes it.
//
// Each pass lives in a folder of its own with its golden cases; package
// standard lists them all, package recipes puts them in order.
//
// A pass may stand anywhere, in other modules too. It is a [Pass] with a name, a
// doc and a Run that edits the model of its [Context]; new nodes come from
// [Context.Insert], [Context.Replace] and their likes, which record provenance.
// Options are variables made by [Float], [Int], [OneOf], [Switch] or [Text]: Run
// reads them with Of, callers set them with [Pass.With], and a pipeline's text is
// read with [Parse]. Package passtest runs its golden cases.
//
// Passes never import the runtime. What they need of it (calibration
// statistics, the evaluation of a constant node) comes as functions in
// [Options] that return plain data.
//
// Other modules may import this package: it is stable, as package spikingir says.
package passes
