package ops

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel/machine"
)

// single makes a graph of one node with one output; a nil input is omitted.
func single(t *testing.T, o string, attrs graph.Attrs, in ...*Tensor) *graph.Node {
	t.Helper()
	g := graph.New("test", nil)
	values := make([]*graph.Value, len(in))
	for i, x := range in {
		if x != nil {
			values[i] = g.AddInput(fmt.Sprintf("in%d", i), graph.TensorOf(x.DType, nil))
		}
	}
	n := g.AddNode(graph.Op{Type: o}, attrs, values, "out")
	n.Name = "the_node"
	return n
}

// freeze makes input i of the node a constant.
func freeze(t *testing.T, n *graph.Node, i int, x *Tensor) {
	t.Helper()
	g, err := x.Graph()
	if err != nil {
		t.Fatal(err)
	}
	n.SetInput(i, n.Graph().AddInitializer(fmt.Sprintf("const%d", i), g))
}

func attrs(list ...any) (as graph.Attrs) {
	for i := 0; i < len(list); i += 2 {
		as.Set(list[i].(string), list[i+1].(graph.Attr))
	}
	return as
}

// random makes a float tensor of numbers round 0.
func random(rng *rand.Rand, dims ...int) *Tensor {
	x := zeros(graph.Float32, dims...)
	for i := range x.F32 {
		x.F32[i] = float32(rng.NormFloat64())
	}
	return x
}

// Inputs large enough to be cut over threads give the same bits on any number
// of them.
func TestThreads(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	x, y := random(rng, 2, 6, 101, 97), random(rng, 6, 1, 97)
	cube, weight := random(rng, 1, 3, 30, 31, 32), random(rng, 4, 3, 3, 3)
	cases := []struct {
		op    string
		attrs graph.Attrs
		in    []*Tensor
	}{
		{"Relu", nil, []*Tensor{x}}, {"Sigmoid", nil, []*Tensor{x}}, {"Add", nil, []*Tensor{x, y}},
		{"Sub", nil, []*Tensor{x, Floats([]float32{0.3})}},
		{"Div", nil, []*Tensor{Floats([]float32{0.3}), x}},
		{"PRelu", nil, []*Tensor{x, random(rng, 6, 1, 1)}},
		{"Conv", attrs("pads", graph.Ints{1, 1, 1, 1}),
			[]*Tensor{x, random(rng, 8, 6, 3, 3), random(rng, 8)}},
		{"Conv", nil, []*Tensor{cube, random(rng, 2, 3, 3, 3, 3)}},
		{"ConvTranspose", attrs("strides", graph.Ints{2, 2}), []*Tensor{x, random(rng, 6, 2, 4, 4)}},
		{"ConvTranspose", nil, []*Tensor{cube, random(rng, 3, 2, 2, 2, 2)}},
		{"MatMul", nil, []*Tensor{random(rng, 300, 200), random(rng, 200, 150)}},
		{"InstanceNormalization", nil, []*Tensor{x, random(rng, 6), random(rng, 6)}},
		{"AveragePool", attrs("kernel_shape", graph.Ints{3, 3}), []*Tensor{x}},
		{"MaxPool", attrs("kernel_shape", graph.Ints{3, 3}), []*Tensor{x}},
		{"GlobalAveragePool", nil, []*Tensor{x}},
		{"ReduceSum", nil, []*Tensor{x, Ints([]int64{1, 3}, 2)}},
		{"Softmax", attrs("axis", graph.Int(1)), []*Tensor{x}},
		{"Transpose", nil, []*Tensor{x}},
		{"DepthToSpace", attrs("blocksize", graph.Int(2)), []*Tensor{random(rng, 1, 8, 90, 91)}},
		{"Pad", attrs("mode", graph.String("reflect")),
			[]*Tensor{x, Ints([]int64{0, 0, 3, 3, 0, 0, 3, 3}, 8)}},
		{"Resize", attrs("mode", graph.String("cubic")),
			[]*Tensor{x, nil, Floats([]float32{1, 1, 1.7, 0.6}, 4)}},
		{"Where", nil, []*Tensor{castTo(&Env{}, x, graph.Bool), x, y}},
		{"LayerNormalization", nil, []*Tensor{x, random(rng, 97)}},
		{"GroupNormalization", attrs("num_groups", graph.Int(2)), []*Tensor{x, random(rng, 2), random(rng, 2)}},
		{"GridSample", attrs("mode", graph.String("cubic")), []*Tensor{x, random(rng, 2, 80, 90, 2)}},
		{"Einsum", attrs("equation", graph.String("bchw,bdhw->bcdh")), []*Tensor{x, x}},
		{"DeformConv", nil, []*Tensor{x, random(rng, 8, 6, 3, 3), random(rng, 2, 18, 99, 95)}},
		{"Less", nil, []*Tensor{x, y}}, {"Gemm", nil,
			[]*Tensor{weight.view([]int{36, 3}), random(rng, 3, 5000)}},
	}
	for i, c := range cases {
		t.Run(fmt.Sprintf("%d%s", i, c.op), func(t *testing.T) {
			bound, err := Bind(single(t, c.op, c.attrs, c.in...), max(17, op.Lookup(graph.Op{Type: c.op}).Since))
			if err != nil {
				t.Fatal(err)
			}
			want, err := bound.Run(&Env{}, c.in)
			if err != nil {
				t.Fatal(err)
			}
			for _, threads := range []int{2, 3, 8} {
				pool := machine.NewPool(threads)
				got, err := bound.Run(&Env{Pool: pool, Alloc: dirty}, c.in)
				if err != nil {
					t.Fatal(err)
				}
				if !sameBits(got[0], want[0]) {
					t.Errorf("%d threads give other bits than one", threads)
				}
				pool.Close()
			}
		})
	}
}

