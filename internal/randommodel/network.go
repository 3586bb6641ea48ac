package randommodel

import (
	"math"

	"spikingir/graph"
)

// networkOpsets are those that exporters write; the first is the commonest.
var networkOpsets = []int64{17, 11, 13, 18, 9, 21, 12, 14}

// network is a network as it grows.
type network struct {
	*builder
	x     *graph.Value // where it has come to: a tensor [N, C, H, W]
	image *graph.Value
	past  []*graph.Value // what skips read
}

// Network makes a network that restores images, or might: convolutions, activations,
// branches, changes of size, arithmetic of shapes, functions, as exporters write them. No
// operator of it has a jump, and what it computes is finite and below 64, so that two ways
// of computing it can be compared.
func Network(data []byte) *Model {
	n := &network{builder: newBuilder(data)}
	n.accept = bounded
	n.m.SetOpset("", pick(&n.choices, networkOpsets...))
	n.elem = pick(&n.choices, graph.Float32, graph.Float32, graph.Float32, graph.Float32, graph.Float32, graph.Float16, graph.Float64, graph.Float32)
	n.inputs()
	for trials := 0; !n.Done() && trials < maxTrials && n.g.NumNodes() < 24; trials++ {
		if x := blocks[n.N(len(blocks))](n); x != nil {
			n.past = append(n.past, n.x)
			n.x = x
		}
	}
	n.end()
	return n.finish()
}

// bounded accepts tensors without elements that are no numbers, or large.
func bounded(t *graph.Tensor) bool {
	if !t.DType.IsFloat() {
		return true
	}
	list, err := t.Float32s()
	if err != nil {
		return false
	}
	for _, x := range list {
		if !(math.Abs(float64(x)) <= 64) {
			return false
		}
	}
	return len(list) > 0
}

// inputs adds the image, whose sizes the model states, names or leaves open.
func (n *network) inputs() {
	dims := []int64{pick[int64](&n.choices, 1, 2), pick[int64](&n.choices, 1, 3, 2, 4), pick[int64](&n.choices, 8, 6, 7, 4, 12), pick[int64](&n.choices, 8, 9, 6, 5)}
	shape := graph.ShapeOf(dims...)
	name := func(axes ...int) {
		for _, i := range axes {
			s := []string{"batch", "channels", "height", "width"}[i]
			shape[i] = graph.Symbol(s)
			n.sizes[s] = dims[i]
		}
	}
	switch n.N(5) {
	case 0:
		name(0, 2, 3)
	case 1:
		name(2, 3)
	case 2:
		shape[0], shape[2], shape[3] = graph.Dim{}, graph.Dim{}, graph.Dim{}
	case 3:
		name(0)
	}
	n.x = n.input(pick(&n.choices, "x", "input.1", "/in"), draw(n.rng(), n.elem, dims, 16), shape)
	n.image = n.x
	if n.Chance(6) {
		strength := n.input("sigma", draw(n.rng(), n.elem, []int64{1, 1, 1, 1}, 16), graph.ShapeOf(1, 1, 1, 1))
		if x := n.one("Mul", nil, n.x, strength); x != nil {
			n.x = x
		}
	}
}

// end closes most networks by a layer of as many channels as the image has, and some by adding
// the image.
func (n *network) end() {
	if n.N(4) != 1 {
		if y := n.conv(n.x, n.dims(n.image)[1], 3); y != nil {
			n.x = y
		}
	}
	if n.N(3) == 1 {
		if y := n.one("Add", nil, n.x, n.image); y != nil {
			n.x = y
		}
	}
	if n.x != n.image {
		n.g.AddOutput(n.x)
	}
}

func (b *builder) dims(v *graph.Value) []int64 { return b.held[v].Dims }

// attr is a list of one attribute.
func attr(name string, value graph.Attr) graph.Attrs {
	return graph.Attrs{{Name: name, Value: value}}
}

