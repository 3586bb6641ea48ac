package op

import (
	"math"
	"slices"

	"spikingir/graph"
)

// Concat joins tensors along Axis.
type Concat struct {
	Axis int64 // negative: from the end
	Xs   []*graph.Value
}

// ConcatOf decodes a Concat.
func ConcatOf(n *graph.Node) (Concat, error) {
	r := read(n)
	c := Concat{Axis: int64(required[graph.Int](r, "axis")), Xs: r.all()}
	return c, r.err
}

// Split cuts X along Axis into pieces of the given Sizes, or, when those are
// not given, into Parts pieces of equal size, of which the last may be smaller where
// Uneven.
type Split struct {
	Axis   int64 // negative: from the end
	Sizes  Param[[]int64]
	Parts  int64
	Uneven bool // from opset 18 on
	X      *graph.Value
}

// SplitOf decodes a Split.
func SplitOf(n *graph.Node, opset int64) (Split, error) {
	r := read(n)
	s := Split{
		X: r.input(0, "input"), Axis: r.int("axis", 0),
		Sizes: r.intsParam("split", 1, opset, 13),
		Parts: int64(n.NumOutputs()), Uneven: opset >= 18,
	}
	if opset >= 18 {
		s.Parts = r.int("num_outputs", s.Parts)
	}
	if s.Parts != int64(n.NumOutputs()) {
		r.failf("attribute %q is %d, want the number of outputs, %d", "num_outputs", s.Parts,
			n.NumOutputs())
	}
	if s.Sizes.Given && s.Sizes.Known && len(s.Sizes.Value) != n.NumOutputs() {
		r.failf("split sizes are %v, want one per output, %d", s.Sizes.Value, n.NumOutputs())
	}
	return s, r.err
}

// Slice takes X[Starts:Ends:Steps] along Axes. Axes not given are the first
// ones, Steps not given are 1.
type Slice struct {
	Starts, Ends, Axes, Steps Param[[]int64]
	X                         *graph.Value
}

// SliceOf decodes a Slice.
func SliceOf(n *graph.Node, opset int64) (Slice, error) {
	r := read(n)
	const moved = 10
	s := Slice{
		X:      r.input(0, "data"),
		Starts: r.intsParam("starts", 1, opset, moved),
		Ends:   r.intsParam("ends", 2, opset, moved),
		Axes:   r.intsParam("axes", 3, opset, moved),
		Steps:  r.intsParam("steps", 4, max(opset, moved), moved),
	}
	if !s.Starts.Given || !s.Ends.Given {
		r.failf("starts or ends are missing, want both")
	}
	for _, p := range []Param[[]int64]{s.Ends, s.Axes, s.Steps} {
		if p.Given && p.Known && s.Starts.Known && len(p.Value) != len(s.Starts.Value) {
			r.failf("%s has %d entries, want as many as starts, %d", p.name, len(p.Value),
				len(s.Starts.Value))
		}
	}
	if slices.Contains(s.Steps.Value, 0) {
		r.failf("steps is %v, want no zero", s.Steps.Value)
	}
	return s, r.err
}

// SliceRange is where start:end:step of an axis of size n begins and how many places it
// takes. Negative bounds count from the end, bounds outside are moved in: the start of a
// step backwards onto an element, other than Python does, and its end before the first.
func SliceRange(n, start, end, step int64) (first, count int64) {
	bound := func(b, lo, hi int64) int64 {
		if b < 0 && b >= math.MinInt64+n {
			b += n
		}
		return min(hi, max(lo, b))
	}
	if step < 0 {
		start, end = bound(start, 0, n-1), bound(end, -1, n-1)
	} else {
		start, end = bound(start, 0, n), bound(end, 0, n)
	}
	switch {
	case step > 0 && start < end:
		count = (end-start-1)/step + 1
	case step < 0 && start > end:
		count = (end-start+1)/step + 1
	}
	return start, count
}

// Reshape views X under another shape: 0 keeps a dimension (unless AllowZero),
// -1 is what remains.
type Reshape struct {
	Shape     Param[[]int64]
	AllowZero bool
	X         *graph.Value
}

// ReshapeOf decodes a Reshape.
func ReshapeOf(n *graph.Node) (Reshape, error) {
	r := read(n)
	s := Reshape{X: r.input(0, "data"), Shape: r.intsParam("shape", 1, 0, 0),
		AllowZero: r.bool("allowzero", false)}
	r.input(1, "shape")
	return s, r.err
}

