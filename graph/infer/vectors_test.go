package infer_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/graph/op"
)

// vector is one case of testdata/vectors.json; vectors.py says how it is made.
type vector struct {
	Op      string
	Opset   int64
	Inputs  []*vectorValue
	Outputs int
	Attrs   map[string]vectorAttr
	Want    []struct {
		Sizes   map[string]int64
		Outputs []struct {
			Elem  string
			Shape []*int64
		}
	}
}

type vectorValue struct {
	Elem  string
	Shape []any // numbers and names of symbols
	Const []float64
}

type vectorAttr struct {
	Type, Elem string
	Dims       []int64
	Value      json.RawMessage
}

// TestVectors compares every rule with the inference of the onnx package: with
// numbers for the symbols the types must be the same; with symbols, the
// expressions must give the same numbers.
func TestVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []vector
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, v := range cases {
		seen[v.Op] = true
		t.Run(fmt.Sprintf("%d-%s-%d", i, v.Op, v.Opset), func(t *testing.T) {
			symbolic := v.infer(t, nil)
			for i := range v.Want {
				v.compare(t, i, symbolic)
			}
		})
	}
	// Operators younger than the onnx package that made the vectors, and those
	// that vectors of single nodes do not suit; other tests cover them.
	other := map[string]bool{}
	for name := range strings.FieldsSeq(elsewhere) {
		other[name] = true
	}
	for _, s := range op.All() {
		if s.Op.Domain == "" && !seen[s.Op.Type] && !other[s.Op.Type] {
			t.Errorf("no vector for %v", s.Op)
		}
	}
}

// elsewhere lists the operators whose shapes package runtime/ops holds to those of its results,
// and control flow, which has cases of its own.
const elsewhere = `Gelu Mish If Loop Scan Acos Acosh Asin Asinh Atan Atanh Cosh Sinh Tan Shrink Swish IsNaN IsInf
BitwiseNot BitwiseAnd BitwiseOr BitwiseXor BitShift Xor CastLike LogSoftmax Hardmax ReduceL1 ReduceSumSquare ReduceLogSum
ReduceLogSumExp ArgMin CumSum TopK GatherElements GatherND Scatter ScatterElements ScatterND OneHot Compress NonZero EyeLike
Trilu ReverseSequence Einsum GridSample GroupNormalization LpNormalization LRN MeanVarianceNormalization RMSNormalization
GlobalLpPool DeformConv DynamicQuantizeLinear MatMulInteger ConvInteger QLinearMatMul QLinearConv
SequenceConstruct SequenceEmpty SequenceAt SequenceInsert SequenceErase SequenceLength SplitToSequence ConcatFromSequence`

func (v vector) compare(t *testing.T, i int, symbolic []graph.Type) {
	t.Helper()
	want := v.Want[i]
	static := v.infer(t, want.Sizes)
	for j, w := range want.Outputs {
		if static[j].Elem.String() != w.Elem || symbolic[j].Elem.String() != w.Elem {
			t.Errorf("output %d: element type %v and %v, want %v", j, static[j].Elem,
				symbolic[j].Elem, w.Elem)
		}
		if w.Shape == nil {
			continue
		}
		if len(static[j].Shape) != len(w.Shape) || len(symbolic[j].Shape) != len(w.Shape) {
			t.Errorf("output %d: %v and %v, want rank %d", j, static[j], symbolic[j], len(w.Shape))
			continue
		}
		for k, n := range w.Shape {
			if n == nil {
				continue
			}
			if got, ok := static[j].Shape[k].Size(); !ok || got != *n {
				t.Errorf("sizes %v, output %d: %v, want %d along axis %d", want.Sizes, j, static[j], *n, k)
			}
			e := infer.FromDim(symbolic[j].Shape[k])
			got, err := e.Eval(want.Sizes)
			if e.Known() && (err != nil || got != *n) {
				t.Errorf("sizes %v, output %d: %v is %d (%v), want %d", want.Sizes, j, e, got, err, *n)
			}
			if !e.Known() && !v.mayBeUnknown() {
				t.Errorf("output %d: %v has an unknown size, want an expression", j, symbolic[j])
			}
		}
	}
}

// mayBeUnknown lists where an expression is not expected: two symbols that
// broadcast, factors too fine for float32, reshapes that do not divide.
func (v vector) mayBeUnknown() bool {
	switch v.Op {
	case "Resize", "Upsample":
		for _, list := range [][]float64{v.lastConst(), v.floats("scales")} {
			for _, x := range list {
				if float64(float32(x)) != x || x*1024 != math.Trunc(x*1024) {
					return true
				}
			}
		}
	}
	return false
}

