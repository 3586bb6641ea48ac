// Package dropquantisers holds the pass drop-quantisers, which takes the rounding between
// the layers of a quantised network away.
package dropquantisers

import (
	"fmt"
	"slices"
	"strings"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

// Pass takes pairs of QuantizeLinear and DequantizeLinear off what layers give each other.
//
// Before: y = DequantizeLinear(QuantizeLinear(x, s, z), s, z), as quantisation-aware
// training and static quantisation write them, with a Clip to fewer bits between or not.
// After: y = x; or y = Clip(x, 0, (q-z)*s) where z is the lowest number there is, q the
// highest, and x is not known to be 0 or more: such a pair is a ReLU, and the one that
// was in front of it is gone from the file. With a scale for each channel y = Relu(x).
// Before that a QLinearConv becomes QuantizeLinear(Conv(DequantizeLinear(x), W, B)), and of a
// DynamicQuantizeLinear behind which ConvInteger and Cast to float32 stand it is Conv(x, W), with 1
// for the scale.
// Conditions: x and y are float32; scales and zero points are constant and the same on both sides.
// Pairs behind constants are for fold-constants, which keeps the rounded weights.
// Algebra: none: y was rounded to multiples of s and limited to a range that was chosen so
// that it rarely matters. Spikes round again what neurons give: to multiples of theta/T.
var Pass = &passes.Pass{
	Name: "drop-quantisers",
	Doc: "take the rounding between the layers of a quantised network away\n\n" +
		"Pairs of QuantizeLinear and DequantizeLinear go; those that no negative number\n" +
		"passes become the ReLUs that they are. QLinearConv and ConvInteger become Conv.\n" +
		"Quantised weights stay as they are.",
	Needs:   passes.Typed,
	Changes: "what was rounded to 8 bits between the layers no longer is",
	Run:     run,
}

func run(c *passes.Context) (changed bool, err error) {
	layers, err := unfoldLayers(c)
	if err != nil {
		return layers > 0, err
	}
	d := dropper{opset: c.Model.Opset(""), positive: map[*graph.Value]bool{}}
	count := 0
	changed, err = c.Each(func(n *graph.Node) (bool, error) {
		if !n.Is("DequantizeLinear") || n.Output(0) == nil {
			return false, nil
		}
		p, err := d.pair(n)
		if p == nil || err != nil {
			return false, err
		}
		count++
		return true, d.drop(c, n, p)
	})
	if count+layers > 0 && err == nil {
		c.Notef(nil, "%s: spikes round in their place", what(count, layers))
	}
	return changed || layers > 0, err
}

// what says what went.
func what(pairs, layers int) string {
	var list []string
	if layers > 0 {
		list = append(list, fmt.Sprintf("convolutions of integers become Conv, %d in all", layers))
	}
	if pairs > 0 {
		list = append(list, fmt.Sprintf("rounding by pairs of QuantizeLinear and DequantizeLinear goes, %d in all", pairs))
	}
	return strings.Join(list, "; ")
}

type dropper struct {
	opset    int64
	positive map[*graph.Value]bool // what is known of values that have been asked for
}

// pair is x, quantised and back.
type pair struct {
	x         *graph.Value
	rectifies bool    // no negative number passes
	limit     float32 // what passes at most; 0 where channels differ
}

// pair recognises the DequantizeLinear n behind a QuantizeLinear of the same numbers.
func (d *dropper) pair(n *graph.Node) (*pair, error) {
	back, err := op.QuantizeOf(n)
	if err != nil {
		return nil, err
	}
	low, high, whole := limits(back.X.Type.Elem)
	first := back.X.Producer()
	if first != nil && first.Is("Clip") {
		low, high, whole = between(first, low, high, whole)
		first = first.Input(0).Producer()
	}
	if first == nil || !first.Is("QuantizeLinear") || first.Graph() != n.Graph() || !whole {
		return nil, nil
	}
	there, err := op.QuantizeOf(first)
	if err != nil {
		return nil, err
	}
	x := there.X
	if x.Type.Elem != graph.Float32 || n.Output(0).Type.Elem != graph.Float32 || op.Constant(x) != nil || !same(there, back) {
		return nil, nil
	}
	return d.rate(x, back, low, high)
}

// rate tells what passes a pair between the numbers low and high.
func (d *dropper) rate(x *graph.Value, q op.Quantize, low, high int64) (*pair, error) {
	scales, err := op.Constant(q.Scale).Float32s()
	if err != nil {
		return nil, err
	}
	zeros := []int64{0}
	if t := op.Constant(q.Zero); t != nil {
		if zeros, err = t.Int64s(); err != nil {
			return nil, err
		}
	}
	p := &pair{x: x}
	p.rectifies = len(zeros) > 0 && !slices.ContainsFunc(zeros, func(z int64) bool { return z != low }) && !d.notNegative(x)
	if len(scales) == 1 && len(zeros) == 1 {
		p.limit = float32(high-zeros[0]) * scales[0]
	}
	return p, nil
}

// drop puts what passes a pair in the place of n, its second half; the first is dead then.
func (d *dropper) drop(c *passes.Context, n *graph.Node, p *pair) (err error) {
	switch {
	case !p.rectifies:
		_, err = c.Replace(n, graph.Op{Type: "Identity"}, nil, p.x)
	case !(p.limit > 0):
		_, err = c.Replace(n, graph.Op{Type: "Relu"}, nil, p.x)
	default:
		_, err = c.ReplaceByClip(n, p.x, p.limit)
	}
	return err
}

// same reports whether both halves have the same constant numbers along the same axis.
func same(a, b op.Quantize) bool {
	s, t := op.Constant(a.Scale), op.Constant(b.Scale)
	if s == nil || t == nil || s.DType != graph.Float32 || a.Block != 0 || b.Block != 0 || !equal(s, t) {
		return false
	}
	if n, err := s.Len(); err != nil || n != 1 && a.Axis != b.Axis {
		return false
	}
	if a.Zero == nil && b.Zero == nil {
		return true
	}
	y, z := op.Constant(a.Zero), op.Constant(b.Zero)
	return y != nil && z != nil && equal(y, z)
}

func equal(s, t *graph.Tensor) bool {
	return s.DType == t.DType && slices.Equal(s.Dims, t.Dims) && slices.Equal(s.Bytes(), t.Bytes())
}

// limits is the lowest and the highest number of a type of whole numbers.
func limits(d graph.DType) (low, high int64, ok bool) {
	bits := d.Bits()
	switch d {
	case graph.Uint4, graph.Uint8, graph.Uint16:
		return 0, 1<<bits - 1, true
	case graph.Int4, graph.Int8, graph.Int16:
		return -1 << (bits - 1), 1<<(bits-1) - 1, true
	}
	return 0, 0, false
}

// between limits further by a Clip of whole numbers.
func between(clip *graph.Node, low, high int64, ok bool) (int64, int64, bool) {
	for i, limit := range []*int64{&low, &high} {
		v := clip.Input(1 + i)
		if v == nil {
			continue
		}
		t := op.Constant(v)
		if t == nil {
			return 0, 0, false
		}
		n, err := t.Int64s()
		if err != nil || len(n) != 1 {
			return 0, 0, false
		}
		if i == 0 {
			*limit = max(*limit, n[0])
		} else {
			*limit = min(*limit, n[0])
		}
	}
	return low, high, ok && low < high
}
