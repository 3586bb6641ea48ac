package ops

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"spikingir/graph"
	"spikingir/runtime/kernel/machine"
)

// typed makes an integer or bool tensor.
func typed(d graph.DType, elems ...int64) *Tensor {
	return &Tensor{DType: d, Dims: []int{len(elems)}, I64: elems}
}

func scalarOf(d graph.DType, x int64) *Tensor {
	return &Tensor{DType: d, Dims: []int{}, I64: []int64{x}}
}

func floats(elems ...float32) *Tensor { return Floats(elems, len(elems)) }

func whole(elems ...int64) *Tensor { return Ints(elems, len(elems)) }

// Results worked out by hand, for what the reference vectors do not reach.
func TestValues(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	square := Floats([]float32{1, 2, 3, 4}, 1, 1, 2, 2)
	cases := []struct {
		op    string
		opset int64
		attrs graph.Attrs
		in    []*Tensor
		want  *Tensor
	}{
		// arithmetic wraps in the type, division goes towards zero
		{"Add", 14, nil,
			[]*Tensor{typed(graph.Int8, 127), typed(graph.Int8, 1)}, typed(graph.Int8, -128)},
		{"Sub", 14, nil,
			[]*Tensor{typed(graph.Uint8, 0), typed(graph.Uint8, 1)}, typed(graph.Uint8, 255)},
		{"Mul", 14, nil, []*Tensor{whole(3, -4), whole(5)}, whole(15, -20)},
		{"Div", 14, nil,
			[]*Tensor{whole(7, -7, math.MinInt64), whole(2, 2, -1)}, whole(3, -3, math.MinInt64)},
		{"Div", 14, nil, []*Tensor{typed(graph.Uint64, -2), typed(graph.Uint64, 2)},
			typed(graph.Uint64, math.MaxInt64)},
		{"Mod", 13, nil, []*Tensor{whole(7, -7, 7, -7), whole(3, 3, -3, -3)}, whole(1, 2, -2, -1)},
		{"Mod", 13, attrs("fmod", graph.Int(1)), []*Tensor{whole(-7, 7), whole(3, -3)}, whole(-1, 1)},
		{"Mod", 13, nil,
			[]*Tensor{typed(graph.Uint64, -1), typed(graph.Uint64, 10)}, typed(graph.Uint64, 5)},
		{"Pow", 13, nil, []*Tensor{whole(2, -3, 2, 1, -1, -1), whole(10, 3, -1, -5, -2, -3)},
			whole(1024, -27, 0, 1, 1, -1)},
		{"Pow", 13, nil, []*Tensor{whole(4, 9), floats(0.5)}, whole(2, 3)},
		{"Pow", 13, nil, []*Tensor{floats(2, 4), whole(-1)}, floats(0.5, 0.25)},
		{"Pow", 13, nil, []*Tensor{typed(graph.Int32, 3), whole(2)}, typed(graph.Int32, 9)},
		{"Max", 13, nil, []*Tensor{typed(graph.Uint64, -1, 3), typed(graph.Uint64, 1)},
			typed(graph.Uint64, -1, 3)},
		{"Max", 13, nil, []*Tensor{floats(nan, 1, -inf), floats(1, nan, 2)}, floats(nan, nan, 2)},
		{"Min", 13, nil, []*Tensor{floats(nan, 1, -inf), floats(1, nan, 2)}, floats(nan, nan, -inf)},
		{"Mean", 13, nil, []*Tensor{floats(1, 2)}, floats(1, 2)},
		{"Relu", 14, nil, []*Tensor{whole(-1, 2)}, whole(0, 2)},
		{"Relu", 14, nil, []*Tensor{floats(nan, -inf, inf)}, floats(nan, 0, inf)},
		{"PRelu", 16, nil, []*Tensor{whole(-2, 2), whole(3)}, whole(-6, 2)},
		{"Abs", 13, nil, []*Tensor{whole(-3, 3)}, whole(3, 3)},
		{"Neg", 13, nil, []*Tensor{typed(graph.Int8, -128, 1)}, typed(graph.Int8, -128, -1)},
		{"Sign", 13, nil, []*Tensor{whole(-3, 0, 9)}, whole(-1, 0, 1)},
		{"Clip", 13, nil, []*Tensor{whole(-5, 1<<53+1, 3), whole(-1), nil}, whole(-1, 1<<53+1, 3)},
		{"Clip", 13, nil, []*Tensor{typed(graph.Uint64, -1, 4), nil, typed(graph.Uint64, 9)},
			typed(graph.Uint64, 9, 4)},

		// comparisons follow the type's order
		{"Less", 13, nil, []*Tensor{whole(1, 2, 3), whole(2)}, typed(graph.Bool, 1, 0, 0)},
		{"Greater", 13, nil,
			[]*Tensor{typed(graph.Uint64, -1), typed(graph.Uint64, 1)}, typed(graph.Bool, 1)},
		{"LessOrEqual", 16, nil, []*Tensor{floats(nan, 1), floats(1)}, typed(graph.Bool, 0, 1)},
		{"GreaterOrEqual", 16, nil, []*Tensor{whole(1, 2), whole(2)}, typed(graph.Bool, 0, 1)},
		{"Equal", 13, nil,
			[]*Tensor{typed(graph.Bool, 0, 1), typed(graph.Bool, 1)}, typed(graph.Bool, 0, 1)},
		{"Equal", 13, nil, []*Tensor{floats(nan), floats(nan)}, typed(graph.Bool, 0)},

		// casts
		{"Cast", 13, attrs("to", graph.Int(graph.Bool)), []*Tensor{floats(0, -0.1, nan)},
			typed(graph.Bool, 0, 1, 1)},
		{"Cast", 13, attrs("to", graph.Int(graph.Int8)),
			[]*Tensor{whole(300)}, typed(graph.Int8, 44)},
		{"Cast", 13, attrs("to", graph.Int(graph.Float32)),
			[]*Tensor{typed(graph.Uint64, -1)}, floats(1 << 64)},

		// quantisation: halves to even, the nearest number of the type, one scale for an axis
		// or for a block
		{"QuantizeLinear", 13, nil, []*Tensor{floats(0.5, 1.5, -0.5, -9, 300, inf, -inf, nan), Floats([]float32{1})},
			typed(graph.Uint8, 0, 2, 0, 0, 255, 255, 0, 0)},
		{"QuantizeLinear", 13, nil, []*Tensor{floats(-5, 5, 1000), Floats([]float32{2}), scalarOf(graph.Int8, 1)},
			typed(graph.Int8, -1, 3, 127)},
		{"QuantizeLinear", 13, attrs("axis", graph.Int(-1)),
			[]*Tensor{Floats([]float32{1, 2, 3, 4}, 2, 2), floats(1, 2), typed(graph.Uint8, 7, 0)},
			&Tensor{DType: graph.Uint8, Dims: []int{2, 2}, I64: []int64{8, 1, 10, 2}}},
		{"QuantizeLinear", 10, nil, []*Tensor{typed(graph.Int32, 7, -3), Floats([]float32{2}), scalarOf(graph.Uint8, 9)},
			typed(graph.Uint8, 13, 7)},
		{"QuantizeLinear", 21, attrs("output_dtype", graph.Int(graph.Int16)),
			[]*Tensor{floats(-7e4, 33), Floats([]float32{1})}, typed(graph.Int16, -32768, 33)},
		{"DequantizeLinear", 13, nil, []*Tensor{typed(graph.Uint8, 0, 255), Floats([]float32{0.5}), scalarOf(graph.Uint8, 3)},
			floats(-1.5, 126)},
		{"DequantizeLinear", 13, attrs("axis", graph.Int(0)), []*Tensor{typed(graph.Int32, -8, 1<<20), floats(0.25, 2)},
			floats(-2, 1<<21)},
		{"DequantizeLinear", 21, attrs("axis", graph.Int(0), "block_size", graph.Int(2)),
			[]*Tensor{{DType: graph.Int8, Dims: []int{3, 2}, I64: []int64{1, 2, 3, 4, 5, 6}}, Floats([]float32{1, 10, 100, 1000}, 2, 2),
				{DType: graph.Int8, Dims: []int{2, 2}, I64: []int64{0, 1, 0, 0}}},
			Floats([]float32{1, 10, 3, 30, 500, 6000}, 3, 2)},

		// reductions
		{"ReduceSum", 13, nil, []*Tensor{whole(1, 2, 3)}, whole(6)},
		{"ReduceMean", 18, nil, []*Tensor{whole(1, 2, 4)}, whole(2)},
		{"ReduceProd", 18, nil, []*Tensor{whole(-2, 3)}, whole(-6)},
		{"ReduceMax", 18, nil, []*Tensor{whole(-2, 3)}, whole(3)},
		{"ReduceMin", 18, nil, []*Tensor{whole(-2, 3)}, whole(-2)},
		{"ReduceL2", 18, nil, []*Tensor{whole(3, 4)}, whole(5)},
		{"ReduceSum", 13, attrs("noop_with_empty_axes", graph.Int(1)),
			[]*Tensor{floats(1, 2)}, floats(1, 2)},
		{"ReduceSum", 13, nil, []*Tensor{floats()}, floats(0)},
		{"ArgMax", 13, nil, []*Tensor{typed(graph.Uint64, 1, -1, 2)}, whole(1)},
		{"ArgMax", 13, attrs("select_last_index", graph.Int(1)), []*Tensor{whole(5, 5, 1)}, whole(1)},

		// shapes
		{"MatMul", 13, nil,
			[]*Tensor{whole(1, 2, 3), Ints([]int64{1, 0, 0, 1, 1, 1}, 3, 2)}, whole(4, 5)},
		{"MatMul", 13, nil, []*Tensor{whole(1, 2), whole(3, 4)}, Ints([]int64{11})},
		{"Reshape", 14, attrs("allowzero", graph.Int(1)),
			[]*Tensor{zeros(graph.Float32, 0, 3), whole(3, 0)},
			zeros(graph.Float32, 3, 0)},
		{"Slice", 13, nil,
			[]*Tensor{whole(0, 1, 2, 3, 4), whole(-1), whole(math.MinInt64), whole(0), whole(-2)},
			whole(4, 2, 0)},
		{"Slice", 13, nil, []*Tensor{whole(0, 1, 2, 3), whole(5), whole(9)}, whole()},
		// a start before the first element is moved onto it where the step goes backwards
		{"Slice", 13, nil, []*Tensor{whole(0, 1, 2, 3), whole(-9), whole(math.MinInt64), whole(0), whole(-3)}, whole(0)},
		{"Slice", 13, nil, []*Tensor{whole(0, 1, 2, 3), whole(9), whole(-9), whole(0), whole(-2)}, whole(3, 1)},
		{"Slice", 13, nil, []*Tensor{whole(), whole(9), whole(-9), whole(0), whole(-1)}, whole()},
		{"Slice", 13, nil,
			[]*Tensor{whole(0, 1, 2), whole(0), whole(9), whole(0), whole(math.MaxInt64)}, whole(0)},
		{"Pad", 18, attrs("mode", graph.String("edge")),
			[]*Tensor{Ints([]int64{1, 2, 3, 4}, 2, 2), whole(0, 1),
				nil, whole(-1)}, Ints([]int64{1, 2, 2, 3, 4, 4}, 2, 3)},
		{"Pad", 13, nil, []*Tensor{whole(1, 2, 3), whole(-1, 1), whole(9)}, whole(2, 3, 9)},
		{"Pad", 13, attrs("mode", graph.String("reflect")), []*Tensor{whole(1, 2, 3), whole(3, 5)},
			whole(2, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2)},
		{"Tile", 13, nil, []*Tensor{whole(1, 2), whole(0)}, whole()},
		{"Gather", 13, nil, []*Tensor{whole(5, 6, 7), Ints([]int64{-1})}, Ints([]int64{7})},
		{"ConstantOfShape", 9, nil, []*Tensor{whole()}, Floats([]float32{0})},
		{"Range", 11, nil,
			[]*Tensor{Ints([]int64{5}), Ints([]int64{0}), Ints([]int64{-2})}, whole(5, 3, 1)},
		{"Range", 11, nil,
			[]*Tensor{Floats([]float32{1}), Floats([]float32{0}), Floats([]float32{1})}, floats()},

		// resizing; half_pixel_symmetric is an example of the standard's
		{"Resize", 19, attrs("mode", graph.String("linear"),
			"coordinate_transformation_mode", graph.String("half_pixel_symmetric")),
			[]*Tensor{square, nil, floats(1, 1, 2.3, 2.94)}, Floats([]float32{
				1, 1.15986395, 1.5, 1.84013605, 2,
				1.56521738, 1.72508133, 2.06521738, 2.40535343, 2.56521738,
				2.43478262, 2.59464657, 2.93478262, 3.27491867, 3.43478262,
				3, 3.15986395, 3.5, 3.84013605, 4}, 1, 1, 4, 5)},
		{"Resize", 18,
			attrs("axes", graph.Ints{2, 3}, "keep_aspect_ratio_policy", graph.String("not_smaller")),
			[]*Tensor{Floats([]float32{1, 2, 3, 4, 5, 6, 7, 8}, 1, 1, 2, 4), nil, nil, whole(1, 3)},
			Floats([]float32{1, 2, 4, 5, 6, 8}, 1, 1, 2, 3)},
		{"Resize", 18,
			attrs("axes", graph.Ints{-2, -1}, "keep_aspect_ratio_policy", graph.String("not_larger")),
			[]*Tensor{square, nil, nil, whole(4, 9)}, Floats([]float32{
				1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4}, 1, 1, 4, 4)},
		{"Resize", 13, attrs("coordinate_transformation_mode", graph.String("tf_half_pixel_for_nn"),
			"nearest_mode", graph.String("floor")),
			[]*Tensor{whole(1, 2, 3, 4), nil, nil, whole(2)}, whole(2, 4)},
		{"Resize", 10, nil, []*Tensor{whole(1, 2), floats(2)}, whole(1, 1, 2, 2)},
		{"Resize", 13, nil,
			[]*Tensor{zeros(graph.Float32, 0), nil, nil, whole(0)}, zeros(graph.Float32, 0)},
		{"MaxPool", 12, attrs("kernel_shape", graph.Ints{2}),
			[]*Tensor{{DType: graph.Int8, Dims: []int{1, 1, 3}, I64: []int64{-5, -7, 3}}},
			&Tensor{DType: graph.Int8, Dims: []int{1, 1, 2}, I64: []int64{-5, 3}}},
	}
	for i, c := range cases {
		got, err := runSingle(t, c.op, c.opset, c.attrs, c.in...)
		if err != nil {
			t.Errorf("case %d: %s: %v", i, c.op, err)
			continue
		}
		want := c.want
		if got[0].Len() == 1 && want.Len() == 1 && got[0].Rank() != want.Rank() {
			want = want.view(got[0].Dims) // keepdims and scalars are not the point here
		}
		if d := differ(got[0], want, 1e-6, 0); d != "" {
			t.Errorf("case %d: %s of %v: %s", i, c.op, c.in, d)
		}
	}
}

