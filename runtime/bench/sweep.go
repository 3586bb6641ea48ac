package bench

import (
	"context"

	"spikingir/runtime/exec"
	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// A layer is a shape and the ways to compute it that are measured.
type layer struct {
	shape
	analog  bool // the convolution on float32
	spiking bool // a hidden layer: spikes in, convolution, neuron, spikes out
	slices  bool // the hidden layer in float32, one slice after another
}

// layers are those of DnCNN, VDSR, AOD-Net, SRCNN and FSRCNN, one of them at several
// firing rates, and one for each thing that a convolution can state. First layers read
// no spikes.
var layers = []layer{
	{shape: shape{in: 1, out: 64, kernel: 3, h: 256, w: 256}, analog: true},
	both(shape{in: 64, out: 64, kernel: 3, h: 256, w: 256}),
	{shape: shape{in: 64, out: 64, kernel: 3, h: 256, w: 256, rate: 0.01}, spiking: true},
	{shape: shape{in: 64, out: 64, kernel: 3, h: 256, w: 256, rate: 0.05}, spiking: true},
	{shape: shape{in: 64, out: 64, kernel: 3, h: 256, w: 256, rate: 0.3}, spiking: true},
	both(shape{in: 64, out: 1, kernel: 3, h: 256, w: 256}),
	{shape: shape{in: 64, out: 64, kernel: 3, h: 32, w: 1920}, analog: true},
	both(shape{in: 64, out: 64, kernel: 3, h: 16, w: 16}),
	{shape: shape{in: 512, out: 512, kernel: 3, h: 32, w: 32}, analog: true},

	{shape: shape{in: 3, out: 3, kernel: 1, h: 480, w: 640}, analog: true},
	both(shape{in: 3, out: 3, kernel: 3, h: 480, w: 640}),
	both(shape{in: 6, out: 3, kernel: 5, h: 480, w: 640}),
	both(shape{in: 6, out: 3, kernel: 7, h: 480, w: 640}),
	both(shape{in: 12, out: 3, kernel: 3, h: 480, w: 640}),

	both(shape{in: 64, out: 64, kernel: 1, h: 128, w: 128}),
	{shape: shape{in: 64, out: 64, kernel: 3, h: 128, w: 128}, analog: true, spiking: true, slices: true},
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

func both(s shape) layer { return layer{shape: s, analog: true, spiking: true} }

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

// The ways to compute a layer, as Line.Work begins.
const (
	AnalogWork  = "conv "
	SpikingWork = "spiking layer "
	SlicesWork  = "float32 spiking layer "
)

// Sweep measures the peaks, then layers: the convolution on float32 and the
// spiking layer of the given number of timesteps. It hands out each line as it is
// known; of a layer that cannot be measured it is the name and the size, with the
// error, and emit decides whether the sweep goes on.
func (b *Bench) Sweep(ctx context.Context, size Size, timesteps int, emit func(Line, error) error) error {
	for _, l := range b.Peaks() {
		if err := emit(l, nil); err != nil {
			return err
		}
	}
	return b.SweepLayers(ctx, size, timesteps, emit)
}

// SweepLayers is Sweep without the peaks.
func (b *Bench) SweepLayers(ctx context.Context, size Size, timesteps int, emit func(Line, error) error) error {
	for _, l := range layers {
		l.h, l.w = size.of(l.h, l.w)
		for _, way := range []struct {
			work    string
			wanted  bool
			measure func() (Line, error)
		}{
			{AnalogWork, l.analog, func() (Line, error) { return b.convolution(ctx, l.shape) }},
			{SpikingWork, l.spiking, func() (Line, error) { return b.spikingLayer(ctx, l.shape, timesteps, exec.FixedPoint) }},
			{SlicesWork, l.slices, func() (Line, error) { return b.spikingLayer(ctx, l.shape, timesteps, exec.Float32) }},
		} {
			if !way.wanted {
				continue
			}
			line, err := way.measure()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			line.Work, line.H, line.W = way.work+l.String(), l.h, l.w
			if err := emit(line, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// convolution measures one call of the kernel.
func (b *Bench) convolution(ctx context.Context, s shape) (Line, error) {
	run, err := s.packed()
	if err != nil {
		return Line{}, err
	}
	h, w := s.outSize()
	x, y := Uniform(s.in, s.h, s.w), make([]float32, s.out*h*w)
	before := probe(analogFamily)
	times, err := b.measure(ctx, func() error {
		run(b.pool, y, x.F32, s.h, s.w)
		return nil
	})
	if err != nil {
		return Line{}, err
	}
	return b.line("", analogFamily, s.h, s.w, 0, Median(times), s.macs(), before.and(probe(analogFamily))), nil
}

// packed is the convolution's kernel with its weights: the one that networks without
// neurons run on.
func (s shape) packed() (run func(p *machine.Pool, dst, src []float32, h, w int), err error) {
	bias := make([]float32, s.out)
	if s.transposed {
		c, err := kernel.PackConvTranspose(s.geometry(), s.weights(), bias)
		if err != nil {
			return nil, err
		}
		return c.Run, nil
	}
	shape := s.geometry().ConvShape
	if oh, ow := shape.OutSize(s.h, s.w); kernel.SuitsWinograd(shape) && min(oh, ow) >= ops.LeastFast {
		c, err := kernel.PackWinograd(shape, s.weights(), bias)
		if err != nil {
			return nil, err
		}
		return c.Run, nil
	}
	c, err := kernel.PackConv(shape, s.weights(), bias)
	if err != nil {
		return nil, err
	}
	return c.Run, nil
}

// spikingLayer measures one layer within a network of two: the executor decides
// which kernels compute it.
func (b *Bench) spikingLayer(ctx context.Context, s shape, timesteps int, numbers exec.Precision) (Line, error) {
	p, err := exec.Compile(s.network(timesteps), exec.Options{Pool: b.pool, Precision: numbers})
	if err != nil {
		return Line{}, err
	}
	lines, err := b.Program(ctx, "network", p, Uniform(1, s.in, s.h, s.w))
	if err != nil {
		return Line{}, err
	}
	return lines[0], nil
}
