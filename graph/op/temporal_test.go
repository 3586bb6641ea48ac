package op_test

import (
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/graph/op"
)

func TestLinearInTime(t *testing.T) {
	b := newBench()
	other := b.g.AddInput("other", b.x.Type)
	fixed := b.g.AddInput("fixed", b.x.Type) // computed, but the same at every step
	varies := func(v *graph.Value) bool { return v == b.x || v == other }
	w, c, p := b.weights(8, 6, 3, 3), b.scalar(2), b.floats(1, 1, 1, 1, 1, 1)
	big := int64(1) << 40
	const affine = "affine"
	for _, c := range []struct {
		n    *graph.Node
		want string // "", affine, or a part of the error
	}{
		{b.node("Conv", nil, b.x, w), ""},
		{b.node("Conv", nil, b.x, w, p), affine},
		{b.node("Conv", nil, b.x, other), "input 1 varies over time"},
		{b.node("MatMul", nil, b.x, fixed), ""},
		{b.node("MatMul", nil, fixed, b.x), ""},
		{b.node("MatMul", nil, b.x, other), "the product of two is not linear"},
		{b.node("Einsum", attrs("equation", graph.String("nchw,oc->nohw")), b.x, p), ""},
		{b.node("Einsum", attrs("equation", graph.String("oc,n...->n...o")), p, b.x), ""},
		{b.node("Einsum", attrs("equation", graph.String("...nchw,oc->...nohw")), b.x, p), ""},
		{b.node("Einsum", attrs("equation", graph.String("nchw,nchw->nhw")), b.x, other), "the product of two is not linear"},
		{b.node("Einsum", attrs("equation", graph.String("nchw,no->ohwc")), b.x, p), "the batch, as the first of the result"},
		{b.node("Einsum", attrs("equation", graph.String("nchw,nc->nchw")), b.x, p), "in no other operand"},
		{b.node("Einsum", attrs("equation", graph.String("nchw->chw")), b.x), "the batch, as the first of the result"},
		{b.node("Einsum", attrs("equation", graph.String("nnhw->nhw")), b.x), "the batch, as the first of the result"},
		{b.node("Trilu", nil, b.x), "linear, but none of those"},
		{b.node("GridSample", nil, b.x, fixed), "linear, but none of those"},
		{b.node("GridSample", nil, b.x, other), "input 1 varies over time"},
		{b.node("SplitToSequence", nil, b.x), "a sequence of tensors"},
		{b.node("Gemm", nil, b.x, fixed, p), affine},
		{b.node("Gemm", attrs("transA", graph.Int(1)), b.x, fixed), "where the timesteps lie"},
		{b.node("Gemm", nil, b.x, fixed, other), "input 2 (C) varies"},
		{b.node("BatchNormalization", nil, b.x, p, p, p, p), affine},
		{b.node("Add", nil, b.x, other), ""},
		{b.node("Add", nil, b.x, c), affine},
		{b.node("Sub", nil, fixed, b.x), affine},
		{b.node("Sum", nil, b.x, other, b.x), ""},
		{b.node("Mul", nil, b.x, c), ""},
		{b.node("Mul", nil, b.x, b.x), "the product of two is not linear"},
		{b.node("Div", nil, b.x, c), ""},
		{b.node("Div", nil, c, b.x), "input 1 varies over time"},
		{b.node("Relu", nil, b.x), "not linear over time"},
		{b.node("Relu", nil, fixed), ""}, // nothing varies
		{b.node("MaxPool", attrs("kernel_shape", graph.Ints{2, 2}), b.x), "not linear over time"},
		{b.node("AveragePool", attrs("kernel_shape", graph.Ints{2, 2}), b.x), ""},
		{b.node("Neg", nil, b.x), ""},
		{b.node("Concat", attrs("axis", graph.Int(1)), b.x, other), ""},
		{b.node("Concat", attrs("axis", graph.Int(-4)), b.x, other), "axis -4, where the timesteps lie"},
		{b.node("Concat", attrs("axis", graph.Int(1)), b.x, fixed), "input 1 does not vary over time"},
		{b.node("Transpose", attrs("perm", graph.Ints{0, 2, 3, 1}), b.x), ""},
		{b.node("Transpose", nil, b.x), "where the timesteps lie"},
		{b.node("Reshape", nil, b.x, b.ints(0, -1)), ""},
		{b.node("Flatten", nil, b.x), ""},
		{b.node("Flatten", attrs("axis", graph.Int(2)), b.x), "where the timesteps lie"},
		{b.node("Slice", nil, b.x, b.ints(1), b.ints(-1), b.ints(3)), ""},
		{b.node("Slice", nil, b.x, b.ints(0, 1), b.ints(big, 2)), ""},
		{b.node("Slice", nil, b.x, b.ints(1), b.ints(2)), "where the timesteps lie"},
		{b.node("Split", attrs("axis", graph.Int(1)), b.x), ""},
		{b.node("Split", nil, b.x), "where the timesteps lie"},
		{b.node("Gather", attrs("axis", graph.Int(1)), b.x, b.ints(2, 0)), ""},
		{b.node("Pad", nil, b.x, b.ints(0, 0, 1, 1, 0, 0, 1, 1)), ""},
		{b.node("Pad", attrs("mode", graph.String("reflect")), b.x, b.ints(0, 0, 1, 1, 0, 0, 1, 1)), ""},
		{b.node("Pad", nil, b.x, b.ints(0, 0, 1, 1, 0, 0, 1, 1), c), "padding is not a constant 0"},
		{b.node("Resize", attrs("mode", graph.String("cubic")), b.x, nil, b.floats(1, 1, 2, 2)), ""},
		{b.node("ReduceMean", attrs("axes", graph.Ints{2, 3}), b.x), ""},
		{b.node("ReduceMean", nil, b.x), "where the timesteps lie"},
		{b.node("ReduceMax", attrs("axes", graph.Ints{2}), b.x), "not linear over time"},
		{b.node("Where", nil, fixed, b.x, other), ""},
		{b.node("Where", nil, b.x, b.x, other), "the condition varies"},
		{b.node("Dropout", nil, b.x), ""},
		{b.node("IF", nil, b.x, nil, c), ""},
		{b.node("Frob", nil, b.x), "not known"},
	} {
		isAffine, err := op.LinearInTime(c.n, 13, varies)
		got := ""
		switch {
		case err != nil:
			got = err.Error()
		case isAffine:
			got = affine
		}
		if got != c.want && (c.want == "" || c.want == affine || !strings.Contains(got, c.want)) {
			t.Errorf("%v %v: %q, want %q", c.n.Op(), c.n.Attrs, got, c.want)
		}
	}
}
