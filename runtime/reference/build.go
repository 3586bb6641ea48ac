package reference

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"spikingir/graph"
	"spikingir/graph/op"
)

// Options is how spikes are differentiated; the zero Options are the paper's.
type Options struct {
	Surrogate Surrogate
	Slope     float64 // 0: 4
	// ThroughReset lets the gradient pass through the spike that a potential loses.
	ThroughReset bool
	// Smooth computes with the surrogate's primitive in place of the step.
	Smooth bool
}

// Net is a network in Gorgonia, for inputs of one shape. It is not safe for
// concurrent use.
type Net struct {
	in     *parameter
	params []*parameter
	out    *gorgonia.Node
	near   nearest
	size   size

	graph    *gorgonia.ExprGraph
	forward  *program
	backward *program // with the gradients; nil until they are asked for
	seed     *gorgonia.Node
}

// parameter is an initializer, or the network's input.
type parameter struct {
	name string
	dims []int
	node *gorgonia.Node // of rank 2 at least: ones stand before dims
}

// Build makes the Gorgonia graph of a model with one input, of the given shape
// [N, C, H, W], and one output. Every float initializer that an operator computes
// with is a parameter. Errors name the node that cannot be expressed.
func Build(m *graph.Model, shape []int, o Options) (net *Net, err error) {
	defer recovered(&err)
	if o.Slope == 0 {
		o.Slope = 4
	}
	if !(o.Slope > 0) || o.Surrogate < Sigmoid || o.Surrogate > Arctan {
		return nil, fmt.Errorf("%v of slope %v, want a known surrogate and a slope above 0", o.Surrogate, o.Slope)
	}
	in, out, err := ports(m.Graph, shape)
	if err != nil {
		return nil, err
	}
	b := &builder{
		Net: &Net{graph: gorgonia.NewGraph()}, model: m, opset: m.Opset(""), options: o,
		values: map[*graph.Value]*series{}, constants: map[string]*gorgonia.Node{},
	}
	if err := b.size.hold(shape); err != nil {
		return nil, err
	}
	b.in = b.parameter(in.Name(), shape, make([]float64, product(shape)))
	b.values[in] = analog(b.in.node)
	for n := range m.Graph.Nodes() {
		if err := b.node(n); err != nil {
			return nil, err
		}
	}
	y := b.values[out]
	if y == nil {
		return nil, fmt.Errorf("output %q is computed by no node that Gorgonia can express", out.Name())
	}
	b.out = b.whole(y)
	if b.err != nil {
		return nil, b.err
	}
	b.order(m.Graph)
	b.forward = compile(b.graph, b.out)
	return b.Net, nil
}

// recovered turns a panic of Gorgonia, which has many, into an error.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("gorgonia: %v", p)
	}
}

func ports(g *graph.Graph, shape []int) (in, out *graph.Value, err error) {
	inputs := slices.DeleteFunc(g.Inputs(), (*graph.Value).IsInitializer)
	if len(inputs) != 1 || len(g.Outputs()) != 1 {
		return nil, nil, fmt.Errorf("the model has %d inputs and %d outputs, want one each", len(inputs), len(g.Outputs()))
	}
	if len(shape) != 4 || slices.Min(shape) < 1 {
		return nil, nil, fmt.Errorf("shape %v, want [N, C, H, W] of 1 or more each", shape)
	}
	for i, d := range inputs[0].Type.Shape {
		if size, ok := d.Size(); ok && (len(inputs[0].Type.Shape) != 4 || int(size) != shape[i]) {
			return nil, nil, fmt.Errorf("shape %v, want %v as input %q has", shape, inputs[0].Type.Shape, inputs[0].Name())
		}
	}
	return inputs[0], g.Outputs()[0], nil
}

// builder translates a graph node by node. Its methods keep the first error and
// give nil from then on.
type builder struct {
	*Net
	model     *graph.Model
	opset     int64 // of the standard operators
	options   Options
	values    map[*graph.Value]*series
	constants map[string]*gorgonia.Node
	err       error
}

// series is a value: one tensor, or one for each slice of a time-major tensor.
type series struct {
	slices []*gorgonia.Node
	timed  bool
}

func analog(n *gorgonia.Node) *series { return &series{slices: []*gorgonia.Node{n}} }

