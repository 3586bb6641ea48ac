package infer

import (
	"spikingir/graph"
	"spikingir/graph/op"
)

// rule states the types of a node's outputs, as far as the inputs tell, by
// call.set and call.same. An error is a node that cannot run.
type rule func(c *call) error

// ruleOf is the rule of an operator of the table in package op.
func ruleOf(o graph.Op) rule {
	if o.Domain == graph.Spiking {
		return spikingRules[o.Type]
	}
	return standardRules[o.Type]
}

var standardRules, spikingRules map[string]rule

func init() {
	standardRules = map[string]rule{
		"Conv": conv, "ConvTranspose": convTranspose, "Gemm": gemm, "MatMul": matMul,
		"BatchNormalization": batchNorm, "InstanceNormalization": sameAsFirst,
		"LayerNormalization": layerNorm,
		"AveragePool":        pool, "MaxPool": pool, "LpPool": pool,
		"GlobalAveragePool": globalPool, "GlobalMaxPool": globalPool,
		"Resize": resize, "Upsample": resize, "Dropout": dropout,

		"PRelu": prelu, "Clip": sameAsFirst, "Softmax": softmax,

		"Add": binary, "Sub": binary, "Mul": binary, "Div": binary, "Mod": binary, "Pow": pow,
		"Equal": comparison, "Less": comparison, "LessOrEqual": comparison,
		"Greater": comparison, "GreaterOrEqual": comparison, "And": comparison, "Or": comparison,
		"Min": binary, "Max": binary, "Sum": binary, "Mean": binary, "Where": where,
		"ReduceMean": reduce, "ReduceSum": reduce, "ReduceMax": reduce, "ReduceMin": reduce,
		"ReduceProd": reduce, "ReduceL2": reduce, "ArgMax": argMax,

		"Concat": concat, "Split": split, "Slice": slice, "Reshape": reshape, "Flatten": flatten,
		"Transpose": transpose, "Squeeze": squeeze, "Unsqueeze": unsqueeze, "Pad": pad,
		"DepthToSpace": depthToSpace, "SpaceToDepth": spaceToDepth, "Gather": gather,
		"Expand": expand, "Tile": tile,

		"Cast": cast, "Constant": constant, "ConstantOfShape": constantOfShape,
		"Shape": shapeOf, "Size": sizeOf, "Range": rangeOf,
		"If": ifRule, "Loop": loop, "Scan": scan,
	}
	for _, name := range []string{
		"Relu", "LeakyRelu", "Elu", "Selu", "Celu", "HardSigmoid", "HardSwish", "Softplus",
		"Softsign", "Gelu", "Mish", "ThresholdedRelu", "Sigmoid", "Tanh", "Erf", "Exp", "Log",
		"Sqrt", "Abs", "Neg", "Floor", "Ceil", "Round", "Sign", "Reciprocal", "Sin", "Cos",
		"Not", "Identity",
	} {
		standardRules[name] = sameAsFirst
	}
	spikingRules = map[string]rule{
		"Encode": encode, "Decode": decode, "Bias": bias, "IF": neuron, "MPRN": neuron, "CPM": cpm,
	}
}

// sameAsFirst is the rule of functions of each element.
func sameAsFirst(c *call) error { return c.same(0, c.n.Input(0)) }

// binary is the rule of operators of tensors that broadcast and share a type.
func binary(c *call) error {
	x, err := op.VariadicOf(c.n)
	if err != nil {
		return err
	}
	elem, err := c.sameElem(x.Xs...)
	if err != nil {
		return err
	}
	return c.broadcastTo(elem, x.Xs...)
}

// broadcastTo states that output 0 has the broadcast shape of the values.
func (c *call) broadcastTo(elem graph.DType, vs ...*graph.Value) error {
	dims, ranked, err := c.broadcast(vs...)
	if err != nil {
		return err
	}
	return c.set(0, elem, dims, ranked)
}

// pow broadcasts; the exponent may be of another type than the result.
func pow(c *call) error {
	b, err := op.BinaryOf(c.n)
	if err != nil {
		return err
	}
	return c.broadcastTo(c.elem(b.A), b.A, b.B)
}

// comparison and the logical operators broadcast to bools.
func comparison(c *call) error {
	b, err := op.BinaryOf(c.n)
	if err != nil {
		return err
	}
	if _, err := c.sameElem(b.A, b.B); err != nil {
		return err
	}
	return c.broadcastTo(graph.Bool, b.A, b.B)
}

// where broadcasts the condition and both choices.
func where(c *call) error {
	w, err := op.WhereOf(c.n)
	if err != nil {
		return err
	}
	elem, err := c.sameElem(w.X, w.Y)
	if err != nil {
		return err
	}
	return c.broadcastTo(elem, w.Cond, w.X, w.Y)
}

// prelu has the shape of X; the slope broadcasts to it.
func prelu(c *call) error {
	p, err := op.PReluOf(c.n)
	if err != nil {
		return err
	}
	if _, err := c.sameElem(p.X, p.Slope); err != nil {
		return err
	}
	if err := c.fits(p.Slope, p.X, "slope"); err != nil {
		return err
	}
	return c.same(0, p.X)
}

// fits requires that small broadcasts to the shape of big, as far as known.
func (c *call) fits(small, big *graph.Value, what string) error {
	s, okS := c.shape(small)
	b, okB := c.shape(big)
	if !okS || !okB {
		return nil
	}
	if len(s) > len(b) {
		return c.failf("%s has shape %v, want one that broadcasts to %v", what, s, b)
	}
	for i, d := range s {
		n, okN := d.Int()
		m, okM := b[len(b)-len(s)+i].Int()
		if okN && okM && n != 1 && n != m {
			return c.failf("%s has shape %v, want one that broadcasts to %v", what, s, b)
		}
	}
	return nil
}

