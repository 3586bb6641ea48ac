package grad

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/onnxio/text"
	"spikingir/runtime/ops"
)

// A manner is how the inputs of a case are drawn and its gradients are checked.
type manner int

const (
	// smooth: normal numbers; differences of fourth order.
	smooth manner = iota
	// linear in each input by itself: small integers and a step of 1, so that
	// float32 differences are exact or nearly so.
	linear
	// whole: the same for functions that are linear in each element only.
	whole
	// apart: different numbers, none near 0 or near another one, for functions with
	// kinks.
	apart
	// positive: numbers from 0.5 to 2.5.
	positive
	// frozen: the gradient has to be 0, as the function is constant between jumps.
	frozen
)

// exact reports whether differences with a step of 1 are the derivatives.
func (m manner) exact() bool { return m == linear || m == whole }

// A testCase is the inputs, outputs and node of a model in ONNX's textual syntax.
// Inputs with default values have gradients as well; they are not drawn.
type testCase struct {
	opset  int64
	manner manner
	text   string // (inputs) => (outputs) <initializers> { node }
}

// model is a case made ready to run.
type model struct {
	name  string
	node  *graph.Node
	run   ops.Op
	back  Operator
	in    []*ops.Tensor
	fixed []bool // which inputs are omitted or constants
}

// build parses a case and draws its inputs.
func (c testCase) build(t *testing.T, seed uint64) *model {
	t.Helper()
	m, err := text.Parse(fmt.Sprintf("<ir_version: 10, opset_import: [\"\" : %d]>\ng %s", c.opset, c.text))
	if err != nil {
		t.Fatalf("%s: %v", c.text, err)
	}
	b := &model{name: c.text[strings.Index(c.text, "{"):]}
	for n := range m.Graph.Nodes() {
		b.node = n
	}
	if b.run, err = ops.Bind(b.node, c.opset); err != nil {
		t.Fatal(err)
	}
	if b.back, err = Bind(b.node, c.opset); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	for i, v := range b.node.Inputs() {
		b.fixed = append(b.fixed, v == nil || v.IsConstant())
		switch {
		case v == nil:
			b.in = append(b.in, nil)
		case v.Const != nil:
			x, err := ops.FromGraph(v.Const)
			if err != nil {
				t.Fatal(err)
			}
			b.in = append(b.in, x)
		default:
			dims, ok := v.Type.Shape.Sizes()
			if !ok {
				t.Fatalf("%s: dimensions of %s are not known", c.text, v.Name())
			}
			b.in = append(b.in, draw(rng, c.manner, i, v.Type.Elem, dims))
		}
	}
	return b
}

// draw makes input number i.
func draw(rng *rand.Rand, m manner, i int, d graph.DType, sizes []int64) *ops.Tensor {
	dims := make([]int, len(sizes))
	for k, s := range sizes {
		dims[k] = int(s)
	}
	x := ops.NewTensor(d, dims)
	for k := range x.I64 {
		x.I64[k] = int64(k % 2)
	}
	places := rng.Perm(len(x.F32))
	for k := range x.F32 {
		switch m {
		case linear, whole:
			x.F32[k] = float32(rng.IntN(15) - 7)
		case apart, frozen:
			x.F32[k] = (float32(places[k]-len(places)/2)+0.5)*0.34 + 0.1*float32(i)
		case positive:
			x.F32[k] = 0.5 + 2*rng.Float32()
		default:
			x.F32[k] = float32(rng.NormFloat64())
		}
	}
	return x
}

// forward runs the operator; x takes the place of input i.
func (m *model) forward(t *testing.T, i int, x *ops.Tensor) []*ops.Tensor {
	t.Helper()
	in := slices.Clone(m.in)
	if x != nil {
		in[i] = x
	}
	out, err := m.run.Run(&ops.Env{}, in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// cotangents draws gradients for all outputs that have one.
func cotangents(rng *rand.Rand, m manner, out []*ops.Tensor) []*ops.Tensor {
	list := make([]*ops.Tensor, len(out))
	for j, y := range out {
		if y == nil || !y.DType.IsFloat() {
			continue
		}
		list[j] = ops.NewTensor(graph.Float32, y.Dims)
		for i := range list[j].F32 {
			if m.exact() {
				list[j].F32[i] = float32(rng.IntN(9) - 4)
			} else {
				list[j].F32[i] = float32(rng.NormFloat64())
			}
		}
	}
	return list
}

// gradients is what Backward adds to gradients of the inputs listed, which hold
// start beforehand.
func (m *model) gradients(t *testing.T, out, gout []*ops.Tensor, start float32, inputs ...int) []*ops.Tensor {
	t.Helper()
	gin := make([]*ops.Tensor, len(m.in))
	for _, i := range inputs {
		gin[i] = ops.NewTensor(graph.Float32, m.in[i].Dims)
		for k := range gin[i].F32 {
			gin[i].F32[k] = start
		}
	}
	if err := m.back.Backward(m.in, out, gout, gin); err != nil {
		t.Fatal(err)
	}
	for _, i := range inputs {
		for k := range gin[i].F32 {
			gin[i].F32[k] -= start
		}
	}
	return gin
}

// wanted is the inputs that have gradients.
func (m *model) wanted() (list []int) {
	for i, x := range m.in {
		if !m.fixed[i] && x.DType.IsFloat() {
			list = append(list, i)
		}
	}
	return list
}

// paired is the sum of the products of tensors, and that of their sizes.
func paired(x, y []*ops.Tensor) (sum, size float64) {
	for j := range x {
		if x[j] == nil || y[j] == nil {
			continue
		}
		for i, v := range x[j].F32 {
			p := float64(v) * float64(y[j].F32[i])
			sum += p
			size += math.Abs(p)
		}
	}
	return sum, size
}
