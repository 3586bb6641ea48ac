package train

import (
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/ops"
	"spikingir/runtime/train/grad"
)

const (
	maxFloat = math.MaxFloat32
	// lowestThreshold is the threshold from which on dividing by it makes sense.
	lowestThreshold = 0x1p-64
)

// A standardLayer is any other standard operator, run by package ops and back by
// package grad, both of which want channels first.
type standardLayer struct {
	node    *graph.Node
	op      ops.Op
	back    grad.Operator
	in      []*value      // nil for constants
	consts  []*ops.Tensor // nil for values
	params  []*Param      // nil but for the constants that are trained
	out     []*value      // nil for what is omitted
	vary    []*value      // in and out without the nils
	outputs []*value
	// pointwise: it works element by element, so that it does not matter where channels
	// are.
	pointwise bool
}

// roles are the constant inputs of standard operators that are parameters.
var roles = map[string]map[int]Role{
	"Conv":                  {1: Weight, 2: Bias},
	"ConvTranspose":         {1: Weight, 2: Bias},
	"Gemm":                  {1: Weight, 2: Bias},
	"MatMul":                {0: Weight, 1: Weight},
	"BatchNormalization":    {1: Weight, 2: Bias},
	"InstanceNormalization": {1: Weight, 2: Bias},
	"LayerNormalization":    {1: Weight, 2: Bias},
	"GroupNormalization":    {1: Weight, 2: Bias},
	"PRelu":                 {1: Weight},
}

func (n *Net) bindStandard(node *graph.Node) (layer, error) {
	if n.model.Function(node.Op(), node.Overload) != nil {
		return nil, op.Errorf(node, "calls a function of the model's own; inline it first")
	}
	l := &standardLayer{node: node, consts: make([]*ops.Tensor, node.NumInputs()),
		in: make([]*value, node.NumInputs()), params: make([]*Param, node.NumInputs())}
	var err error
	if l.op, err = ops.Bind(node, n.model.Opset("")); err != nil {
		return nil, err
	}
	timed, varies, back := false, false, false
	for i, v := range node.Inputs() {
		if v == nil {
			continue
		}
		if x := n.values[v]; x != nil {
			l.in[i], varies = x, true
			timed, back = timed || x.timed, back || x.grad
			l.vary = append(l.vary, x)
			continue
		}
		if l.consts[i] = n.consts[v]; l.consts[i] == nil {
			return nil, op.Errorf(node, "input %q is neither constant nor computed from the image", v.Name())
		}
	}
	outs, err := l.try(n)
	if err != nil {
		return nil, err
	}
	if !varies || !floats(outs) {
		if timed {
			return nil, op.Errorf(node, "looks at the shape of spikes, which has no meaning in training")
		}
		for i, t := range outs {
			if t != nil {
				n.consts[node.Output(i)] = t
			}
		}
		return nil, nil
	}
	for i := range l.in {
		if role, ok := roles[node.Op().Type][i]; ok && l.in[i] == nil {
			l.params[i] = n.param(node, i, role)
			back = back || l.params[i] != nil
		}
	}
	if back {
		if l.back, err = grad.Bind(node, n.model.Opset("")); err != nil {
			return nil, err
		}
	}
	return l, l.enter(n, outs, timed, back)
}

// floats reports whether all results are floating point.
func floats(outs []*ops.Tensor) bool {
	for _, t := range outs {
		if t != nil && !t.DType.IsFloat() {
			return false
		}
	}
	return true
}

// try runs the operator on one slice of zeros, for the shapes of its results.
func (l *standardLayer) try(n *Net) ([]*ops.Tensor, error) {
	in := make([]*ops.Tensor, len(l.in))
	for i, v := range l.in {
		in[i] = l.consts[i]
		if v != nil {
			in[i] = ops.NewTensor(graph.Float32, v.dims)
		}
	}
	return l.op.Run(&ops.Env{}, in)
}