// failf keeps an error that names n, unless there is one already.
func (b *builder) failf(n *graph.Node, format string, args ...any) []*series {
	if b.err == nil {
		b.err = op.Errorf(n, format, args...)
	}
	return nil
}

// known is a setting that must be a constant.
func known[T any](b *builder, p op.Param[T]) T {
	x, err := p.Constant()
	if b.err == nil {
		b.err = err
	}
	return x
}

// node translates n; an error, or a panic of Gorgonia's, names it. Once there is an
// error a panic says nothing.
func (b *builder) node(n *graph.Node) (err error) {
	defer func() {
		if p := recover(); p != nil {
			b.failf(n, "gorgonia: %v", p)
		}
		if err == nil && b.err != nil {
			if err = b.err; !errors.As(err, new(*op.Error)) {
				err = op.Errorf(n, "%v", b.err)
			}
		}
	}()
	f, ok := translations[n.Op()]
	if !ok {
		return op.Errorf(n, "the reference in Gorgonia has no such operator")
	}
	if err := op.Check(n, b.model.Opset(n.Op().Domain)); err != nil {
		return err
	}
	out := f(b, n)
	if b.err != nil {
		return nil
	}
	for i, s := range out {
		if v := n.Output(i); v != nil && s != nil {
			b.values[v] = s
		}
	}
	for _, v := range n.Outputs() {
		if v != nil && len(v.Uses()) > 0 && b.values[v] == nil && op.Constant(v) == nil {
			return op.Errorf(n, "output %q is used, which the reference does not compute", v.Name())
		}
	}
	return nil
}

// value is what stands for v, which node n reads: computed before, or a
// parameter.
func (b *builder) value(n *graph.Node, v *graph.Value) *series {
	if s := b.values[v]; s != nil {
		return s
	}
	t := op.Constant(v)
	if t == nil {
		b.failf(n, "input %q is not computed by the reference and no constant", v.Name())
		return nil
	}
	x := b.floats(n, v)
	if len(x) == 0 {
		b.failf(n, "input %q is empty", v.Name())
		return nil
	}
	dims, wide := make([]int, len(t.Dims)), make([]float64, len(x))
	for i, d := range t.Dims {
		dims[i] = int(d)
	}
	for i := range x {
		wide[i] = float64(x[i])
	}
	p := b.parameter(v.Name(), dims, wide)
	b.params = append(b.params, p)
	b.values[v] = analog(p.node)
	return b.values[v]
}

func (b *builder) floats(n *graph.Node, v *graph.Value) []float32 {
	if b.err != nil {
		return nil
	}
	x, err := op.Constant(v).Float32s()
	if err != nil {
		b.failf(n, "input %q: %v", v.Name(), err)
	}
	return x
}

// constant is value for what must not vary over time.
func (b *builder) constant(n *graph.Node, v *graph.Value) *gorgonia.Node {
	s := b.value(n, v)
	if b.err == nil && s.timed {
		b.failf(n, "input %q varies over time, want a value that does not", v.Name())
	}
	if b.err != nil {
		return nil
	}
	return s.slices[0]
}

// parameter makes an input of the Gorgonia graph. Tensors of rank 0 and 1 become
// matrices: Gorgonia has rules of its own for scalars and vectors.
func (b *builder) parameter(name string, dims []int, x []float64) *parameter {
	shape := slices.Clone(dims)
	for len(shape) < 2 {
		shape = append([]int{1}, shape...)
	}
	return &parameter{name: name, dims: dims, node: b.variable("value:"+name, shape, x)}
}

func (b *builder) variable(name string, shape []int, x []float64) *gorgonia.Node {
	return gorgonia.NewTensor(b.graph, tensor.Float64, len(shape), gorgonia.WithShape(shape...),
		gorgonia.WithName(name), gorgonia.WithValue(dense(shape, x)))
}

// order sorts the parameters as the model lists its initializers; Constant nodes
// come behind them.
func (b *builder) order(g *graph.Graph) {
	index := map[string]int{}
	for i, v := range g.Initializers() {
		index[v.Name()] = i
	}
	at := func(p *parameter) int {
		if i, ok := index[p.name]; ok {
			return i
		}
		return len(index)
	}
	slices.SortStableFunc(b.params, func(p, q *parameter) int { return cmp.Compare(at(p), at(q)) })
}
