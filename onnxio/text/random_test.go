package text_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/graph"
	"spikingir/onnxio/text"
)

func float32Bits(f float32) uint32 { return math.Float32bits(f) }

// TestRandomModelsRoundTrip prints random models and parses them back.
func TestRandomModelsRoundTrip(t *testing.T) {
	for seed := range uint64(400) {
		g := &generator{Rand: rand.New(rand.NewPCG(seed, 1))}
		m := g.model()
		if err := m.Check(); err != nil {
			t.Fatalf("seed %d makes a wrong model: %v", seed, err)
		}
		printed := text.Format(m)
		back, err := text.Parse(printed)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, printed)
		}
		if want, got := flatten(m), flatten(back); !reflect.DeepEqual(want, got) {
			t.Fatalf("seed %d (-built +parsed):\n%s\n%s", seed, cmp.Diff(want, got), printed)
		}
		if again := text.Format(back); again != printed {
			t.Fatalf("seed %d prints otherwise after parsing:\n%s", seed, cmp.Diff(printed, again))
		}
	}
}

// generator makes random models that use all the IR can say and the syntax can
// carry.
type generator struct {
	*rand.Rand
	count int
}

func (r *generator) chance(n int) bool { return r.IntN(n) == 0 }

func pick[T any](r *generator, list ...T) T { return list[r.IntN(len(list))] }

// fresh is a new name, often one that is no identifier.
func (r *generator) fresh() string {
	r.count++
	n := fmt.Sprint(r.count)
	return pick(r, "v", "_x", "onnx::Conv_", "layer.weight/", `a "quoted" \`, "ü ", "line\n",
		"\xff", "9", "# c=") + n
}

// word is a text that need not be unique.
func (r *generator) word() string {
	return pick(r, "", "a", "nan", "float", "map", "seq", "undefined", "Inf", "a b", `\`, `"`, "x.y",
		"\x00\x1b", "# a=\"b\"", "é", "two\nlines", "=>")
}

// key is a word that is not empty.
func (r *generator) key() string { return "k" + r.word() }

func (r *generator) metadata() (m graph.Metadata) {
	for range r.IntN(3) {
		m = append(m, graph.KV{Key: pick(r, r.word(), "origin", "doc", "a.b/c", "spikingir.theta"),
			Value: r.word()})
	}
	return m
}

func (r *generator) model() *graph.Model {
	m := &graph.Model{
		IRVersion: r.Int64N(12), ModelVersion: pick(r, 0, int64(-3), math.MaxInt64),
		ProducerName: r.word(), ProducerVersion: r.word(), Domain: r.word(), Doc: r.word(),
		Metadata: r.metadata(),
		Opsets:   []graph.Opset{{Domain: "", Version: 17}, {Domain: r.key(), Version: 1}},
	}
	m.Graph = r.graph(nil, 0)
	for i := range r.IntN(3) {
		m.Functions = append(m.Functions, r.function(fmt.Sprint(i)))
	}
	return m
}

func (r *generator) function(name string) *graph.Function {
	f := &graph.Function{
		Domain: r.word(), Name: name + r.word(), Overload: r.word(), Doc: r.word(),
		Opsets: []graph.Opset{{Version: 13}}, Metadata: r.metadata(),
	}
	for range r.IntN(3) {
		f.Attrs = append(f.Attrs, r.fresh())
	}
	for range r.IntN(3) {
		f.Defaults = append(f.Defaults, graph.NamedAttr{Name: r.fresh(), Value: r.scalarAttr()})
	}
	f.Body = graph.New(f.Name, nil)
	for range r.IntN(3) {
		f.Body.AddInput(r.fresh(), graph.Type{})
	}
	r.nodes(f.Body, 1)
	for _, v := range defined(f.Body) {
		switch r.IntN(4) {
		case 0:
			f.Body.AddOutput(v)
		case 1:
			v.Type = r.typ(0)
			f.Body.Declare(v)
		}
	}
	return f
}

