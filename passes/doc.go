// Package passes holds what a pass is: a documented value with the facts it
// needs, gives and drops; the pipeline that runs passes in an order that those
// facts prove right; and the text form of a pipeline, as `--passes` takes it.
//
// Each pass lives in a folder of its own with its golden cases; package
// standard lists them all, package recipes puts them in order.
//
// Passes never import the runtime. What they need of it (calibration
// statistics, the evaluation of a constant node) comes as functions in
// [Options] that return plain data.
package passes
