package exec

import (
	"spikingir/graph"
	"spikingir/graph/op"
)

// sameSize reports whether two values have the same height and width for any image: both
// are made of one value by operators that keep them.
func (c *counting) sameSize(a, b *graph.Value) bool { return c.sizeFrom(a) == c.sizeFrom(b) }

// sizeFrom goes back from v as long as height and width stay.
func (c *counting) sizeFrom(v *graph.Value) *graph.Value {
	from, seen := c.sizes[v]
	if !seen {
		from = v
		if before := c.before(v); before != nil {
			from = c.sizeFrom(before)
		}
		c.sizes[v] = from
	}
	return from
}

// before is an operand of v's producer that has the height and width of v; nil when none
// is known to.
func (c *counting) before(v *graph.Value) *graph.Value {
	n := v.Producer()
	if n == nil || n.NumInputs() == 0 {
		return nil
	}
	switch {
	case op.IsNeuron(n), n.IsSpiking("Bias"), n.IsSpiking("Encode"), n.Is("Neg"), n.Is("Concat"), n.Is("Relu"):
		return n.Input(0)
	case n.Is("Conv"):
		if c.keepsSize(n) {
			return n.Input(0)
		}
	case n.Is("Add"), n.Is("Sub"), n.Is("Mul"), n.Is("Div"):
		a, b := n.Input(0), n.Input(1)
		switch {
		case c.flat(b), c.consts[a] == nil && c.consts[b] == nil && c.sameSize(a, b):
			return a
		case c.flat(a):
			return b
		}
	}
	return nil
}

// flat reports whether v is a constant of one row and column at most.
func (c *counting) flat(v *graph.Value) bool {
	k := c.consts[v]
	if k == nil {
		return false
	}
	for _, d := range k.Dims[max(0, len(k.Dims)-2):] {
		if d != 1 {
			return false
		}
	}
	return true
}

// keepsSize reports whether a convolution gives as many rows and columns as it reads.
func (c *counting) keepsSize(n *graph.Node) bool {
	k, ok := c.geometry(n)
	s := k.shape
	return ok && s.StrideH == 1 && s.StrideW == 1 && s.PadTop+s.PadBottom == (s.KH-1)*s.DilationH &&
		s.PadLeft+s.PadRight == (s.KW-1)*s.DilationW
}
