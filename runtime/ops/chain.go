package ops

import (
	"fmt"
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel"
)

// A Chain is a convolution and operators that follow it element by element, as
// one operator: what lies between is never stored, and the result has the same
// bits. Everything is float32, and all inputs but those of the convolution are
// constants.
type Chain struct {
	conv  Op
	nodes []*graph.Node
	links []link
	// direct describes all links together, where they are a BatchNormalization, a
	// Relu, or the one before the other.
	direct []describer
}

// A pointwise changes elements of one channel in place.
type pointwise func(channel int, y []float32)

// A link makes the loop of an operator from its inputs, of which the first is not
// looked at, and the weights [channels, ...] of the convolution. Not ok are inputs
// that the operator itself has to judge.
type link func(in []*Tensor, weight *Tensor) (loop pointwise, ok bool)

// A describer says what a link does in the terms of kernels, which may do it
// themselves; links of other operators have none.
type describer func(in []*Tensor) kernel.Direct

// linkers lists the operators that may follow in a chain.
var linkers = map[string]func(n *graph.Node, opset int64) (link, error){
	"Relu":               linkRelu,
	"LeakyRelu":          linkLeakyRelu,
	"PRelu":              linkPRelu,
	"Clip":               linkClip,
	"BatchNormalization": linkBatchNorm,
}

// Chains reports whether nodes of the operator may follow in a chain.
func Chains(o graph.Op) bool { return linkers[standard(o)] != nil }

// NewChain makes a chain of a bound convolution and the nodes that follow, each
// of which reads the one before as its first input.
func NewChain(conv Op, after []*graph.Node, opset int64) (*Chain, error) {
	c := &Chain{conv: conv, nodes: after}
	for _, n := range after {
		bind := linkers[standard(n.Op())]
		if bind == nil {
			return nil, op.Errorf(n, "the operator cannot be part of a chain")
		}
		l, err := bind(n, opset)
		if err != nil {
			return nil, err
		}
		c.links = append(c.links, l)
	}
	c.describe(opset)
	return c, nil
}

// Run computes the last operator's result. in lists the inputs of the convolution
// and then those of every other node, whose first is nil. Not ok are inputs that
// only the operators one by one can take, or name the fault of.
func (c *Chain) Run(env *Env, in [][]*Tensor) (y *Tensor, ok bool, err error) {
	x, weight := in[0][0], in[0][1]
	if x == nil || weight == nil || x.DType != graph.Float32 || weight.Rank() == 0 {
		return nil, false, nil
	}
	loops := make([]pointwise, len(c.links))
	for i, l := range c.links {
		for _, t := range in[i+1] {
			if t != nil && t.DType != graph.Float32 {
				return nil, false, nil
			}
		}
		if loops[i], ok = l(in[i+1], weight); !ok {
			return nil, false, nil
		}
	}
	inner := *env
	inner.tail = func(channel int, y []float32) {
		for _, f := range loops {
			f(channel, y)
		}
	}
	inner.direct = c.directly(in[1:])
	out, err := c.conv.Run(&inner, in[0])
	if err != nil {
		return nil, false, err
	}
	return out[0], true, nil
}

func (c *Chain) describe(opset int64) {
	for i, n := range c.nodes {
		switch {
		case n.Is("Relu") && i == len(c.nodes)-1:
			c.direct = append(c.direct, func([]*Tensor) kernel.Direct { return kernel.Direct{Relu: true} })
		case n.Is("BatchNormalization") && i == 0:
			b, err := op.BatchNormOf(n, opset)
			if err != nil {
				return
			}
			c.direct = append(c.direct, func(in []*Tensor) kernel.Direct { return describeBatchNorm(b, in) })
		}
	}
	if len(c.direct) < len(c.links) {
		c.direct = nil
	}
}

func describeBatchNorm(b op.BatchNorm, in []*Tensor) kernel.Direct {
	d := kernel.Direct{Scale: scales(b, in[1], in[4].F32), Shift: in[2].F32}
	for _, m := range in[3].F32 {
		d.Offset = append(d.Offset, -m)
	}
	return d
}

// directly joins what the links do; nil when kernels do not know it.
func (c *Chain) directly(in [][]*Tensor) *kernel.Direct {
	if len(c.direct) == 0 {
		return nil
	}
	all := &kernel.Direct{}
	for i, describe := range c.direct {
		d := describe(in[i])
		if d.Scale != nil {
			all.Offset, all.Scale, all.Shift = d.Offset, d.Scale, d.Shift
		}
		all.Relu = all.Relu || d.Relu
	}
	return all
}

func (f pointwise) planes(env *Env, y *Tensor) {
	if f != nil {
		eachPlane(env, y, func(c, lo, hi int) { f(c, y.F32[lo:hi]) })
	}
}

func always(loop func(dst, x []float32)) link {
	return func([]*Tensor, *Tensor) (pointwise, bool) {
		return func(_ int, y []float32) { loop(y, y) }, true
	}
}

func linkRelu(*graph.Node, int64) (link, error) { return always(kernel.Relu), nil }

func linkLeakyRelu(n *graph.Node, _ int64) (link, error) {
	l, err := op.ActivationOf(n)
	return always(leakyRelu(l)), err
}

// linkPRelu takes a slope for all elements or one for each channel.
func linkPRelu(*graph.Node, int64) (link, error) {
	return func(in []*Tensor, weight *Tensor) (pointwise, bool) {
		slope, channels := in[1], weight.Dims[0]
		if slope.Len() == 1 && slope.Rank() <= weight.Rank() {
			return func(_ int, y []float32) { kernel.LeakyRelu(y, y, slope.F32[0]) }, true
		}
		if slope.Rank() != weight.Rank()-1 || slope.Dims[0] != channels || slope.Len() != channels {
			return nil, false
		}
		return func(c int, y []float32) { kernel.LeakyRelu(y, y, slope.F32[c]) }, true
	}, nil
}

func linkClip(n *graph.Node, opset int64) (link, error) {
	c, err := op.ClipOf(n, opset)
	return func(in []*Tensor, _ *Tensor) (pointwise, bool) {
		low, high := float32(math.Inf(-1)), float32(math.Inf(1))
		if opset < 11 {
			low, high = c.Min.Value, c.Max.Value
		} else {
			for i, limit := range []*float32{&low, &high} {
				if t := optional(in, i+1); t != nil {
					if t.Len() != 1 {
						return nil, false
					}
					*limit = t.F32[0]
				}
			}
		}
		return func(_ int, y []float32) { kernel.Clip(y, y, low, high) }, true
	}, err
}

func linkBatchNorm(n *graph.Node, opset int64) (link, error) {
	b, err := op.BatchNormOf(n, opset)
	if err == nil && (b.PerElement || b.Training) {
		err = fmt.Errorf("normalises by the batch")
	}
	return func(in []*Tensor, weight *Tensor) (pointwise, bool) {
		channels := weight.Dims[0]
		for _, t := range in[1:] {
			if t.Rank() != 1 || t.Len() != channels {
				return nil, false
			}
		}
		scale, bias, mean := scales(b, in[1], in[4].F32), in[2].F32, in[3].F32
		return func(c int, y []float32) { affine(y, y, mean[c], scale[c], bias[c]) }, true
	}, err
}
