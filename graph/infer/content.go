package infer

import (
	"math"
	"slices"

	"spikingir/graph"
)

// maxContent bounds the tensors whose contents are carried along.
const maxContent = 128

// content is the elements of a small tensor, flattened.
type content []quantity

// quantity is num/den: an integer for den 1, as every element of an
// integer tensor is. In a float tensor it is exact; a number is always one that
// float32 holds. num unknown: an unknown element.
type quantity struct {
	num Expr
	den int64
}

func whole(e Expr) quantity { return quantity{e, 1} }

// whole is the elements as expressions; fractions are unknown.
func (k content) whole() []Expr {
	list := make([]Expr, len(k))
	for i, q := range k {
		if q.den == 1 {
			list[i] = q.num
		}
	}
	return list
}

// contentOf is the elements of a small constant; ok is false for large tensors
// and for element types that do not state shapes.
func contentOf(t *graph.Tensor) (k content, ok bool) {
	n, err := t.Len()
	if err != nil || n > maxContent || !t.Loaded() {
		return nil, false
	}
	switch t.DType {
	case graph.Int64, graph.Int32, graph.Bool:
		list, err := t.Int64s()
		for _, x := range list {
			k = append(k, whole(Number(x)))
		}
		return k, err == nil
	case graph.Float32:
		list, err := t.Float32s()
		for _, x := range list {
			k = append(k, fromFloat(x))
		}
		return k, err == nil
	}
	return nil, false
}

// fromFloat is x exactly, unknown when its fraction is too fine and for -0.
func fromFloat(x float32) quantity {
	const fine = 40 // bits behind the point
	f := float64(x)
	switch {
	case f == 0 && math.Signbit(f): // no quantity
		return quantity{den: 1}
	case math.Abs(f) < 1<<20:
		for shift := range fine {
			if scaled := math.Ldexp(f, shift); scaled == math.Trunc(scaled) {
				return quantity{Number(int64(scaled)), 1 << shift}
			}
		}
		return quantity{den: 1}
	}
	if math.Abs(float64(x)) < 1<<62 {
		return whole(Number(int64(x)))
	}
	return quantity{den: 1}
}

// withoutZeros is k with unknown numbers in the place of zeros, which have no sign here: it is for
// results that may be -0.
func (k content) withoutZeros() content {
	out := slices.Clone(k)
	for i, q := range out {
		if q.num.is(0) {
			out[i] = quantity{den: 1}
		}
	}
	return out
}

func (q quantity) float() (x float32, ok bool) {
	n, ok := q.num.Int()
	return float32(float64(n) / float64(q.den)), ok
}

func (q quantity) reduced() quantity {
	if !q.num.known || q.den <= 1 {
		return q
	}
	gcd := q.den
	for _, t := range q.num.terms {
		gcd = gcdInt(gcd, t.coef)
	}
	return quantity{q.num.Div(Number(gcd)), q.den / gcd}
}

// scaled is d times q, rounded down as Resize does: sizes that are numbers are
// multiplied in float32.
func (q quantity) scaled(d Expr) Expr {
	n, isNumber := d.Int()
	x, ok := q.float()
	if isNumber && ok {
		y := math.Floor(float64(float32(n) * x))
		if y >= 0 && y < 1<<53 {
			return Number(int64(y))
		}
		return Expr{}
	}
	const coarse = 1 << 16 // above it, float32 would round where the expression does not
	if q.den > coarse {
		return Expr{}
	}
	return d.Mul(q.num).FloorDiv(q.den)
}
