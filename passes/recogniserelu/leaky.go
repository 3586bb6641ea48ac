package recogniserelu

import (
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
)

// leaky recognises the larger of x and a*x, with every a below 1, in either order.
func leaky(a, b *graph.Value) *rectified {
	for _, pair := range [][2]*graph.Value{{a, b}, {b, a}} {
		r := slopes(pair[1], pair[0])
		if r == nil || r.slope >= 1 {
			continue
		}
		if r.each != nil && !below(r.each, 1) {
			continue
		}
		return r
	}
	return nil
}

func below(t *graph.Tensor, limit float32) bool {
	xs, err := t.Float32s()
	for _, x := range xs {
		if !(x < limit) {
			return false
		}
	}
	return err == nil
}

// slopes is x with the slope a below 0 where v = a*x by a constant, or by one for each channel.
func slopes(v, x *graph.Value) *rectified {
	if s, ok := scaled(v, x); ok {
		return &rectified{x: x, slope: s}
	}
	if v == nil || x == nil || v.Producer() == nil {
		return nil
	}
	n := v.Producer()
	if !n.Is("Mul") || len(n.Attrs) > 0 { // before opset 7 attributes say how it broadcasts
		return nil
	}
	for i, in := range n.Inputs() {
		t := op.Constant(n.Input(1 - i))
		if in == x && t != nil && t.DType == graph.Float32 && len(t.Dims) > 0 && fits(t.Dims, x.Type.Shape) {
			return &rectified{x: x, each: t}
		}
	}
	return nil
}

// scaled is a where v = a*x by a constant.
func scaled(v, x *graph.Value) (float32, bool) {
	if v == nil || x == nil || v.Producer() == nil {
		return 0, false
	}
	n := v.Producer()
	switch {
	case n.Is("Div") && n.Input(0) == x:
		d, ok := uniform(n.Input(1), x)
		return 1 / d, ok && d != 0
	case !n.Is("Mul"):
		return 0, false
	}
	for i, in := range n.Inputs() {
		if in == x {
			return uniform(n.Input(1-i), x)
		}
	}
	return 0, false
}

// sum recognises p*x + q*|x| with p + q = 1, which is x above 0 and (p-q)*x below.
func sum(n *graph.Node) *rectified {
	for i, v := range n.Inputs() {
		a, q, ok := multiple(n.Input(1 - i))
		if !ok || a.Producer() == nil || !a.Producer().Is("Abs") {
			continue
		}
		x := a.Producer().Input(0)
		p, ok := scaled(v, x)
		// Numbers of decimals, such as 0.6 and 0.4, may miss 1 by what float32 rounds.
		if !ok || math.Abs(float64(p)+float64(q)-1) > 0x1p-22 || !(p-q < 1) {
			continue
		}
		return &rectified{x: x, slope: p - q}
	}
	return nil
}

// multiple is x and a where v = a*x by a constant.
func multiple(v *graph.Value) (x *graph.Value, a float32, ok bool) {
	if v == nil || v.Producer() == nil {
		return nil, 0, false
	}
	for _, x := range v.Producer().Inputs() {
		if x == nil || op.Constant(x) != nil {
			continue
		}
		if a, ok = scaled(v, x); ok {
			return x, a, true
		}
	}
	return nil, 0, false
}
