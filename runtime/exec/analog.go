package exec

import (
	"fmt"
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/ops"
)

// alone is the one node of a unit.
type alone struct{ node *graph.Node }

func (u alone) nodes() []*graph.Node  { return []*graph.Node{u.node} }
func (u alone) reads() []*graph.Value { return present(ops.Reads(u.node)) }

// present drops the omitted inputs.
func present(vs []*graph.Value) []*graph.Value {
	return slices.DeleteFunc(vs, func(v *graph.Value) bool { return v == nil })
}

// analog is a standard operator on whole tensors.
type analog struct {
	alone
	op     ops.Op
	spikes bool // its results are made of spikes, see passSpikes
}

func (u *analog) run(r *run) error {
	in := r.analogInputs(u.node)
	out, err := r.compute(u.node, u.op, in)
	if err != nil {
		return op.Wrap(u.node, err)
	}
	for i, t := range out {
		r.put(u.node.Output(i), t)
	}
	r.countAnalog(u.node, in, out[0])
	if u.spikes && r.o.Measure {
		return r.passSpikes(u)
	}
	return nil
}

// encode starts the time of an analog value: a constant current.
type encode struct{ alone }

func (u *encode) run(r *run) error {
	if r.at != every {
		return op.Errorf(u.node, "encodes a value that depends on a readout; run it for one number of timesteps")
	}
	t := r.analogValue(u.node.Input(0))
	if t == nil || len(t.Dims) == 0 || t.DType != graph.Float32 {
		return op.Errorf(u.node, "wants a float tensor of rank 1 or more")
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
	alone
	conv ops.Op // CPM
}

func (p *plan) untimed(m *graph.Model, n *graph.Node) (unit, error) {
	switch n.Op().Type {
	case "Encode", "Decode", "Bias", "IF", "MPRN", "BurstIF", "MultiThresholdIF", "SignedIF":
		return &rate{alone: alone{n}}, nil
	case "CPM":
		conv, err := bindCPM(m, n)
		p.weigh(n)
		return &rate{alone{n}, conv}, err
	}
	return nil, op.Errorf(n, "no such operator in domain %s", graph.Spiking)
}

func (u *rate) run(r *run) error {
	in := append(r.analogInputs(u.node), nil, nil, nil)
	x := in[0]
	if x == nil || !x.DType.IsFloat() {
		return op.Errorf(u.node, "input is %v, want a float tensor", x)
	}
	switch u.node.Op().Type {
	case "Encode", "Decode":
		r.put(u.node.Output(0), x)
		return nil
	case "CPM":
		return u.mapped(r, in)
	case "Bias":
		y := r.arena.tensor(graph.Float32, x.Dims)
		if err := r.addBroadcast(y, x, in[1]); err != nil {
			return op.Wrap(u.node, err)
		}
		r.put(u.node.Output(0), y)
		return nil
	}
	return u.clip(r, in)
}

// clip is a neuron: y = clip(x+b, 0, theta), vres = x+b-y, with the most that it can pass on in
// the place of theta where that is more.
func (u *rate) clip(r *run, in []*ops.Tensor) (err error) {
	x, bias, theta := in[0], in[1], in[2]
	thresholds := gradeOf(u.node).Top()
	residual, y := r.arena.tensor(graph.Float32, x.Dims), r.arena.tensor(graph.Float32, x.Dims)
	copy(residual.F32, x.F32)
	if bias != nil {
		err = r.addBroadcast(residual, x, bias)
	}
	if theta == nil {
		return op.Errorf(u.node, "the threshold is missing")
	}
	if err == nil {
		err = r.perChannel(x.Dims, theta, func(top float32, lo, hi int) error {
			if math.IsNaN(float64(top)) {
				return fmt.Errorf("a threshold is not a number")
			}
			top *= thresholds
			for i := lo; i < hi; i++ {
				y.F32[i] = max(0, min(residual.F32[i], top))
				residual.F32[i] -= y.F32[i]
			}
			return nil
		})
	}
	if err != nil {
		return op.Wrap(u.node, err)
	}
	r.put(u.node.Output(op.NeuronY), y)
	r.put(u.node.Output(op.NeuronVRes), residual)
	return nil
}

// mapped is CPM: o = Conv(y) + vres + b.
func (u *rate) mapped(r *run, in []*ops.Tensor) error {
	o, err := r.pixelMap(u.node, u.conv, in[0])
	if err == nil {
		err = r.addBias(o, in[3])
	}
	if err != nil {
		return op.Wrap(u.node, err)
	}
	r.put(u.node.Output(0), o)
	r.countAnalog(u.node, in, o)
	return nil
}

// addBroadcast writes x + b to y, the shape of x; b broadcasts to it.
func (r *run) addBroadcast(y, x, b *ops.Tensor) error {
	return r.perChannel(x.Dims, b, func(v float32, lo, hi int) error {
		for i := lo; i < hi; i++ {
			y.F32[i] = x.F32[i] + v
		}
		return nil
	})
}

// perChannel calls f for each value of b, which broadcasts to dims, and the elements
// [lo, hi) that it stands for.
func (r *run) perChannel(dims []int, b *ops.Tensor, f func(v float32, lo, hi int) error) error {
	if r.areas != nil {
		return nil
	}
	inner, c, err := channelwise(dims, b)
	for i := 0; err == nil && i < product(dims); i += inner {
		err = f(b.F32[(i/inner)%c], i, i+inner)
	}
	return err
}

// channelwise reads b as one number for all or one per channel (dimension 1)
// of a tensor of dimensions dims. inner is the number of elements that share
// one, c how many there are.
func channelwise(dims []int, b *ops.Tensor) (inner, c int, err error) {
	if len(b.F32) == 1 {
		return max(product(dims), 1), 1, nil
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
	return product(dims[2:]), dims[1], nil
}

// product is the number of elements of dims.
func product(dims []int) int { return (&ops.Tensor{Dims: dims}).Len() }
