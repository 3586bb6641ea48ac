package op

import "spikingir/graph"

// Unary is an operator of one tensor without attributes.
type Unary struct{ X *graph.Value }

// UnaryOf decodes an operator of one input: Relu, Sigmoid, Neg, Exp, ...
func UnaryOf(n *graph.Node) (Unary, error) {
	r := read(n)
	u := Unary{X: r.input(0, "X")}
	return u, r.err
}

// Binary is an operator of two tensors that broadcast to each other.
type Binary struct{ A, B *graph.Value }

// BinaryOf decodes Add, Sub, Mul, Div, Pow, a comparison or a logical operator.
func BinaryOf(n *graph.Node) (Binary, error) {
	r := read(n)
	b := Binary{A: r.input(0, "A"), B: r.input(1, "B")}
	return b, r.err
}

// Const takes the operands apart when exactly one is a constant. For a
// constant on the left of Sub or Div, left is true.
func (b Binary) Const() (x *graph.Value, c *graph.Tensor, left, ok bool) {
	ca, cb := Constant(b.A), Constant(b.B)
	switch {
	case ca == nil && cb != nil:
		return b.A, cb, false, true
	case ca != nil && cb == nil:
		return b.B, ca, true, true
	}
	return nil, nil, false, false
}

// Mod is the remainder of A / B, which broadcast: with the sign of B, or with
// that of A when Fmod.
type Mod struct {
	Fmod bool
	A, B *graph.Value
}

// ModOf decodes a Mod.
func ModOf(n *graph.Node) (Mod, error) {
	r := read(n)
	m := Mod{Fmod: r.bool("fmod", false), A: r.input(0, "A"), B: r.input(1, "B")}
	return m, r.err
}

// Variadic is an operator of any number of tensors: Sum, Mean, Min, Max, which
// broadcast.
type Variadic struct{ Xs []*graph.Value }

// VariadicOf decodes Sum, Mean, Min or Max.
func VariadicOf(n *graph.Node) (Variadic, error) {
	r := read(n)
	return Variadic{Xs: r.all()}, r.err
}

// all is every input; none may be omitted.
func (r *reader) all() []*graph.Value {
	xs := r.n.Inputs()
	if len(xs) == 0 {
		r.failf("no input, want at least one")
	}
	for i := range xs {
		r.input(i, "data")
	}
	return xs
}

// Where takes X where Cond holds, else Y; the three broadcast.
type Where struct{ Cond, X, Y *graph.Value }

// WhereOf decodes a Where.
func WhereOf(n *graph.Node) (Where, error) {
	r := read(n)
	w := Where{Cond: r.input(0, "condition"), X: r.input(1, "X"), Y: r.input(2, "Y")}
	return w, r.err
}

// Cast converts X to another element type.
type Cast struct {
	To       graph.DType
	Saturate bool // to a float8: out of range becomes the largest number
	X        *graph.Value
}

// CastOf decodes a Cast.
func CastOf(n *graph.Node) (Cast, error) {
	r := read(n)
	c := Cast{X: r.input(0, "input"), Saturate: r.bool("saturate", true)}
	to := required[graph.Int](r, "to")
	c.To = graph.DType(to)
	if int64(c.To) != int64(to) || !c.To.Valid() {
		r.failf("attribute %q is %d, want the number of an element type", "to", to)
	}
	return c, r.err
}

// Shrink is X drawn towards 0 by Bias where it is farther from it than Lambda, else 0.
type Shrink struct {
	Bias, Lambda float32
	X            *graph.Value
}

// ShrinkOf decodes a Shrink.
func ShrinkOf(n *graph.Node) (Shrink, error) {
	r := read(n)
	return Shrink{Bias: r.float("bias", 0), Lambda: r.float("lambd", 0.5), X: r.input(0, "input")}, r.err
}

// IsInf tells which elements of X are infinite, of the signs asked for.
type IsInf struct {
	Negative, Positive bool
	X                  *graph.Value
}

// IsInfOf decodes an IsInf.
func IsInfOf(n *graph.Node) (IsInf, error) {
	r := read(n)
	return IsInf{Negative: r.bool("detect_negative", true), Positive: r.bool("detect_positive", true),
		X: r.input(0, "X")}, r.err
}

// BitShift moves the bits of A by B places.
type BitShift struct {
	Left bool
	A, B *graph.Value
}

// BitShiftOf decodes a BitShift.
func BitShiftOf(n *graph.Node) (BitShift, error) {
	r := read(n)
	b := BitShift{A: r.input(0, "X"), B: r.input(1, "Y")}
	required[graph.String](r, "direction")
	b.Left = r.word("direction", "RIGHT", "LEFT") == "LEFT"
	return b, r.err
}

// CastLike converts X to the element type of Like.
type CastLike struct{ X, Like *graph.Value }

// CastLikeOf decodes a CastLike.
func CastLikeOf(n *graph.Node) (CastLike, error) {
	r := read(n)
	return CastLike{X: r.input(0, "input"), Like: r.input(1, "target_type")}, r.err
}
