package neuron

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"

	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/kernel/spike"
)

// Check holds the parameters against a population of c channels.
func (p Params) Check(c int) error {
	for _, list := range []struct {
		name string
		xs   []float32
		some bool
	}{{"threshold", p.Threshold, true}, {"bias", p.Bias, false}, {"alpha", p.Alpha, false}} {
		if l := len(list.xs); l != 1 && l != c && (l != 0 || list.some) {
			return fmt.Errorf("%d %s values, want 1 or one for each of %d channels",
				l, list.name, c)
		}
	}
	for _, x := range p.Threshold {
		if !(x > 0) {
			return fmt.Errorf("threshold %g, want a positive number", x)
		}
	}
	return nil
}

// v0 is the initial potential of channel c.
func (p Params) v0(c int) float32 {
	theta := at(p.Threshold, c, 1)
	if p.V0 == 0 || theta > math.MaxFloat32 {
		return 0 // an infinite threshold is no unit
	}
	return p.V0 * theta
}

// Steady is a population of images whose current is the same at every main step.
// Its neurons go through all steps run by run, so that potential and current stay
// in the cache; the bits are those of a [Population] step by step.
type Steady struct {
	Params
	Current []float32 // of a main step, [N, C, H, W]
	Post    []float32 // of a post step; nil for none
	Out     *spike.Tensor
	Steps   spike.Steps
	// Residuals, when not nil, are the potentials [N, C, H, W] for each of
	// Steps.Timesteps, after its post step.
	Residuals [][]float32
}

// steadyRun is the number of neurons of a channel that advance together, a
// multiple of 64, and steadyChannels the channels whose spikes share a mask.
const (
	steadyRun      = 1024
	steadyChannels = 16
)

// Run advances all neurons, and gives up when the context is done.
func (s *Steady) Run(ctx context.Context, p *machine.Pool) error {
	t := s.Out
	plane, blocks := t.H*t.W, spike.Masks(t.C)
	runs := (plane + steadyRun - 1) / steadyRun
	total := t.N * blocks * runs
	var next atomic.Int64
	p.Run(min(p.Threads(), total), func(_, _, _ int) {
		w := s.worker()
		for i := int(next.Add(1)) - 1; i < total && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
			n, block, run := i/(blocks*runs), i/runs%blocks, i%runs
			w.block(n, block*steadyChannels, run*steadyRun, min(steadyRun, plane-run*steadyRun))
		}
	})
	return ctx.Err()
}

// steadyWorker is the state of a run of neurons of 16 channels: the spikes of
// every slice, channel by channel.
type steadyWorker struct {
	*Steady
	v, saved []float32
	zero     []float32
	bits     [][steadyChannels][]uint64
}

func (s *Steady) worker() *steadyWorker {
	w := &steadyWorker{Steady: s, v: make([]float32, steadyRun), saved: make([]float32, steadyRun), zero: make([]float32, steadyRun)}
	w.bits = make([][steadyChannels][]uint64, s.Out.Steps)
	words := make([]uint64, s.Out.Steps*steadyChannels*steadyRun/64)
	for i := range w.bits {
		for c := range w.bits[i] {
			w.bits[i][c], words = words[:steadyRun/64:steadyRun/64], words[steadyRun/64:]
		}
	}
	return w
}

// block advances the neurons of 16 channels from first on, count of each.
func (w *steadyWorker) block(n, first, at, count int) {
	t := w.Out
	channels := min(steadyChannels, t.C-first)
	for c := range channels {
		w.channel(n, first+c, c, at, count)
	}
	for step := range w.bits {
		t.PackPlanes(step, n, first, at, count, w.bits[step][:channels])
	}
}

// channel advances count neurons of channel c, whose spikes go to lane.
func (w *steadyWorker) channel(n, c, lane, from, count int) {
	t := w.Out
	place := (n*t.C+c)*t.H*t.W + from
	current := w.Current[place : place+count]
	theta, bias := at(w.Threshold, c, 1), at(w.Bias, c, 0)
	v := w.v[:count]
	v0 := w.v0(c)
	for i := range v {
		v[i] = v0
	}
	k := 0
	for step := range w.Steps.Main {
		kernel.IFStep(w.bits[step][lane], v, current, bias, theta, theta)
		if k == len(w.Steps.Timesteps) || step+1 != w.Steps.Timesteps[k] {
			continue
		}
		saved := w.saved[:count]
		copy(saved, v)
		if w.Steps.Post {
			post := w.zero[:count]
			if w.Post != nil {
				post = w.Post[place : place+count]
			}
			kernel.IFStep(w.bits[w.Steps.Main+k][lane], v, post, 0, theta, theta*at(w.Alpha, c, 1))
		}
		if w.Residuals != nil {
			copy(w.Residuals[k][place:], v)
		}
		copy(v, saved)
		k++
	}
}
