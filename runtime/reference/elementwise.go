package reference

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"gorgonia.org/gorgonia"

	"spikingir/graph"
	"spikingir/graph/op"
)

// translation gives what stands for the outputs of a node.
type translation func(b *builder, n *graph.Node) []*series

// translations is the operators that the reference knows.
var translations map[graph.Op]translation

func init() {
	translations = map[graph.Op]translation{
		{Type: "Add"}:                binary((*builder).add),
		{Type: "AveragePool"}:        viewed(op.PoolOf, (*builder).averagePool),
		{Type: "BatchNormalization"}: viewedAt(op.BatchNormOf, (*builder).batchNorm),
		{Type: "Clip"}:               viewedAt(op.ClipOf, (*builder).clip),
		{Type: "Concat"}:             viewed(op.ConcatOf, (*builder).concatenation),
		{Type: "Constant"}:           func(*builder, *graph.Node) []*series { return nil },
		{Type: "Conv"}:               viewed(op.ConvOf, (*builder).convLayer),
		{Type: "ConvTranspose"}:      viewed(op.ConvTransposeOf, (*builder).transposedLayer),
		{Type: "DepthToSpace"}:       viewed(op.BlockOf, (*builder).block),
		{Type: "Div"}:                binary((*builder).div),
		{Type: "GlobalAveragePool"}:  (*builder).globalPool,
		{Type: "Identity"}:           unary(func(_ *builder, x *gorgonia.Node) *gorgonia.Node { return x }),
		{Type: "LeakyRelu"}:          viewed(op.ActivationOf, (*builder).leakyRelu),
		{Type: "Mul"}:                binary((*builder).mul),
		{Type: "Neg"}:                unary(func(b *builder, x *gorgonia.Node) *gorgonia.Node { return b.scale(x, -1) }),
		{Type: "PRelu"}:              viewed(op.PReluOf, (*builder).pRelu),
		{Type: "Pad"}:                viewedAt(op.PadOf, (*builder).pad),
		{Type: "Relu"}:               unary((*builder).relu),
		{Type: "Resize"}:             viewedAt(op.ResizeOf, (*builder).enlarge),
		{Type: "Sigmoid"}:            unary(function(gorgonia.Sigmoid)),
		{Type: "SpaceToDepth"}:       viewed(op.BlockOf, (*builder).block),
		{Type: "Sub"}:                binary((*builder).sub),
		{Type: "Sum"}:                (*builder).sums,
		{Type: "Tanh"}:               unary(function(gorgonia.Tanh)),

		{Domain: graph.Spiking, Type: "Encode"}:           viewed(op.EncodeOf, (*builder).encode),
		{Domain: graph.Spiking, Type: "Bias"}:             viewed(op.BiasOf, (*builder).bias),
		{Domain: graph.Spiking, Type: "IF"}:               viewed(op.NeuronOf, (*builder).neuron),
		{Domain: graph.Spiking, Type: "MPRN"}:             viewed(op.NeuronOf, (*builder).neuron),
		{Domain: graph.Spiking, Type: "BurstIF"}:          viewed(op.NeuronOf, (*builder).neuron),
		{Domain: graph.Spiking, Type: "MultiThresholdIF"}: viewed(op.NeuronOf, (*builder).neuron),
		{Domain: graph.Spiking, Type: "SignedIF"}:         viewed(op.NeuronOf, (*builder).neuron),
		{Domain: graph.Spiking, Type: "Decode"}:           viewed(op.DecodeOf, (*builder).decode),
		{Domain: graph.Spiking, Type: "CPM"}:              viewed(op.CPMOf, (*builder).cpm),
	}
}

// viewed is a translation that takes the operator's typed view.
func viewed[V any](view func(*graph.Node) (V, error), f func(*builder, *graph.Node, V) []*series) translation {
	return viewedAt(func(n *graph.Node, _ int64) (V, error) { return view(n) }, f)
}

// viewedAt is viewed for views that depend on the opset.
func viewedAt[V any](view func(*graph.Node, int64) (V, error), f func(*builder, *graph.Node, V) []*series) translation {
	return func(b *builder, n *graph.Node) []*series {
		v, err := view(n, b.opset)
		if err != nil {
			b.err = err
			return nil
		}
		return f(b, n, v)
	}
}

func unary(f func(b *builder, x *gorgonia.Node) *gorgonia.Node) translation {
	return func(b *builder, n *graph.Node) []*series {
		return b.slicewise(n, n.Inputs()[:1], func(xs []*gorgonia.Node) *gorgonia.Node { return f(b, xs[0]) })
	}
}