func runSingle(
	t *testing.T, o string, opset int64, as graph.Attrs, in ...*Tensor,
) ([]*Tensor, error) {
	t.Helper()
	bound, err := Bind(single(t, o, as, in...), opset)
	if err != nil {
		return nil, err
	}
	return bound.Run(&Env{Alloc: dirty}, in)
}

// The forms of before opset 11 take settings from attributes.
func TestAttributeForms(t *testing.T) {
	x := floats(-2, -1, 0, 1, 2)
	for _, c := range []struct {
		op    string
		opset int64
		attrs graph.Attrs
		want  *Tensor
	}{
		{"Clip", 6, attrs("min", graph.Float(-1.5)), floats(-1.5, -1, 0, 1, 2)},
		{"Pad", 10, attrs("pads", graph.Ints{1, 0}, "value", graph.Float(7)),
			floats(7, -2, -1, 0, 1, 2)},
		{"Slice", 9, attrs("starts", graph.Ints{1}, "ends", graph.Ints{-1}), floats(-1, 0, 1)},
		{"Unsqueeze", 11, attrs("axes", graph.Ints{0}), Floats(x.F32, 1, 5)},
		{"Upsample", 7, attrs("scales", graph.Floats{2}), floats(-2, -2, -1, -1, 0, 0, 1, 1, 2, 2)},
		{"ReduceSum", 11, attrs("axes", graph.Ints{0}, "keepdims", graph.Int(0)),
			Floats([]float32{0})},
		{"Dropout", 7, attrs("ratio", graph.Float(0.5)), x},
	} {
		got, err := runSingle(t, c.op, c.opset, c.attrs, x)
		if err != nil {
			t.Errorf("%s: %v", c.op, err)
			continue
		}
		if d := differ(got[0], c.want, 0, 0); d != "" {
			t.Errorf("%s: %s", c.op, d)
		}
	}
}

