package op_test

import (
	"math"
	"testing"

	"spikingir/graph"
	"spikingir/graph/op"
)

// TestDefaults states the standard's defaults, and that given values are read.
func TestDefaults(t *testing.T) {
	b := newBench()
	p := b.floats(1, 1, 1, 1, 1, 1)
	alpha := func(typ string) *graph.Node { return b.node(typ, nil, b.x) }
	given := func(typ string) *graph.Node {
		return b.node(typ, attrs("alpha", graph.Float(3), "beta", graph.Float(4), "gamma",
			graph.Float(5)), b.x)
	}
	same(t, "LeakyRelu", float32(0.01),
		must[op.Activation](t)(op.ActivationOf(alpha("LeakyRelu"))).Alpha)
	same(t, "LeakyRelu", float32(3), must[op.Activation](t)(op.ActivationOf(given("LeakyRelu"))).Alpha)
	same(t, "Elu", float32(1), must[op.Activation](t)(op.ActivationOf(alpha("Elu"))).Alpha)
	same(t, "Celu", float32(1), must[op.Activation](t)(op.ActivationOf(alpha("Celu"))).Alpha)
	same(t, "ThresholdedRelu", float32(1),
		must[op.Activation](t)(op.ActivationOf(alpha("ThresholdedRelu"))).Alpha)
	selu := must[op.Activation](t)(op.ActivationOf(alpha("Selu")))
	same(t, "Selu", []float32{1.6732632, 1.050701}, []float32{selu.Alpha, selu.Gamma})
	selu = must[op.Activation](t)(op.ActivationOf(given("Selu")))
	same(t, "Selu", []float32{3, 5}, []float32{selu.Alpha, selu.Gamma})
	hard := must[op.Activation](t)(op.ActivationOf(alpha("HardSigmoid")))
	same(t, "HardSigmoid", []float32{0.2, 0.5}, []float32{hard.Alpha, hard.Beta})
	same(t, "Gelu", false, must[op.Gelu](t)(op.GeluOf(alpha("Gelu"))).Tanh)
	gelu := b.node("Gelu", attrs("approximate", graph.String("tanh")), b.x)
	same(t, "Gelu", true, must[op.Gelu](t)(op.GeluOf(gelu)).Tanh)

	norm := must[op.InstanceNorm](t)(op.InstanceNormOf(b.node("InstanceNormalization", nil, b.x, p,
		p)))
	same(t, "InstanceNormalization", float32(1e-5), norm.Epsilon)
	layer := must[op.LayerNorm](t)(op.LayerNormOf(b.node("LayerNormalization", nil, b.x, p)))
	if layer.Axis != -1 || layer.Epsilon != 1e-5 || layer.Bias != nil {
		t.Errorf("LayerNormalization: %+v", layer)
	}
	gemm := must[op.Gemm](t)(op.GemmOf(b.node("Gemm", attrs("transB", graph.Int(1)), b.x, p)))
	if gemm.Alpha != 1 || gemm.Beta != 1 || gemm.TransA || !gemm.TransB || gemm.C != nil {
		t.Errorf("Gemm: %+v", gemm)
	}
	pool := must[op.Pool](t)(op.PoolOf(b.node("LpPool", attrs("kernel_shape", graph.Ints{2, 3}), b.x)))
	if pool.P != 2 || pool.CountPad || pool.ColumnMajor || pool.AutoPad != op.NotSet {
		t.Errorf("LpPool: %+v", pool)
	}
	same(t, "strides", []int64{1, 1}, pool.Stride)
	same(t, "pads", []int64{0, 0, 0, 0}, pool.Pads)
	arg := must[op.Arg](t)(op.ArgOf(alpha("ArgMax")))
	if arg.Axis != 0 || !arg.KeepDims || arg.Last {
		t.Errorf("ArgMax: %+v", arg)
	}
	mod := must[op.Mod](t)(op.ModOf(b.node("Mod", nil, b.x, b.x)))
	same(t, "Mod", false, mod.Fmod)
	block := must[op.Block](t)(op.BlockOf(b.node("DepthToSpace", attrs("blocksize", graph.Int(2),
		"mode",
		graph.String("CRD")), b.x)))
	if block.Size != 2 || !block.CRD {
		t.Errorf("DepthToSpace: %+v", block)
	}
	fill := must[op.ConstantOfShape](t)(op.ConstantOfShapeOf(b.node("ConstantOfShape", nil,
		b.ints(2))))
	if x, err := fill.Fill.Float32s(); err != nil || len(x) != 1 || x[0] != 0 {
		t.Errorf("ConstantOfShape: %v %v", x, err)
	}
}

func TestShapeBounds(t *testing.T) {
	b := newBench()
	for _, c := range []struct{ start, end, from, to int64 }{
		{0, math.MaxInt64, 0, 4}, {1, -1, 1, 3}, {-2, math.MaxInt64, 2, 4}, {-9, 9, 0, 4}, {3, 1, 3, 3},
	} {
		n := b.node("Shape", attrs("start", graph.Int(c.start), "end", graph.Int(c.end)), b.x)
		from, to := must[op.ShapeView](t)(op.ShapeOf(n)).Bounds(4)
		if int64(from) != c.from || int64(to) != c.to {
			t.Errorf("Shape from %d to %d: %d to %d, want %d to %d", c.start, c.end, from, to, c.from, c.to)
		}
	}
}

// TestBinaryConst takes a constant operand and the other apart.
func TestBinaryConst(t *testing.T) {
	b := newBench()
	c := b.scalar(2)
	for _, k := range []struct {
		n        *graph.Node
		left, ok bool
	}{
		{b.node("Sub", nil, b.x, c), false, true},
		{b.node("Sub", nil, c, b.x), true, true},
		{b.node("Sub", nil, b.x, b.x), false, false},
		{b.node("Sub", nil, c, c), false, false},
	} {
		x, tensor, left, ok := must[op.Binary](t)(op.BinaryOf(k.n)).Const()
		if left != k.left || ok != k.ok || ok && (x != b.x || tensor != c.Const) {
			t.Errorf("%v: %v %v %v %v", k.n.Inputs(), x, tensor, left, ok)
		}
	}
}