func TestErrors(t *testing.T) {
	f, i := zeros(graph.Float32, 1, 4, 5, 5), zeros(graph.Int64, 2)
	w := zeros(graph.Float32, 2, 4, 3, 3)
	cases := []struct {
		op    string
		attrs graph.Attrs
		opset int64
		in    []*Tensor
		want  string // in the text, beside the node's name
	}{
		{"Conv", nil, 13, []*Tensor{zeros(graph.Float32, 1, 3, 5, 5), w}, "want 4 channels"},
		{"Conv", nil, 13, []*Tensor{zeros(graph.Float32, 4, 5, 5), w}, "want rank 4"},
		{"Conv", nil, 13, []*Tensor{zeros(graph.Float32, 1, 4, 2, 5), w}, "does not fit"},
		{"Conv", nil, 13, []*Tensor{f, w, zeros(graph.Float32, 3)}, "want dimensions [2]"},
		{"Conv", nil, 13, []*Tensor{f, i}, "want a floating point type"},
		{"Conv", attrs("group", graph.Int(3)), 13, []*Tensor{f, w}, "3 groups"},
		{"Conv", attrs("kernel_shape", graph.Ints{2, 2}), 13,
			[]*Tensor{f, w}, "want a kernel of [2 2]"},
		{"ConvTranspose", nil, 13, []*Tensor{f, w}, "want 2 channels"},
		{"ConvTranspose", attrs("pads", graph.Ints{9, 9, 9, 9}), 13,
			[]*Tensor{f, zeros(graph.Float32, 4, 1, 3, 3)}, "does not fit"},
		{"Add", nil, 13, []*Tensor{f, zeros(graph.Float32, 3)}, "do not broadcast"},
		{"Add", nil, 13, []*Tensor{f, i}, "want float as input 0"},
		{"Einsum", attrs("equation", graph.String("aabc->bc")), 13, []*Tensor{f}, "sizes 1 and 4 along a, want a diagonal"},
		{"Add", nil, 5, []*Tensor{f, f}, "opset 5"},
		{"Div", nil, 13, []*Tensor{i, i}, "divided by zero"},
		{"Sigmoid", nil, 13, []*Tensor{i}, "want a floating point type"},
		{"Reshape", nil, 13, []*Tensor{f, Ints([]int64{3, -1}, 2)}, "cannot view"},
		{"Reshape", nil, 13, []*Tensor{f, Ints([]int64{-1, -1}, 2)}, "entry 1 is -1"},
		{"Concat", attrs("axis", graph.Int(0)), 13, []*Tensor{f, w}, "want it to equal"},
		{"Concat", attrs("axis", graph.Int(4)), 13, []*Tensor{f}, "want -4 to 3"},
		{"Gather", nil, 13, []*Tensor{f, Ints([]int64{1}, 1)}, "index 1 of axis 0"},
		{"Gather", nil, 13, []*Tensor{f, f}, "want int32 or int64"},
		{"Slice", nil, 13, []*Tensor{f, Ints([]int64{0}, 1), Ints([]int64{1}, 1),
			Ints([]int64{0}, 1), Ints([]int64{0}, 1)}, "step of axis 0 is 0"},
		{"Transpose", attrs("perm", graph.Ints{1, 0}), 13, []*Tensor{f}, "want 4 entries"},
		{"Expand", nil, 13, []*Tensor{f, Ints([]int64{1 << 30, 1 << 30}, 2)}, "do not broadcast"},
		{"Expand", nil, 13,
			[]*Tensor{Floats([]float32{1}), Ints([]int64{1 << 30, 1 << 30}, 2)}, "too large"},
		{"ConstantOfShape", nil, 13, []*Tensor{Ints([]int64{-1}, 1)}, "want each from 0"},
		{"Tile", nil, 13, []*Tensor{f, Ints([]int64{2}, 1)}, "want 4 entries"},
		{"MatMul", nil, 13, []*Tensor{f, w}, "want equal inner dimensions"},
		{"BatchNormalization", nil, 13, []*Tensor{f, zeros(graph.Float32, 4), zeros(graph.Float32, 4),
			zeros(graph.Float32, 3), zeros(graph.Float32, 4)}, "input 3 (mean)"},
		{"BatchNormalization", attrs("spatial", graph.Int(0)), 8,
			[]*Tensor{f, f, f, f, f}, "spatial is 0"},
		{"MaxPool", attrs("kernel_shape", graph.Ints{3}), 13, []*Tensor{f}, "want rank 3"},
		{"MaxPool", attrs("kernel_shape", graph.Ints{}), 13, []*Tensor{zeros(graph.Float32, 2, 3)}, "want rank 3 or more"},
		{"Resize", attrs("mode", graph.String("linear")), 13,
			[]*Tensor{i, nil, Floats([]float32{2}, 1)}, "mode linear"},
		{"Resize", nil, 13, []*Tensor{f, nil, Floats([]float32{2}, 1)}, "want 4"},
		{"Resize", nil, 13, []*Tensor{f, nil, nil, Ints([]int64{1, 4, 1 << 32, 1 << 32}, 4)}, "too large"},
		{"Resize", nil, 13, []*Tensor{f, nil, Floats([]float32{1, 1, 1e8, 1e8}, 4)}, "too large"},
		{"Resize", nil, 13, []*Tensor{zeros(graph.Float32, 1, 0, 5, 5), nil, nil, Ints([]int64{1, 3, 5, 5}, 4)}, "is empty"},
		{"Dropout", nil, 13, []*Tensor{f, nil, {DType: graph.Bool, I64: []int64{1}}}, "training mode"},
		{"QuantizeLinear", nil, 13, []*Tensor{f, floats(1, 2)}, "input 1 (scale) is float[2], want dimensions [4]"},
		{"QuantizeLinear", nil, 13, []*Tensor{f, floats(1), typed(graph.Uint8, 1, 2)}, "want dimensions [1] as those of the scale"},
		{"QuantizeLinear", nil, 13, []*Tensor{f, floats(1), typed(graph.Int32, 1)}, "it quantises to int32"},
		{"QuantizeLinear", nil, 13, []*Tensor{i, floats(1)}, "input 0 is of type int64"},
		{"QuantizeLinear", attrs("axis", graph.Int(4)), 13, []*Tensor{f, floats(1, 2)}, "axis 4 of a tensor of rank 4"},
		{"QuantizeLinear", attrs("block_size", graph.Int(3)), 21, []*Tensor{f, zeros(graph.Float32, 1, 4, 5, 5)}, "want dimensions [1 2 5 5]"},
		{"QuantizeLinear", attrs("block_size", graph.Int(-1)), 21, []*Tensor{f, floats(1)}, "want 0 or more"},
		{"QuantizeLinear", attrs("output_dtype", graph.Int(99)), 21, []*Tensor{f, floats(1)}, "want the number of an element type"},
		{"DequantizeLinear", nil, 13, []*Tensor{f, floats(1)}, "input 0 is of type float"},
		{"DequantizeLinear", nil, 13, []*Tensor{typed(graph.Int8, 1), floats(1), typed(graph.Uint8, 0)}, "is of type uint8, want int8"},
		{"DequantizeLinear", nil, 13, []*Tensor{typed(graph.Int8, 1), i}, "want a floating point type"},
		{"Cast", attrs("to", graph.Int(graph.StringType)), 13, []*Tensor{f}, "cast to string"},
		{"Frobnicate", nil, 13, []*Tensor{f}, "cannot be run"},
		{"Pad", nil, 13, []*Tensor{f, Ints(make([]int64, 7), 7)}, "want 8"},
		{"Range", nil, 13,
			[]*Tensor{Floats([]float32{0}), Floats([]float32{1}), Floats([]float32{0})},
			"range of"},
		{"Softmax", attrs("axis", graph.Int(7)), 13, []*Tensor{f}, "axis 7"},
		{"Not", nil, 13, []*Tensor{f}, "want bool"},
	}
	for _, c := range cases {
		n := single(t, c.op, c.attrs, c.in...)
		bound, err := Bind(n, c.opset)
		if err == nil {
			_, err = bound.Run(&Env{}, c.in)
		}
		text := fmt.Sprint(err)
		if err == nil || !strings.Contains(text, c.want) || !strings.Contains(text, "the_node") {
			t.Errorf("%s of %v: error %v, want the node and %q", c.op, c.in, err, c.want)
		}
	}
}

