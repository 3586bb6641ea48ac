package infer

import (
	"strings"

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

// operators is a rule and the operators that it is of.
type operators struct {
	rule  rule
	names string
}

func init() {
	standardRules = byName([]operators{
		{typed(op.ConvOf, conv), "Conv"},
		{typed(op.ConvTransposeOf, convTranspose), "ConvTranspose"},
		{typed(op.DeformConvOf, deformConv), "DeformConv"},
		{typed(op.GemmOf, gemm), "Gemm"},
		{typed(op.MatMulOf, matMul), "MatMul"},
		{typedAt(op.BatchNormOf, batchNorm), "BatchNormalization"},
		{typed(op.LayerNormOf, layerNorm), "LayerNormalization"},
		{typed(op.PoolOf, pool), "AveragePool MaxPool LpPool"},
		{typed(op.UnaryOf, globalPool), "GlobalAveragePool GlobalMaxPool GlobalLpPool"},
		{typedAt(op.ResizeOf, resize), "Resize Upsample"},
		{typedAt(op.DropoutOf, dropout), "Dropout"},
		{sameAsFirst, "Acos Acosh Asin Asinh Atan Atanh Cosh Sinh Tan Shrink Swish BitwiseNot GroupNormalization" +
			" LpNormalization LRN MeanVarianceNormalization RMSNormalization CumSum ReverseSequence Trilu" +
			" Scatter ScatterElements ScatterND"},
		{sameAsFirst, "InstanceNormalization Clip Relu LeakyRelu Elu Selu Celu HardSigmoid HardSwish" +
			" Softplus Softsign Gelu Mish ThresholdedRelu Sigmoid Tanh Erf Exp Log Sqrt Abs Neg Floor" +
			" Ceil Round Sign Reciprocal Sin Cos Not Identity"},
		{typed(op.PReluOf, prelu), "PRelu"},
		{typedAt(op.SoftmaxOf, softmax), "Softmax LogSoftmax Hardmax"},

		{typed(op.VariadicOf, binary), "Add Sub Mul Div Mod Min Max Sum Mean BitwiseAnd BitwiseOr BitwiseXor BitShift"},
		{typed(op.BinaryOf, pow), "Pow"},
		{typed(op.BinaryOf, comparison), "Equal Less LessOrEqual Greater GreaterOrEqual And Or Xor"},
		{typed(op.UnaryOf, question), "IsNaN IsInf"},
		{typed(op.WhereOf, where), "Where"},
		{typedAt(op.ReduceOf, reduce), "ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL2" +
			" ReduceL1 ReduceSumSquare ReduceLogSum ReduceLogSumExp"},
		{typed(op.ArgOf, argMax), "ArgMax ArgMin"},
		{typedAt(op.TopKOf, topK), "TopK"},

		{typed(op.ConcatOf, concat), "Concat"},
		{typedAt(op.SplitOf, split), "Split"},
		{typedAt(op.SliceOf, slice), "Slice"},
		{typed(op.ReshapeOf, reshape), "Reshape"},
		{typed(op.FlattenOf, flatten), "Flatten"},
		{typed(op.TransposeOf, transpose), "Transpose"},
		{typedAt(op.SqueezeOf, squeeze), "Squeeze"},
		{typedAt(op.SqueezeOf, unsqueeze), "Unsqueeze"},
		{typedAt(op.PadOf, pad), "Pad"},
		{depthToSpace, "DepthToSpace"},
		{spaceToDepth, "SpaceToDepth"},
		{typed(op.GatherOf, gather), "Gather"},
		{typed(op.GatherElementsOf, gatherElements), "GatherElements"},
		{typed(op.GatherNDOf, gatherND), "GatherND"},
		{typed(op.OneHotOf, oneHot), "OneHot"},
		{typed(op.CompressOf, compress), "Compress"},
		{typed(op.UnaryOf, nonZero), "NonZero"},
		{typed(op.EyeLikeOf, eyeLike), "EyeLike"},
		{typed(op.EinsumOf, einsum), "Einsum"},
		{typed(op.GridSampleOf, gridSample), "GridSample"},
		{typed(op.ExpandOf, expand), "Expand"},
		{typed(op.TileOf, tile), "Tile"},

		{typed(op.CastOf, cast), "Cast"},
		{typed(op.CastLikeOf, castLike), "CastLike"},
		{dynamicQuantize, "DynamicQuantizeLinear"},
		{matMulInteger, "MatMulInteger"},
		{typed(op.ConvIntegerOf, convInteger), "ConvInteger"},
		{qLinearMatMul, "QLinearMatMul"},
		{typed(op.QLinearConvOf, qLinearConv), "QLinearConv"},
		{typed(op.QuantizeOf, quantize), "QuantizeLinear"},
		{typed(op.QuantizeOf, dequantize), "DequantizeLinear"},
		{constant, "Constant"},
		{typed(op.ConstantOfShapeOf, constantOfShape), "ConstantOfShape"},
		{typed(op.ShapeOf, shapeOf), "Shape"},
		{sizeOf, "Size"},
		{typed(op.RangeOf, rangeOf), "Range"},
		{sequenceConstruct, "SequenceConstruct"},
		{typed(op.SequenceEmptyOf, sequenceEmpty), "SequenceEmpty"},
		{sequenceAt, "SequenceAt"},
		{sequenceInsert, "SequenceInsert"},
		{sequenceErase, "SequenceErase"},
		{sequenceLength, "SequenceLength"},
		{typed(op.SplitToSequenceOf, splitToSequence), "SplitToSequence"},
		{typed(op.ConcatFromSequenceOf, concatFromSequence), "ConcatFromSequence"},
		{ifRule, "If"}, {loop, "Loop"}, {scan, "Scan"},
	})
	spikingRules = byName([]operators{
		{typed(op.EncodeOf, encode), "Encode"},
		{typed(op.DecodeOf, decode), "Decode"},
		{typed(op.BiasOf, bias), "Bias"},
		{typed(op.NeuronOf, neuron), "IF MPRN TwoPhaseIF TwoPhaseMPRN BurstIF MultiThresholdIF SignedIF"},
		{typed(op.CPMOf, cpm), "CPM"},
	})
}

func byName(list []operators) map[string]rule {
	rules := map[string]rule{}
	for _, o := range list {
		for name := range strings.FieldsSeq(o.names) {
			rules[name] = o.rule
		}
	}
	return rules
}

// typed makes a rule of one that takes the operator's typed view.
func typed[V any](view func(*graph.Node) (V, error), f func(*call, V) error) rule {
	return func(c *call) error {
		v, err := view(c.n)
		if err != nil {
			return err
		}
		return f(c, v)
	}
}

// typedAt is typed for views that depend on the opset.
func typedAt[V any](view func(*graph.Node, int64) (V, error), f func(*call, V) error) rule {
	return func(c *call) error {
		return typed(func(n *graph.Node) (V, error) { return view(n, c.opset) }, f)(c)
	}
}

// sameAsFirst is the rule of functions of each element.
func sameAsFirst(c *call) error { return c.same(0, c.n.Input(0)) }

// binary is the rule of operators of tensors that broadcast and share a type.
func binary(c *call, x op.Variadic) error {
	elem := must(c.sameElem(x.Xs...))
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

func pow(c *call, b op.Binary) error {
	return c.broadcastTo(c.elem(b.A), b.A, b.B)
}

func comparison(c *call, b op.Binary) error {
	must(c.sameElem(b.A, b.B))
	return c.broadcastTo(graph.Bool, b.A, b.B)
}

func where(c *call, w op.Where) error {
	elem := must(c.sameElem(w.X, w.Y))
	return c.broadcastTo(elem, w.Cond, w.X, w.Y)
}

func prelu(c *call, p op.PRelu) error {
	must(c.sameElem(p.X, p.Slope))
	check(c.fits(p.Slope, p.X, "slope"))
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

func softmax(c *call, s op.Softmax) error {
	if dims, ok := c.shape(s.X); ok {
		if s.Flattened && s.Axis == int64(len(dims)) {
			return c.same(0, s.X)
		}
		must(c.axis(s.Axis, len(dims)))
	}
	return c.same(0, s.X)
}

// dropout has a mask as second output, of bools from opset 10 on.
func dropout(c *call, d op.Dropout) error {
	mask := graph.Bool
	if c.opset < 10 {
		mask = c.elem(d.X)
	}
	dims, ranked := c.shape(d.X)
	check(c.set(1, mask, dims, ranked))
	return c.same(0, d.X)
}

// batchNorm: X [N, C, ...], four parameters [C]; the statistics that training puts
// out have their type.
func batchNorm(c *call, b op.BatchNorm) error {
	dims, ranked := c.shape(b.X)
	if ranked && len(dims) < 2 {
		return c.failf("input %q has rank %d, want 2 or more: [N, C, ...]", b.X.Name(), len(dims))
	}
	for _, v := range []*graph.Value{b.Scale, b.Bias, b.Mean, b.Var} {
		p, ok := c.shape(v)
		if !ok || !ranked || b.PerElement {
			continue
		}
		check(c.rank(v, p, 1, "one entry per channel"))
		must(c.agree("the number of channels", dims[1], b.X, p[0], v))
	}
	for i := 1; i < c.n.NumOutputs(); i++ {
		check(c.same(i, b.Mean))
	}
	return c.same(0, b.X)
}

// layerNorm gives mean and inverse deviation, with the normalised axes kept as
// 1, as further outputs.
func layerNorm(c *call, l op.LayerNorm) error {
	dims, ranked := c.shape(l.X)
	if ranked {
		axis := must(c.axis(l.Axis, len(dims)))
		for i := axis; i < len(dims); i++ {
			dims[i] = Number(1)
		}
	}
	for i := 1; i <= 2; i++ {
		check(c.set(i, graph.Float32, dims, ranked))
	}
	return c.same(0, l.X)
}

func cast(c *call, k op.Cast) error {
	dims, ranked := c.shape(k.X)
	return c.set(0, k.To, dims, ranked)
}

// quantize has the type of the zero point, if there is one.
func quantize(c *call, q op.Quantize) error {
	elem := q.To
	if q.Zero != nil {
		elem = c.elem(q.Zero)
	}
	dims, ranked := c.shape(q.X)
	return c.set(0, elem, dims, ranked)
}

// dequantize has the type of the scale.
func dequantize(c *call, q op.Quantize) error {
	dims, ranked := c.shape(q.X)
	return c.set(0, c.elem(q.Scale), dims, ranked)
}

func constant(c *call) error {
	if a, ok := c.n.Attrs.Lookup("sparse_value"); ok {
		if s, isSparse := a.(*graph.SparseTensor); isSparse && s.Values != nil {
			return c.set(0, s.Values.DType, numbersOf(s.Dims), true)
		}
	}
	t := must(op.ConstantOf(c.n))
	return c.set(0, t.DType, numbersOf(t.Dims), true)
}

func numbersOf(list []int64) []Expr {
	out := make([]Expr, len(list))
	for i, n := range list {
		out[i] = Number(n)
	}
	return out
}

func constantOfShape(c *call, f op.ConstantOfShape) error {
	dims, ok := c.list(f.Shape)
	return c.set(0, f.Fill.DType, dims, ok)
}

func shapeOf(c *call, s op.ShapeView) error {
	dims, ok := c.shape(s.X)
	if !ok {
		return c.set(0, graph.Int64, []Expr{{}}, true)
	}
	start, end := s.Bounds(len(dims))
	return c.set(0, graph.Int64, []Expr{Number(int64(end - start))}, true)
}

func sizeOf(c *call) error { return c.set(0, graph.Int64, nil, true) }

func rangeOf(c *call, r op.Range) error {
	elem := must(c.sameElem(r.Start, r.Limit, r.Delta))
	start, limit, delta := c.content[r.Start], c.content[r.Limit], c.content[r.Delta]
	count := Expr{}
	if len(start) == 1 && len(limit) == 1 && len(delta) == 1 {
		count = steps(start[0], limit[0], delta[0])
	}
	return c.set(0, elem, []Expr{count}, true)
}

func steps(start, limit, delta quantity) Expr {
	span := sub(limit, start)
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