func (r *generator) graph(outer *graph.Graph, depth int) *graph.Graph {
	g := graph.New(r.word(), outer)
	g.Doc, g.Metadata = r.word(), r.metadata()
	for range r.IntN(4) {
		v := g.AddInput(r.fresh(), r.typ(0))
		v.Doc, v.Metadata = r.word(), r.metadata()
	}
	r.initializers(g)
	r.nodes(g, depth)
	for _, v := range defined(g) {
		if r.chance(3) {
			v.Type = r.typ(0)
			g.AddOutput(v)
			v.Doc = r.word()
		} else if r.chance(3) {
			v.Type = r.typ(0)
			g.Declare(v)
			v.Metadata = r.metadata()
		}
	}
	if len(g.Outputs()) > 0 && r.chance(5) {
		g.AddOutput(g.Outputs()[0])
	}
	return g
}

// defined is the values that nodes of g make.
func defined(g *graph.Graph) (list []*graph.Value) {
	for n := range g.Nodes() {
		for _, v := range n.Outputs() {
			if v != nil {
				list = append(list, v)
			}
		}
	}
	return list
}

func (r *generator) initializers(g *graph.Graph) {
	for _, v := range g.Inputs() {
		if r.chance(3) {
			t := r.tensor()
			v.Type = graph.TensorOf(t.DType, graph.ShapeOf(t.Dims...))
			g.SetInitializer(v, t, nil)
		}
	}
	for range r.IntN(4) {
		if r.chance(5) {
			s := r.sparse()
			v, _ := g.NewValue(r.fresh())
			v.Type = graph.Type{Kind: graph.SparseTensorType, Elem: s.Values.DType,
				Shape: graph.ShapeOf(s.Dims...)}
			g.SetInitializer(v, nil, s)
			continue
		}
		v := g.AddInitializer(r.fresh(), r.tensor())
		v.Doc = r.word()
		if r.chance(3) {
			g.Declare(v)
		}
	}
	if in := g.Initializers(); len(in) > 1 && r.chance(2) {
		// Initializers that come in another order than the inputs.
		v := in[0]
		if v.IsInput() {
			t := v.Const
			if g.RemoveInitializer(v) == nil {
				g.SetInitializer(v, t, nil)
			}
		}
	}
}

func (r *generator) nodes(g *graph.Graph, depth int) {
	for range 1 + r.IntN(4) {
		var inputs []*graph.Value
		for range r.IntN(4) {
			inputs = append(inputs, r.visible(g))
		}
		var outputs []string
		for range 1 + r.IntN(3) {
			outputs = append(outputs, pick(r, r.fresh(), r.fresh(), ""))
		}
		op := graph.Op{Domain: pick(r, "", "ai.spikingir", "a-b.c", "..", "x"),
			Type: pick(r, "Conv", "IF", "odd op", "9")}
		attrs := r.attrs(g, depth)
		n := g.AddNode(op, attrs, inputs, outputs...)
		n.Name, n.Overload, n.Doc = r.word(), r.word(), r.word()
		n.From = graph.Origin{Node: r.word(), Pass: r.word()}
		n.Region = graph.Region(r.IntN(4))
		n.Metadata = r.metadata()
	}
}

// visible is a value that a node of g can use, or nil.
func (r *generator) visible(g *graph.Graph) *graph.Value {
	var list []*graph.Value
	for ; g != nil; g = g.Outer() {
		list = slices.Concat(list, g.Inputs(), g.Initializers(), defined(g))
	}
	return pick(r, append(list, nil)...)
}

func (r *generator) attrs(g *graph.Graph, depth int) (as graph.Attrs) {
	for i := range r.IntN(4) {
		a := graph.NamedAttr{Name: fmt.Sprint(pick(r, "a", "float", "a b", "inf"), i)}
		switch {
		case depth < 2 && r.chance(6):
			a.Value = r.graph(g, depth+1)
		case depth < 2 && r.chance(8):
			a.Value = graph.Graphs{r.graph(g, depth+1), r.graph(g, depth+1)}
		case r.chance(10):
			a.Value = nil
		case r.chance(10):
			a.Value = graph.Ref{Name: r.key(), Type: graph.AttrType(r.IntN(15))}
		default:
			a.Value = r.scalarAttr()
		}
		as = append(as, a)
	}
	return as
}