// Flatten makes X a matrix: the axes before Axis, and those from it on.
type Flatten struct {
	Axis int64 // negative: from the end
	X    *graph.Value
}

// FlattenOf decodes a Flatten.
func FlattenOf(n *graph.Node) (Flatten, error) {
	r := read(n)
	f := Flatten{Axis: r.int("axis", 1), X: r.input(0, "input")}
	return f, r.err
}

// Transpose permutes the axes: axis i of the result is axis Perm[i] of X.
type Transpose struct {
	Perm []int64 // nil: the reverse order
	X    *graph.Value
}

// TransposeOf decodes a Transpose.
func TransposeOf(n *graph.Node) (Transpose, error) {
	r := read(n)
	t := Transpose{Perm: r.ints("perm"), X: r.input(0, "data")}
	if t.Perm != nil {
		sorted := slices.Sorted(slices.Values(t.Perm))
		for i, p := range sorted {
			if p != int64(i) {
				r.failf("attribute %q is %v, want a permutation", "perm", t.Perm)
				break
			}
		}
	}
	return t, r.err
}

// PermFor is the permutation for a tensor of the given rank.
func (t Transpose) PermFor(rank int) []int64 {
	if t.Perm != nil {
		return t.Perm
	}
	perm := make([]int64, rank)
	for i := range perm {
		perm[i] = int64(rank - 1 - i)
	}
	return perm
}

// Squeeze drops axes of size 1: the given ones, or all of them. Unsqueeze
// inserts them; its axes count in the result.
type Squeeze struct {
	Axes Param[[]int64] // negative: from the end
	X    *graph.Value
}

// SqueezeOf decodes a Squeeze or an Unsqueeze.
func SqueezeOf(n *graph.Node, opset int64) (Squeeze, error) {
	r := read(n)
	s := Squeeze{X: r.input(0, "data"), Axes: r.intsParam("axes", 1, opset, 13)}
	if n.Is("Unsqueeze") && !s.Axes.Given {
		r.failf("axes are missing, want them")
	}
	return s, r.err
}

// Pad adds elements around X (or takes some off, where negative): Pads is
// begin..., end... of the given Axes, or of all.
type Pad struct {
	Mode  string // constant, reflect, edge, wrap
	Pads  Param[[]int64]
	Value Param[float32]
	Axes  Param[[]int64]
	X     *graph.Value
}

// PadOf decodes a Pad.
func PadOf(n *graph.Node, opset int64) (Pad, error) {
	r := read(n)
	const moved = 11
	p := Pad{
		X:     r.input(0, "data"),
		Mode:  r.word("mode", "constant", "reflect", "edge", "wrap"),
		Pads:  r.intsParam("pads", 1, opset, moved),
		Value: r.numberParam("value", 2, 0, opset, moved),
		Axes:  Param[[]int64]{Known: true, node: n, name: "axes"},
	}
	if opset >= 18 {
		p.Axes = r.intsParam("axes", 3, 0, 0)
	}
	if !p.Pads.Given {
		r.failf("pads are missing, want them")
	}
	if p.Pads.Known && len(p.Pads.Value)%2 != 0 {
		r.failf("pads are %v, want a begin and an end for each axis", p.Pads.Value)
	}
	both := p.Axes.Given && p.Axes.Known && p.Pads.Known
	if both && len(p.Pads.Value) != 2*len(p.Axes.Value) {
		r.failf("pads are %v, want 2 for each of the axes %v", p.Pads.Value, p.Axes.Value)
	}
	return p, r.err
}

// For spreads the pads over all axes of a tensor of the given rank (begin...,
// end...). Pads and axes must be constant.
func (p Pad) For(rank int) ([]int64, error) {
	pads, err := p.Pads.Constant()
	if err != nil {
		return nil, err
	}
	axes, err := p.Axes.Constant()
	if err != nil {
		return nil, err
	}
	if !p.Axes.Given {
		if len(pads) != 2*rank {
			return nil, Errorf(p.Pads.node, "pads are %v, want %d for a tensor of rank %d",
				pads, 2*rank, rank)
		}
		return pads, nil
	}
	out := make([]int64, 2*rank)
	for i, a := range axes {
		axis, ok := Axis(a, rank)
		if !ok {
			return nil, Errorf(p.Pads.node, "axis %d is outside a tensor of rank %d", a, rank)
		}
		out[axis], out[rank+axis] = pads[i], pads[len(axes)+i]
	}
	return out, nil
}

