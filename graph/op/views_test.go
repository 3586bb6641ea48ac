package op_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/graph"
	"spikingir/graph/op"
)

// bench makes nodes over one input "x" [1,6,8,8] and constants.
type bench struct {
	g *graph.Graph
	x *graph.Value
}

func newBench() *bench {
	g := graph.New("g", nil)
	return &bench{g, g.AddInput("x", graph.TensorOf(graph.Float32, graph.ShapeOf(1, 6, 8, 8)))}
}

func (b *bench) node(typ string, attrs graph.Attrs, in ...*graph.Value) *graph.Node {
	o := graph.Op{Type: typ}
	switch typ {
	case "Encode", "Decode", "Bias", "IF", "MPRN", "CPM":
		o.Domain = graph.Spiking
	}
	n := b.g.AddNode(o, attrs, in, b.g.FreshName("y"))
	n.Name = "n"
	return n
}

func (b *bench) ints(list ...int64) *graph.Value {
	return b.g.AddInitializer(b.g.FreshName("c"), graph.NewInt64([]int64{int64(len(list))}, list))
}

func (b *bench) floats(list ...float32) *graph.Value {
	return b.g.AddInitializer(b.g.FreshName("c"), graph.NewFloat32([]int64{int64(len(list))}, list))
}

func (b *bench) scalar(x float32) *graph.Value {
	return b.g.AddInitializer(b.g.FreshName("c"), graph.Scalar(x))
}

// weights is a constant of zeros.
func (b *bench) weights(dims ...int64) *graph.Value {
	n := int64(1)
	for _, d := range dims {
		n *= d
	}
	return b.g.AddInitializer(b.g.FreshName("w"), graph.NewFloat32(dims, make([]float32, n)))
}