// blocks are what networks are made of; each gives its result, nil where it cannot stand. Convolutions
// and activations stand there several times, as in networks.
var blocks = []func(n *network) *graph.Value{
	(*network).layer, (*network).activation, (*network).layer, (*network).activation, (*network).layer, (*network).relu,
	(*network).batchNorm, (*network).skip, (*network).joined, (*network).scaled, (*network).pooled, (*network).enlarged,
	(*network).transposedConv, (*network).blocked, (*network).shuffled, (*network).sized, (*network).nothing,
	(*network).channelsLast, (*network).branched, (*network).called, (*network).halved, (*network).gated, (*network).aside,
	(*network).cropped, (*network).groups,
}

// conv is a convolution of k x k that keeps the size of the image.
func (n *network) conv(x *graph.Value, out, k int64) *graph.Value {
	w := n.random(n.elem, out, n.dims(x)[1], k, k)
	return n.one("Conv", attr("pads", graph.Ints{k / 2, k / 2, k / 2, k / 2}), x, w)
}

// layer is a convolution of any kind.
func (n *network) layer() *graph.Value {
	x, c := n.x, n.dims(n.x)[1]
	kh := pick[int64](&n.choices, 3, 1, 3, 2, 5)
	kw, out := kh, pick[int64](&n.choices, 4, 3, 2, 1, 6)
	attrs := attr("kernel_shape", graph.Ints{kh, kw})
	switch n.N(6) {
	case 1:
		attrs.Set("strides", graph.Ints{2, 2})
		attrs.Set("pads", graph.Ints{1, 1, 1, 1})
	case 2:
		attrs.Set("auto_pad", graph.String(pick(&n.choices, "SAME_UPPER", "SAME_LOWER", "VALID")))
	case 3:
		attrs.Set("dilations", graph.Ints{2, 2})
		attrs.Set("pads", graph.Ints{kh - 1, kw - 1, kh - 1, kw - 1})
	case 4:
		mode := attr("mode", graph.String(pick(&n.choices, "reflect", "constant", "edge")))
		pads := graph.Ints{0, 0, kh / 2, kw / 2, 0, 0, kh / 2, kw / 2}
		if n.opset() < 11 {
			mode.Set("pads", pads)
			x = n.one("Pad", mode, x)
		} else {
			x = n.one("Pad", mode, x, n.ints(pads...))
		}
		if x == nil {
			return nil
		}
	default:
		attrs.Set("pads", graph.Ints{kh / 2, kw / 2, kh / 2, kw / 2})
	}
	in := []*graph.Value{x, n.random(n.elem, out, c, kh, kw)}
	if n.N(3) > 0 {
		in = append(in, n.random(n.elem, out))
	}
	return n.one("Conv", attrs, in...)
}

// groups is a convolution of each channel.
func (n *network) groups() *graph.Value {
	c := n.dims(n.x)[1]
	attrs := attr("group", graph.Int(c))
	attrs.Set("pads", graph.Ints{1, 1, 1, 1})
	return n.one("Conv", attrs, n.x, n.random(n.elem, c, 1, 3, 3))
}

func (n *network) relu() *graph.Value { return n.one("Relu", nil, n.x) }

// activation is one of those that exporters write, also in several nodes.
func (n *network) activation() *graph.Value {
	c := n.dims(n.x)[1]
	switch n.N(12) {
	case 0, 1, 2:
		return n.relu()
	case 3:
		return n.clip(0, 1)
	case 4:
		return n.clip(0, 6)
	case 5:
		return n.one("LeakyRelu", attr("alpha", graph.Float(pick[float32](&n.choices, 0.25, 0.0078125, -0.5))), n.x)
	case 6:
		slope := n.constant(n.from(n.elem, -0.25, pick(&n.choices, c, 1), 1, 1))
		return n.one("PRelu", nil, n.x, slope)
	case 7:
		return n.one("Max", nil, n.x, n.number(n.elem, 0))
	case 8:
		return n.clip(-64, 64)
	case 9:
		if s := n.one("Sigmoid", nil, n.x); s != nil {
			return n.one("Mul", nil, n.x, s)
		}
	case 10:
		return n.one(pick(&n.choices, "Tanh", "Elu", "Softplus", "Sigmoid", "Selu", "Abs", "Neg"), nil, n.x)
	case 11:
		if y := n.one("Neg", nil, n.x); y != nil {
			if y = n.one("Relu", nil, y); y != nil {
				return n.one("Sub", nil, n.x, y)
			}
		}
	}
	return nil
}