func (l *standardLayer) enter(n *Net, outs []*ops.Tensor, timed, back bool) error {
	l.out = make([]*value, len(outs))
	for i, t := range outs {
		if t == nil {
			continue
		}
		if timed && (len(t.Dims) == 0 || t.Dims[0] != 1) {
			return op.Errorf(l.node, "makes %v of one timestep, want one timestep in dimension 0", t.Dims)
		}
		l.out[i] = n.add(l.node.Output(i), t.Dims, timed)
		l.out[i].grad, l.out[i].kept = back, back
		l.outputs = append(l.outputs, l.out[i])
	}
	l.pointwise = len(l.vary) == 1 && l.in[0] != nil && (l.node.Is("Relu") || l.node.Is("Clip")) &&
		len(l.out) == 1 && l.out[0].elems == l.in[0].elems
	return nil
}

func (l *standardLayer) reads() []*value  { return l.vary }
func (l *standardLayer) writes() []*value { return l.outputs }

func (l *standardLayer) refresh() {
	for i, p := range l.params {
		if p != nil {
			l.consts[i] = &ops.Tensor{DType: graph.Float32, Dims: l.consts[i].Dims, F32: p.elems}
		}
	}
}

// tensor is slices of a value as the operator takes them; the buffer is w's.
func (l *standardLayer) tensor(w *Worker, v *value, x []float32) *ops.Tensor {
	t := &ops.Tensor{DType: graph.Float32, Dims: append([]int(nil), v.dims...), F32: w.floats(len(x))}
	if s := w.slices(v); s > 1 {
		t.Dims[0] *= s
	}
	if l.pointwise {
		copy(t.F32, x)
	} else {
		toFirst(t.F32, x, v)
	}
	return t
}

// store is the other way round.
func (l *standardLayer) store(dst, x []float32, v *value) {
	if l.pointwise {
		copy(dst, x)
	} else {
		toLast(dst, x, v)
	}
}

// inputs are the operator's inputs; done frees them.
func (l *standardLayer) inputs(w *Worker) (in []*ops.Tensor, done func()) {
	in = make([]*ops.Tensor, len(l.in))
	for i, v := range l.in {
		in[i] = l.consts[i]
		if v != nil {
			in[i] = l.tensor(w, v, w.amplitudes(v))
		}
	}
	return in, func() {
		for i, v := range l.in {
			if v != nil {
				w.put(in[i].F32)
			}
		}
	}
}

func (l *standardLayer) forward(w *Worker) error {
	in, done := l.inputs(w)
	outs, err := l.op.Run(&w.env, in)
	if err != nil {
		return err
	}
	for i, v := range l.out {
		if v == nil {
			continue
		}
		if len(outs[i].F32) != w.size(v) {
			return op.Errorf(l.node, "gives %v, want the %d timesteps apart in dimension 0", outs[i].Dims, w.slices(v))
		}
		l.store(w.set(v), outs[i].F32, v)
	}
	done()
	return nil
}

func (l *standardLayer) backward(w *Worker) error {
	if l.back == nil {
		return nil
	}
	in, done := l.inputs(w)
	defer done()
	gin := make([]*ops.Tensor, len(in))
	for i, v := range l.in {
		switch {
		case v != nil && v.grad:
			gin[i] = &ops.Tensor{DType: graph.Float32, Dims: in[i].Dims, F32: w.zeros(len(in[i].F32))}
		case l.params[i] != nil:
			gin[i] = &ops.Tensor{DType: graph.Float32, Dims: in[i].Dims, F32: w.grads[l.params[i].grad]}
		}
	}
	var outs, gouts []*ops.Tensor
	for _, v := range l.out {
		if v == nil {
			outs, gouts = append(outs, nil), append(gouts, nil)
			continue
		}
		outs = append(outs, l.tensor(w, v, w.amplitudes(v)))
		if g := w.gradient(v); g != nil {
			gouts = append(gouts, l.tensor(w, v, g))
		} else {
			gouts = append(gouts, nil)
		}
	}
	if err := l.back.Backward(in, outs, gouts, gin); err != nil {
		return err
	}
	for i := range outs {
		for _, t := range []*ops.Tensor{outs[i], gouts[i]} {
			if t != nil {
				w.put(t.F32)
			}
		}
	}
	for i, v := range l.in {
		if v != nil && v.grad {
			g := w.floats(len(gin[i].F32))
			l.store(g, gin[i].F32, v)
			w.put(gin[i].F32)
			w.give(v, g)
		}
	}
	return nil
}
