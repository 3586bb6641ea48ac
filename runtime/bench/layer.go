package bench

import (
	"cmp"
	"fmt"
	"math"

	"spikingir/graph"
)

// A shape is a square convolution with pads that keep the size of its image, but
// for the stride, which divides it or, in a transposed one, multiplies it. 0 stands
// for 1 of the last three numbers.
type shape struct {
	in, out, kernel, h, w    int
	stride, dilation, groups int
	transposed               bool
	// rate is how often the neurons before the layer fire, spikes a timestep; 0 for an
	// eighth, or somewhat less in few timesteps.
	rate float64
}

// whole fills in the numbers that were left out.
func (s shape) whole() shape {
	s.stride, s.dilation, s.groups = cmp.Or(s.stride, 1), cmp.Or(s.dilation, 1), cmp.Or(s.groups, 1)
	return s
}

// String names the layer without the size of its image.
func (s shape) String() string {
	s = s.whole()
	name := fmt.Sprintf("%d->%d %dx%d", s.in, s.out, s.kernel, s.kernel)
	if s.transposed {
		name += " transposed"
	}
	for _, k := range []struct {
		name string
		n    int
	}{{"stride", s.stride}, {"dilation", s.dilation}, {"groups", s.groups}} {
		if k.n > 1 {
			name += fmt.Sprintf(" %s %d", k.name, k.n)
		}
	}
	if s.rate > 0 {
		name += fmt.Sprintf(" rate %g", s.rate)
	}
	return name
}

// threshold is that of the neurons before the layer, whose input is uniform in [0,1).
func (s shape) threshold(timesteps int) float32 {
	switch t := float64(timesteps); {
	case s.rate == 0:
		return 4
	case s.rate*t <= 0.5: // as many neurons as wanted fire, once each
		return float32(t * (1 - s.rate*t))
	default: // on average half a spike stays behind
		return float32(0.5 / (s.rate + 0.5/t))
	}
}

// add adds the layer to a network. Weights are normally distributed, scaled so that
// the sums of all layers vary alike: neurons behind them fire as often as hidden ones
// do.
func (s shape) add(n *network, x *graph.Value, bias ...*graph.Value) *graph.Value {
	s = s.whole()
	typ, outer, inner, pad := "Conv", s.out, s.in/s.groups, (s.kernel-1)*s.dilation/2
	fan := float64(inner * s.kernel * s.kernel)
	both := func(n int) graph.Ints { return graph.Ints{int64(n), int64(n)} }
	attrs := graph.Attrs{
		{Name: "dilations", Value: both(s.dilation)},
		{Name: "group", Value: graph.Int(s.groups)},
		{Name: "strides", Value: both(s.stride)},
	}
	if s.transposed {
		typ, outer, inner, pad = "ConvTranspose", s.in, s.out/s.groups, (s.kernel-s.stride+1)/2
		fan /= float64(s.stride * s.stride)
		attrs = append(attrs, graph.NamedAttr{Name: "output_padding", Value: both(2*pad + s.stride - s.kernel)})
	}
	attrs = append(attrs, graph.NamedAttr{Name: "pads", Value: append(both(pad), both(pad)...)})
	w := n.parameter(func() float64 { return n.random.NormFloat64() / (8 * math.Sqrt(fan)) },
		int64(outer), int64(inner), int64(s.kernel), int64(s.kernel))
	return n.standard(typ, attrs, append([]*graph.Value{x, w}, bias...)...)
}

// input begins a network.
func (s shape) input(timesteps int) (n *network, x *graph.Value) {
	n = newNetwork("layer", 2, timesteps)
	return n, n.AddInput("x", graph.TensorOf(graph.Float32, graph.ShapeOf(1, int64(s.in), int64(s.h), int64(s.w))))
}

// analog is the operator with a bias.
func (s shape) analog() *graph.Node {
	n, x := s.input(0)
	bias := n.parameter(func() float64 { return 0 }, int64(s.out))
	return s.add(n, x, bias).Producer()
}

