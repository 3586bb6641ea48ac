package diff

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"spikingir/graph"
)

func build(t *testing.T, d graph.DType, elems any) *graph.Tensor {
	t.Helper()
	b, err := binary.Append(nil, binary.LittleEndian, elems)
	if err != nil {
		t.Fatal(err)
	}
	x, err := graph.NewTensor(d, []int64{int64(len(b) * 8 / d.Bits())}, b)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func texts(t *testing.T, elems ...string) *graph.Tensor {
	t.Helper()
	var list [][]byte
	for _, s := range elems {
		list = append(list, []byte(s))
	}
	x, err := graph.NewStrings([]int64{int64(len(list))}, list)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func outside(t *testing.T, place string) *graph.Tensor {
	t.Helper()
	x, err := graph.NewExternal(graph.Float32, []int64{2},
		&graph.External{Entries: graph.Metadata{{Key: "location", Value: place}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestAttributeText(t *testing.T) {
	of := float2
	sparse := &graph.SparseTensor{Values: floats(5), Indices: graph.NewInt64([]int64{1}, []int64{2}),
		Dims: []int64{4}}
	for _, c := range []struct {
		attr graph.Attr
		want string
	}{
		{graph.Int(1), "int 1"},
		{graph.Float(1), "float 1"},
		{graph.Float(0.1), "float 0.1"},
		{graph.Float(math.Inf(-1)), "float -Inf"},
		{graph.String("a b"), `string "a b"`},
		{graph.Ints{1, -2}, "ints [1, -2]"},
		{graph.Ints{}, "ints []"},
		{graph.Floats{0.1, 1e-9}, "floats [0.1, 1e-09]"},
		{graph.Strings{"a b", "c"}, `strings ["a b", "c"]`},
		{floats(1, 2), "tensor float[2] [1, 2]"},
		{graph.Tensors{graph.Scalar(1), graph.Scalar(2)}, "tensors [float[] [1], float[] [2]]"},
		{graph.Tensors{}, "tensors []"},
		{(*graph.Tensor)(nil), "tensor none"},
		{graph.New("g", nil), "graph"},
		{graph.Graphs{graph.New("g", nil)}, "graphs [1]"},
		{of, "type_proto float[2]"},
		{graph.Types{of, {Kind: graph.SequenceType, Of: &of}}, "type_protos [float[2], seq(float[2])]"},
		{sparse, "sparse_tensor sparse [4], values float[1] [5], indices int64[1] [2]"},
		{graph.SparseTensors{sparse, nil},
			"sparse_tensors [sparse [4], values float[1] [5], indices int64[1] [2], none]"},
		{graph.Ref{Name: "k", Type: graph.AttrInt}, "int @k"},
	} {
		if got := attribute(c.attr); got != c.want {
			t.Errorf("%T prints as %s, want %s", c.attr, got, c.want)
		}
	}
}

func TestTensorText(t *testing.T) {
	for _, c := range []struct {
		tensor *graph.Tensor
		want   string
	}{
		{graph.Scalar(1.5), "float[] [1.5]"},
		{floats(), "float[0] []"},
		{floats(1, 2, 3, float32(math.Inf(1))), "float[4] [1, 2, 3, +Inf]"},
		{build(t, graph.Float64, []float64{1.0000000001}), "double[1] [1.0000000001]"},
		{build(t, graph.Float16, []uint16{0x3c00}), "float16[1] [1]"},
		{build(t, graph.Bool, []bool{true}), "bool[1] [1]"},
		{texts(t, "a", "b c"), `string[2] ["a", "b c"]`},
		// Digests: sha256 of the bytes, by /usr/bin/sha256sum.
		{build(t, graph.Uint8, []byte("hello")), "uint8[5] sha256 2cf24dba5fb0"},
		{build(t, graph.Int4, []byte{0x21}), "int4[2] sha256 bb7208bc9b5d"},
		{outside(t, "f"), `float[2] not loaded, location "f"`},
		{&graph.Tensor{DType: graph.Float32, Dims: []int64{2}}, "float[2] not loaded"},
		{&graph.Tensor{DType: graph.Float32, Dims: []int64{-2}}, "float[-2]"},
	} {
		if got := tensor(c.tensor); got != c.want {
			t.Errorf("the tensor prints as %s, want %s", got, c.want)
		}
	}
}

func TestDistance(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		name string
		a, b *graph.Tensor
		want string
	}{
		{"far", floats(1, 2, 3), floats(1, 2.5, 2.75), ", largest difference 0.5"},
		{"zeros", floats(0), floats(float32(math.Copysign(0, -1))), ", largest difference 0"},
		{"both infinite", floats(inf, 1), floats(inf, 2), ", largest difference 1"},
		{"one infinite", floats(inf), floats(1), ", largest difference +Inf"},
		{"both NaN", floats(nan, 1), floats(nan, 2), ", largest difference 1"},
		{"one NaN", floats(nan, 1), floats(3, 1), ", largest difference +Inf"},
		{"NaN first, then far", floats(nan, 1), floats(3, 9), ", largest difference +Inf"},
		{"double", build(t, graph.Float64, []float64{1}), build(t, graph.Float64, []float64{1 + 1e-12}),
			", largest difference 1e-12"},
		{"float and half", floats(1), build(t, graph.Float16, []uint16{0x4000}), ", largest difference 1"},
		{"integers", build(t, graph.Int32, []int32{5}), build(t, graph.Int32, []int32{-5}),
			", largest difference 10"},
		{"other dimensions", floats(1), floats(1, 2), ""},
		{"strings", texts(t, "a"), texts(t, "b"), ""},
		{"not loaded", outside(t, "f"), floats(1, 2), ""},
		{"sparse", nil, floats(1), ""},
		{"empty", floats(), floats(), ""},
	} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		if got := distance(c.b, c.a); got != c.want {
			t.Errorf("%s, sides exchanged: got %q, want %q", c.name, got, c.want)
		}
	}
}

// initializer is a model with one initializer.
func initializer(x *graph.Tensor, s *graph.SparseTensor) *graph.Model {
	g := graph.New("g", nil)
	v, err := g.NewValue("w")
	if err != nil {
		panic(err)
	}
	g.SetInitializer(v, x, s)
	return &graph.Model{Graph: g}
}

// TestChangedInitializers covers contents of every form, each against all others.
func TestChangedInitializers(t *testing.T) {
	sparse := func(at int64) *graph.SparseTensor {
		return &graph.SparseTensor{Values: floats(5), Dims: []int64{4},
			Indices: graph.NewInt64([]int64{1}, []int64{at})}
	}
	five := []float32{1, 2, 3, 4, 5}
	models := []*graph.Model{
		initializer(floats(1, 2), nil),
		initializer(floats(1, 3), nil),
		initializer(floats(five...), nil),
		initializer(floats(1, 2, 3, 4, 6), nil),
		initializer(graph.NewFloat32([]int64{5, 1}, five), nil),
		initializer(build(t, graph.Float64, []float64{1, 2}), nil),
		initializer(build(t, graph.Float64, []float64{1, 2 + 1e-12}), nil),
		initializer(floats(math.Float32frombits(0x7fc00000), 2), nil),
		initializer(floats(math.Float32frombits(0x7fc00001), 2), nil),
		initializer(texts(t, "a", "b"), nil),
		initializer(texts(t, "a", "c"), nil),
		initializer(outside(t, "f"), nil),
		initializer(outside(t, "g"), nil),
		initializer(nil, sparse(1)),
		initializer(nil, sparse(2)),
	}
	for i, a := range models {
		for j, b := range models {
			r := Models(a, b)
			if r.Same != (i == j) {
				t.Errorf("models %d and %d: same is %v", i, j, r.Same)
			}
			if i != j && (len(r.Entries) != 1 || r.Entries[0].Change != Changed ||
				r.Entries[0].Name != "w" || r.Entries[0].A == r.Entries[0].B && i != 7 && j != 7) {
				t.Errorf("models %d and %d: %v", i, j, r.Entries)
			}
		}
	}
	if e := Models(models[2], models[3]).Entries[0]; !strings.Contains(e.B, "sha256 ") ||
		!strings.HasSuffix(e.B, ", largest difference 1") {
		t.Errorf("a large tensor is told as %v", e)
	}
}
