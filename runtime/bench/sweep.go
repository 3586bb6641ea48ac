package bench

import (
	"cmp"
	"context"
	"iter"

	"spikingir/graph"
	"spikingir/runtime/exec"
)

// The ways to compute a layer, as Line.Work begins.
const (
	AnalogWork  = "conv "
	SpikingWork = "spiking layer "
	SlicesWork  = "float32 spiking layer "
)

// Sweep measures layers: the convolution on float32 and the spiking layer of the given
// number of timesteps, on images of h x w where these are not 0. It hands out each line as
// it is known; of a layer that cannot be measured it is the name and the size, with the
// error.
func (b *Bench) Sweep(ctx context.Context, h, w, timesteps int) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		for _, l := range layers {
			s := l.shape
			s.h, s.w = cmp.Or(h, s.h), cmp.Or(w, s.w)
			for _, way := range []struct {
				work    string
				wanted  bool
				model   func() *graph.Model
				numbers exec.Precision
			}{
				{AnalogWork, l.conv, s.analog, exec.Float32},
				{SpikingWork, l.hidden, func() *graph.Model { return s.spiking(timesteps) }, exec.FixedPoint},
				{SlicesWork, l.slices, func() *graph.Model { return s.spiking(timesteps) }, exec.Float32},
			} {
				if !way.wanted {
					continue
				}
				line, err := b.layer(ctx, way.model(), s, way.numbers)
				if ctx.Err() != nil {
					yield(Line{}, ctx.Err())
					return
				}
				line.Work, line.H, line.W = way.work+s.String(), s.h, s.w
				if !yield(line, err) {
					return
				}
			}
		}
	}
}

// layer measures one layer within a small network: the executor decides which kernels
// compute it.
func (b *Bench) layer(ctx context.Context, m *graph.Model, s shape, numbers exec.Precision) (Line, error) {
	p, err := exec.Compile(m, exec.Options{Pool: b.pool, Precision: numbers})
	if err != nil {
		return Line{}, err
	}
	lines, err := b.Program(ctx, "network", p, Uniform(1, s.in, s.h, s.w))
	if err != nil {
		return Line{}, err
	}
	return lines[0], nil
}
