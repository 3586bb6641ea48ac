package op

import (
	"slices"

	"spikingir/graph"
)

// sizing is the inputs that state sizes, places or factors by operator.
var sizing = map[string][]int{
	"Reshape": {1}, "Expand": {1}, "Tile": {1}, "Slice": {1, 2, 3, 4}, "Pad": {1, 3}, "Resize": {1, 2, 3}, "Upsample": {1},
	"Split": {1}, "Squeeze": {1}, "Unsqueeze": {1}, "Gather": {1}, "ReduceMean": {1}, "ReduceSum": {1},
}

// StatesSize reports whether input i of n tells what n does to its data, as the shape of a
// Reshape does, and is no data itself.
func StatesSize(n *graph.Node, i int) bool {
	return n.Op().Domain == "" && slices.Contains(sizing[n.Op().Type], i)
}
