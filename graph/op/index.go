package op

import "spikingir/graph"

// Along is an operator along one axis of X: GatherElements, ScatterElements, OneHot,
// Hardmax and the like.
type Along struct {
	Axis int64 // negative: from the end
	X    *graph.Value
}

// GatherElementsOf decodes a GatherElements.
func GatherElementsOf(n *graph.Node) (Along, error) {
	r := read(n)
	return Along{Axis: r.int("axis", 0), X: r.input(0, "data")}, r.err
}

// OneHotOf decodes a OneHot, whose axis counts in the result.
func OneHotOf(n *graph.Node) (Along, error) {
	r := read(n)
	return Along{Axis: r.int("axis", -1), X: r.input(0, "indices")}, r.err
}

// GatherND takes the slices of X that the last axis of the indices names; the first
// Batch axes of both belong together.
type GatherND struct {
	Batch int64
	X     *graph.Value
}

// GatherNDOf decodes a GatherND.
func GatherNDOf(n *graph.Node) (GatherND, error) {
	r := read(n)
	g := GatherND{Batch: r.int("batch_dims", 0), X: r.input(0, "data")}
	r.atLeast("batch_dims", g.Batch, 0)
	return g, r.err
}

// Scatter puts updates into a copy of X: ScatterElements (and Scatter, its older name)
// along Axis, ScatterND by slices. Reduction is how an update joins what is there:
// none (it takes its place), add, mul, max or min.
type Scatter struct {
	Axis      int64 // negative: from the end
	Reduction string
	X         *graph.Value
}

// ScatterOf decodes a ScatterElements, a Scatter or a ScatterND.
func ScatterOf(n *graph.Node) (Scatter, error) {
	r := read(n)
	s := Scatter{Axis: r.int("axis", 0), Reduction: r.word("reduction", "none", "add", "mul", "max", "min"),
		X: r.input(0, "data")}
	return s, r.err
}

// Compress keeps the slices of X along Axis, or the elements where Flat, for which a
// condition holds.
type Compress struct {
	Axis int64 // negative: from the end
	Flat bool
	X    *graph.Value
}

// CompressOf decodes a Compress.
func CompressOf(n *graph.Node) (Compress, error) {
	r := read(n)
	_, stated := n.Attrs.Lookup("axis")
	return Compress{Axis: r.int("axis", 0), Flat: !stated, X: r.input(0, "input")}, r.err
}

// TopK is the K largest elements of X along Axis, or the smallest, and their indices.
type TopK struct {
	Axis     int64 // negative: from the end
	K        Param[[]int64]
	Smallest bool
	Unsorted bool // the order of the results is left open
	X        *graph.Value
}

// TopKOf decodes a TopK.
func TopKOf(n *graph.Node, opset int64) (TopK, error) {
	r := read(n)
	k := TopK{Axis: r.int("axis", -1), X: r.input(0, "X"), Smallest: !r.bool("largest", true),
		Unsorted: !r.bool("sorted", true)}
	if opset >= 10 {
		k.K = r.intsParam("K", 1, 0, 0)
		r.input(1, "K")
		return k, r.err
	}
	k.K = Param[[]int64]{Given: true, Known: true, Value: []int64{int64(required[graph.Int](r, "k"))}, node: n, name: "k"}
	return k, r.err
}

// CumSum is the running sum of X along an axis that is an input.
type CumSum struct {
	Exclusive bool // without the element itself
	Reverse   bool // from the end
	Axis      Param[[]int64]
	X         *graph.Value
}

// CumSumOf decodes a CumSum.
func CumSumOf(n *graph.Node) (CumSum, error) {
	r := read(n)
	c := CumSum{Exclusive: r.bool("exclusive", false), Reverse: r.bool("reverse", false),
		Axis: r.intsParam("axis", 1, 0, 0), X: r.input(0, "x")}
	r.input(1, "axis")
	return c, r.err
}

// Trilu keeps the upper or lower triangle of matrices, from diagonal K on, and makes the
// rest 0.
type Trilu struct {
	Upper bool
	K     Param[[]int64] // 0 when it is not given
	X     *graph.Value
}

// TriluOf decodes a Trilu.
func TriluOf(n *graph.Node) (Trilu, error) {
	r := read(n)
	return Trilu{Upper: r.bool("upper", true), K: r.intsParam("k", 1, 0, 0), X: r.input(0, "input")}, r.err
}

// EyeLike is a matrix of the size of X with ones on diagonal K.
type EyeLike struct {
	K  int64
	To graph.DType // Undefined: that of X
	X  *graph.Value
}

// EyeLikeOf decodes an EyeLike.
func EyeLikeOf(n *graph.Node) (EyeLike, error) {
	r := read(n)
	e := EyeLike{K: r.int("k", 0), X: r.input(0, "input")}
	if _, stated := n.Attrs.Lookup("dtype"); stated {
		e.To = r.elem("dtype", 0)
	}
	return e, r.err
}

// elem is an attribute that numbers an element type.
func (r *reader) elem(name string, def int64) graph.DType {
	v := r.int(name, def)
	d := graph.DType(v)
	if int64(d) != v || !d.Valid() {
		r.failf("attribute %q is %d, want the number of an element type", name, v)
	}
	return d
}

// ReverseSequence reverses, of each slice along the batch axis, the first elements along
// the time axis: as many as the second input says.
type ReverseSequence struct {
	Batch, Time int64 // 0 and 1, or 1 and 0
	X           *graph.Value
}

// ReverseSequenceOf decodes a ReverseSequence.
func ReverseSequenceOf(n *graph.Node) (ReverseSequence, error) {
	r := read(n)
	s := ReverseSequence{Batch: r.int("batch_axis", 1), Time: r.int("time_axis", 0), X: r.input(0, "input")}
	if s.Batch+s.Time != 1 || s.Batch != 0 && s.Batch != 1 {
		r.failf("attributes batch_axis %d and time_axis %d, want 0 and 1 or 1 and 0", s.Batch, s.Time)
	}
	return s, r.err
}

// GridSample takes pixels of X [N, C, H, W] at the places of a grid [N, H', W', 2], from
// -1 to 1.
type GridSample struct {
	Mode         string // linear, nearest or cubic
	Padding      string // zeros, border or reflection
	AlignCorners bool   // -1 and 1 are the middles of the outer pixels, not their edges
	X            *graph.Value
}

// GridSampleOf decodes a GridSample; the modes had other names before opset 20.
func GridSampleOf(n *graph.Node) (GridSample, error) {
	r := read(n)
	g := GridSample{Mode: r.word("mode", "linear", "nearest", "cubic", "bilinear", "bicubic"),
		Padding:      r.word("padding_mode", "zeros", "border", "reflection"),
		AlignCorners: r.bool("align_corners", false), X: r.input(0, "X")}
	switch g.Mode {
	case "bilinear":
		g.Mode = "linear"
	case "bicubic":
		g.Mode = "cubic"
	}
	return g, r.err
}