// attrs takes names and values in turn.
func attrs(list ...any) graph.Attrs {
	var as graph.Attrs
	for i := 0; i < len(list); i += 2 {
		as = append(as, graph.NamedAttr{Name: list[i].(string), Value: list[i+1].(graph.Attr)})
	}
	return as
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// setting is what a Param says, without where it says it.
type setting[T any] struct {
	Given, Known bool
	Value        T
}

func of[T any](p op.Param[T]) setting[T] { return setting[T]{p.Given, p.Known, p.Value} }

func same[T any](t *testing.T, what string, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// TestMovedSettings decodes each setting that moved from an attribute to an
// input, both ways.
func TestMovedSettings(t *testing.T) {
	b := newBench()
	list := func(l ...int64) setting[[]int64] { return setting[[]int64]{true, true, l} }

	clip := must[op.Clip](t)
	for _, c := range []op.Clip{
		clip(op.ClipOf(b.node("Clip", attrs("min", graph.Float(-1), "max", graph.Float(6)), b.x), 10)),
		clip(op.ClipOf(b.node("Clip", nil, b.x, b.scalar(-1), b.scalar(6)), 11)),
		clip(op.ClipOf(b.node("Clip", nil, b.x, b.floats(-1), b.floats(6)), 13)),
	} {
		same(t, "Clip min", setting[float32]{true, true, -1}, of(c.Min))
		same(t, "Clip max", setting[float32]{true, true, 6}, of(c.Max))
	}
	for _, opset := range []int64{6, 11} {
		c := clip(op.ClipOf(b.node("Clip", nil, b.x), opset))
		same(t, "Clip no min", setting[float32]{false, true, float32(math.Inf(-1))}, of(c.Min))
		same(t, "Clip no max", setting[float32]{false, true, float32(math.Inf(1))}, of(c.Max))
	}

	slice := must[op.Slice](t)
	for _, s := range []op.Slice{
		slice(op.SliceOf(b.node("Slice", attrs("starts", graph.Ints{1}, "ends", graph.Ints{-1},
			"axes", graph.Ints{2}), b.x), 9)),
		slice(op.SliceOf(b.node("Slice", nil, b.x, b.ints(1), b.ints(-1), b.ints(2)), 10)),
	} {
		same(t, "Slice starts", list(1), of(s.Starts))
		same(t, "Slice ends", list(-1), of(s.Ends))
		same(t, "Slice axes", list(2), of(s.Axes))
		same(t, "Slice steps", setting[[]int64]{Known: true}, of(s.Steps))
	}

	split := must[op.Split](t)
	for _, s := range []op.Split{
		split(op.SplitOf(b.node("Split", attrs("split", graph.Ints{6}, "axis", graph.Int(1)), b.x), 11)),
		split(op.SplitOf(b.node("Split", attrs("axis", graph.Int(1)), b.x, b.ints(6)), 13)),
	} {
		same(t, "Split sizes", list(6), of(s.Sizes))
		same(t, "Split axis", int64(1), s.Axis)
	}

	pad := must[op.Pad](t)
	pads := []int64{0, 0, 1, 2, 0, 0, 3, 4}
	for _, p := range []op.Pad{
		pad(op.PadOf(b.node("Pad", attrs("pads", graph.Ints(pads), "value", graph.Float(2)), b.x), 10)),
		pad(op.PadOf(b.node("Pad", nil, b.x, b.ints(pads...), b.scalar(2)), 11)),
		pad(op.PadOf(b.node("Pad", nil, b.x, b.ints(1, 2, 3, 4), b.scalar(2), b.ints(2, -1)), 18)),
	} {
		same(t, "Pad pads", pads, must[[]int64](t)(p.For(4)))
		same(t, "Pad value", setting[float32]{true, true, 2}, of(p.Value))
		same(t, "Pad mode", "constant", p.Mode)
	}
	testMovedAxes(t, b)
}

// testMovedAxes goes on with the operators whose axes moved.
func testMovedAxes(t *testing.T, b *bench) {
	t.Helper()
	for _, typ := range []string{"Squeeze", "Unsqueeze"} {
		for _, s := range []op.Squeeze{
			must[op.Squeeze](t)(op.SqueezeOf(b.node(typ, attrs("axes", graph.Ints{1}), b.x), 11)),
			must[op.Squeeze](t)(op.SqueezeOf(b.node(typ, nil, b.x, b.ints(1)), 13)),
		} {
			same(t, typ, setting[[]int64]{true, true, []int64{1}}, of(s.Axes))
		}
	}
	for _, c := range []struct {
		typ          string
		before, from int64
	}{{"ReduceSum", 12, 13}, {"ReduceMean", 17, 18}, {"ReduceL2", 17, 18}} {
		for _, r := range []op.Reduce{
			must[op.Reduce](t)(op.ReduceOf(b.node(c.typ, attrs("axes", graph.Ints{3, -2}), b.x), c.before)),
			must[op.Reduce](t)(op.ReduceOf(b.node(c.typ, nil, b.x, b.ints(3, -2)), c.from)),
		} {
			same(t, c.typ, []int{2, 3}, must[[]int](t)(r.AxesFor(4)))
		}
	}
	r := must[op.Reduce](t)(op.ReduceOf(b.node("ReduceSum", nil, b.x), 13))
	same(t, "all axes", []int{0, 1, 2}, must[[]int](t)(r.AxesFor(3)))
	r = must[op.Reduce](t)(op.ReduceOf(b.node("ReduceSum", attrs("noop_with_empty_axes",
		graph.Int(1)), b.x), 13))
	same(t, "no axes", []int(nil), must[[]int](t)(r.AxesFor(3)))

	resize := must[op.Resize](t)
	for i, z := range []op.Resize{
		resize(op.ResizeOf(b.node("Upsample", attrs("scales", graph.Floats{1, 1, 2, 2}, "mode",
			graph.String("linear")), b.x), 7)),
		resize(op.ResizeOf(b.node("Upsample", attrs("mode", graph.String("linear")), b.x,
			b.floats(1, 1, 2, 2)), 9)),
		resize(op.ResizeOf(b.node("Resize", attrs("mode", graph.String("linear")), b.x,
			b.floats(1, 1, 2, 2)), 10)),
		resize(op.ResizeOf(b.node("Resize", attrs("mode", graph.String("linear"),
			"coordinate_transformation_mode", graph.String("asymmetric"), "nearest_mode",
			graph.String("floor")), b.x, b.floats(), b.floats(1, 1, 2, 2), b.ints()), 11)),
	} {
		same(t, "Resize scales", setting[[]float32]{true, true, []float32{1, 1, 2, 2}}, of(z.Scales))
		same(t, "Resize sizes", false, z.Sizes.Given)
		nearest := op.TowardsStart
		if i == 3 {
			nearest = "floor" // stated from opset 11 on
		}
		same(t, "Resize", []string{"linear", "asymmetric", nearest}, []string{z.Mode, z.Coordinate, z.Nearest})
	}
	z := resize(op.ResizeOf(b.node("Resize", nil, b.x, nil, nil, b.ints(1, 6, 16, 16)), 13))
	same(t, "Resize sizes", setting[[]int64]{true, true, []int64{1, 6, 16, 16}}, of(z.Sizes))
	same(t, "Resize defaults", []string{"nearest", "half_pixel", "round_prefer_floor"},
		[]string{z.Mode, z.Coordinate, z.Nearest})
}

// TestModes covers the switches between training and inference.
func TestModes(t *testing.T) {
	b := newBench()
	p := b.floats(1, 1, 1, 1, 1, 1)
	for i, c := range []struct {
		opset    int64
		attrs    graph.Attrs
		outputs  int
		training bool
		spatial  bool
	}{
		{6, attrs("is_test", graph.Int(1)), 1, false, true},
		{6, nil, 1, true, true},
		{7, attrs("spatial", graph.Int(0)), 1, false, false},
		{9, nil, 1, false, true},
		{9, nil, 5, true, true},
		{14, nil, 1, false, true},
		{14, attrs("training_mode", graph.Int(1)), 3, true, true},
	} {
		var names []string
		for j := range c.outputs {
			names = append(names, fmt.Sprintf("bn%d_%d", i, j))
		}
		n := b.g.AddNode(graph.Op{Type: "BatchNormalization"}, c.attrs, []*graph.Value{b.x, p, p, p, p},
			names...)
		v := must[op.BatchNorm](t)(op.BatchNormOf(n, c.opset))
		if v.Training != c.training || v.PerElement == c.spatial || v.Epsilon != 1e-5 {
			t.Errorf("BatchNormalization %d: %+v", i, v)
		}
	}
	truth, err := graph.NewTensor(graph.Bool, []int64{}, []byte{1})
	if err != nil {
		t.Fatal(err)
	}
	yes := b.g.AddInitializer("yes", truth)
	for i, c := range []struct {
		opset    int64
		n        *graph.Node
		training bool
		ratio    float32
	}{
		{6, b.node("Dropout", attrs("is_test", graph.Int(1)), b.x), false, 0.5},
		{6, b.node("Dropout", nil, b.x), true, 0.5},
		{7, b.node("Dropout", attrs("ratio", graph.Float(0.25)), b.x), false, 0.25},
		{12, b.node("Dropout", nil, b.x, b.scalar(0.25)), false, 0.25},
		{13, b.node("Dropout", nil, b.x, nil, yes), true, 0.5},
	} {
		v := must[op.Dropout](t)(op.DropoutOf(c.n, c.opset))
		if !v.Training.Known || v.Training.Value != c.training || v.Ratio.Value != c.ratio {
			t.Errorf("Dropout %d: %+v", i, v)
		}
	}
	for _, opset := range []int64{12, 13} {
		s := must[op.Softmax](t)(op.SoftmaxOf(b.node("Softmax", nil, b.x), opset))
		if s.Flattened != (opset < 13) || s.Axis != map[int64]int64{12: 1, 13: -1}[opset] {
			t.Errorf("Softmax at opset %d: %+v", opset, s)
		}
	}
}

// TestConstants finds contents behind Constant and Identity nodes, and none
// where a caller may override them.
func TestConstants(t *testing.T) {
	b := newBench()
	made := b.node("Constant", attrs("value_ints", graph.Ints{0, -1})).Output(0)
	shared := b.node("Identity", nil, made).Output(0)
	computed := b.node("Shape", nil, b.x).Output(0)
	given := b.g.AddInput("given", graph.TensorOf(graph.Int64, graph.ShapeOf(2)))
	b.g.SetInitializer(given, graph.NewInt64([]int64{2}, []int64{0, -1}), nil)
	for _, c := range []struct {
		v     *graph.Value
		known bool
		why   string // it is no constant
	}{{made, true, ""}, {shared, true, ""}, {b.ints(0, -1), true, ""},
		{computed, false, `is computed at run time, by node "n" (Shape)`},
		{given, false, "is an input of the model whose stored value a caller may replace"}} {
		r := must[op.Reshape](t)(op.ReshapeOf(b.node("Reshape", nil, b.x, c.v)))
		if r.Shape.Known != c.known || !r.Shape.Given || r.Shape.From != c.v {
			t.Errorf("shape %q: %+v", c.v.Name(), r.Shape)
		}
		shape, err := r.Shape.Constant()
		if c.known {
			same(t, "shape", []int64{0, -1}, shape)
			continue
		}
		want := fmt.Sprintf(`node "n" (Reshape): input %q (shape) %s, want a constant`, c.v.Name(), c.why)
		if err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	for _, a := range []graph.NamedAttr{
		{Name: "value_float", Value: graph.Float(2)}, {Name: "value_floats", Value: graph.Floats{2}},
		{Name: "value_int", Value: graph.Int(2)}, {Name: "value", Value: graph.Scalar(2)},
	} {
		tensor := must[*graph.Tensor](t)(op.ConstantOf(b.node("Constant", graph.Attrs{a})))
		clip := must[op.Clip](t)(op.ClipOf(b.node("Clip", nil, b.x, nil, b.node("Constant",
			graph.Attrs{a}).Output(0)), 12))
		if n, _ := tensor.Len(); n != 1 || clip.Max.Value != 2 {
			t.Errorf("Constant by %s: %v, as a limit %v", a.Name, tensor, clip.Max)
		}
	}
	text := must[*graph.Tensor](t)(op.ConstantOf(b.node("Constant", attrs("value_strings",
		graph.Strings{"a", "b"}))))
	if len(text.Strings()) != 2 {
		t.Errorf("strings: %v", text)
	}
}

// TestViewErrors asks for messages that say what was found and what was wanted.
func TestViewErrors(t *testing.T) {
	b := newBench()
	w := b.weights(8, 6, 3, 3)
	conv := func(list ...any) error {
		_, err := op.ConvOf(b.node("Conv", attrs(list...), b.x, w))
		return err
	}
	second := func(_ any, err error) error { return err }
	for _, c := range []struct {
		err  error
		want string
	}{
		{conv("strides", graph.Int(2)), `attribute "strides" is of type int, want ints`},
		{conv("strides", graph.Ints{2}), `attribute "strides" is [2], want 2 entries`},
		{conv("strides", graph.Ints{0, 1}),
			`attribute "strides" is [0 1], want entries from 1 to 16777216`},
		{conv("pads", graph.Ints{1, 1}), `attribute "pads" is [1 1], want 4 entries`},
		{conv("pads", graph.Ints{1, 1, 1, -1}),
			`attribute "pads" is [1 1 1 -1], want entries from 0 to 16777216`},
		{conv("group", graph.Int(0)), `attribute "group" is 0, want 1 or more`},
		{conv("kernel_shape", graph.Ints{5, 5}),
			`attribute "kernel_shape" is [5 5], want [3 3] as the weights have`},
		{conv("auto_pad", graph.String("FULL")),
			`attribute "auto_pad" is "FULL", want one of ["NOTSET" "SAME_UPPER" "SAME_LOWER" "VALID"]`},
		{conv("auto_pad", graph.String("VALID"), "pads", graph.Ints{1, 1, 1, 1}),
			`attribute "pads" is [1 1 1 1] beside auto_pad VALID, want one of them`},
		{conv("group", graph.Ref{Name: "g", Type: graph.AttrInt}),
			`attribute "group" refers to the function's attribute "g", want a value`},
		{second(op.ConvOf(b.node("Conv", nil, b.x))), `input 1 (W) is missing`},
		{second(op.PoolOf(b.node("MaxPool", nil, b.x))),
			`attribute "kernel_shape" is missing, want one of type ints`},
		{second(op.ClipOf(b.node("Clip", nil, b.x, b.floats(1, 2)), 11)),
			`input 1 (min): found 2 elements, want 1`},
		{second(op.SplitOf(b.node("Split", attrs("split", graph.Ints{1, 2}), b.x), 11)),
			`split sizes are [1 2], want one per output, 1`},
		{second(op.SliceOf(b.node("Slice", nil, b.x, b.ints(1), b.ints(2, 3)), 11)),
			`ends has 2 entries, want as many as starts, 1`},
		{second(op.SliceOf(b.node("Slice", nil, b.x, b.ints(1), b.ints(2), nil, b.ints(0)), 11)),
			`steps is [0], want no zero`},
		{second(op.TransposeOf(b.node("Transpose", attrs("perm", graph.Ints{0, 2}), b.x))),
			`attribute "perm" is [0 2], want a permutation`},
		{second(op.PadOf(b.node("Pad", attrs("mode", graph.String("mirror")), b.x, b.ints(1, 1)), 11)),
			`attribute "mode" is "mirror", want one of ["constant" "reflect" "edge" "wrap"]`},
		{second(op.ResizeOf(b.node("Resize", nil, b.x, nil, b.floats(1, 2), b.ints(3)), 11)),
			`found scales given: true, sizes given: true; want exactly one of them`},
		{second(op.ResizeOf(b.node("Resize", nil, b.x, b.floats(1, 0)), 10)),
			`scales are [1 0], want numbers above 0`},
		{second(op.CastOf(b.node("Cast", attrs("to", graph.Int(99)), b.x))),
			`attribute "to" is 99, want the number of an element type`},
		{second(op.BlockOf(b.node("DepthToSpace", attrs("blocksize", graph.Int(0)), b.x))),
			`attribute "blocksize" is 0, want 1 or more`},
		{second(op.NeuronOf(b.node("MPRN", attrs("timesteps", graph.Int(4)), b.x, nil, b.scalar(1),
			b.scalar(1)))),
			`attribute "post" is 0, want 1: the neuron restores at the post step`},
		{second(op.NeuronOf(b.node("IF", attrs("timesteps", graph.Int(-4)), b.x, nil, b.scalar(1)))),
			`attribute "timesteps" is -4, want 0 to 65536`},
		{second(op.CPMOf(b.node("CPM", nil, b.x, b.x, w))),
			`attribute "pads" is [0 0 0 0], want pads that keep the size for kernel [3 3] (axis 0: 2)`},
	} {
		if c.err == nil {
			t.Errorf("no error, want %s", c.want)
			continue
		}
		e, ok := c.err.(*op.Error)
		if !ok || e.Problem != c.want {
			t.Errorf("error %v, want %s", c.err, c.want)
		}
	}
}
