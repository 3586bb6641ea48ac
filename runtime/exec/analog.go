package exec

import (
	"fmt"
	"math"

	"spikingir/graph"
	"spikingir/runtime/ops"
)

// analog is a standard operator on whole tensors.
type analog struct {
	node *graph.Node
	op   ops.Op
	work *work // nil unless the operator has weights
}

func (u *analog) nodes() []*graph.Node  { return []*graph.Node{u.node} }
func (u *analog) reads() []*graph.Value { return present(u.node.Inputs()) }

// present drops the omitted inputs.
func present(vs []*graph.Value) []*graph.Value {
	var list []*graph.Value
	for _, v := range vs {
		if v != nil {
			list = append(list, v)
		}
	}
	return list
}

// inputs lists the node's inputs; nil stands for what is omitted or not computed.
func (u *analog) inputs(r *run) []*ops.Tensor {
	in := make([]*ops.Tensor, u.node.NumInputs())
	for i, v := range u.node.Inputs() {
		in[i] = r.analogValue(v)
	}
	return in
}

func (u *analog) run(r *run) error {
	in := u.inputs(r)
	out, err := u.op.Run(r.env, in)
	if err != nil {
		return nodeError(u.node, err)
	}
	for i, t := range out {
		r.put(u.node.Output(i), t)
	}
	u.measure(r, in, out[0])
	return nil
}

// measure notes one application.
func (u *analog) measure(r *run, in []*ops.Tensor, y *ops.Tensor) {
	if !r.o.Measure || u.work == nil {
		return
	}
	u.work.analog(r.extents(u.node, in, y))
	if r.at == everywhere {
		u.work.spread()
	}
}

// encode starts the time of an analog value: a constant current.
type encode struct{ node *graph.Node }

func (u *encode) nodes() []*graph.Node  { return []*graph.Node{u.node} }
func (u *encode) reads() []*graph.Value { return present(u.node.Inputs()) }

func (u *encode) run(r *run) error {
	if r.at != everywhere {
		return nodeError(u.node, fmt.Errorf("encodes a value that depends on a readout; run it for one number of timesteps"))
	}
	t := r.analogValue(u.node.Input(0))
	if t == nil || len(t.Dims) == 0 || t.DType != graph.Float32 {
		return nodeError(u.node, fmt.Errorf("wants a float tensor of rank 1 or more"))
	}
	if y := u.node.Output(0); y != nil {
		r.arena.hold(t)
		r.slots[y] = &slot{steady: t}
	}
	return nil
}

// rate is a spiking operator in its untimed form, with the semantics of the
// limit T -> infinity.
type rate struct {
	node *graph.Node
	conv ops.Op // CPM
	work *work  // CPM
}

func (u *rate) nodes() []*graph.Node  { return []*graph.Node{u.node} }
func (u *rate) reads() []*graph.Value { return present(u.node.Inputs()) }

func (p *Program) untimed(m *graph.Model, n *graph.Node) (unit, error) {
	switch n.Op().Type {
	case "Encode", "Decode", "Bias", "IF", "MPRN":
		return &rate{node: n}, nil
	case "CPM":
		conv, err := bindCPM(m, n)
		return &rate{node: n, conv: conv, work: p.weigh(n)}, err
	}
	return nil, nodeError(n, fmt.Errorf("no such operator in domain %s", graph.Spiking))
}

func (u *rate) run(r *run) error {
	in := make([]*ops.Tensor, max(4, u.node.NumInputs()))
	for i, v := range u.node.Inputs() {
		in[i] = r.analogValue(v)
	}
	x := in[0]
	if x == nil || !x.DType.IsFloat() {
		return nodeError(u.node, fmt.Errorf("input is %v, want a float tensor", x))
	}
	switch u.node.Op().Type {
	case "Encode", "Decode":
		r.put(u.node.Output(0), x)
	case "Bias":
		y := r.arena.tensor(graph.Float32, x.Dims)
		if err := addBroadcast(y, x, in[1]); err != nil {
			return nodeError(u.node, err)
		}
		r.put(u.node.Output(0), y)
	case "CPM":
		return u.mapped(r, in)
	default:
		return u.clip(r, in)
	}
	return nil
}

