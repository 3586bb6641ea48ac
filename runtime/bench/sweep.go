package bench

import (
	"cmp"
	"context"
	"iter"
	"time"

	"spikingir/graph"
	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
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
				measure func() (Line, error)
			}{
				{AnalogWork, l.conv, func() (Line, error) { return b.convolution(ctx, s) }},
				{SpikingWork, l.hidden, func() (Line, error) { return b.layer(ctx, s.spiking(timesteps), s, exec.FixedPoint) }},
				{SlicesWork, l.slices, func() (Line, error) { return b.layer(ctx, s.spiking(timesteps), s, exec.Float32) }},
			} {
				if !way.wanted {
					continue
				}
				line, err := way.measure()
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

// convolution measures the operator alone, bound as it is for a network without neurons,
// on buffers that stay where they are.
func (b *Bench) convolution(ctx context.Context, s shape) (Line, error) {
	n := s.analog()
	bind := ops.Bind
	if !s.transposed {
		bind = func(n *graph.Node, opset int64) (ops.Op, error) {
			o, _, err := ops.BindFast(n, opset)
			return o, err
		}
	}
	o, err := bind(n, opset)
	if err != nil {
		return Line{}, err
	}
	in := []*ops.Tensor{Uniform(1, s.in, s.h, s.w)}
	for _, v := range n.Inputs()[1:] {
		t, err := ops.FromGraph(v.Const)
		if err != nil {
			return Line{}, err
		}
		in = append(in, t)
	}
	var y *ops.Tensor
	env := &ops.Env{Pool: b.pool, Alloc: func(d graph.DType, dims []int) *ops.Tensor {
		if y == nil {
			y = ops.NewTensor(d, dims)
		}
		return y
	}}
	var times []time.Duration
	p, err := probed(func() (err error) {
		times, err = b.Times(ctx, nil, func() error {
			_, err := o.Run(env, in)
			return err
		})
		return err
	}, analogFamily)
	if err != nil {
		return Line{}, err
	}
	// Every weight once for each pixel of the smaller side.
	macs := float64(in[1].Len()) * float64(min(in[0].Dims[2]*in[0].Dims[3], y.Dims[2]*y.Dims[3]))
	return b.line("", analogFamily, s.h, s.w, 0, Median(times), macs, p), nil
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