// float16 results are rounded to float16, double ones are not rounded.
func TestNarrowTypes(t *testing.T) {
	for d, want := range map[graph.DType]float32{
		graph.Float16: 0.33325195, graph.BFloat16: 0.33398438, graph.Float64: 1.0 / 3.0,
	} {
		x := &Tensor{DType: d, Dims: []int{1}, F32: []float32{3}}
		got, err := runSingle(t, "Reciprocal", 13, nil, x)
		if err != nil || got[0].DType != d || got[0].F32[0] != want {
			t.Errorf("1/3 in %v is %v, %v, want %v", d, got, err, want)
		}
	}
}

// TestPackedConv demands the same bits of convolutions whose weights are packed when
// they are bound and of those whose weights are computed.
func TestPackedConv(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	pool := machine.NewPool(2)
	defer pool.Close()
	for _, c := range []struct {
		attrs graph.Attrs
		x, w  []int
	}{
		{attrs("pads", graph.Ints{1, 1, 1, 1}), []int{1, 4, 9, 7}, []int{6, 4, 3, 3}},
		{attrs("auto_pad", graph.String("SAME_UPPER"), "strides", graph.Ints{2, 2}),
			[]int{2, 4, 9, 8}, []int{6, 4, 3, 3}},
		{attrs("auto_pad", graph.String("SAME_LOWER"), "group", graph.Int(2)), []int{1, 4, 9, 8}, []int{6, 2, 4, 2}},
		{attrs("dilations", graph.Ints{2}), []int{1, 4, 11}, []int{3, 4, 3}},
	} {
		t.Run(fmt.Sprint(c.w), func(t *testing.T) {
			x, w := random(rng, c.x...), random(rng, c.w...)
			n := single(t, "Conv", c.attrs, x, w)
			run := func() *Tensor {
				bound, err := Bind(n, 13)
				if err != nil {
					t.Fatal(err)
				}
				got, err := bound.Run(&Env{Pool: pool}, []*Tensor{x, w})
				if err != nil {
					t.Fatal(err)
				}
				return got[0]
			}
			want := run()
			freeze(t, n, 1, w)
			if !sameBits(run(), want) {
				t.Errorf("packed weights give other bits than computed ones")
			}
		})
	}
}

