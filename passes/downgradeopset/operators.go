package downgradeopset

import (
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// part names a node of several that n becomes; those of an unnamed node stay
// unnamed.
func part(n *graph.Node, role string) string {
	if n.Name == "" {
		return ""
	}
	return n.Name + "_" + role
}

// before adds a node of one output in front of n.
func (d *downgrade) before(n *graph.Node, role, typ string, attrs graph.Attrs, in ...*graph.Value) *graph.Value {
	return d.c.Insert(n, n, part(n, role), graph.Op{Type: typ}, attrs, in,
		n.Graph().FreshName(n.Output(0).Name()+"_"+role)).Output(0)
}

// scalar adds a number for n.
func (d *downgrade) scalar(n *graph.Node, role string, x float32) *graph.Value {
	g := n.Graph()
	return g.AddInitializer(g.FreshName(n.Output(0).Name()+"_"+role), graph.Scalar(x))
}

func never(why string) rewriter {
	return func(d *downgrade, n *graph.Node, _ int64) error {
		d.refuse(n, "%s", why)
		return nil
	}
}

func rename(typ string) rewriter {
	return func(d *downgrade, n *graph.Node, _ int64) error {
		_, err := d.c.Replace(n, graph.Op{Type: typ}, n.Attrs, n.Inputs()...)
		return err
	}
}

// onlyModes refuses words that came with an opset.
func onlyModes(name string, words ...string) rewriter {
	return func(d *downgrade, n *graph.Node, v int64) error {
		mode, err := graph.Get(n.Attrs, name, graph.String(words[0]))
		if err != nil {
			return op.Errorf(n, "%v", err)
		}
		if !slices.Contains(words, string(mode)) {
			d.refuse(n, "%s = %s has no form before opset %d", name, string(mode), v)
		}
		return nil
	}
}

func isFloat(t graph.DType) bool {
	return t == graph.Float32 || t == graph.Float64 || t == graph.Float16 || t == graph.Undefined
}

// onlyFloats refuses integers.
func onlyFloats(d *downgrade, n *graph.Node, v int64) error {
	if t := d.typeOf(n.Input(0)).Elem; !isFloat(t) {
		d.refuse(n, "of %v it has no form before opset %d, want a type of floating point", t, v)
	}
	return nil
}

// onlyWhole refuses numbers of floating point.
func onlyWhole(d *downgrade, n *graph.Node, v int64) error {
	if t := d.typeOf(n.Input(0)).Elem; isFloat(t) {
		d.refuse(n, "of %v it has no form before opset %d, want integers or booleans", t, v)
	}
	return nil
}

// noMask refuses a Dropout whose mask is read, which was of the input's type before it was bool.
func noMask(d *downgrade, n *graph.Node, v int64) error {
	if mask := n.Output(1); mask != nil && (mask.NumUses() > 0 || mask.IsOutput()) {
		d.refuse(n, "its mask is read, which is bool from opset %d on; export the model for inference, without it", v)
	}
	return nil
}

// samePower refuses an exponent of another type.
func samePower(d *downgrade, n *graph.Node, v int64) error {
	if x, y := d.typeOf(n.Input(0)).Elem, d.typeOf(n.Input(1)).Elem; x != y {
		d.refuse(n, "%v to a power of %v has no form before opset %d, want one type", x, y, v)
	}
	return nil
}

// negated says a comparison by its opposite: as 1 minus the number that a Cast makes of that, as runtimes
// that compute with numbers alone know no Not, and by Not where anything else reads it.
func negated(opposite string) rewriter {
	return func(d *downgrade, n *graph.Node, _ int64) error {
		y := n.Output(0)
		isCast := func(u graph.Use) bool {
			to, err := graph.Get(u.Node.Attrs, "to", graph.Int(0))
			return u.Node.Is("Cast") && u.Node.Graph() == n.Graph() && err == nil && graph.DType(to) == graph.Float32
		}
		uses := y.Uses()
		x := d.before(n, "not", opposite, nil, n.Inputs()...)
		if len(uses) == 0 || y.IsOutput() || slices.ContainsFunc(uses, func(u graph.Use) bool { return !isCast(u) }) {
			_, err := d.c.Replace(n, graph.Op{Type: "Not"}, nil, x)
			return err
		}
		for _, u := range uses {
			number := d.before(u.Node, "not", "Cast", u.Node.Attrs, x)
			if _, err := d.c.Replace(u.Node, graph.Op{Type: "Sub"}, nil, d.one(n.Graph()), number); err != nil {
				return err
			}
		}
		return n.Graph().Remove(n)
	}
}

// one is the number 1 as an initializer of g.
func (d *downgrade) one(g *graph.Graph) *graph.Value {
	if d.ones[g] == nil {
		d.ones[g] = g.AddInitializer(g.FreshName("one"), graph.Scalar(1))
	}
	return d.ones[g]
}

// float32s reports whether n computes on float32, and refuses it otherwise: its numbers are.
func (d *downgrade) float32s(n *graph.Node, v int64) bool {
	t := d.typeOf(n.Input(0)).Elem
	if t != graph.Float32 {
		d.refuse(n, "there is no such operator before opset %d, and others make up for it on float alone, found %v", v, t)
	}
	return t == graph.Float32
}

func hardSwish(d *downgrade, n *graph.Node, v int64) error {
	if !d.float32s(n, v) {
		return nil
	}
	attrs := graph.Attrs{{Name: "alpha", Value: graph.Float(1. / 6)}, {Name: "beta", Value: graph.Float(0.5)}}
	_, err := d.c.Replace(n, graph.Op{Type: "Mul"}, nil, n.Input(0), d.before(n, "gate", "HardSigmoid", attrs, n.Input(0)))
	return err
}

func mish(d *downgrade, n *graph.Node, v int64) error {
	if !d.float32s(n, v) {
		return nil
	}
	gate := d.before(n, "gate", "Tanh", nil, d.before(n, "softplus", "Softplus", nil, n.Input(0)))
	_, err := d.c.Replace(n, graph.Op{Type: "Mul"}, nil, n.Input(0), gate)
	return err
}

func swish(d *downgrade, n *graph.Node, v int64) error {
	alpha, err := graph.Get(n.Attrs, "alpha", graph.Float(1))
	if err != nil {
		return op.Errorf(n, "%v", err)
	}
	if !d.float32s(n, v) {
		return nil
	}
	x := n.Input(0)
	if alpha != 1 {
		x = d.before(n, "scaled", "Mul", nil, x, d.scalar(n, "alpha", float32(alpha)))
	}
	_, err = d.c.Replace(n, graph.Op{Type: "Mul"}, nil, n.Input(0), d.before(n, "gate", "Sigmoid", nil, x))
	return err
}

// gelu is x * (1 + Erf(x/sqrt(2)))/2.
func gelu(d *downgrade, n *graph.Node, v int64) error {
	kind, err := graph.Get(n.Attrs, "approximate", graph.String("none"))
	if err != nil {
		return op.Errorf(n, "%v", err)
	}
	if kind != "none" {
		d.refuse(n, "approximate = %s has no form before opset %d", string(kind), v)
		return nil
	}
	if !d.float32s(n, v) {
		return nil
	}
	x := n.Input(0)
	erf := d.before(n, "erf", "Erf", nil, d.before(n, "scaled", "Mul", nil, x, d.scalar(n, "scale", float32(math.Sqrt(0.5)))))
	twice := d.before(n, "twice", "Mul", nil, x, d.before(n, "gate", "Add", nil, erf, d.one(n.Graph())))
	_, err = d.c.Replace(n, graph.Op{Type: "Mul"}, nil, twice, d.scalar(n, "half", 0.5))
	return err
}

func renameModes(d *downgrade, n *graph.Node, _ int64) error {
	if len(d.typeOf(n.Input(0)).Shape) > 4 {
		d.refuse(n, "of more than two axes of space it has no form before opset 20")
		return nil
	}
	mode, err := graph.Get(n.Attrs, "mode", graph.String("linear"))
	if err != nil {
		return op.Errorf(n, "%v", err)
	}
	switch mode {
	case "linear":
		n.Attrs.Set("mode", graph.String("bilinear"))
	case "cubic":
		n.Attrs.Set("mode", graph.String("bicubic"))
	}
	return nil
}

func castLike(d *downgrade, n *graph.Node, v int64) error {
	t := d.typeOf(n.Input(1)).Elem
	if t == graph.Undefined {
		d.refuse(n, "it casts to a type that is not known, which has no form before opset %d", v)
		return nil
	}
	_, err := d.c.Replace(n, graph.Op{Type: "Cast"}, graph.Attrs{{Name: "to", Value: graph.Int(t)}}, n.Input(0))
	return err
}

// shapeSlice takes a range of all dimensions.
func shapeSlice(d *downgrade, n *graph.Node, _ int64) error {
	start, err := graph.Get(n.Attrs, "start", graph.Int(0))
	if err != nil {
		return op.Errorf(n, "%v", err)
	}
	end, err := graph.Get(n.Attrs, "end", graph.Int(math.MaxInt64))
	if err != nil {
		return op.Errorf(n, "%v", err)
	}
	n.Attrs.Delete("start")
	n.Attrs.Delete("end")
	if start == 0 && end == math.MaxInt64 {
		return nil
	}
	all := d.before(n, "all", "Shape", nil, n.Input(0))
	g, name := n.Graph(), n.Output(0).Name()
	in := []*graph.Value{all}
	for _, x := range []struct {
		role string
		at   int64
	}{{"start", int64(start)}, {"end", int64(end)}} {
		in = append(in, g.AddInitializer(g.FreshName(name+"_"+x.role), graph.NewInt64([]int64{1}, []int64{x.at})))
	}
	_, err = d.c.Replace(n, graph.Op{Type: "Slice"}, nil, in...)
	return err
}

// oneScale lets one scale for all go without an axis.
func oneScale(d *downgrade, n *graph.Node, v int64) error {
	if size, ok := d.typeOf(n.Input(1)).Shape.Sizes(); !ok || slices.ContainsFunc(size, func(k int64) bool { return k != 1 }) {
		d.refuse(n, "a scale for each channel has no form before opset %d, want one", v)
		return nil
	}
	n.Attrs.Delete("axis")
	return nil
}

// softmaxOfLast brings the axis to the end, where all opsets mean the same by it.
func softmaxOfLast(d *downgrade, n *graph.Node, v int64) error {
	a, err := graph.Get(n.Attrs, "axis", graph.Int(-1))
	if err != nil {
		return op.Errorf(n, "%v", err)
	}
	shape := d.typeOf(n.Input(0)).Shape
	axis, ok := op.Axis(int64(a), len(shape))
	switch {
	case !ok && a != -1:
		d.refuse(n, "its axis %d of a tensor of unknown rank has no form before opset %d", a, v)
		return nil
	case !ok:
		n.Attrs.Set("axis", a)
		return nil
	case !slices.ContainsFunc(shape[axis+1:], func(x graph.Dim) bool { return !isOne(x) }):
		n.Attrs.Set("axis", graph.Int(axis))
		return nil
	}
	last := len(shape) - 1
	perm := make(graph.Ints, len(shape))
	for i := range perm {
		perm[i] = int64(i)
	}
	perm[axis], perm[last] = perm[last], perm[axis]
	swap := graph.Attrs{{Name: "perm", Value: perm}}
	attrs := slices.Clone(n.Attrs)
	attrs.Set("axis", graph.Int(last))
	y := d.before(n, "last", n.Op().Type, attrs, d.before(n, "swapped", "Transpose", swap, n.Input(0)))
	_, err = d.c.Replace(n, graph.Op{Type: "Transpose"}, slices.Clone(swap), y)
	return err
}

func isOne(x graph.Dim) bool {
	n, ok := x.Size()
	return ok && n == 1
}

// constantTensor states the value as a tensor.
func constantTensor(_ *downgrade, n *graph.Node, _ int64) error {
	t, err := op.ConstantOf(n)
	if err != nil {
		return err
	}
	n.Attrs = graph.Attrs{{Name: "value", Value: t}}
	return nil
}

// depthFirst takes the channels in the order of columns, rows, depth.
func depthFirst(d *downgrade, n *graph.Node, v int64) error {
	mode, err := graph.Get(n.Attrs, "mode", graph.String("DCR"))
	if err != nil {
		return op.Errorf(n, "%v", err)
	}
	if mode != "CRD" {
		return nil
	}
	b, err := graph.Get(n.Attrs, "blocksize", graph.Int(0))
	shape := d.typeOf(n.Input(0)).Shape
	if err != nil || b < 1 || len(shape) != 4 {
		return op.Errorf(n, "blocksize is %d, want 1 or more of a tensor [N,C,H,W]", b)
	}
	channels, ok := shape[1].Size()
	area := int64(b * b)
	if !ok || channels%area != 0 {
		d.refuse(n, "mode = CRD of unknown channels has no form before opset %d", v)
		return nil
	}
	depth := channels / area
	order := make([]int64, channels)
	for i := range order { // DCR has the channel (place, depth) where CRD has (depth, place)
		order[i] = int64(i)%depth*area + int64(i)/depth
	}
	g := n.Graph()
	list := g.AddInitializer(g.FreshName(n.Output(0).Name()+"_order"), graph.NewInt64([]int64{channels}, order))
	n.Attrs.Delete("mode")
	n.SetInput(0, d.before(n, "ordered", "Gather", graph.Attrs{{Name: "axis", Value: graph.Int(1)}}, n.Input(0), list))
	return nil
}

// gemmBias states the zero that is added.
func gemmBias(d *downgrade, n *graph.Node, v int64) error {
	if n.Input(2) == nil && d.float32s(n, v) {
		n.SetInput(2, d.scalar(n, "bias", 0))
	}
	return nil
}
