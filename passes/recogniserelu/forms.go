package recogniserelu

import (
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
)

// limited recognises a Clip without an upper limit, Max(x, 0) and Max(x, a*x), and Max
// and Min around each other that limit to 0 from below.
func (f finder) limited(n *graph.Node) (*rectified, error) {
	if n.Is("Max") {
		if r := leaky(n.Input(0), n.Input(1)); r != nil && n.NumInputs() == 2 {
			return r, nil
		}
	}
	low, high := math.Inf(-1), math.Inf(1)
	x, steps := n.Output(0), 0
	for p := n; p != nil && p.Graph() == n.Graph() && (p == n || x.NumUses() == 1 && !x.IsOutput()); p = x.Producer() {
		in, lo, hi, ok, err := f.limits(p)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		// What p limits to is limited further by what stands behind it.
		low, high = math.Min(math.Max(lo, low), high), math.Min(math.Max(hi, low), high)
		x = in
		steps++
	}
	plain := n.Is("Clip") && (steps == 1 || high < math.Inf(1) && onlyClips(n, x))
	switch {
	case steps == 0 || low != 0 || !(high > 0):
		return nil, nil
	case math.IsInf(high, 1):
		return &rectified{x: x}, nil
	case plain:
		return nil, nil // clip-to-if takes it as it is
	}
	return &rectified{x: x, limit: true, high: float32(high)}, nil
}

// onlyClips reports whether between x and n there is nothing but Clip and Relu.
func onlyClips(n *graph.Node, x *graph.Value) bool {
	for v := n.Output(0); v != x; v = v.Producer().Input(0) {
		if p := v.Producer(); !p.Is("Clip") && !p.Is("Relu") {
			return false
		}
	}
	return true
}

// limits is what a Relu, a Clip, or a Max or Min by one number limits its input to.
func (f finder) limits(n *graph.Node) (x *graph.Value, low, high float64, ok bool, err error) {
	low, high = math.Inf(-1), math.Inf(1)
	switch {
	case n.Is("Relu"):
		return n.Input(0), 0, high, true, nil
	case n.Is("Clip"):
		c, err := op.ClipOf(n, f.opset)
		if err != nil || !c.Min.Known || !c.Max.Known || c.Min.Value > c.Max.Value {
			return nil, 0, 0, false, err
		}
		if math.Abs(float64(c.Min.Value)) < math.MaxFloat32 {
			low = float64(c.Min.Value)
		}
		if math.Abs(float64(c.Max.Value)) < math.MaxFloat32 {
			high = float64(c.Max.Value)
		}
		return c.X, low, high, true, nil
	case n.NumInputs() != 2 || !n.Is("Max") && !n.Is("Min"):
		return nil, 0, 0, false, nil
	}
	for i, v := range n.Inputs() {
		x := n.Input(1 - i)
		number, same := uniform(v, x)
		switch {
		case !same || op.Constant(x) != nil:
		case n.Is("Max"):
			return x, float64(number), high, true, nil
		default:
			return x, low, float64(number), true, nil
		}
	}
	return nil, 0, 0, false, nil
}

// chosen recognises Where(x > 0, x, a*x), where a may be 0, and the same with the sides
// exchanged.
func chosen(n *graph.Node) *rectified {
	x, positive := sign(n.Input(0))
	if x == nil {
		return nil
	}
	yes, no := n.Input(1), n.Input(2)
	if !positive {
		yes, no = no, yes
	}
	if yes != x {
		return nil
	}
	if zero, ok := uniform(no, x); ok && zero == 0 {
		return &rectified{x: x}
	}
	return slopes(no, x)
}

// sign is x where v says whether x is above zero, or, with positive false, below it. What it
// says at zero itself makes no difference.
func sign(v *graph.Value) (x *graph.Value, positive bool) {
	if v == nil || v.Producer() == nil {
		return nil, false
	}
	n := v.Producer()
	if n.Is("Not") {
		x, positive = sign(n.Input(0))
		return x, !positive
	}
	greater := n.Is("Greater") || n.Is("GreaterOrEqual")
	if !greater && !n.Is("Less") && !n.Is("LessOrEqual") {
		return nil, false
	}
	if zero, ok := uniform(n.Input(1), n.Input(0)); ok && zero == 0 {
		return n.Input(0), greater
	}
	if zero, ok := uniform(n.Input(0), n.Input(1)); ok && zero == 0 {
		return n.Input(1), !greater
	}
	return nil, false
}

// product recognises x times Cast(x > 0), and half of x + |x|.
func product(n *graph.Node) *rectified {
	for i, v := range n.Inputs() {
		other := n.Input(1 - i)
		if v == nil || other == nil {
			return nil
		}
		half, ok := uniform(other, v)
		if ok && (n.Is("Mul") && half == 0.5 || n.Is("Div") && i == 0 && half == 2) {
			if x := withMagnitude(v); x != nil {
				return &rectified{x: x}
			}
		}
		p := v.Producer()
		if !n.Is("Mul") || p == nil || !p.Is("Cast") {
			continue
		}
		for q := p.Input(0).Producer(); q != nil && q.Is("Cast"); q = p.Input(0).Producer() {
			p = q // of a truth, by way of an integer
		}
		if x, positive := sign(p.Input(0)); x != nil && x == other && positive {
			return &rectified{x: x}
		}
	}
	return nil
}

// difference recognises x less the smaller of x and 0.
func difference(n *graph.Node) *rectified {
	x, p := n.Input(0), n.Input(1).Producer()
	if x == nil || p == nil || !p.Is("Min") || p.NumInputs() != 2 {
		return nil
	}
	for i, v := range p.Inputs() {
		if zero, ok := uniform(p.Input(1-i), x); v == x && ok && zero == 0 {
			return &rectified{x: x}
		}
	}
	return nil
}

// withMagnitude is x where v = x + |x|.
func withMagnitude(v *graph.Value) *graph.Value {
	n := v.Producer()
	if n == nil || !n.Is("Add") {
		return nil
	}
	for i, a := range n.Inputs() {
		if x := n.Input(1 - i); a != nil && a.Producer() != nil && a.Producer().Is("Abs") && a.Producer().Input(0) == x {
			return x
		}
	}
	return nil
}

// negated recognises the smaller of -x and 0, negated.
func negated(n *graph.Node) *rectified {
	p := n.Input(0).Producer()
	if p == nil || !p.Is("Min") || p.NumInputs() != 2 {
		return nil
	}
	for i, v := range p.Inputs() {
		zero, ok := uniform(p.Input(1-i), v)
		if v == nil || v.Producer() == nil || !v.Producer().Is("Neg") || !ok || zero != 0 {
			continue
		}
		return &rectified{x: v.Producer().Input(0)}
	}
	return nil
}