// spiking is neurons that fire, then the layer: a convolution with a bias and an MPRN.
// It reads the rates.
func (s shape) spiking(timesteps int) *graph.Model {
	n, x := s.input(timesteps)
	spikes := n.spiking("IF", n.spiking("Encode", x), nil, n.number(s.threshold(timesteps)))
	y := n.spiking("MPRN", s.add(n, spikes), n.number(0.01), n.number(0.1), n.number(0.75))
	return n.model(n.spiking("Decode", y))
}

// A layer is a shape and the ways to compute it that are measured.
type layer struct {
	shape
	conv   bool // the convolution on float32
	hidden bool // a hidden layer: spikes in, convolution, neuron, spikes out
	slices bool // the hidden layer in float32, one slice after another
}

// layers are those of DnCNN, VDSR, AOD-Net, SRCNN and FSRCNN, one of them at several
// firing rates, and one for each thing that a convolution can state. First layers read
// no spikes.
var layers = []layer{
	{shape: shape{in: 1, out: 64, kernel: 3, h: 256, w: 256}, conv: true},
	both(shape{in: 64, out: 64, kernel: 3, h: 256, w: 256}),
	{shape: shape{in: 64, out: 64, kernel: 3, h: 256, w: 256, rate: 0.01}, hidden: true},
	{shape: shape{in: 64, out: 64, kernel: 3, h: 256, w: 256, rate: 0.05}, hidden: true},
	{shape: shape{in: 64, out: 64, kernel: 3, h: 256, w: 256, rate: 0.3}, hidden: true},
	both(shape{in: 64, out: 1, kernel: 3, h: 256, w: 256}),
	{shape: shape{in: 64, out: 64, kernel: 3, h: 32, w: 1920}, conv: true},
	both(shape{in: 64, out: 64, kernel: 3, h: 16, w: 16}),
	{shape: shape{in: 512, out: 512, kernel: 3, h: 32, w: 32}, conv: true},

	{shape: shape{in: 3, out: 3, kernel: 1, h: 480, w: 640}, conv: true},
	both(shape{in: 3, out: 3, kernel: 3, h: 480, w: 640}),
	both(shape{in: 6, out: 3, kernel: 5, h: 480, w: 640}),
	both(shape{in: 6, out: 3, kernel: 7, h: 480, w: 640}),
	both(shape{in: 12, out: 3, kernel: 3, h: 480, w: 640}),

	both(shape{in: 64, out: 64, kernel: 1, h: 128, w: 128}),
	{shape: shape{in: 64, out: 64, kernel: 3, h: 128, w: 128}, conv: true, hidden: true, slices: true},
	both(shape{in: 64, out: 64, kernel: 5, h: 128, w: 128}),
	both(shape{in: 64, out: 64, kernel: 7, h: 128, w: 128}),
	both(shape{in: 64, out: 64, kernel: 9, h: 128, w: 128}),
	both(shape{in: 64, out: 64, kernel: 3, h: 128, w: 128, stride: 2}),
	both(shape{in: 64, out: 64, kernel: 3, h: 128, w: 128, dilation: 2}),
	both(shape{in: 64, out: 64, kernel: 3, h: 128, w: 128, groups: 4}),
	both(shape{in: 64, out: 64, kernel: 3, h: 128, w: 128, groups: 64}),
	both(shape{in: 64, out: 64, kernel: 4, h: 128, w: 128, stride: 2, transposed: true}),
	both(shape{in: 56, out: 1, kernel: 9, h: 128, w: 128, stride: 3, transposed: true}),
	both(shape{in: 64, out: 32, kernel: 9, h: 128, w: 128}),
	both(shape{in: 64, out: 32, kernel: 1, h: 128, w: 128}),
}

func both(s shape) layer { return layer{shape: s, conv: true, hidden: true} }