// softmax keeps the type; its axis must exist.
func softmax(c *call) error {
	s, err := op.SoftmaxOf(c.n, c.opset)
	if err != nil {
		return err
	}
	if dims, ok := c.shape(s.X); ok {
		if s.Flattened && s.Axis == int64(len(dims)) {
			return c.same(0, s.X)
		}
		if _, err := c.axis(s.Axis, len(dims)); err != nil {
			return err
		}
	}
	return c.same(0, s.X)
}

// dropout has a mask as second output, of bools from opset 10 on.
func dropout(c *call) error {
	d, err := op.DropoutOf(c.n, c.opset)
	if err != nil {
		return err
	}
	mask := graph.Bool
	if c.opset < 10 {
		mask = c.elem(d.X)
	}
	dims, ranked := c.shape(d.X)
	if err := c.set(1, mask, dims, ranked); err != nil {
		return err
	}
	return c.same(0, d.X)
}

// batchNorm: X [N, C, ...], four parameters [C]; the statistics that training puts
// out have their type.
func batchNorm(c *call) error {
	b, err := op.BatchNormOf(c.n, c.opset)
	if err != nil {
		return err
	}
	dims, ranked := c.shape(b.X)
	if ranked && len(dims) < 2 {
		return c.failf("input %q has rank %d, want 2 or more: [N, C, ...]", b.X.Name(), len(dims))
	}
	for _, v := range []*graph.Value{b.Scale, b.Bias, b.Mean, b.Var} {
		p, ok := c.shape(v)
		if !ok || !ranked || b.PerElement {
			continue
		}
		if err := c.rank(v, p, 1, "one entry per channel"); err != nil {
			return err
		}
		if _, err := c.agree(dims[1], p[0], "the number of channels"); err != nil {
			return err
		}
	}
	for i := 1; i < c.n.NumOutputs(); i++ {
		if err := c.same(i, b.Mean); err != nil {
			return err
		}
	}
	return c.same(0, b.X)
}

// layerNorm gives mean and inverse deviation, with the normalised axes kept as
// 1, as further outputs.
func layerNorm(c *call) error {
	l, err := op.LayerNormOf(c.n)
	if err != nil {
		return err
	}
	dims, ranked := c.shape(l.X)
	if ranked {
		axis, err := c.axis(l.Axis, len(dims))
		if err != nil {
			return err
		}
		for i := axis; i < len(dims); i++ {
			dims[i] = Number(1)
		}
	}
	for i := 1; i <= 2; i++ {
		if err := c.set(i, graph.Float32, dims, ranked); err != nil {
			return err
		}
	}
	return c.same(0, l.X)
}

// cast keeps the shape.
func cast(c *call) error {
	k, err := op.CastOf(c.n)
	if err != nil {
		return err
	}
	dims, ranked := c.shape(k.X)
	return c.set(0, k.To, dims, ranked)
}

// constant has the type of the tensor stated, sparse ones included.
func constant(c *call) error {
	if a, ok := c.n.Attrs.Lookup("sparse_value"); ok {
		if s, isSparse := a.(*graph.SparseTensor); isSparse && s.Values != nil {
			return c.set(0, s.Values.DType, numbersOf(s.Dims), true)
		}
	}
	t, err := op.ConstantOf(c.n)
	if err != nil {
		return err
	}
	return c.set(0, t.DType, numbersOf(t.Dims), true)
}

// numbersOf is a list of numbers as expressions.
func numbersOf(list []int64) []Expr {
	out := make([]Expr, len(list))
	for i, n := range list {
		out[i] = Number(n)
	}
	return out
}

// constantOfShape has the shape that its input holds.
func constantOfShape(c *call) error {
	f, err := op.ConstantOfShapeOf(c.n)
	if err != nil {
		return err
	}
	dims, ok := c.list(f.Shape)
	return c.set(0, f.Fill.DType, dims, ok)
}

// shapeOf is a vector as long as the range of axes asked for.
func shapeOf(c *call) error {
	s, err := op.ShapeOf(c.n)
	if err != nil {
		return err
	}
	dims, ok := c.shape(s.X)
	if !ok {
		return c.set(0, graph.Int64, []Expr{{}}, true)
	}
	start, end := s.Bounds(len(dims))
	return c.set(0, graph.Int64, []Expr{Number(int64(end - start))}, true)
}

// sizeOf is a scalar.
func sizeOf(c *call) error { return c.set(0, graph.Int64, nil, true) }

// rangeOf is a vector; its length follows from contents.
func rangeOf(c *call) error {
	r, err := op.RangeOf(c.n)
	if err != nil {
		return err
	}
	elem, err := c.sameElem(r.Start, r.Limit, r.Delta)
	if err != nil {
		return err
	}
	start, limit, delta := c.content[r.Start], c.content[r.Limit], c.content[r.Delta]
	count := Expr{}
	if len(start) == 1 && len(limit) == 1 && len(delta) == 1 {
		count = steps(start[0], limit[0], delta[0])
	}
	return c.set(0, elem, []Expr{count}, true)
}

// steps is how many elements a Range has.
func steps(start, limit, delta quantity) Expr {
	span := sub(limit, start, false)
	n, ok := delta.num.Int()
	if !ok || n == 0 {
		return Expr{}
	}
	if n < 0 {
		n, span.num = -n, span.num.Times(-1)
	}
	// ceil((span.num/span.den) / (n/delta.den))
	den, ok := mulInt(span.den, n)
	if !ok {
		return Expr{}
	}
	count := span.num.Times(delta.den).CeilDiv(den)
	if m, isNumber := count.Int(); isNumber {
		return Number(max(m, 0))
	}
	return count
}