func (n *network) clip(lo, hi float64) *graph.Value {
	if n.opset() < 11 {
		attrs := attr("min", graph.Float(float32(lo)))
		attrs.Set("max", graph.Float(float32(hi)))
		return n.one("Clip", attrs, n.x)
	}
	return n.one("Clip", nil, n.x, n.number(n.elem, lo), n.number(n.elem, hi))
}

func (n *network) batchNorm() *graph.Value {
	c := n.dims(n.x)[1]
	return n.one("BatchNormalization", nil, n.x, n.positive(n.elem, c), n.random(n.elem, c), n.random(n.elem, c), n.positive(n.elem, c))
}

// earlier is a value that a skip may begin at.
func (n *network) earlier() *graph.Value {
	if len(n.past) == 0 {
		return n.image
	}
	return n.past[len(n.past)-1-n.N(len(n.past))]
}

func (n *network) skip() *graph.Value {
	return n.one(pick(&n.choices, "Add", "Sub", "Sum", "Add"), nil, n.x, n.earlier())
}

func (n *network) joined() *graph.Value {
	return n.one("Concat", attr("axis", graph.Int(pick[int64](&n.choices, 1, 1, -3))), n.x, n.earlier())
}

// scaled is arithmetic with a constant for all or for each channel.
func (n *network) scaled() *graph.Value {
	dims := pick(&n.choices, []int64{}, []int64{n.dims(n.x)[1], 1, 1}, []int64{1, n.dims(n.x)[1], 1, 1}, []int64{1})
	k := n.positive(n.elem, dims...)
	typ := pick(&n.choices, "Mul", "Add", "Sub", "Div")
	if typ != "Div" && n.N(2) == 0 {
		return n.one(typ, nil, k, n.x)
	}
	return n.one(typ, nil, n.x, k)
}

func (n *network) pooled() *graph.Value {
	attrs := attr("kernel_shape", graph.Ints{2, 2})
	attrs.Set("strides", graph.Ints{2, 2})
	if n.N(2) == 0 {
		attrs = attr("kernel_shape", graph.Ints{3, 3})
		attrs.Set("pads", graph.Ints{1, 1, 1, 1})
	}
	return n.one(pick(&n.choices, "AveragePool", "MaxPool"), attrs, n.x)
}

// enlarged is twice the size, by scales.
func (n *network) enlarged() *graph.Value {
	scales := n.constant(graph.NewFloat32([]int64{4}, []float32{1, 1, 2, 2}))
	mode := attr("mode", graph.String(pick(&n.choices, "nearest", "linear")))
	switch {
	case n.opset() < 10:
		return n.one("Upsample", mode, n.x, scales)
	case n.opset() < 11:
		return n.one("Resize", mode, n.x, scales)
	}
	mode.Set("coordinate_transformation_mode", graph.String(pick(&n.choices, "asymmetric", "half_pixel", "align_corners")))
	return n.one("Resize", mode, n.x, n.constant(graph.NewFloat32([]int64{0}, nil)), scales)
}

func (n *network) transposedConv() *graph.Value {
	attrs := attr("strides", graph.Ints{2, 2})
	k := pick[int64](&n.choices, 2, 3, 4)
	if k > 2 {
		attrs.Set("pads", graph.Ints{1, 1, 1, 1})
	}
	return n.one("ConvTranspose", attrs, n.x, n.random(n.elem, n.dims(n.x)[1], pick[int64](&n.choices, 3, 2, 4), k, k))
}

func (n *network) blocked() *graph.Value {
	return n.one(pick(&n.choices, "DepthToSpace", "SpaceToDepth"), attr("blocksize", graph.Int(2)), n.x)
}
