package randommodel

import (
	"slices"
	"strings"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/ops"
)

// opsets are those that models import: the ends, and those at which many operators change.
var opsets = []int64{17, 13, 11, 9, 18, 21, 24, 7, 12, 14, 19, 10}

// types are the element types of inputs.
var types = []graph.DType{
	graph.Float32, graph.Float32, graph.Float32, graph.Int64, graph.Bool, graph.Float32, graph.Int32, graph.Float16,
	graph.Float64, graph.Uint8, graph.Int8, graph.BFloat16,
}

// maxNodes and maxTrials bound a model, and the time that it takes to make.
const (
	maxNodes  = 14
	maxTrials = 60
)

// Any makes a model of operators of all kinds on tensors of all types and ranks. What its
// nodes compute may be infinite or no number.
func Any(data []byte) *Model {
	b := newBuilder(data)
	b.m.SetOpset("", pick(&b.choices, opsets...))
	for range 1 + b.N(3) {
		b.anyInput()
	}
	known := operators(b.opset())
	for trials := 0; !b.Done() && trials < maxTrials && b.g.NumNodes() < maxNodes; trials++ {
		b.anyNode(pick(&b.choices, known...))
	}
	return b.finish()
}

// operators lists those that can be run at an opset, on tensors alone.
func operators(opset int64) (list []*op.Spec) {
	for _, s := range op.All() {
		if s.Op.Domain == "" && s.Form(opset) != nil && ops.Supported(s.Op) &&
			!strings.HasPrefix(s.Op.Type, "Sequence") && !slices.Contains([]string{"If", "Loop", "Scan", "SplitToSequence"}, s.Op.Type) {
			list = append(list, s)
		}
	}
	return list
}

func (b *builder) anyInput() {
	d := pick(&b.choices, types...)
	dims := make([]int64, pick(&b.choices, 4, 3, 2, 1, 4, 5, 0))
	for i := range dims {
		dims[i] = pick[int64](&b.choices, 2, 3, 4, 1, 6)
	}
	for count(dims) > maxElements/4 {
		dims[len(dims)-1] = 1
		dims = slices.Insert(dims[:len(dims)-1], 0, 1)
		dims[slices.Index(dims, slices.Max(dims))] = 2
	}
	b.input("x", draw(b.rng(), d, dims, 16), b.symbols(dims, true))
}

// value chooses a value of the type, or of any where that is undefined; nil where there is
// none.
func (b *builder) value(d graph.DType) *graph.Value {
	var list []*graph.Value
	for _, v := range append(b.g.Inputs(), b.made...) {
		if t := b.held[v]; t != nil && (d == graph.Undefined || t.DType == d) {
			list = append(list, v)
		}
	}
	if list == nil {
		return nil
	}
	// The latest more often, so that models are deep.
	k := b.N(2*len(list)) - len(list)
	return list[max(k, -k-1)]
}

// anyNode tries a node of an operator.
func (b *builder) anyNode(s *op.Spec) {
	f := s.Form(b.opset())
	data := b.value(graph.Undefined)
	if want, ok := firstOf[s.Op.Type]; ok && b.held[data].DType != want && !b.Chance(4) {
		if v := b.value(want); v != nil {
			data = v
		}
	}
	var in []*graph.Value
	if make := inputsOf[s.Op.Type]; make != nil {
		in = make(b, data)
	}
	if in == nil {
		in = b.operands(s.Op.Type, f, data)
	}
	outputs := f.Out.Min
	if f.Out.Max < 0 {
		outputs += b.N(3)
	} else if f.Out.Max > f.Out.Min {
		outputs += b.N(f.Out.Max - f.Out.Min + 1)
	}
	attrs := b.attributes(s.Op.Type, f, data, outputs)
	if in == nil || b.try(s.Op, attrs, in, outputs) == nil {
		for _, v := range in {
			b.drop(v)
		}
	}
}

// firstOf is the type that the first input of some operators has to have.
var firstOf = map[string]graph.DType{
	"Not": graph.Bool, "And": graph.Bool, "Or": graph.Bool, "Xor": graph.Bool, "Where": graph.Bool, "Compress": graph.Float32,
	"BitwiseAnd": graph.Int32, "BitwiseOr": graph.Int32, "BitwiseXor": graph.Int32, "BitwiseNot": graph.Int32, "BitShift": graph.Uint8,
	"ConvInteger": graph.Uint8, "MatMulInteger": graph.Uint8, "QLinearConv": graph.Uint8, "QLinearMatMul": graph.Uint8,
	"DequantizeLinear": graph.Uint8, "Conv": graph.Float32, "ConvTranspose": graph.Float32, "Resize": graph.Float32,
	"AveragePool": graph.Float32, "MaxPool": graph.Float32, "BatchNormalization": graph.Float32, "Einsum": graph.Float32,
}

// operands is data and what an operator reads beside it: other values, or constants that
// broadcast with it.
func (b *builder) operands(typ string, f *op.Form, data *graph.Value) []*graph.Value {
	if f.In.Min == 0 && f.In.Max == 0 {
		return []*graph.Value{}
	}
	k := f.In.Min
	if f.In.Max < 0 {
		k += b.N(3)
	} else if f.In.Max > k {
		k += b.N(f.In.Max - k + 1)
	}
	in := []*graph.Value{data}
	d := b.held[data].DType
	for len(in) < k {
		v := b.value(d)
		if v == nil || b.N(2) == 0 {
			v = b.random(d, b.broadcast(b.held[data].Dims)...)
		}
		in = append(in, v)
	}
	return in
}

// broadcast is dimensions that broadcast with dims.
func (b *builder) broadcast(dims []int64) []int64 {
	dims = slices.Clone(dims)
	for i := range dims {
		if b.Chance(3) {
			dims[i] = 1
		}
	}
	return dims[b.N(len(dims)+1)/2:]
}
