// Package recogniserelu holds the pass recognise-relu, which writes ReLUs and their
// limits that a model states in other operators as Relu, LeakyRelu and Clip.
package recogniserelu

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

// Pass finds activations that neurons can stand for in other words.
//
// Before: y = max(x, 0) as Max(x, 0), Clip(x, 0), LeakyRelu or PRelu of slope 0,
// ThresholdedRelu of 0, Where(x > 0, x, 0), x times Cast(x > 0), -Min(-x, 0),
// x - Min(x, 0), (x + |x|)/2 or x/2 + |x|/2; x above 0 and a*x below as Max(x, a*x), Where(x > 0, x, a*x)
// or p*x + q*|x| with p + q = 1; Max and Min by constants around each other.
// After: y = Relu(x), LeakyRelu(x), PRelu(x, a), or Clip(x, 0, c). What only the old form read
// is left for dead-node. What then is left of Min(x, 0) becomes -Relu(-x), and of x - |x| -2*Relu(-x).
// Conditions: numbers are constant, or repeated by ConstantOfShape or Expand, and the same
// for all elements, of float32; a may differ from channel to channel. The result has the
// shape of x. Of a Max or Min only those that limit to 0 from below.
// Algebra: of each form it is max(x, 0), or max(x, 0) + a*min(x, 0), up to the sign of
// zero; NaN stays NaN in what the new operators give, but not in every old form.
var Pass = &passes.Pass{
	Name: "recognise-relu",
	Doc: "write ReLUs stated in other operators as Relu\n\n" +
		"Max(x, 0), Clip(x, 0), Where(x > 0, x, 0), x times (x > 0), leaky ReLUs of slope\n" +
		"0 and their like become Relu, LeakyRelu, PRelu or Clip, which neurons can stand for.",
	Run: run,
}

func run(c *passes.Context) (changed bool, err error) {
	f := finder{opset: c.Model.Opset("")}
	changed, err = c.Each(func(n *graph.Node) (bool, error) {
		if n.Graph() == nil || n.Output(0) == nil {
			return false, nil
		}
		r, err := f.find(n)
		if err != nil || r == nil || r.x.Type.Kind == graph.TensorType && r.x.Type.Elem != graph.Float32 {
			return false, err
		}
		return true, r.replace(c, n)
	})
	if err != nil {
		return changed, err
	}
	more, err := f.negatives(c)
	return changed || more, err
}

// rectified is x above 0 and slope*x below, limited to high from above.
type rectified struct {
	x     *graph.Value
	slope float32
	each  *graph.Tensor // the slopes where they differ, in the place of slope
	limit bool          // high holds
	high  float32
}

func (r *rectified) replace(c *passes.Context, n *graph.Node) (err error) {
	switch {
	case r.limit:
		_, err = c.ReplaceByClip(n, r.x, r.high)
	case r.each != nil:
		g := n.Graph()
		_, err = c.Replace(n, graph.Op{Type: "PRelu"}, nil, r.x, g.AddInitializer(g.FreshName(n.Label()+".slope"), r.each))
	case r.slope != 0:
		_, err = c.Replace(n, graph.Op{Type: "LeakyRelu"}, graph.Attrs{{Name: "alpha", Value: graph.Float(r.slope)}}, r.x)
	default:
		_, err = c.Replace(n, graph.Op{Type: "Relu"}, nil, r.x)
	}
	return err
}

// finder recognises activations by the node that ends them.
type finder struct{ opset int64 }

func (f finder) find(n *graph.Node) (*rectified, error) {
	switch {
	case n.Is("LeakyRelu"), n.Is("ThresholdedRelu"):
		a, err := op.ActivationOf(n)
		if err != nil || a.Alpha != 0 {
			return nil, err
		}
		return &rectified{x: a.X}, nil
	case n.Is("PRelu"):
		p, err := op.PReluOf(n)
		if s, ok := uniform(p.Slope, p.X); err == nil && ok && s == 0 {
			return &rectified{x: p.X}, nil
		}
		return nil, err
	case n.Is("Max"), n.Is("Min"), n.Is("Clip"):
		return f.limited(n)
	case n.Is("Where"):
		return chosen(n), nil
	case n.Is("Mul"), n.Is("Div"):
		return product(n), nil
	case n.Is("Neg"):
		return negated(n), nil
	case n.Is("Add"):
		return sum(n), nil
	case n.Is("Sub"):
		return difference(n), nil
	}
	return nil, nil
}

// uniform is the number that all elements of v are, a constant or one that is made of the
// size of a tensor, which broadcasts to x without making it larger.
func uniform(v, x *graph.Value) (float32, bool) {
	t := op.Constant(v)
	if t == nil {
		return filled(v, x)
	}
	if t.DType != graph.Float32 || x == nil {
		return 0, false
	}
	number, ok := single(t)
	if len(t.Dims) > 0 {
		ok = ok && fits(t.Dims, x.Type.Shape)
	}
	return number, ok
}

// single is the number that all elements of t are.
func single(t *graph.Tensor) (float32, bool) {
	xs, err := t.Float32s()
	if err != nil || len(xs) == 0 {
		return 0, false
	}
	for _, y := range xs {
		if y != xs[0] {
			return 0, false
		}
	}
	return xs[0], true
}

// filled is the number that a ConstantOfShape or an Expand repeats, as zeros_like(x) is exported.
func filled(v, x *graph.Value) (float32, bool) {
	if v == nil || x == nil || v.Producer() == nil || !within(v.Type.Shape, x.Type.Shape) {
		return 0, false
	}
	t := (*graph.Tensor)(nil)
	switch n := v.Producer(); {
	case n.Is("Expand"):
		t = op.Constant(n.Input(0))
	case n.Is("ConstantOfShape"):
		if c, err := op.ConstantOfShapeOf(n); err == nil {
			t = c.Fill
		}
	}
	if t == nil || t.DType != graph.Float32 {
		return 0, false
	}
	return single(t)
}

// within reports whether what has the shape s broadcasts to t without making it larger.
func within(s, t graph.Shape) bool {
	if s == nil || t == nil || len(s) > len(t) {
		return false
	}
	for i, d := range s {
		if size, known := d.Size(); !(known && size == 1) && !d.Same(t[len(t)-len(s)+i]) {
			return false
		}
	}
	return true
}

// fits reports whether what has the dimensions dims broadcasts to shape without making it larger.
func fits(dims []int64, shape graph.Shape) bool {
	if shape == nil || len(dims) > len(shape) {
		return false
	}
	for i, d := range dims {
		size, known := shape[len(shape)-len(dims)+i].Size()
		if d != 1 && !(known && size == d) {
			return false
		}
	}
	return true
}
