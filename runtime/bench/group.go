package bench

import (
	"context"
	"slices"
	"time"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
)

// A Group is layers of a spiking network taken together, as they take turns within
// runs from image to image.
type Group struct {
	Kernel     string // of the layers in fixed point
	Layers     int
	Min        float64 // milliseconds, of the runs
	Median     float64
	Operations float64 // 10^9 in a run
	Peak       float64 // 10^9 operations a second of one thread, times the threads
	// Together is what all threads sustained at the same time, the median over the
	// runs, each of which counts with the mean of what was probed right before and
	// right after it.
	Together float64
	Shares   []float64 // of that, run by run, rising
}

const (
	// mostRuns and runsTime bound the runs of a group: mostRuns times as many as the
	// bench takes, in about runsTime.
	mostRuns = 3
	runsTime = 6 * time.Second
)

// Rate is 10^9 operations a second at a time in milliseconds.
func (g Group) Rate(ms float64) float64 { return g.Operations / ms * 1e3 }

// Groups measures runs of p on one image x and gives the layers in fixed point that
// convolve so many channels to as many, and all layers of neurons: these include
// the first ones, which get a current and have no convolution. Operations are
// counted as [Bench.Program] does; peaks are those of the spiking kernels. Machines that
// others share change their speed from moment to moment, tiles more than other units: so
// what the threads sustain is probed beside every run, for shares of pairs.
func (b *Bench) Groups(ctx context.Context, p *exec.Program, x *ops.Tensor, channels int) (some, all Group, err error) {
	threads := b.pool.Threads()
	var sustained []float64
	t, err := b.time(ctx, p, x, func() {
		sustained = append(sustained, together(spikingFamily, threads, glanceTime))
	})
	if err != nil {
		return some, all, err
	}
	group := func(in func(*unitTiming) bool) Group {
		g := t.group(in, sustained)
		g.Kernel, g.Peak = selected(spikingFamily), t.peaks[spikingFamily]*float64(threads)
		return g
	}
	some = group(func(u *unitTiming) bool { return u.FixedPoint && u.convolves(channels) })
	return some, group(func(u *unitTiming) bool { return u.neurons() }), nil
}

// group sums the times of some units, run by run. sustained is what was probed before
// each run and after the last.
func (t *timing) group(in func(*unitTiming) bool, sustained []float64) Group {
	g := Group{}
	sums := make([]time.Duration, len(t.whole))
	for i := range t.units {
		u := &t.units[i]
		if !in(u) {
			continue
		}
		g.Layers++
		g.Operations += operations(u.family()) * u.macs / 1e9
		for k, d := range u.times {
			sums[k] += d
		}
	}
	g.Min, g.Median = milliseconds(slices.Min(sums)), milliseconds(Median(sums))
	var around []float64
	for k, d := range sums {
		around = append(around, (sustained[k]+sustained[k+1])/2)
		g.Shares = append(g.Shares, g.Rate(milliseconds(d))/around[k])
	}
	g.Together = Median(around)
	slices.Sort(g.Shares)
	return g
}

// neurons reports whether the unit is a layer of spiking neurons.
func (u *unitTiming) neurons() bool {
	return slices.ContainsFunc(u.Nodes, op.IsNeuron)
}

// convolves reports whether the unit has a convolution of so many channels to as
// many.
func (u *unitTiming) convolves(channels int) bool {
	return slices.ContainsFunc(u.Nodes, func(n *graph.Node) bool {
		if !n.Is("Conv") {
			return false
		}
		w := n.Input(1).Const
		return w != nil && len(w.Dims) == 4 && w.Dims[0] == int64(channels) && w.Dims[1] == int64(channels)
	})
}