// An empty result is one, however long its other axes are, and an empty axis has no ratio
// to keep.
func TestResizeEmpty(t *testing.T) {
	for _, c := range []struct {
		dims   []int
		policy string
		sizes  []int64
	}{
		{[]int{0, 1, 2, 2}, "stretch", []int64{0, 1, 1 << 32, 2}},
		{[]int{1, 0, 5, 5}, "not_larger", []int64{1, 0, 5, 5}},
		{[]int{0, 0}, "not_smaller", []int64{0, 0}},
	} {
		in := []*Tensor{zeros(graph.Float32, c.dims...), nil, nil, Ints(c.sizes, len(c.sizes))}
		o, err := Bind(single(t, "Resize", attrs("keep_aspect_ratio_policy", graph.String(c.policy)), in...), 18)
		if err != nil {
			t.Fatal(err)
		}
		out, err := o.Run(&Env{}, in)
		if err != nil || !slices.Equal(sizesOf(out[0].Dims), c.sizes) {
			t.Errorf("%v to %v: %v, %v", c.dims, c.sizes, out, err)
		}
	}
}

// The mask of a Dropout is of the input's type before opset 10, and of bools from then on.
func TestDropoutMask(t *testing.T) {
	for opset, want := range map[int64]graph.DType{7: graph.Float32, 10: graph.Bool, 13: graph.Bool} {
		g := graph.New("test", nil)
		n := g.AddNode(graph.Op{Type: "Dropout"}, nil, []*graph.Value{g.AddInput("x", graph.Type{})}, "y", "mask")
		o, err := Bind(n, opset)
		if err != nil {
			t.Fatal(err)
		}
		out, err := o.Run(&Env{}, []*Tensor{zeros(graph.Float32, 2, 3)})
		if err != nil {
			t.Fatal(err)
		}
		ones := want == graph.Bool && out[1].I64[5] == 1 || want == graph.Float32 && len(out[1].F32) == 6 && out[1].F32[5] == 1
		if out[1].DType != want || !ones {
			t.Errorf("opset %d: the mask is %v, want %v[2,3] of ones", opset, out[1], want)
		}
	}
}

