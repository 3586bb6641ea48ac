package infer

import (
	"spikingir/graph"
	"spikingir/graph/op"
)

// propagator computes the contents of a node's first output from those of its
// inputs; ok is false when it cannot. in[i] is nil for an input whose contents
// are not known.
type propagator func(c *call, in []content) (out content, ok bool)

// propagators lists the operators that shape arithmetic is made of.
var propagators map[string]propagator

func init() {
	propagators = map[string]propagator{
		"Constant":        propagateConstant,
		"ConstantOfShape": propagateFill,
		"Shape":           propagateShape,
		"Size":            propagateSize,
		"Gather":          propagateGather,
		"Concat":          propagateConcat,
		"Slice":           propagateSlice,
		"Transpose":       propagateTranspose,
		"Mod":             propagateMod,
		"Cast":            propagateCast,
		"Where":           propagateWhere,
		"Expand":          propagateExpand,
		"Range":           propagateRange,
		"ReduceProd":      propagateProduct,
		"Identity":        asIs, "Squeeze": asIs, "Unsqueeze": asIs, "Reshape": asIs, "Flatten": asIs,
		"Add": arithmetic(add, func(x, y float32) float32 { return x + y }),
		"Sub": arithmetic(sub, func(x, y float32) float32 { return x - y }),
		"Mul": arithmetic(mul, func(x, y float32) float32 { return x * y }),
		"Div": propagateDiv,
		"Min": arithmetic(lesser, nil), "Max": arithmetic(greater, nil),
		"And": arithmetic(mul, nil), "Or": arithmetic(greater, nil),
		"Equal":   arithmetic(equal, nil),
		"Less":    arithmetic(less, nil),
		"Greater": arithmetic(func(a, b quantity) quantity { return less(b, a) }, nil),
		"Neg":     each(minus),
		"Floor":   each(func(q quantity) quantity { return whole(q.num.FloorDiv(q.den)) }),
		"Ceil":    each(func(q quantity) quantity { return whole(q.num.CeilDiv(q.den)) }),
		"Not":     each(func(q quantity) quantity { return whole(Number(1).Sub(q.num)) }),
	}
}

func (c *call) propagate(p propagator) {
	v := c.n.Output(0)
	if v == nil || !carries(c.elem(v)) {
		return
	}
	in := make([]content, c.n.NumInputs())
	for i, w := range c.n.Inputs() {
		if w != nil {
			in[i] = c.content[w]
		}
	}
	if k, ok := p(c, in); ok && len(k) <= maxContent {
		if c.elem(v) == graph.Float32 && (c.n.Is("Neg") || c.n.Is("Ceil") || c.n.Is("Mod")) {
			k = k.withoutZeros()
		}
		c.content[v] = k
	}
}

func carries(d graph.DType) bool {
	return d == graph.Int64 || d == graph.Int32 || d == graph.Bool || d == graph.Float32
}

func propagateConstant(c *call, _ []content) (content, bool) {
	t, err := op.ConstantOf(c.n)
	if err != nil {
		return nil, false
	}
	return contentOf(t)
}

func propagateFill(c *call, in []content) (content, bool) {
	f, err := op.ConstantOfShapeOf(c.n)
	if err != nil || in[0] == nil {
		return nil, false
	}
	n, ok := total(in[0].whole()).Int()
	fill, known := contentOf(f.Fill)
	if !ok || !known || n < 0 || n > maxContent {
		return nil, false
	}
	out := make(content, n)
	for i := range out {
		out[i] = fill[0]
	}
	return out, true
}

func propagateShape(c *call, _ []content) (content, bool) {
	s, err := op.ShapeOf(c.n)
	dims, ok := c.shape(s.X)
	if err != nil || !ok {
		return nil, false
	}
	start, end := s.Bounds(len(dims))
	out := content{}
	for _, d := range dims[start:end] {
		out = append(out, whole(d))
	}
	return out, true
}

func propagateSize(c *call, _ []content) (content, bool) {
	dims, ok := c.shape(c.n.Input(0))
	return content{whole(total(dims))}, ok
}

func propagateMod(c *call, in []content) (content, bool) {
	m, err := op.ModOf(c.n)
	if err != nil {
		return nil, false
	}
	return arithmetic(mod(m.Fmod), nil)(c, in)
}

