package randommodel

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"

	"spikingir/graph"
	"spikingir/runtime/ops"
)

// maxElements is the elements that a value may have.
const maxElements = 2048

// builder grows a model.
type builder struct {
	choices
	m     *graph.Model
	g     *graph.Graph
	held  map[*graph.Value]*graph.Tensor // what each value is
	made  []*graph.Value                 // results of nodes, in order
	named int                            // results that were named
	own   map[*graph.Value]bool          // constants that were made for a node
	sizes map[string]int64
	// accept, when set, tells which results may stay.
	accept func(t *graph.Tensor) bool
	// elem is the type of floating point constants.
	elem graph.DType
}

func newBuilder(data []byte) *builder {
	b := &builder{choices: choices{data}, held: map[*graph.Value]*graph.Tensor{}, own: map[*graph.Value]bool{}, sizes: map[string]int64{}, elem: graph.Float32}
	b.g = graph.New("main", nil)
	b.m = &graph.Model{IRVersion: 8, Graph: b.g, ProducerName: "randommodel"}
	return b
}

func (b *builder) opset() int64 { return b.m.Opset("") }

// input adds an input that is fed t.
func (b *builder) input(name string, t *graph.Tensor, shape graph.Shape) *graph.Value {
	v := b.g.AddInput(b.g.FreshName(name), graph.TensorOf(t.DType, shape))
	b.held[v] = t
	return v
}

// symbols is dimensions that state some of the sizes by symbols, equal sizes by equal
// ones, and leave some open where asked.
func (b *builder) symbols(dims []int64, open bool) graph.Shape {
	shape := make(graph.Shape, len(dims))
	for i, n := range dims {
		name := fmt.Sprintf("s%d", n)
		if b.Chance(3) {
			name = fmt.Sprintf("%c%d", 'a'+i, n)
		}
		switch k := b.N(5); {
		case k < 2:
			shape[i] = graph.Known(n)
		case k == 4 && open:
		default:
			shape[i] = graph.Symbol(name)
			b.sizes[name] = n
		}
	}
	return shape
}

// constant adds a constant: an initializer, the default of an input, or a node.
func (b *builder) constant(t *graph.Tensor) *graph.Value {
	name := b.g.FreshName("c")
	var v *graph.Value
	switch b.N(4) {
	case 2:
		v = b.g.AddNode(graph.Op{Type: "Constant"}, graph.Attrs{{Name: "value", Value: t}}, nil, name).Output(0)
	case 3:
		v = b.g.AddInput(name, graph.TensorOf(t.DType, graph.ShapeOf(t.Dims...)))
		b.g.SetInitializer(v, t, nil)
	default:
		v = b.g.AddInitializer(name, t)
	}
	b.held[v], b.own[v] = t, true
	return v
}

// drop takes a constant away that nothing reads, which a node was to.
func (b *builder) drop(v *graph.Value) {
	if !b.own[v] || len(v.Uses()) > 0 {
		return
	}
	n := v.Producer()
	switch {
	case n != nil && n.Is("Constant"):
		if b.g.Remove(n) != nil {
			return
		}
	case n == nil && v.IsInitializer():
		if b.g.RemoveInitializer(v) != nil || v.IsInput() && b.g.RemoveInput(v) != nil {
			return
		}
	default:
		return
	}
	delete(b.held, v)
	delete(b.own, v)
}

// ints is a constant list of integers.
func (b *builder) ints(list ...int64) *graph.Value {
	return b.constant(graph.NewInt64([]int64{int64(len(list))}, list))
}

// number is a constant of rank 0.
func (b *builder) number(d graph.DType, x float64) *graph.Value {
	return b.constant(tensorOf(d, nil, []float64{x}))
}

// random is a constant of elements from -1 to 1.
func (b *builder) random(d graph.DType, dims ...int64) *graph.Value {
	return b.constant(draw(b.rng(), d, dims, 32))
}

// positive is a constant of elements from 1/4 to 5/4.
func (b *builder) positive(d graph.DType, dims ...int64) *graph.Value {
	return b.constant(b.from(d, 0.25, dims...))
}

// from is elements from lo to lo + 1.
func (b *builder) from(d graph.DType, lo float64, dims ...int64) *graph.Tensor {
	rng := b.rng()
	list := make([]float64, count(dims))
	for i := range list {
		list[i] = lo + math.Round(rng.Float64()*32)/32
	}
	return tensorOf(d, dims, list)
}

// rng draws elements, which are not worth a byte each.
func (b *builder) rng() *rand.Rand { return rand.New(rand.NewPCG(uint64(b.N(256)), 3)) }

// tooLarge ends a trial whose result would be large.
type tooLarge struct{}