// Convolutions of computed weights, of other ranks by the plain loops, agree
// with the packed kernels.
func TestPlainLoops(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	x, w := random(rng, 2, 4, 7, 6), random(rng, 4, 3, 3, 2)
	for _, c := range []struct {
		op           string
		flat, raised graph.Attrs
	}{
		{"Conv", attrs("strides", graph.Ints{2, 1}, "pads", graph.Ints{1, 0, 2, 1}),
			attrs("strides", graph.Ints{1, 2, 1}, "pads", graph.Ints{0, 1, 0, 0, 2, 1})},
		{"ConvTranspose", attrs("strides", graph.Ints{2, 3}, "output_padding", graph.Ints{1, 2}),
			attrs("strides", graph.Ints{1, 2, 3}, "output_padding", graph.Ints{0, 1, 2})},
	} {
		weight := w
		if c.op == "Conv" {
			weight = w.view([]int{3, 4, 3, 2})
		}
		d := weight.Dims
		flat, err := runSingle(t, c.op, 13, c.flat, x, weight)
		if err != nil {
			t.Fatal(err)
		}
		raised, err := runSingle(t, c.op, 13, c.raised, x.view([]int{2, 4, 1, 7, 6}),
			weight.view([]int{d[0], d[1], 1, d[2], d[3]}))
		if err != nil {
			t.Fatal(err)
		}
		if diff := differ(raised[0].view(flat[0].Dims), flat[0], 1e-5, 1e-5); diff != "" {
			t.Errorf("%s over three axes and over two: %s", c.op, diff)
		}
	}
}

// TestRepack runs convolutions with other weights than those that they were bound to.
func TestRepack(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 8))
	x, w, other := random(rng, 1, 4, 7, 6), random(rng, 4, 4, 3, 3), random(rng, 4, 4, 3, 3)
	for _, o := range []string{"Conv", "ConvTranspose"} {
		n := single(t, o, nil, x, w)
		want, err := runSingle(t, o, 13, nil, x, other)
		if err != nil {
			t.Fatal(err)
		}
		freeze(t, n, 1, w)
		bound, err := Bind(n, 13)
		if err != nil {
			t.Fatal(err)
		}
		got, err := bound.Run(&Env{Repack: true}, []*Tensor{x, other})
		if err != nil {
			t.Fatal(err)
		}
		if !sameBits(got[0], want[0]) {
			t.Errorf("%s takes the weights that it was bound to", o)
		}
	}
}