func function(f func(x *gorgonia.Node) (*gorgonia.Node, error)) func(b *builder, x *gorgonia.Node) *gorgonia.Node {
	return func(b *builder, x *gorgonia.Node) *gorgonia.Node {
		return b.apply(func() (*gorgonia.Node, error) { return f(x) })
	}
}

func binary(f func(b *builder, x, y *gorgonia.Node) *gorgonia.Node) translation {
	return func(b *builder, n *graph.Node) []*series {
		return b.slicewise(n, n.Inputs(), func(xs []*gorgonia.Node) *gorgonia.Node {
			xs = b.broadcast(xs)
			return f(b, xs[0], xs[1])
		})
	}
}

func (b *builder) sums(n *graph.Node) []*series {
	return b.slicewise(n, n.Inputs(), func(xs []*gorgonia.Node) *gorgonia.Node { return b.sum(b.broadcast(xs)) })
}

// mask is 1 where compare(x, c) holds, else 0; no gradient passes.
func (b *builder) mask(compare func(x, y *gorgonia.Node, same bool) (*gorgonia.Node, error), x *gorgonia.Node, c float64) *gorgonia.Node {
	if b.err != nil {
		return nil
	}
	level := b.full(x.Shape(), c)
	return b.apply(func() (*gorgonia.Node, error) { return compare(x, level, true) })
}

// relu is x where x > 0, else 0, with the derivative 0 at 0; Gorgonia's Rectify
// has 1 there.
func (b *builder) relu(x *gorgonia.Node) *gorgonia.Node {
	return b.mul(x, b.mask(gorgonia.Gt, x, 0))
}

func (b *builder) leakyRelu(n *graph.Node, l op.Activation) []*series {
	return b.slicewise(n, n.Inputs(), func(xs []*gorgonia.Node) *gorgonia.Node {
		x := xs[0]
		return b.add(b.relu(x), b.scale(b.mul(x, b.mask(gorgonia.Lte, x, 0)), float64(l.Alpha)))
	})
}

// pRelu is leakyRelu with slopes that are parameters.
func (b *builder) pRelu(n *graph.Node, p op.PRelu) []*series {
	return b.slicewise(n, []*graph.Value{p.X, p.Slope}, func(xs []*gorgonia.Node) *gorgonia.Node {
		x := xs[0]
		slope := b.expand(xs[1], x.Shape())
		return b.add(b.relu(x), b.mul(b.mul(x, b.mask(gorgonia.Lte, x, 0)), slope))
	})
}

func (b *builder) clip(n *graph.Node, c op.Clip) []*series {
	lo, hi := known(b, c.Min), known(b, c.Max)
	if lo > hi {
		return b.failf(n, "bounds from %v to %v, want rising ones", lo, hi)
	}
	return b.slicewise(n, []*graph.Value{c.X}, func(xs []*gorgonia.Node) *gorgonia.Node {
		x := xs[0]
		y := x
		if !math.IsInf(float64(lo), 0) {
			y = b.add(b.mul(y, b.mask(gorgonia.Gte, x, float64(lo))), b.scale(b.mask(gorgonia.Lt, x, float64(lo)), float64(lo)))
		}
		if !math.IsInf(float64(hi), 0) {
			y = b.add(b.mul(y, b.mask(gorgonia.Lte, x, float64(hi))), b.scale(b.mask(gorgonia.Gt, x, float64(hi)), float64(hi)))
		}
		return y
	})
}

// batchNorm is (x - mean)/sqrt(var + epsilon)*scale + bias by stored statistics.
func (b *builder) batchNorm(n *graph.Node, p op.BatchNorm) []*series {
	if p.Training || p.PerElement {
		return b.failf(n, "statistics of the batch or of each element, want stored ones of each channel")
	}
	var list [4]*gorgonia.Node
	for i, v := range []*graph.Value{p.Scale, p.Bias, p.Mean, p.Var} {
		list[i] = b.constant(n, v)
	}
	return b.slicewise(n, []*graph.Value{p.X}, func(xs []*gorgonia.Node) *gorgonia.Node {
		x, dims := xs[0], xs[0].Shape()
		variance := b.add(list[3], b.full(list[3].Shape(), float64(p.Epsilon)))
		gain := b.div(list[0], function(gorgonia.Sqrt)(b, variance))
		x = b.mul(b.sub(x, b.perChannel(list[2], dims)), b.perChannel(gain, dims))
		return b.add(x, b.perChannel(list[1], dims))
	})
}

