package ops

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/graph/op"
	"spikingir/runtime/kernel/machine"
)

// The reference vectors are made by testdata/make_vectors.py from ONNX's
// backend tests and from PyTorch.

// A vector is one small graph with inputs and the outputs expected.
type vector struct {
	Name       string
	Opset      int64
	RTol, ATol float64
	Nodes      []struct {
		Op      string
		In, Out []string
		Attrs   map[string]vectorAttr
	}
	Constants, Inputs, Outputs map[string]*vectorTensor
}

type vectorTensor struct {
	Type graph.DType
	Dims []int64
	Data []byte
}

type vectorAttr struct {
	Int    *graph.Int
	Float  *graph.Float
	String *graph.String
	Ints   graph.Ints
	Floats graph.Floats
	Tensor *vectorTensor
}

func (v *vectorTensor) graph(t *testing.T) *graph.Tensor {
	t.Helper()
	g, err := graph.NewTensor(v.Type, v.Dims, v.Data)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (v *vectorTensor) tensor(t *testing.T) *Tensor {
	t.Helper()
	x, err := FromGraph(v.graph(t))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (a vectorAttr) value(t *testing.T) graph.Attr {
	t.Helper()
	switch {
	case a.Int != nil:
		return *a.Int
	case a.Float != nil:
		return *a.Float
	case a.String != nil:
		return *a.String
	case a.Tensor != nil:
		return a.Tensor.graph(t)
	case a.Floats != nil:
		return a.Floats
	}
	return a.Ints
}

// loadVectors reads a file of one JSON object a line.
func loadVectors(t *testing.T, name string) []*vector {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var list []*vector
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		v := &vector{}
		if err := json.Unmarshal(lines.Bytes(), v); err != nil {
			t.Fatalf("%s line %d: %v", name, len(list)+1, err)
		}
		list = append(list, v)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// build makes the vector's graph; its inputs become constants when frozen.
func (v *vector) build(t *testing.T, frozen bool) *graph.Graph {
	t.Helper()
	g := graph.New("test", nil)
	values := map[string]*graph.Value{"": nil}
	for _, name := range slices.Sorted(maps.Keys(v.Inputs)) {
		x := v.Inputs[name]
		if frozen {
			values[name] = g.AddInitializer(name, x.graph(t))
		} else {
			values[name] = g.AddInput(name, graph.TensorOf(x.Type, nil))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v.Constants)) {
		values[name] = g.AddInitializer(name, v.Constants[name].graph(t))
	}
	for _, n := range v.Nodes {
		var attrs graph.Attrs
		for _, name := range slices.Sorted(maps.Keys(n.Attrs)) {
			attrs.Set(name, n.Attrs[name].value(t))
		}
		var in []*graph.Value
		for _, name := range n.In {
			in = append(in, values[name])
		}
		node := g.AddNode(graph.Op{Type: n.Op}, attrs, in, n.Out...)
		for _, out := range node.Outputs() {
			if out != nil {
				values[out.Name()] = out
			}
		}
	}
	return g
}

// run binds and runs every node in order and returns the vector's outputs.
func (v *vector) run(t *testing.T, env *Env, frozen bool) (map[string]*Tensor, error) {
	t.Helper()
	values := map[*graph.Value]*Tensor{}
	g := v.build(t, frozen)
	for _, lists := range []map[string]*vectorTensor{v.Inputs, v.Constants} {
		for name, x := range lists {
			values[g.Value(name)] = x.tensor(t)
		}
	}
	for n := range g.Nodes() {
		bound, err := Bind(n, v.Opset)
		if err != nil {
			return nil, err
		}
		in := make([]*Tensor, n.NumInputs())
		before := make([]*Tensor, len(in))
		for i := range in {
			if in[i] = values[n.Input(i)]; in[i] != nil {
				before[i] = in[i].Clone()
			}
		}
		out, err := bound.Run(env, in)
		if err != nil {
			return nil, err
		}
		for i := range in {
			if in[i] != nil && !sameBits(in[i], before[i]) {
				t.Errorf("%s: %v modified its input %d", v.Name, n.Op(), i)
			}
		}
		for i, x := range out {
			values[n.Output(i)] = x
			checkAlias(t, n, i, x, in)
		}
	}
	outputs := map[string]*Tensor{}
	for name := range v.Outputs {
		outputs[name] = values[g.Value(name)]
	}
	return outputs, nil
}

// checkAlias allows output i to share elements with the first input only, and
// only where [Aliases] says so.
func checkAlias(t *testing.T, n *graph.Node, i int, x *Tensor, in []*Tensor) {
	t.Helper()
	for k, y := range in {
		if x == nil || y == nil || i == 0 && k == 0 && Aliases(n.Op()) {
			continue
		}
		floats := len(x.F32) > 0 && len(y.F32) > 0 && &x.F32[0] == &y.F32[0]
		ints := len(x.I64) > 0 && len(y.I64) > 0 && &x.I64[0] == &y.I64[0]
		if floats || ints {
			t.Errorf("%v: output %d shares the elements of input %d", n.Op(), i, k)
		}
	}
}

// sameBits reports whether two tensors are the same, NaN payloads included.
func sameBits(a, b *Tensor) bool {
	same := func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) }
	return a.DType == b.DType && slices.Equal(a.Dims, b.Dims) &&
		slices.EqualFunc(a.F32, b.F32, same) && slices.Equal(a.I64, b.I64)
}

// differ says where got leaves the tolerance round want, "" when nowhere.
func differ(got, want *Tensor, rtol, atol float64) string {
	if got == nil {
		return "no output"
	}
	if got.DType != want.DType || !slices.Equal(got.Dims, want.Dims) {
		return fmt.Sprintf("found %v, want %v", got, want)
	}
	for i, w := range want.I64 {
		if got.I64[i] != w {
			return fmt.Sprintf("element %d is %d, want %d", i, got.I64[i], w)
		}
	}
	for i, w := range want.F32 {
		g := got.F32[i]
		d := math.Abs(float64(g) - float64(w))
		near := d <= atol+rtol*math.Abs(float64(w)) || g == w || g != g && w != w
		if !near {
			return fmt.Sprintf("element %d is %v, want %v", i, g, w)
		}
	}
	return ""
}

// exceptions are ONNX's own tests that are not followed, with the reason.
var exceptions = map[string]string{
	"test_resize_downsample_scales_linear_align_corners": alignCorners,
	"test_resize_downsample_scales_cubic_align_corners":  alignCorners,
	"test_cast_FLOAT_to_BFLOAT16":                        truncates,
	"test_castlike_FLOAT_to_BFLOAT16":                    truncates,
	"test_castlike_FLOAT_to_BFLOAT16_expanded":           truncates,
	"test_training_dropout":                              training,
	"test_training_dropout_default":                      training,
	"test_training_dropout_default_mask":                 training,
	"test_training_dropout_mask":                         training,
}

const (
	alignCorners = "the reference takes in*scale for the output's size, the standard its floor"
	truncates    = "the reference cuts digits off where a cast rounds to the nearest"
	training     = "training mode is refused"
)

func TestVectors(t *testing.T) {
	pool := machine.NewPool(3)
	defer pool.Close()
	covered := map[string]bool{}
	for _, file := range []string{"onnx.json.gz", "torch.json.gz"} {
		for _, v := range loadVectors(t, file) {
			for _, n := range v.Nodes {
				covered[n.Op] = true
			}
			for _, frozen := range []bool{false, true} {
				testVector(t, v, &Env{Pool: pool, Alloc: dirty}, frozen)
			}
		}
	}
	for name := range binders {
		elsewhere := slices.Contains([]string{"If", "Loop", "Scan", "DeformConv"}, name) || strings.Contains(name, "Sequence") && name != "ReverseSequence" // in tests of their own
		if !covered[name] && !elsewhere {
			t.Errorf("no vector covers operator %s", name)
		}
	}
}

// dirty allocates tensors full of numbers that no operator would leave behind
// unnoticed.
func dirty(d graph.DType, dims []int) *Tensor {
	x := NewTensor(d, dims)
	fill(x.F32, float32(math.Inf(-1)))
	fill(x.I64, 77)
	return x
}

func testVector(t *testing.T, v *vector, env *Env, frozen bool) {
	got, err := v.run(t, env, frozen)
	reason, excepted := exceptions[v.Name]
	if excepted {
		if err == nil && v.matches(t, got) == "" {
			t.Errorf("%s is an exception (%s) but gives the result expected", v.Name, reason)
		}
		return
	}
	if err != nil {
		t.Errorf("%s, frozen %t: %v", v.Name, frozen, err)
		return
	}
	if d := v.matches(t, got); d != "" {
		t.Errorf("%s, frozen %t: %s", v.Name, frozen, d)
	}
	v.checkShapes(t, frozen, got)
}

// checkShapes holds what inference says of the outputs to what they are, from the element
// types and dimensions of the inputs, and from their contents where they are frozen.
func (v *vector) checkShapes(t *testing.T, frozen bool, got map[string]*Tensor) {
	t.Helper()
	g := v.build(t, frozen)
	for _, in := range g.Inputs() {
		in.Type = graph.TensorOf(in.Type.Elem, graph.ShapeOf(v.Inputs[in.Name()].Dims...))
	}
	m := &graph.Model{IRVersion: 10, Graph: g}
	m.SetOpset("", v.Opset)
	if err := infer.Model(m); err != nil {
		t.Errorf("%s, frozen %t: inference: %v", v.Name, frozen, err)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(v.Outputs)) {
		y, found := got[name], g.Value(name).Type
		if found.Elem != y.DType || found.Shape != nil && len(found.Shape) != y.Rank() {
			t.Errorf("%s, frozen %t: inferred %v for %v", v.Name, frozen, found, y)
			continue
		}
		for i, d := range found.Shape {
			if n, ok := d.Size(); ok && n != int64(y.Dims[i]) {
				t.Errorf("%s, frozen %t: inferred %v for %v", v.Name, frozen, found, y)
			}
		}
	}
}

// matches compares all outputs.
func (v *vector) matches(t *testing.T, got map[string]*Tensor) string {
	for _, name := range slices.Sorted(maps.Keys(v.Outputs)) {
		// ONNX's tolerances are for float32
		if d := differ(got[name], v.Outputs[name].tensor(t), v.RTol, v.ATol); d != "" {
			return "output " + name + ": " + d
		}
	}
	return ""
}

// Every standard operator of the table is run.
func TestTable(t *testing.T) {
	for _, s := range op.All() {
		if s.Op.Domain != "" {
			continue
		}
		if !Supported(s.Op) {
			t.Errorf("operator %v is in the table but not run", s.Op)
		}
	}
	for name := range binders {
		if op.Lookup(graph.Op{Type: name}) == nil {
			t.Errorf("operator %s is run but not in the table", name)
		}
	}
	if o := (graph.Op{Domain: graph.Spiking, Type: "Conv"}); Supported(o) {
		t.Errorf("operator %v is supported, want standard ones only", o)
	}
	for name := range exceptions {
		if !strings.HasPrefix(name, "test_") {
			t.Errorf("exception %s is no test of ONNX", name)
		}
	}
}
