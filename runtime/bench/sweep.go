package bench

import (
	"context"
	"fmt"
	"math/rand/v2"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel"
)

// A shape is a convolution of stride 1 that keeps the size of its image.
type shape struct{ in, out, kernel, h, w int }

// convolutions are layers of DnCNN, VDSR, AOD-Net and SRCNN.
var convolutions = []shape{
	{1, 64, 3, 256, 256}, {64, 64, 3, 256, 256}, {64, 1, 3, 256, 256},
	{64, 64, 3, 32, 1920}, {64, 64, 3, 16, 16}, {512, 512, 3, 32, 32},
	{3, 3, 1, 480, 640}, {3, 3, 3, 480, 640}, {6, 3, 5, 480, 640}, {6, 3, 7, 480, 640}, {12, 3, 3, 480, 640},
	{64, 32, 9, 128, 128}, {64, 32, 1, 128, 128},
}

// spikingLayers are hidden layers: spikes in, convolution, neuron, spikes out.
var spikingLayers = []shape{
	{64, 64, 3, 256, 256}, {64, 64, 3, 128, 128}, {64, 64, 3, 16, 16},
	{3, 3, 3, 480, 640}, {6, 3, 5, 480, 640}, {12, 3, 3, 480, 640},
}

// Size replaces the sizes of a sweep's images where it is not 0.
type Size struct{ H, W int }

func (s Size) of(h, w int) (int, int) {
	if s.H > 0 {
		h = s.H
	}
	if s.W > 0 {
		w = s.W
	}
	return h, w
}

// Sweep measures the peaks, convolutions on float32 and spiking layers of the
// given number of timesteps, and hands out each line as it is known.
func (b *Bench) Sweep(ctx context.Context, size Size, timesteps int, emit func(Line) error) error {
	for _, l := range b.Peaks() {
		if err := emit(l); err != nil {
			return err
		}
	}
	for i, s := range append(convolutions[:len(convolutions):len(convolutions)], spikingLayers...) {
		s.h, s.w = size.of(s.h, s.w)
		var l Line
		var err error
		if i < len(convolutions) {
			l, err = b.convolution(ctx, s)
		} else {
			l, err = b.spikingLayer(ctx, s, timesteps)
		}
		if err != nil {
			return err
		}
		if err := emit(l); err != nil {
			return err
		}
	}
	return nil
}

func (s shape) String() string { return fmt.Sprintf("%d->%d %dx%d", s.in, s.out, s.kernel, s.kernel) }

// weights are normally distributed, scaled so that sums stay near 1.
func (s shape) weights() []float32 {
	r := rand.New(rand.NewPCG(2, 2))
	w := make([]float32, s.out*s.in*s.kernel*s.kernel)
	for i := range w {
		w[i] = float32(r.NormFloat64()) / float32(s.in*s.kernel)
	}
	return w
}

// convolution measures one call of the kernel.
func (b *Bench) convolution(ctx context.Context, s shape) (Line, error) {
	weights := s.weights()
	pad := s.kernel / 2
	conv, err := kernel.PackConv(kernel.ConvShape{
		InC: s.in, OutC: s.out, Groups: 1, KH: s.kernel, KW: s.kernel,
		StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1,
		PadTop: pad, PadLeft: pad, PadBottom: pad, PadRight: pad,
	}, weights, make([]float32, s.out))
	if err != nil {
		return Line{}, err
	}
	x, y := Uniform(s.in, s.h, s.w), make([]float32, s.out*s.h*s.w)
	times, err := b.measure(ctx, func() error {
		conv.Run(b.pool, y, x.F32, s.h, s.w)
		return nil
	})
	if err != nil {
		return Line{}, err
	}
	macs := float64(len(weights)) * float64(s.h*s.w)
	return b.line("conv "+s.String(), analogFamily, s.h, s.w, 0, Median(times), macs), nil
}

// spikingLayer measures one layer within a network of two: the executor decides
// which kernels compute it.
func (b *Bench) spikingLayer(ctx context.Context, s shape, timesteps int) (Line, error) {
	p, err := exec.Compile(s.network(timesteps), exec.Options{Pool: b.pool})
	if err != nil {
		return Line{}, err
	}
	lines, err := b.Program(ctx, "network", p, Uniform(1, s.in, s.h, s.w))
	if err != nil {
		return Line{}, err
	}
	l := lines[0]
	l.Work = "spiking layer " + s.String()
	return l, nil
}

// network is neurons that fire at an eighth of the steps on average, then the
// layer: a convolution with a bias and an MPRN. It reads the rates.
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
	w := g.AddInitializer("w", graph.NewFloat32(
		[]int64{int64(s.out), int64(s.in), int64(s.kernel), int64(s.kernel)}, s.weights()))
	pad := int64(s.kernel / 2)
	x := g.AddInput("x", graph.TensorOf(graph.Float32, graph.ShapeOf(1, int64(s.in), int64(s.h), int64(s.w))))

	spikes := add("IF", add("Encode", x), nil, number("theta_in", 4))
	conv := g.AddNode(graph.Op{Type: "Conv"}, graph.Attrs{
		{Name: "pads", Value: graph.Ints{pad, pad, pad, pad}},
	}, []*graph.Value{spikes, w}, "current")
	conv.Name = "conv"
	y := add("MPRN", conv.Output(0), number("bias", 0.01), number("theta", 0.1), number("alpha", 0.75))
	g.AddOutput(add("Decode", y))
	return m
}
