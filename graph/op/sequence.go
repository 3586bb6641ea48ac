package op

import "spikingir/graph"

// SequenceEmpty is a sequence of no tensors.
type SequenceEmpty struct{ Elem graph.DType }

// SequenceEmptyOf decodes a SequenceEmpty.
func SequenceEmptyOf(n *graph.Node) (SequenceEmpty, error) {
	r := read(n)
	return SequenceEmpty{Elem: r.elem("dtype", int64(graph.Float32))}, r.err
}

// SplitToSequence cuts X along Axis into pieces of a size or of a list of sizes, which is
// an input; without it into slices, which keep the axis where KeepDims.
type SplitToSequence struct {
	Axis     int64 // negative: from the end
	KeepDims bool
	Sizes    *graph.Value // nil: slices
	X        *graph.Value
}

// SplitToSequenceOf decodes a SplitToSequence.
func SplitToSequenceOf(n *graph.Node) (SplitToSequence, error) {
	r := read(n)
	s := SplitToSequence{Axis: r.int("axis", 0), KeepDims: r.bool("keepdims", true), Sizes: n.Input(1), X: r.input(0, "input")}
	return s, r.err
}

// ConcatFromSequence joins the tensors of a sequence along an axis, or along a new one.
type ConcatFromSequence struct {
	Axis int64 // negative: from the end
	New  bool
	X    *graph.Value
}

// ConcatFromSequenceOf decodes a ConcatFromSequence.
func ConcatFromSequenceOf(n *graph.Node) (ConcatFromSequence, error) {
	r := read(n)
	c := ConcatFromSequence{Axis: int64(required[graph.Int](r, "axis")), New: r.bool("new_axis", false), X: r.input(0, "input_sequence")}
	return c, r.err
}