// A Split without sizes cuts equal parts; from opset 18 on the last may be smaller.
func TestSplitUneven(t *testing.T) {
	for opset, want := range map[int64]string{13: "axis 0 of float[4] in 3 parts, want a multiple", 18: ""} {
		g := graph.New("test", nil)
		as := attrs("axis", graph.Int(0))
		if opset >= 18 {
			as.Set("num_outputs", graph.Int(3))
		}
		n := g.AddNode(graph.Op{Type: "Split"}, as, []*graph.Value{g.AddInput("x", graph.Type{})}, "a", "b", "c")
		o, err := Bind(n, opset)
		if err != nil {
			t.Fatal(err)
		}
		out, err := o.Run(&Env{}, []*Tensor{zeros(graph.Float32, 4)})
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("opset %d: %v, want %q", opset, err, want)
			}
		} else if err != nil || out[0].Len() != 2 || out[1].Len() != 2 || out[2].Len() != 0 {
			t.Errorf("opset %d: %v, %v, want 2, 2 and no elements", opset, out, err)
		}
	}
}

func TestRunChecksInputs(t *testing.T) {
	x := zeros(graph.Float32, 2)
	bound, err := Bind(single(t, "Add", nil, x, x), 13)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range [][]*Tensor{{x}, {x, nil}, {x, x, x}} {
		if _, err := bound.Run(&Env{}, in); err == nil {
			t.Errorf("inputs %v pass, want an error", in)
		}
	}
}

