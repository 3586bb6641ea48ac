package eval

import (
	"slices"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/runtime/ops"
)

// TestFindPorts finds the image input and output, or says what is wrong.
func TestFindPorts(t *testing.T) {
	number := func(names ...string) map[string]Feed {
		feeds := map[string]Feed{}
		for _, name := range names {
			feeds[name] = Feed{Number: 1}
		}
		return feeds
	}
	for _, c := range []struct {
		name, src string
		feeds     map[string]Feed
		output    string
		want      Ports
		err       string
	}{
		{"colour", `g (float[N,3,H,W] x) => (float[N,3,H,W] y) { y = Relu(x) }`, nil, "", Ports{Input: "x", Channels: 3, Gives: 3}, ""},
		{"open channels", `g (float[N,C,H,W] x) => (float[N,C,H,W] y) { y = Relu(x) }`, nil, "", Ports{Input: "x"}, ""},
		{"open channels that weights state", `g (float[N,C,H,W] x) => (float[N,C,H,W] y) <float[1] m = {0.5}, float[3,3,1,1] w = {1, 0, 0, 0, 1, 0, 0, 0, 1}>
			{ s = Sub(x, m) y = Conv(s, w) }`, nil, "", Ports{Input: "x", Channels: 3}, ""},
		{"of 16 bits", `g (float16[N,1,H,W] x) => (float16[N,1,H,W] y) { y = Relu(x) }`, nil, "", Ports{Input: "x", Channels: 1, Gives: 1}, ""},
		{"all stored", `g (float[N,1,H,W] x) => (float[N,1,H,W] y) <float[1] w = {1}> { y = Mul(x, w) }`, number("x"), "", Ports{},
			`every input is given a value or has one, "x" float[N,1,H,W]: want one left open`},
		{"scalar", `g (float x) => (float y) { y = Relu(x) }`, nil, "", Ports{}, "want a float image"},
		{"stored", `g (float[N,1,H,W] x, float[1] w) => (float[N,1,H,W] y) <float[1] w = {1}> { y = Mul(x, w) }`, nil, "",
			Ports{Input: "x", Channels: 1, Gives: 1}, ""},
		{"two inputs", `g (float[1,1,1,1] s, float[N,1,H,W] x) => (float[N,1,H,W] y) { y = Add(x, s) }`, nil, "", Ports{},
			`the model takes "s" float[1,1,1,1], "x" float[N,1,H,W], and images are fed to one of them: give the others by a number or a tensor, ` +
				`as in --input s=0.1 or --input s=FILE.npy`},
		{"an integer beside, of a name of two words", `g (float[N,1,H,W] x, int64 "noise level") => (float[N,1,H,W] y) { y = Relu(x) }`, nil, "", Ports{},
			`as in --input "noise level=1" or --input "noise level=FILE.npy"`},
		{"the image is fed", `g (float[N,1,H,W] x, float[1] s) => (float[N,1,H,W] y) { y = Add(x, s) }`, number("x"), "", Ports{},
			`input "x" is the image, and is given a value: want one for "s" in its place, as in --input s=0.1`},
		{"two inputs, the second of which is the image", `g (float[1,2] s, float[N,1,H,W] x) => (float[N,1,H,W] y) { y = Relu(x) }`, nil, "", Ports{},
			`as in --input s=0.1 or --input s=FILE.npy`},
		{"fed", `g (float[1,1,1,1] s, float[N,1,H,W] x) => (float[N,1,H,W] y) { y = Add(x, s) }`, number("s"), "",
			Ports{Input: "x", Channels: 1, Gives: 1}, ""},
		{"no such input", `g (float[N,1,H,W] x) => (float[N,1,H,W] y) { y = Relu(x) }`, number("sigma", "s"), "", Ports{},
			`the model has no input "s" to be fed, it takes "x" float[N,1,H,W]`},
		{"two outputs", `g (float[N,1,H,W] x) => (float[N,1,H,W] y, float[N,3,H,W] z) { y = Relu(x) z = Concat<axis = 1>(x, y, x) }`, nil, "",
			Ports{Input: "x", Channels: 1, Gives: 1}, ""},
		{"the second", `g (float[N,1,H,W] x) => (float[N,1,H,W] y, float[N,3,H,W] z) { y = Relu(x) z = Concat<axis = 1>(x, y, x) }`, nil, "z",
			Ports{Input: "x", Channels: 1, Output: 1, Gives: 3}, ""},
		{"the first is no image", `g (float[N,1,H,W] x) => (float[N,64,H,W] f, int64[4] s, float[N,1,H,W] y)
			{ y = Relu(x) s = Shape(x) f = Expand(x, s) }`, nil, "", Ports{Input: "x", Channels: 1, Output: 2, Gives: 1}, ""},
		{"none is an image", `g (float[N,1,H,W] x) => (int64[4] s, float[N,2,H,W] y) { s = Shape(x) y = Concat<axis = 1>(x, x) }`, nil, "", Ports{},
			`the model gives "s" int64[4], "y" float[N,2,H,W], want an image`},
		{"no such output", `g (float[N,1,H,W] x) => (float[N,1,H,W] y) { y = Relu(x) }`, nil, "z", Ports{},
			`the model has no output "z", it gives "y" float[N,1,H,W]`},
		{"matrix", `g (float[N,K] x) => (float[N,K] y) { y = Relu(x) }`, nil, "", Ports{}, `input "x" is float[N,K], want a float image`},
		{"integers", `g (int64[N,1,H,W] x) => (int64[N,1,H,W] y) { y = Abs(x) }`, nil, "", Ports{}, "want a float image [N,C,H,W]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := FindPorts(parse(t, c.src).Graph, c.feeds, c.output)
			if c.err == "" && (err != nil || got.Input != c.want.Input || got.Channels != c.want.Channels ||
				got.Output != c.want.Output || got.Gives != c.want.Gives) {
				t.Errorf("%+v, %v, want %+v", got, err, c.want)
			}
			if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("error %v, want one with %q", err, c.err)
			}
		})
	}
}

