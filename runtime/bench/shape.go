package bench

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel"
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

// geometry is the layer as the kernels take it.
func (s shape) geometry() kernel.ConvTransposeShape {
	s = s.whole()
	pad, outPad := (s.kernel-1)*s.dilation/2, 0
	if s.transposed {
		pad = (s.kernel - s.stride + 1) / 2
		outPad = 2*pad + s.stride - s.kernel
	}
	return kernel.ConvTransposeShape{ConvShape: kernel.ConvShape{
		InC: s.in, OutC: s.out, Groups: s.groups, KH: s.kernel, KW: s.kernel,
		StrideH: s.stride, StrideW: s.stride, DilationH: s.dilation, DilationW: s.dilation,
		PadTop: pad, PadLeft: pad, PadBottom: pad, PadRight: pad,
	}, OutPadH: outPad, OutPadW: outPad}
}

// outSize is the size of the result.
func (s shape) outSize() (h, w int) {
	g := s.geometry()
	if s.transposed {
		return g.OutSize(s.h, s.w)
	}
	return g.ConvShape.OutSize(s.h, s.w)
}

// macs is the multiply-adds of one image: every weight once for each pixel of the
// smaller side.
func (s shape) macs() float64 {
	h, w := s.h, s.w
	if !s.transposed {
		h, w = s.outSize()
	}
	return float64(len(s.weights())) * float64(h*w)
}

// dims is the dimensions of the weights.
func (s shape) dims() []int64 {
	s = s.whole()
	outer, inner := s.out, s.in/s.groups
	if s.transposed {
		outer, inner = s.in, s.out/s.groups
	}
	return []int64{int64(outer), int64(inner), int64(s.kernel), int64(s.kernel)}
}

// weights are normally distributed, scaled so that the sums of all layers vary
// alike: neurons behind them fire as often as hidden ones do.
func (s shape) weights() []float32 {
	s = s.whole()
	fan := float64(s.in/s.groups) * float64(s.kernel*s.kernel)
	if s.transposed {
		fan /= float64(s.stride * s.stride)
	}
	d := s.dims()
	r := rand.New(rand.NewPCG(2, 2))
	w := make([]float32, d[0]*d[1]*d[2]*d[3])
	for i := range w {
		w[i] = float32(r.NormFloat64()) / float32(8*math.Sqrt(fan))
	}
	return w
}

// network is neurons that fire, then the layer: a convolution with a bias and an MPRN.
// It reads the rates.
func (s shape) network(timesteps int) *graph.Model {
	g := graph.New("layer", nil)
	m := &graph.Model{IRVersion: 10, Graph: g}
	m.SetOpset("", 17)
	m.SetOpset(graph.Spiking, op.SpikingVersion)
	steps := graph.Attrs{
		{Name: "timesteps", Value: graph.Int(timesteps)}, {Name: "post", Value: graph.Int(1)},
	}
	add := func(typ string, in ...*graph.Value) *graph.Value {
		n := g.AddNode(graph.Op{Domain: graph.Spiking, Type: typ}, steps[:2:2], in, g.FreshName(typ))
		n.Name = g.FreshNodeName(typ)
		return n.Output(0)
	}
	number := func(name string, x float32) *graph.Value { return g.AddInitializer(name, graph.Scalar(x)) }
	w := g.AddInitializer("w", graph.NewFloat32(s.dims(), s.weights()))
	x := g.AddInput("x", graph.TensorOf(graph.Float32, graph.ShapeOf(1, int64(s.in), int64(s.h), int64(s.w))))

	spikes := add("IF", add("Encode", x), nil, number("theta_in", s.threshold(timesteps)))
	typ := "Conv"
	if s.transposed {
		typ = "ConvTranspose"
	}
	conv := g.AddNode(graph.Op{Type: typ}, s.attributes(), []*graph.Value{spikes, w}, "current")
	conv.Name = "conv"
	y := add("MPRN", conv.Output(0), number("bias", 0.01), number("theta", 0.1), number("alpha", 0.75))
	g.AddOutput(add("Decode", y))
	return m
}

// attributes are those of the operator.
func (s shape) attributes() graph.Attrs {
	k := s.geometry()
	both := func(n int) graph.Ints { return graph.Ints{int64(n), int64(n)} }
	list := graph.Attrs{
		{Name: "dilations", Value: both(k.DilationH)},
		{Name: "group", Value: graph.Int(k.Groups)},
		{Name: "pads", Value: append(both(k.PadTop), both(k.PadBottom)...)},
		{Name: "strides", Value: both(k.StrideH)},
	}
	if s.transposed {
		list = append(list, graph.NamedAttr{Name: "output_padding", Value: both(k.OutPadH)})
	}
	return list
}