// propagateCast rounds towards zero for integers and to float32 for floats.
func propagateCast(c *call, in []content) (content, bool) {
	k, err := op.CastOf(c.n)
	if err != nil || in[0] == nil {
		return nil, false
	}
	return each(func(q quantity) quantity {
		if k.To == graph.Float32 {
			if x, ok := q.float(); ok {
				return fromFloat(x)
			}
			return q
		}
		if k.To == graph.Bool {
			n, ok := q.num.Int()
			if !ok {
				return quantity{den: 1}
			}
			return whole(Number(btoi(n != 0)))
		}
		return truncated(q)
	})(c, in)
}

// truncated rounds towards zero, where the sign is certain.
func truncated(q quantity) quantity {
	switch {
	case q.den == 1:
		return q
	case q.num.atLeast(0):
		return whole(q.num.FloorDiv(q.den))
	}
	if n, ok := q.num.Int(); ok {
		return whole(Number(n / q.den))
	}
	return quantity{den: 1}
}

// propagateWhere picks where the condition is known, or where both sides agree.
func propagateWhere(c *call, in []content) (content, bool) {
	if in[0] == nil || in[1] == nil || in[2] == nil {
		return nil, false
	}
	n := max(len(in[0]), len(in[1]), len(in[2]))
	if !c.holds(n) {
		return nil, false
	}
	out := make(content, n)
	for i := range out {
		cond, okC := in[0].at(i, n)
		x, okX := in[1].at(i, n)
		y, okY := in[2].at(i, n)
		if !okC || !okX || !okY {
			return nil, false
		}
		out[i] = quantity{den: 1}
		if b, known := cond.num.Int(); known {
			out[i] = y
			if b != 0 {
				out[i] = x
			}
		} else if x.den == y.den && x.num.Equal(y.num) {
			out[i] = x
		}
	}
	return out, true
}

func propagateRange(c *call, in []content) (content, bool) {
	var args [3]int64
	for i := range args {
		if len(in[i]) != 1 || in[i][0].den != 1 {
			return nil, false
		}
		n, ok := in[i][0].num.Int()
		if !ok {
			return nil, false
		}
		args[i] = n
	}
	out := content{}
	for range rangeCount(args[0], args[1], args[2]) {
		if len(out) == maxContent {
			return nil, false
		}
		out = append(out, whole(Number(args[0]+int64(len(out))*args[2])))
	}
	return out, true
}

func propagateProduct(c *call, in []content) (content, bool) {
	if in[0] == nil || !c.holds(1) {
		return nil, false
	}
	p := quantity{Number(1), 1}
	for _, q := range in[0] {
		p = mul(p, q)
	}
	return content{p}, true
}

// asIs serves operators that keep the elements and change the shape.
func asIs(c *call, in []content) (content, bool) { return in[0], in[0] != nil }

func each(f func(q quantity) quantity) propagator {
	return func(c *call, in []content) (content, bool) {
		if in[0] == nil {
			return nil, false
		}
		out := make(content, len(in[0]))
		for i, q := range in[0] {
			out[i] = f(q)
		}
		return out, true
	}
}

// propagateDiv divides floats as floats and integers towards zero.
func propagateDiv(c *call, in []content) (content, bool) {
	f := divInts
	if c.elem(c.n.Input(0)) == graph.Float32 {
		f = divFloats
	}
	return arithmetic(f, func(x, y float32) float32 { return x / y })(c, in)
}

// arithmetic applies f to the elements of all inputs, left to right; they
// broadcast as scalars or vectors do. Numbers of float tensors are computed by
// numeric, if it is not nil.
func arithmetic(f func(a, b quantity) quantity, numeric func(x, y float32) float32) propagator {
	return func(c *call, in []content) (content, bool) {
		float := c.elem(c.n.Input(0)) == graph.Float32 && numeric != nil
		out := in[0]
		for _, k := range in[1:] {
			if out == nil || k == nil {
				return nil, false
			}
			n := max(len(out), len(k))
			if len(out) == 0 || len(k) == 0 {
				n = 0
			}
			next := make(content, n)
			for i := range next {
				a, okA := out.at(i, n)
				b, okB := k.at(i, n)
				if !okA || !okB {
					return nil, false
				}
				x, isX := a.float()
				y, isY := b.float()
				if float && isX && isY {
					next[i] = fromFloat(numeric(x, y))
				} else {
					next[i] = f(a, b)
				}
			}
			out = next
		}
		return out, out != nil && (len(in) == 1 || c.holds(len(out)))
	}
}

// holds reports whether the output has n elements: inputs of as many elements at most then
// broadcast as vectors do, and not as a row and a column.
func (c *call) holds(n int) bool {
	dims, ok := c.shape(c.n.Output(0))
	have, known := total(dims).Int()
	return ok && known && have == int64(n)
}
