package text_test

import (
	"errors"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"spikingir/graph"
	"spikingir/onnxio/text"
)

// TestGolden parses the section in of every case and compares what is printed
// with the section out, which must print as itself. A case without in shows a
// source that is canonical already. UPDATE=1 rewrites out.
func TestGolden(t *testing.T) {
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 5 {
		t.Errorf("found %d files in testdata, want the golden cases", len(files))
	}
	for _, f := range files {
		if f.IsDir() {
			continue // the fuzzer's corpus
		}
		t.Run(f.Name(), func(t *testing.T) { golden(t, "testdata/"+f.Name()) })
	}
}

func golden(t *testing.T, file string) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out *txtar.File
	in := ""
	for i := range a.Files {
		switch a.Files[i].Name {
		case "in":
			in = string(a.Files[i].Data)
		case "out":
			out = &a.Files[i]
		default:
			t.Fatalf("found section %q, want in or out", a.Files[i].Name)
		}
	}
	if out == nil || len(a.Comment) == 0 {
		t.Fatal("the case lacks its comment or its section out")
	}
	if in == "" {
		in = string(out.Data)
	}
	got := text.Format(parse(t, in))
	if os.Getenv("UPDATE") != "" {
		out.Data = []byte(got)
		if err := os.WriteFile(file, txtar.Format(a), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(string(out.Data), got); d != "" {
		t.Errorf("printed (-golden +got):\n%s", d)
	}
	if again := text.Format(parse(t, got)); again != got {
		t.Errorf("prints otherwise once parsed:\n%s", cmp.Diff(got, again))
	}
}

func parse(t *testing.T, src string) *graph.Model {
	t.Helper()
	m, err := text.Parse(src)
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	return m
}

// TestAttributes reads attributes of every type, with and without it written.
func TestAttributes(t *testing.T) {
	inf, nan := float32(math.Inf(1)), math.Float32frombits(0x7fc00000)
	tests := []struct {
		src  string
		want graph.Attr
	}{
		{"a = 3", graph.Int(3)},
		{"a = -9223372036854775808", graph.Int(math.MinInt64)},
		{"a: int = 3", graph.Int(3)},
		{"a = 3.0", graph.Float(3)},
		{"a = 1e-07", graph.Float(1e-7)},
		{"a = 1E+2", graph.Float(100)},
		{"a = -.5e1", nil},
		{"a = 0x1p4", nil},
		{"a: float = 16777217", graph.Float(16777216)},
		{"a = inf", graph.Float(inf)},
		{"a = -Infinity", graph.Float(-inf)},
		{"a = NaN", graph.Float(nan)},
		{"a: float = -nan", graph.Float(math.Float32frombits(0xffc00000))},
		{"a = nan(0x7f800001)", graph.Float(math.Float32frombits(0x7f800001))},
		{"a = nan(0x3f800000)", nil},
		{`a = "x\"\\y"`, graph.String(`x"\y`)},
		{`a = "\n"`, graph.String("n")},
		{`a = $"\n\x00"`, graph.String("\n\x00")},
		{"a = \"x\ny\"", graph.String("x\ny")},
		{"a = [1, 2,-3]", graph.Ints{1, 2, -3}},
		{"a: ints = []", graph.Ints{}},
		{"a = [1, 2.5]", graph.Floats{1, 2.5}},
		{"a: floats = [1, inf]", graph.Floats{1, inf}},
		{"a: floats = []", graph.Floats{}},
		{`a = ["x", ""]`, graph.Strings{"x", ""}},
		{"a: strings = []", graph.Strings{}},
		{"a: string = 1", nil},
		{"a = [1, \"x\"]", nil},
		{"a = []", nil},
		{"a: int = [1]", nil},
		{"a: ints = 1", nil},
		{"a: int = 1.5", nil},
		{"a = float[2] {1, 2}", graph.NewFloat32([]int64{2}, []float32{1, 2})},
		{"a: tensor = int64 {7}", graph.NewInt64([]int64{}, []int64{7})},
		{"a = float[0] = {}", graph.NewFloat32([]int64{0}, []float32{})},
		{"a = [int64[1] {7}, int64[1] {8}]", graph.Tensors{
			graph.NewInt64([]int64{1}, []int64{7}), graph.NewInt64([]int64{1}, []int64{8})}},
		{"a: tensors = []", graph.Tensors{}},
		{"a = float[N,?]", graph.TensorOf(graph.Float32, graph.Shape{graph.Symbol("N"), {}})},
		{"a: type_proto = float", graph.TensorOf(graph.Float32, graph.Shape{})},
		{"a = seq(float[])", graph.Type{Kind: graph.SequenceType,
			Of: &graph.Type{Kind: graph.TensorType, Elem: graph.Float32}}},
		{"a = [float[], int64[2]]", graph.Types{graph.TensorOf(graph.Float32, nil),
			graph.TensorOf(graph.Int64, graph.ShapeOf(2))}},
		{"a: type_protos = []", graph.Types{}},
		{"a = sparse_tensor(float[9]) {float[1] {2}, int64[1] {5}}", &graph.SparseTensor{
			Values:  graph.NewFloat32([]int64{1}, []float32{2}),
			Indices: graph.NewInt64([]int64{1}, []int64{5}), Dims: []int64{9}}},
		{"a: sparse_tensors = []", graph.SparseTensors{}},
		{"a: graphs = []", graph.Graphs{}},
		{"a = @b", graph.Ref{Name: "b"}},
		{"a: floats = @b", graph.Ref{Name: "b", Type: graph.AttrFloats}},
		{"a: number = 1", nil},
		{"a = 9223372036854775808", graph.Float(9223372036854775808)},
		{"a: int = 9223372036854775808", nil},
		{"a = 1e99", nil},
		{"a = 1, a = 2", nil},
	}
	for _, test := range tests {
		m, err := text.Parse("g (float x) => (float y) { y = Op <" + test.src + "> (x) }")
		if test.want == nil {
			var place *text.Error
			if !errors.As(err, &place) {
				t.Errorf("%s: got error %v, want one with its place", test.src, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.src, err)
			continue
		}
		for n := range m.Graph.Nodes() {
			want := flattenAttrs(graph.Attrs{{Name: "a", Value: test.want}})
			if got := flattenAttrs(n.Attrs); !reflect.DeepEqual(got, want) {
				t.Errorf("%s (-want +got):\n%s", test.src, cmp.Diff(want, got))
			}
		}
	}
}

// TestElements checks the bytes of tensors, and that they print as written.
func TestElements(t *testing.T) {
	tests := []struct {
		src  string
		want []byte
	}{
		{"float[2] w = {1, -0.1}", []byte{0, 0, 0x80, 0x3f, 0xcd, 0xcc, 0xcc, 0xbd}},
		{"float[2] w = {inf, nan}", []byte{0, 0, 0x80, 0x7f, 0, 0, 0xc0, 0x7f}},
		{"float w = {-0}", []byte{0, 0, 0, 0x80}},
		{"double w = {1e-07}", []byte{0x48, 0xaf, 0xbc, 0x9a, 0xf2, 0xd7, 0x7a, 0x3e}},
		{"double w = {nan(0x7ff8000000000001)}", []byte{1, 0, 0, 0, 0, 0, 0xf8, 0x7f}},
		{"complex64[1] w = {1, 2}", []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0x40}},
		{"complex128 w = {1, 0}", []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"int8[2] w = {-128, 127}", []byte{0x80, 0x7f}},
		{"uint8[2] w = {0, 255}", []byte{0, 255}},
		{"int16[2] w = {-2, 258}", []byte{0xfe, 0xff, 2, 1}},
		{"uint16 w = {65535}", []byte{0xff, 0xff}},
		{"int32 w = {-2147483648}", []byte{0, 0, 0, 0x80}},
		{"uint32 w = {4294967295}", []byte{255, 255, 255, 255}},
		{"int64 w = {-1}", []byte{255, 255, 255, 255, 255, 255, 255, 255}},
		{"uint64 w = {18446744073709551615}", []byte{255, 255, 255, 255, 255, 255, 255, 255}},
		{"bool[3] w = {1, 0, 1}", []byte{1, 0, 1}},
		{"float16[2] w = {15360, 64512}", []byte{0, 0x3c, 0, 0xfc}},
		{"bfloat16 w = {16256}", []byte{0x80, 0x3f}},
		{"float8e4m3fn w = {126}", []byte{126}},
		{"int4[3] w = {-8, 7, -1}", []byte{0x78, 0x0f}},
		{"uint4[3] w = {1, 2, 15}", []byte{0x21, 0x0f}},
		{"float4e2m1[2] w = {3, 9}", []byte{0x93}},
		{"int2[5] w = {-2, 1, 0, -1, 1}", []byte{0xc6, 0x01}},
		{"uint2[2] w = {3, 1}", []byte{0x07}},
		{"float[2,0] w = {}", []byte{}},
	}
	for _, test := range tests {
		m := parse(t, "g () => () <"+test.src+"> {}")
		if got := m.Graph.Initializers()[0].Const.Bytes(); string(got) != string(test.want) {
			t.Errorf("%s: bytes %x, want %x", test.src, got, test.want)
		}
		if got := text.Format(m); !strings.Contains(got, "<"+test.src+">") {
			t.Errorf("%s prints as\n%s", test.src, got)
		}
	}
}

// TestErrors checks that faults are told with their place.
func TestErrors(t *testing.T) {
	tests := []struct{ src, want string }{
		{"", `line 1:1: found the end, want a graph's name`},
		{"<ir_version: x>\ng () => () {}", `line 1:14: found "x", want a version`},
		{"<ir_version: 1, ir_version: 1>", `line 1:17: field "ir_version" is given twice`},
		{"<colour: 1>", `line 1:2: found "colour", want ir_version, opset_import, producer_name, ` +
			`producer_version, domain, model_version, doc_string or metadata_props`},
		{`<opset_import: ["" : 1 "x" : 2]>`, `line 1:24: found the string "x", want "," or "]"`},
		{"g (float[2 x) => () {}", `line 1:12: found "x", want "," or "]"`},
		{"g (float x, float x) => () {}", `line 1:13: two values are called "x"`},
		{`g (float "") => () {}`, `line 1:4: found a value without a name`},
		{"g () => (float y) {}", `line 1:10: graph "g" does not define "y"`},
		{"g () => () <float z> {}", `line 1:13: graph "g" does not define "z"`},
		{"g (float x) => (int64 x) {}",
			`line 1:17: value "x" is declared int64 here, float before`},
		{"g () => () <float[N] w = {1}> {}",
			`line 1:13: found data of type float[N], want a tensor of known dimensions`},
		{"g () => () <float[2] w = {1}> {}",
			`line 1:13: found 1 elements, want 2 for float[2]`},
		{"g () => () <float[-1] w = {}> {}", `line 1:13: negative dimension -1 in [-1]`},
		{"g () => () <float[9,99999999999999999] w = {}> {}",
			`line 1:13: dimensions [9 99999999999999999] are too large`},
		{"g () => () <float w = {1e39}> {}",
			`line 1:24: found "1e39", want a number of type float`},
		{"g () => () <int8 w = {128}> {}",
			`line 1:23: found "128", want a number of type int8`},
		{"g () => () <int64 w = {1.0}> {}",
			`line 1:24: found "1.0", want a number of type int64`},
		{"g () => () <w = {1}> {}",
			`line 1:13: found data of type ?, want a tensor of known dimensions`},
		{"g () => () <float w = [\"location\": 1]> {}",
			`line 1:36: found "1", want a value in quotes`},
		{`g () => () <int64 w = ["location": "seed:1"]> {}`,
			`line 1:23: found a seeded tensor of int64, want float or double`},
		{`g () => () <float[99999999] w = ["location": "seed:1"]> {}`,
			`line 1:33: found a seeded tensor of 99999999 elements, want 16777216 at most`},
		{`g () => () <float w = ["location": "seed:x"]> {}`,
			`line 1:23: found "location": "seed:x" in a seeded tensor, want location seed:N, ` +
				`dist normal or uniform, numbers for scale and shift`},
		{`g () => () <float w = ["location": "seed:1", "size": "2"]> {}`,
			`line 1:23: found entry "size" of a seeded tensor, want location, dist, scale or shift`},
		{"g () => () {\n  y = Relu(x)\n}", `line 2:12: value "x" is used before it is defined`},
		{"g (float x) => () {\n  y, y = Split(x)\n}", `line 2:6: two values are called "y"`},
		{"g (float x) => () {\n  y = Relu[x]\n}", `line 2:11: found "[", want "("`},
		{"g (float x) => () {\n  y = Relu(x", `line 2:13: found the end, want "," or ")"`},
		{"g (float x) => () { y = Relu(x) # origin=\"a\" pass\n}",
			`line 1:34: found "pass" in a note, want key="value"`},
		{"g (float x) => () { y = Relu(x) # region=\"sea\"\n}",
			`line 1:34: found region "sea", want analog-pre, spiking or analog-post`},
		{"g (float x # origin=\"a\"\n) => () {}",
			`line 1:13: found origin in a note, which only nodes have`},
		{`g (float x) => () { y = Op <a = "b> (x) }`,
			`line 1:33: found a string without its closing quote`},
		{`g (float x) => () { y = Op <a = $"\q"> (x) }`,
			`line 1:33: found a string with a bad escape`},
		{"g (float x) => () { y = Op <a = %> (x) }", `line 1:33: found '%', which begins nothing`},
		{"g (float x) => () { y = Op <a = (> (x) }",
			`line 1:33: found "(", want an attribute's value`},
		{"g (float x) => () { y = If <b = h () => () { x = A() }> () }",
			`line 1:46: value "x" hides one of an outer graph`},
		{"g () => () {} h () => () { y = A(x) }",
			`line 1:34: value "x" is used before it is defined`},
		{"g () => () {} h () => () {} h () => () {}", `line 1:29: two functions define h`},
		{"g () => () {} <overload: 1> h () => () {}",
			`line 1:26: found "1", want an overload in quotes`},
		{"g () => () {} h <a, a> () => () {}", `line 1:21: attribute "a" is given twice`},
		{"g (" + strings.Repeat("seq(", 99) + "float", `line 1:256: nested deeper than 64 levels`},
		{"g (opaque(1) x) => () {}", `line 1:11: found "1", want an opaque type's name`},
		{"g (map(x, float) y) => () {}", `line 1:8: found "x", want an element type`},
	}
	for _, test := range tests {
		_, err := text.Parse(test.src)
		if err == nil || err.Error() != test.want {
			t.Errorf("%s\n got %v\nwant %s", test.src, err, test.want)
		}
	}
}

// TestOperands checks which commas stand for an omitted operand.
func TestOperands(t *testing.T) {
	tests := []struct {
		list string
		want []string
	}{
		{"", nil},
		{"x", []string{"x"}},
		{"x,", []string{"x"}},
		{`""`, []string{""}},
		{",", []string{""}},
		{",x", []string{"", "x"}},
		{"x, , x", []string{"x", "", "x"}},
		{`x, ""`, []string{"x", ""}},
	}
	for _, test := range tests {
		m := parse(t, "g (float x) => () { y = Op("+test.list+") }")
		for n := range m.Graph.Nodes() {
			if got := names(n.Inputs()); !reflect.DeepEqual(got, test.want) {
				t.Errorf("Op(%s): inputs %q, want %q", test.list, got, test.want)
			}
		}
	}
}

// TestSeeds pins the random numbers: golden cases of the passes rest on them.
func TestSeeds(t *testing.T) {
	tests := []struct {
		entries string
		want    []float32
	}{
		{`"location": "seed:1"`,
			[]float32{-0.8024826, 0.42470706, -0.4985071}},
		{`"location": "seed:1", "dist": "uniform"`,
			[]float32{-0.5231536, 0.0018427758, -0.90000176}},
		{`"location": "seed:2", "scale": "0.5", "shift": "1"`,
			[]float32{0.81871444, 1.5908529, 0.9827851}},
	}
	for _, test := range tests {
		m := parse(t, "g () => () <float[3] w = ["+test.entries+"]> {}")
		got, err := m.Graph.Initializers()[0].Const.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(test.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", test.entries, d)
		}
	}
}