func (b *builder) concatenation(n *graph.Node, c op.Concat) []*series {
	return b.slicewise(n, n.Inputs(), func(xs []*gorgonia.Node) *gorgonia.Node {
		axis, ok := op.Axis(c.Axis, xs[0].Dims())
		if !ok || axis == 0 {
			b.err = fmt.Errorf("axis %d of %v, want one behind the first", c.Axis, xs[0].Shape())
			return nil
		}
		return b.concat(xs, axis)
	})
}

func (b *builder) pad(n *graph.Node, p op.Pad) []*series {
	value := known(b, p.Value)
	pads, err := p.For(4)
	if b.err = cmp.Or(b.err, err); b.err != nil {
		return nil
	}
	if p.Mode != "constant" || value != 0 || pads[0] != 0 || pads[4] != 0 {
		return b.failf(n, "mode %s, value %v, pads %v; want zeros behind the first axis", p.Mode, value, pads)
	}
	return b.slicewise(n, []*graph.Value{p.X}, func(xs []*gorgonia.Node) *gorgonia.Node {
		x := xs[0]
		for axis := 1; axis < 4 && b.err == nil; axis++ {
			lo, hi, size := int(pads[axis]), int(pads[4+axis]), x.Shape()[axis]
			if size+lo+hi < 1 {
				b.err = fmt.Errorf("pads %v leave nothing of axis %d", pads, axis)
				return nil
			}
			if lo != 0 || hi != 0 {
				x = b.along(x, axis, place(size, lo, 1, size+lo+hi))
			}
		}
		return x
	})
}

// enlarge repeats each pixel, which is a Resize to the nearest neighbour by whole factors.
func (b *builder) enlarge(n *graph.Node, z op.Resize) []*series {
	whole := z.Mode == "nearest" && len(z.Scales.Value) == 4 && z.Axes == nil &&
		(z.Coordinate == "asymmetric" && (z.Nearest == "floor" || z.Nearest == op.TowardsStart) ||
			z.Coordinate == "half_pixel" && strings.HasPrefix(z.Nearest, "round_prefer"))
	for i, s := range z.Scales.Value {
		whole = whole && s >= 1 && s == float32(int(s)) && (i > 0 || s == 1)
	}
	if !whole {
		return b.failf(n, "mode %s, %s, %s, scales %v; want the nearest neighbour by whole factors behind the first axis",
			z.Mode, z.Coordinate, z.Nearest, z.Scales.Value)
	}
	return b.slicewise(n, []*graph.Value{z.X}, func(xs []*gorgonia.Node) *gorgonia.Node {
		x := xs[0]
		for axis := 1; axis < 4 && b.err == nil; axis++ {
			if s := int(z.Scales.Value[axis]); s > 1 {
				x = b.along(x, axis, repeatEach(x.Shape()[axis], s))
			}
		}
		return x
	})
}

func (b *builder) block(n *graph.Node, o op.Block) []*series {
	s := int(o.Size)
	return b.slicewise(n, []*graph.Value{o.X}, func(xs []*gorgonia.Node) *gorgonia.Node {
		d := xs[0].Shape()
		if n.Is("SpaceToDepth") {
			if d[2]%s != 0 || d[3]%s != 0 {
				b.err = fmt.Errorf("an image of %dx%d in blocks of %d", d[2], d[3], s)
				return nil
			}
			x := b.reshape(xs[0], d[0], d[1], d[2]/s, s, d[3]/s, s)
			return b.reshape(b.transpose(x, 0, 3, 5, 1, 2, 4), d[0], d[1]*s*s, d[2]/s, d[3]/s)
		}
		if d[1]%(s*s) != 0 {
			b.err = fmt.Errorf("%d channels in blocks of %d", d[1], s*s)
			return nil
		}
		c := d[1] / (s * s)
		var x *gorgonia.Node
		if o.CRD {
			x = b.transpose(b.reshape(xs[0], d[0], c, s, s, d[2], d[3]), 0, 1, 4, 2, 5, 3)
		} else {
			x = b.transpose(b.reshape(xs[0], d[0], s, s, c, d[2], d[3]), 0, 3, 4, 1, 5, 2)
		}
		return b.reshape(x, d[0], c, d[2]*s, d[3]*s)
	})
}