// try adds a node and computes it. Where it cannot be computed, or its results may not
// stay, it is nil, and the node is gone with the constants that were made for it.
func (b *builder) try(o graph.Op, attrs graph.Attrs, in []*graph.Value, outputs int) []*graph.Value {
	names := make([]string, outputs)
	for i := range names {
		b.named++
		names[i] = fmt.Sprintf("v%d", b.named)
	}
	n := b.g.AddNode(o, attrs, in, names...)
	if b.Chance(3) {
		n.Name = fmt.Sprintf("/net/%s_%d", o.Type, b.named)
	}
	out := b.compute(n)
	ok := out != nil
	for i, t := range out {
		ok = ok && t != nil && len(t.Dims) < 7 && count(t.Dims) <= maxElements && (b.accept == nil || b.accept(t))
		if ok {
			b.held[n.Output(i)] = t
		}
	}
	if ok {
		b.made = append(b.made, n.Outputs()...)
		return n.Outputs()
	}
	for _, v := range n.Outputs() {
		delete(b.held, v)
	}
	if err := b.g.Remove(n); err != nil {
		panic(fmt.Sprintf("randommodel: %v", err))
	}
	for _, v := range in {
		b.drop(v)
	}
	return nil
}

// one is try with one result, nil where there is none.
func (b *builder) one(typ string, attrs graph.Attrs, in ...*graph.Value) *graph.Value {
	if out := b.try(graph.Op{Type: typ}, attrs, in, 1); out != nil {
		return out[0]
	}
	return nil
}

// compute gives the results of a node, nil where it has none.
func (b *builder) compute(n *graph.Node) (out []*graph.Tensor) {
	in := make([]*graph.Tensor, n.NumInputs())
	for i, v := range n.Inputs() {
		if v != nil {
			in[i] = b.held[v]
		}
	}
	if f := b.m.Function(n.Op(), n.Overload); f != nil {
		body := f.Instantiate(n)
		for i, v := range body.Inputs() {
			b.held[v] = in[i]
		}
		return b.computeAll(body)
	}
	if n.Is("If") {
		branch := "else_branch"
		if t := in[0]; t.Bytes()[0] != 0 {
			branch = "then_branch"
		}
		sub, _ := graph.Get[*graph.Graph](n.Attrs, branch, nil)
		return b.computeAll(sub)
	}
	return b.evaluate(n, in)
}

// computeAll gives the outputs of a graph whose inputs are known.
func (b *builder) computeAll(g *graph.Graph) (out []*graph.Tensor) {
	for _, v := range g.Initializers() {
		b.held[v] = v.Const
	}
	for n := range g.Nodes() {
		results := b.compute(n)
		if results == nil {
			return nil
		}
		for i, v := range n.Outputs() {
			b.held[v] = results[i]
		}
	}
	for _, v := range g.Outputs() {
		out = append(out, b.held[v])
	}
	return out
}

func (b *builder) evaluate(n *graph.Node, in []*graph.Tensor) (out []*graph.Tensor) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(tooLarge); !ok {
				panic(r)
			}
			out = nil
		}
	}()
	env := &ops.Env{Alloc: func(d graph.DType, dims []int) *ops.Tensor {
		n := 1
		for _, k := range dims {
			if n *= k; n > 64*maxElements {
				panic(tooLarge{})
			}
		}
		return ops.NewTensor(d, dims)
	}}
	out, err := ops.Evaluate(env, n, b.opset(), in)
	if err != nil {
		return nil
	}
	return out
}

// count is the elements of a tensor.
func count(dims []int64) int64 {
	n := int64(1)
	for _, d := range dims {
		n *= d
	}
	return n
}

// draw is a tensor of multiples of 1/grid from -1 to 1, or of small integers, so that sums of products
// are exact in whatever order.
func draw(rng *rand.Rand, d graph.DType, dims []int64, grid int) *graph.Tensor {
	list := make([]float64, count(dims))
	for i := range list {
		switch {
		case d == graph.Bool:
			list[i] = float64(rng.IntN(2))
		case !d.IsFloat():
			list[i] = float64(rng.IntN(7) - 2)
		default:
			list[i] = float64(rng.IntN(2*grid+1)-grid) / float64(grid)
		}
	}
	return tensorOf(d, dims, list)
}

// tensorOf makes a tensor of a type that can be computed with. Negative numbers are none in
// one without signs.
func tensorOf(d graph.DType, dims []int64, list []float64) *graph.Tensor {
	le := binary.LittleEndian
	if d.IsFloat() && d != graph.Float64 {
		fs := make([]float32, len(list))
		for i, x := range list {
			fs[i] = float32(x)
		}
		t := &ops.Tensor{DType: graph.Float32, F32: fs}
		for _, n := range dims {
			t.Dims = append(t.Dims, int(n))
		}
		return must(t.As(d).Graph())
	}
	data := []byte{}
	for _, x := range list {
		i := int64(x)
		switch d {
		case graph.Uint8, graph.Uint16, graph.Uint32, graph.Uint64:
			i = max(i, 0)
		}
		switch d {
		case graph.Float64:
			data = le.AppendUint64(data, math.Float64bits(x))
		case graph.Int64, graph.Uint64:
			data = le.AppendUint64(data, uint64(i))
		case graph.Int32, graph.Uint32:
			data = le.AppendUint32(data, uint32(i))
		case graph.Int16, graph.Uint16:
			data = le.AppendUint16(data, uint16(i))
		default:
			data = append(data, byte(i))
		}
	}
	return must(graph.NewTensor(d, dims, data))
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("randommodel: %v", err))
	}
	return x
}