// clip is IF and MPRN: y = clip(x+b, 0, theta), vres = x+b-y.
func (u *rate) clip(r *run, in []*ops.Tensor) error {
	x, bias, theta := in[0], in[1], in[2]
	c := r.arena.tensor(graph.Float32, x.Dims)
	if bias == nil {
		copy(c.F32, x.F32)
	} else if err := addBroadcast(c, x, bias); err != nil {
		return nodeError(u.node, err)
	}
	top := r.arena.tensor(graph.Float32, x.Dims)
	if err := expand(top, theta); err != nil {
		return nodeError(u.node, err)
	}
	y := top
	for i, x := range c.F32 {
		y.F32[i] = max(0, min(x, top.F32[i]))
	}
	residual := c
	for i := range residual.F32 {
		residual.F32[i] -= y.F32[i]
	}
	r.put(u.node.Output(0), y)
	r.put(u.node.Output(1), residual)
	return nil
}

// mapped is CPM: o = Conv(y) + vres + b.
func (u *rate) mapped(r *run, in []*ops.Tensor) error {
	o, err := pixelMap(r, u.node, u.conv, in[0])
	if err != nil {
		return nodeError(u.node, err)
	}
	if err := addBias(o, in[3]); err != nil {
		return nodeError(u.node, err)
	}
	r.put(u.node.Output(0), o)
	if r.o.Measure {
		x := r.extent(u.node.Input(0), in[0])
		u.work.analog([]*ops.Tensor{x, in[2]}, r.extent(u.node.Output(0), o))
		if r.at == everywhere {
			u.work.spread()
		}
	}
	return nil
}

// addBroadcast writes x + b to y, the shape of x; b broadcasts to it.
func addBroadcast(y, x, b *ops.Tensor) error {
	inner, c, err := channelwise(x.Dims, b)
	if err != nil {
		return err
	}
	for i := 0; i < len(x.F32); i += inner {
		v := b.F32[(i/inner)%c]
		for k := i; k < i+inner; k++ {
			y.F32[k] = x.F32[k] + v
		}
	}
	return nil
}

// expand writes theta broadcast to the shape of y.
func expand(y, theta *ops.Tensor) error {
	if theta == nil {
		return fmt.Errorf("the threshold is missing")
	}
	inner, c, err := channelwise(y.Dims, theta)
	if err != nil {
		return err
	}
	for i := 0; i < len(y.F32); i += inner {
		v := theta.F32[(i/inner)%c]
		if math.IsNaN(float64(v)) {
			return fmt.Errorf("a threshold is not a number")
		}
		for k := i; k < i+inner; k++ {
			y.F32[k] = v
		}
	}
	return nil
}

// channelwise reads b as one number for all or one per channel (dimension 1)
// of a tensor of dimensions dims. inner is the number of elements that share
// one, c how many there are.
func channelwise(dims []int, b *ops.Tensor) (inner, c int, err error) {
	total := 1
	for _, d := range dims {
		total *= d
	}
	if len(b.F32) == 1 {
		return max(total, 1), 1, nil
	}
	tail := len(dims) - 2
	ok := tail >= 0 && len(b.F32) == dims[1] && len(b.Dims) > tail
	for i := 0; ok && i < len(b.Dims); i++ {
		fromEnd := len(b.Dims) - 1 - i
		ok = (fromEnd == tail) == (b.Dims[i] != 1) || dims[1] == 1
	}
	if !ok {
		return 0, 0, fmt.Errorf("dimensions %v, want one number or one per channel of %v", b.Dims, dims)
	}
	inner = 1
	for _, d := range dims[2:] {
		inner *= d
	}
	return inner, dims[1], nil
}