// scalarAttr is an attribute of any type but graphs.
func (r *generator) scalarAttr() graph.Attr {
	switch r.IntN(13) {
	case 0:
		return graph.Int(pick[int64](r, 0, math.MinInt64, math.MaxInt64, -7))
	case 1:
		return graph.Float(r.float())
	case 2:
		return graph.String(r.word())
	case 3:
		return r.tensor()
	case 4:
		return r.typ(0)
	case 5:
		return r.sparse()
	case 6:
		return graph.Ints(many(r, func() int64 { return int64(r.Uint64()) }))
	case 7:
		return graph.Floats(many(r, r.float))
	case 8:
		return graph.Strings(many(r, r.word))
	case 9:
		return graph.Tensors(many(r, r.tensor))
	case 10:
		return graph.Types(many(r, func() graph.Type { return r.typ(0) }))
	case 11:
		return graph.SparseTensors(many(r, r.sparse))
	}
	return graph.Graphs{}
}

func many[T any](r *generator, item func() T) []T {
	list := []T{}
	for range r.IntN(4) {
		list = append(list, item())
	}
	return list
}

func (r *generator) float() float32 {
	return pick(r, 0, 1, -1, 0.1, 1e-45, math.MaxFloat32, float32(math.Inf(1)), float32(math.Inf(-1)),
		math.Float32frombits(0x7fc00000), math.Float32frombits(0xffc00000),
		math.Float32frombits(0x7f800001), math.Float32frombits(r.Uint32()), 16777216)
}

func (r *generator) typ(depth int) graph.Type {
	of := func() *graph.Type {
		t := r.typ(depth + 1)
		return &t
	}
	n := 8
	if depth > 3 {
		n = 2
	}
	switch r.IntN(n) {
	case 2:
		return graph.Type{Kind: graph.SparseTensorType, Elem: r.dtype(), Shape: r.shape()}
	case 3:
		return graph.Type{Kind: graph.SequenceType, Of: of()}
	case 4:
		return graph.Type{Kind: graph.MapType, Elem: graph.Int64, Of: of()}
	case 5:
		return graph.Type{Kind: graph.OptionalType, Of: of()}
	case 6:
		return graph.Type{Kind: graph.OpaqueType, Domain: r.word(), Name: r.word()}
	case 7:
		return graph.Type{}
	}
	return graph.TensorOf(r.dtype(), r.shape())
}

func (r *generator) dtype() graph.DType { return graph.DType(r.IntN(27)) }

func (r *generator) shape() graph.Shape {
	if r.chance(4) {
		return nil
	}
	s := graph.Shape{}
	for range r.IntN(4) {
		s = append(s, pick(r, graph.Dim{}, graph.Known(r.Int64N(9)), graph.Known(-1),
			graph.Symbol("N"), graph.Symbol("2*H+1"), graph.Symbol(r.key())))
	}
	return s
}

// tensor is one of any element type, with random bits.
func (r *generator) tensor() *graph.Tensor {
	dims := []int64{}
	for range r.IntN(4) {
		dims = append(dims, r.Int64N(4))
	}
	d := graph.DType(1 + r.IntN(26))
	t := &graph.Tensor{DType: d, Dims: dims}
	n, _ := t.Len()
	switch {
	case r.chance(8):
		t, _ = graph.NewExternal(d, dims, &graph.External{Entries: graph.Metadata{
			{Key: "location", Value: r.word()}, {Key: "offset", Value: "16"}}}, nil)
	case d == graph.StringType:
		elems := [][]byte{}
		for range n {
			elems = append(elems, []byte(r.word()))
		}
		t, _ = graph.NewStrings(dims, elems)
	default:
		t, _ = graph.NewTensor(d, dims, r.bytes(n, d))
	}
	t.Name = ""
	return t
}

// bytes is n packed elements; the bits behind the last one are zero.
func (r *generator) bytes(n int64, d graph.DType) []byte {
	size := n * int64(d.Bits())
	b := make([]byte, (size+7)/8)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	if size%8 != 0 {
		b[len(b)-1] &= 1<<(size%8) - 1
	}
	return b
}

func (r *generator) sparse() *graph.SparseTensor {
	values := graph.NewFloat32([]int64{2}, []float32{r.float(), r.float()})
	values.Name = pick(r, "", "values", "odd name")
	return &graph.SparseTensor{
		Values: values, Indices: graph.NewInt64([]int64{2}, []int64{1, 5}), Dims: []int64{3, 4},
	}
}