// No input that fits the node makes an operator panic: whatever its type and
// shape, there is a result or an error.
func TestNoPanic(t *testing.T) {
	odd := []*Tensor{
		zeros(graph.Float32), zeros(graph.Int64), zeros(graph.Bool, 1), zeros(graph.Float32, 0),
		zeros(graph.Int64, 0), zeros(graph.Float32, 2, 0, 3), zeros(graph.Float32, 1, 1, 1, 1, 1, 1),
		Ints([]int64{-1, 5, 1 << 40}, 3), Floats([]float32{-3, 1e30}, 2), zeros(graph.Uint8, 1, 2, 3, 4),
		Ints([]int64{-9223372036854775808, 9223372036854775807}, 2), zeros(graph.Float16, 3, 3),
	}
	for _, file := range []string{"onnx.json.gz", "torch.json.gz"} {
		for _, v := range loadVectors(t, file) {
			for name, original := range v.Inputs {
				for _, x := range odd {
					g, err := x.Graph()
					if err != nil {
						t.Fatal(err)
					}
					v.Inputs[name] = &vectorTensor{g.DType, g.Dims, g.Bytes()}
					runSafely(t, v, x)
				}
				v.Inputs[name] = original
			}
		}
	}
}

func runSafely(t *testing.T, v *vector, x *Tensor) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("%s with an input %v panics: %v", v.Name, x, r)
		}
	}()
	for _, frozen := range []bool{false, true} {
		if _, err := v.run(t, &Env{}, frozen); err != nil && err.Error() == "" {
			t.Errorf("%s with an input %v: empty error", v.Name, x)
		}
	}
}