// TestBind feeds inputs beside the image: those of known dimensions are stored in the
// graph, the others follow the image.
func TestBind(t *testing.T) {
	for _, c := range []struct {
		name, image, typ string // of the inputs x and s
		feed             Feed
		stored           bool
		dims             []int // beside an image of 6 rows and 8 columns
		err              string
	}{
		{name: "one number", typ: "float[1,1,1,1]", feed: Feed{Number: 0.5}, stored: true, dims: []int{1, 1, 1, 1}},
		{name: "a scalar", typ: "float", feed: Feed{Number: 0.5}, stored: true, dims: []int{}},
		{name: "one for each image", typ: "float[N,2]", feed: Feed{Number: 0.5}, stored: true, dims: []int{1, 2}},
		{name: "another batch", typ: "float[B,1,1,1]", feed: Feed{Number: 0.5}, stored: true, dims: []int{1, 1, 1, 1}},
		{name: "a map", typ: "float[N,1,H,W]", feed: Feed{Number: 0.5}, dims: []int{1, 1, 6, 8}},
		{name: "a map of half the size", typ: `float[N,1,"floor(H/2)","floor(W/2)"]`, feed: Feed{Number: 0.5}, dims: []int{1, 1, 3, 4}},
		{name: "a map of unknown size", typ: "float[N,2,h,w]", feed: Feed{Number: 0.5}, dims: []int{1, 2, 6, 8}},
		{name: "fixed with the image", image: "float[1,1,32,32]", typ: "float[1,1,32,32]", feed: Feed{Number: 0.5}, dims: []int{1, 1, 6, 8}},
		{name: "an integer", typ: "int64[1]", feed: Feed{Number: 3}, stored: true, dims: []int{1}},
		{name: "a tensor", typ: "float[1,2]", feed: Feed{Tensor: ops.Floats([]float32{0.5, 0.5}, 1, 2)}, stored: true, dims: []int{1, 2}},
		{name: "a tensor of another float", typ: "float16[1,2]", feed: Feed{Tensor: ops.Floats([]float32{0.5, 0.5}, 1, 2)}, stored: true, dims: []int{1, 2}},
		{name: "no integer", typ: "int64[1]", feed: Feed{Number: 0.5}, err: `input "s" is int64[1], want a number of that type, not 0.5`},
		{name: "beyond a byte", typ: "uint8[1]", feed: Feed{Number: 300}, err: `input "s" is uint8[1], want a number of that type, not 300`},
		{name: "below zero", typ: "uint64[1]", feed: Feed{Number: -1}, err: "want a number of that type, not -1"},
		{name: "beyond all integers", typ: "int64[1]", feed: Feed{Number: 1e30}, err: "want a number of that type, not 1e+30"},
		{name: "no truth", typ: "bool[1]", feed: Feed{Number: 2}, err: "want a number of that type, not 2"},
		{name: "beyond a float", typ: "float[1]", feed: Feed{Number: 1e39}, err: "want a number of that type, not 1e+39"},
		{name: "beyond half a float", typ: "float16[1]", feed: Feed{Number: 1e6}, err: "want a number of that type, not 1e+06"},
		{name: "a tensor beyond half a float", typ: "float16[2]", feed: Feed{Tensor: ops.Floats([]float32{1, 1e6}, 2)},
			err: "the tensor for it has an element 1e+06, want numbers of that type"},
		{name: "a tensor beyond bytes", typ: "uint8[2]", feed: Feed{Tensor: ops.Ints([]int64{3, 256}, 2)},
			err: "the tensor for it has an element 256, want numbers of that type"},
		{name: "a tensor of bytes", typ: "uint8[1]", feed: Feed{Tensor: ops.Ints([]int64{3}, 1)}, stored: true, dims: []int{1}},
		{name: "a tensor that does not fit", typ: "float[1,3]", feed: Feed{Tensor: ops.Floats([]float32{1, 2}, 1, 2)},
			err: `input "s" is float[1,3], and the tensor for it float[1,2]: want one of that type and size, or a number, --input s=VALUE`},
		{name: "a tensor of integers", typ: "float[1,2]", feed: Feed{Tensor: ops.Ints([]int64{1, 2}, 1, 2)},
			err: `input "s" is float[1,2], and the tensor for it int64[1,2]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			image := c.image
			if image == "" {
				image = "float[N,1,H,W]"
			}
			g := parse(t, "g ("+image+" x, "+c.typ+" s) => ("+image+" y) { y = Mul(x, x) z = Identity(s) }").Graph
			p, err := Bind(g, map[string]Feed{"s": c.feed}, "")
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want one with %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			in, err := p.Inputs(ops.NewTensor(graph.Float32, []int{1, 1, 6, 8}))
			if err != nil {
				t.Fatal(err)
			}
			s := g.Value("s")
			if s.IsInitializer() != c.stored || (in["s"] == nil) != c.stored {
				t.Fatalf("stored %v, fed %v, want stored: %v", s.IsInitializer(), in["s"], c.stored)
			}
			got := in["s"]
			if c.stored {
				if got, err = ops.FromGraph(s.Const); err != nil {
					t.Fatal(err)
				}
			}
			if got.DType != s.Type.Elem || !slices.Equal(got.Dims, c.dims) || got.Len() != len(got.F32)+len(got.I64) {
				t.Errorf("fed %v%v, want %v%v", got.DType, got.Dims, s.Type.Elem, c.dims)
			}
			if want := float32(0.5); slices.ContainsFunc(got.F32, func(x float32) bool { return x != want }) {
				t.Errorf("fed %v, want %v", got.F32, want)
			}
			if want := int64(3); slices.ContainsFunc(got.I64, func(x int64) bool { return x != want }) {
				t.Errorf("fed %v, want %v", got.I64, want)
			}
		})
	}
}