// Axis counts a negative axis from the end; ok is false when it lies outside a
// tensor of the given rank.
func Axis(a int64, rank int) (axis int, ok bool) {
	if a < 0 {
		a += int64(rank)
	}
	return int(a), a >= 0 && a < int64(rank)
}

// Block is DepthToSpace or SpaceToDepth of X [N, C, H, W].
type Block struct {
	Size int64
	CRD  bool // DepthToSpace: the channel index is the slowest, as in PixelShuffle
	X    *graph.Value
}

// BlockOf decodes a DepthToSpace or SpaceToDepth.
func BlockOf(n *graph.Node) (Block, error) {
	r := read(n)
	b := Block{X: r.input(0, "input"), Size: int64(required[graph.Int](r, "blocksize")),
		CRD: r.word("mode", "DCR", "CRD") == "CRD"}
	if b.Size < 1 || b.Size > maxWindow {
		r.failf("attribute %q is %d, want 1 or more", "blocksize", b.Size)
	}
	return b, r.err
}

// Gather takes the slices of X along Axis that Indices names.
type Gather struct {
	Axis    int64          // negative: from the end
	Indices Param[[]int64] // flattened
	X       *graph.Value
}

// GatherOf decodes a Gather.
func GatherOf(n *graph.Node) (Gather, error) {
	r := read(n)
	g := Gather{X: r.input(0, "data"), Axis: r.int("axis", 0),
		Indices: r.intsParam("indices", 1, 0, 0)}
	r.input(1, "indices")
	return g, r.err
}

// Expand broadcasts X with a tensor of the given shape.
type Expand struct {
	Shape Param[[]int64]
	X     *graph.Value
}

// ExpandOf decodes an Expand.
func ExpandOf(n *graph.Node) (Expand, error) {
	r := read(n)
	e := Expand{X: r.input(0, "input"), Shape: r.intsParam("shape", 1, 0, 0)}
	r.input(1, "shape")
	return e, r.err
}

// Tile repeats X along each axis.
type Tile struct {
	Repeats Param[[]int64]
	X       *graph.Value
}

// TileOf decodes a Tile.
func TileOf(n *graph.Node) (Tile, error) {
	r := read(n)
	t := Tile{X: r.input(0, "input"), Repeats: r.intsParam("repeats", 1, 0, 0)}
	r.input(1, "repeats")
	return t, r.err
}

// ShapeView is Shape: the dimensions Start to End of X as int64s.
type ShapeView struct {
	Start, End int64 // negative: from the end; End is math.MaxInt64 when not given
	X          *graph.Value
}

// ShapeOf decodes a Shape.
func ShapeOf(n *graph.Node) (ShapeView, error) {
	r := read(n)
	s := ShapeView{X: r.input(0, "data"), Start: r.int("start", 0), End: r.int("end", maxInt64)}
	return s, r.err
}

// Bounds is the range of axes for a tensor of the given rank.
func (s ShapeView) Bounds(rank int) (start, end int) {
	clamp := func(a int64) int {
		if a < 0 {
			a += int64(rank)
		}
		return int(min(max(a, 0), int64(rank)))
	}
	start, end = clamp(s.Start), clamp(s.End)
	return start, max(start, end)
}

// ConstantOfShape is a tensor of the given shape, all elements Fill.
type ConstantOfShape struct {
	Fill  *graph.Tensor // one element
	Shape Param[[]int64]
}

// ConstantOfShapeOf decodes a ConstantOfShape.
func ConstantOfShapeOf(n *graph.Node) (ConstantOfShape, error) {
	r := read(n)
	c := ConstantOfShape{Shape: r.intsParam("shape", 0, 0, 0), Fill: graph.Scalar(0)}
	r.input(0, "input")
	if t, ok := attr[*graph.Tensor](r, "value"); ok {
		c.Fill = t
	}
	if size, err := c.Fill.Len(); err != nil || size != 1 {
		r.failf("attribute %q has dimensions %v, want one element", "value", c.Fill.Dims)
	}
	return c, r.err
}

// Range is Start, Start+Delta, ... below Limit.
type Range struct{ Start, Limit, Delta *graph.Value }

// RangeOf decodes a Range.
func RangeOf(n *graph.Node) (Range, error) {
	r := read(n)
	s := Range{Start: r.input(0, "start"), Limit: r.input(1, "limit"), Delta: r.input(2, "delta")}
	return s, r.err
}