func (v vector) lastConst() []float64 {
	if len(v.Inputs) == 0 {
		return nil
	}
	return v.Inputs[len(v.Inputs)-1].Const
}

func (v vector) floats(attr string) []float64 {
	var list []float64
	if a, ok := v.Attrs[attr]; ok {
		_ = json.Unmarshal(a.Value, &list)
	}
	return list
}

// infer builds the model of the case, with numbers for the symbols in sizes.
func (v vector) infer(t *testing.T, sizes map[string]int64) []graph.Type {
	t.Helper()
	g := graph.New("g", nil)
	m := &graph.Model{IRVersion: 8, Opsets: []graph.Opset{{Version: v.Opset}}, Graph: g}
	var inputs []*graph.Value
	for i, in := range v.Inputs {
		if in == nil {
			inputs = append(inputs, nil)
			continue
		}
		inputs = append(inputs, in.add(t, g, fmt.Sprintf("x%d", i), sizes))
	}
	var names []string
	for i := range v.Outputs {
		names = append(names, fmt.Sprintf("y%d", i))
	}
	n := g.AddNode(graph.Op{Type: v.Op}, v.attrs(t), inputs, names...)
	if err := op.Check(n, v.Opset); err != nil {
		t.Fatal(err)
	}
	if err := infer.Model(m); err != nil {
		t.Fatal(err)
	}
	var types []graph.Type
	for _, out := range n.Outputs() {
		types = append(types, out.Type)
	}
	return types
}

func (in *vectorValue) add(t *testing.T, g *graph.Graph, name string,
	sizes map[string]int64) *graph.Value {
	t.Helper()
	elem, ok := graph.ParseDType(in.Elem)
	if !ok {
		t.Fatalf("element type %q", in.Elem)
	}
	shape := graph.Shape{}
	var dims []int64
	for _, d := range in.Shape {
		switch d := d.(type) {
		case float64:
			shape, dims = append(shape, graph.Known(int64(d))), append(dims, int64(d))
		case string:
			if n, ok := sizes[d]; ok {
				shape = append(shape, graph.Known(n))
			} else {
				shape = append(shape, graph.Symbol(d))
			}
		}
	}
	if in.Const == nil {
		return g.AddInput(name, graph.TensorOf(elem, shape))
	}
	return g.AddInitializer(name, tensor(t, elem, dims, in.Const))
}

func tensor(t *testing.T, elem graph.DType, dims []int64, values []float64) *graph.Tensor {
	t.Helper()
	ints, floats := make([]int64, len(values)), make([]float32, len(values))
	bools := make([]byte, len(values))
	for i, x := range values {
		floats[i] = float32(x)
		ints[i] = int64(x)
		if x >= math.MaxInt64 {
			ints[i] = math.MaxInt64
		}
		bools[i] = byte(ints[i] & 1)
	}
	switch elem {
	case graph.Float32:
		return graph.NewFloat32(dims, floats)
	case graph.Int64:
		return graph.NewInt64(dims, ints)
	}
	b, err := graph.NewTensor(elem, dims, bools)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (v vector) attrs(t *testing.T) graph.Attrs {
	t.Helper()
	var attrs graph.Attrs
	for name, a := range v.Attrs {
		attrs = append(attrs, graph.NamedAttr{Name: name, Value: a.attr(t)})
	}
	return attrs
}

func (a vectorAttr) attr(t *testing.T) graph.Attr {
	t.Helper()
	var list []float64
	if a.Type != "string" {
		if err := json.Unmarshal(a.Value, &list); err != nil {
			list = make([]float64, 1)
			if err := json.Unmarshal(a.Value, &list[0]); err != nil {
				t.Fatal(err)
			}
		}
	}
	var ints graph.Ints
	var floats graph.Floats
	for _, x := range list {
		n := int64(x)
		if x >= math.MaxInt64 {
			n = math.MaxInt64
		}
		ints, floats = append(ints, n), append(floats, float32(x))
	}
	switch a.Type {
	case "int":
		return graph.Int(ints[0])
	case "ints":
		return ints
	case "float":
		return graph.Float(floats[0])
	case "floats":
		return floats
	case "tensor":
		elem, _ := graph.ParseDType(a.Elem)
		return tensor(t, elem, a.Dims, list)
	}
	var s string
	if err := json.Unmarshal(a.Value, &s); err != nil {
		t.Fatal(err)
	}
	return graph.String(s)
}
