package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"spikingir/runtime/bench"
	"spikingir/runtime/kernel/machine"
)

// LayerRuns is how many runs the table of layers takes: enough for their minimum to
// mean something.
func (r *race) LayerRuns() int { return max(r.Runs, 7) }

// layers is the table of DnCNN's spiking layers: on the best kernels, and on those
// of AVX-512.
func (r *race) layers(ctx context.Context) *grid {
	n := r.Workers()
	g := newGrid("layers", "kernel", "ms", "10^9 operations/s", fmt.Sprintf("peak, %d x one thread", n), "share",
		fmt.Sprintf("%d sustain at once", n), "share, run by run", "least to most")
	for _, kernel := range []string{"", "avx512-vnni", "avx512-lookup"} {
		name := cmp.Or(kernel, "the best kernels")
		r.Warnf("bench: spiking layers on %s", name)
		err := on(kernel, func() error {
			p, x, err := r.plan(ctx, dncnn, 10, 256, 256, r.Kernels())
			if err != nil {
				return err
			}
			var sustained []float64
			t, err := bench.New(r.Kernels(), bench.DefaultWarmUp, r.LayerRuns()).Time(ctx, p, x,
				func() { sustained = append(sustained, bench.Sustained(n)) })
			if err != nil {
				return err
			}
			g.AppendRow(r.groupRow("64->64", t.Group((*bench.UnitTiming).Hidden), sustained))
			g.AppendRow(r.groupRow("all", t.Group((*bench.UnitTiming).Neurons), sustained))
			return nil
		})
		if err != nil {
			g.leaveOut(err, "on %s", name)
		}
	}
	return g
}

// groupRow gives each figure at the least time and at the median, and the shares run
// by run: each in the mean of what was sustained right before it and right after.
func (r *race) groupRow(name string, g bench.Group, sustained []float64) row {
	peak := g.Peak * float64(r.Workers())
	var times, around, shares []float64
	for k, d := range g.Times {
		times = append(times, bench.Milliseconds(d))
		around = append(around, (sustained[k]+sustained[k+1])/2)
		shares = append(shares, g.Operations/d.Seconds()/around[k])
	}
	least, median := slices.Min(times), bench.Median(times)
	fast, usual := g.Operations/least*1e3, g.Operations/median*1e3
	return row{fmt.Sprintf("%s (%d)", name, g.Layers), g.Kernel, ms(least) + ", " + ms(median), rate(fast) + ", " + rate(usual),
		rate(peak), portion(fast/peak) + ", " + portion(usual/peak),
		rate(bench.Median(around)), portion(bench.Median(shares)), span(shares, portion)}
}

// kernels is the table of kernels.
func (r *race) kernels(ctx context.Context) *grid {
	r.Warnf("bench: kernels")
	var lines []bench.Line
	g := newGrid("layer", "W x H", "float32 kernel", "float32 ms", "float32 10^9 operations/s", "float32 share",
		"spiking kernel", "spiking ms", "spiking 10^9 operations/s", "spiking share")
	for l, err := range bench.New(r.Kernels(), bench.DefaultWarmUp, r.Runs).Sweep(ctx, r.h, r.w, r.Steps) {
		if err != nil {
			g.leaveOut(err, "%s at %s", l.Work, size(l.W, l.H))
			continue
		}
		lines = append(lines, l)
	}
	for _, cells := range kernelRows(lines) {
		g.AppendRow(cells)
	}
	return g
}

// kernelRows has a row for each layer, the convolution and the spiking layer side
// by side.
func kernelRows(lines []bench.Line) []row {
	var rows []row
	for _, l := range lines {
		for _, way := range []struct {
			work, suffix string
			first        int
		}{{bench.AnalogWork, "", 2}, {bench.SpikingWork, "", 6}, {bench.SlicesWork, ", step by step", 6}} {
			layer, ok := strings.CutPrefix(l.Work, way.work)
			if !ok {
				continue
			}
			layer += way.suffix
			at := slices.IndexFunc(rows, func(x row) bool { return x[0] == layer && x[1] == size(l.W, l.H) })
			if at < 0 {
				at = len(rows)
				rows = append(rows, row{layer, size(l.W, l.H), "-", "-", "-", "-", "-", "-", "-", "-"})
			}
			copy(rows[at][way.first:], row{l.Kernel, ms(l.MS), rate(l.GOPS), portion(l.Share)})
		}
	}
	return rows
}

// costs varies T, the size of the image and the number of threads one by one.
func (r *race) costs(ctx context.Context) *grid {
	g := newGrid("varied", "W x H", "T", "threads", "kernel", "ms", "10^9 operations/s", "share of peak")
	n := r.Workers()
	type cost struct{ side, steps, threads int }
	known := map[cost]bench.Line{}
	for _, c := range []struct {
		varied string
		cost
	}{
		{"the ANN", cost{256, 0, n}},
		{"T", cost{256, 5, n}}, {"T", cost{256, 10, n}}, {"T", cost{256, 20, n}},
		{"pixels", cost{128, 10, n}}, {"pixels", cost{256, 10, n}}, {"pixels", cost{512, 10, n}},
		{"threads", cost{256, 10, 1}}, {"threads", cost{256, 10, 2}},
	} {
		l, ok := known[c.cost]
		if !ok {
			var err error
			if l, err = r.cost(ctx, c.side, c.steps, c.threads); err != nil {
				g.leaveOut(err, "%s, %s, T = %d, %d threads", c.varied, size(c.side, c.side), c.steps, c.threads)
				continue
			}
			known[c.cost] = l
		}
		g.AppendRow(row{c.varied, size(c.side, c.side), timesteps(c.steps), c.threads, l.Kernel,
			ms(l.MS), rate(l.GOPS), portion(l.Share)})
	}
	return g
}

func (r *race) cost(ctx context.Context, side, steps, threads int) (bench.Line, error) {
	r.Warnf("bench: DnCNN-17 at %s, T = %d, %d threads", size(side, side), steps, threads)
	pool := machine.NewPool(threads)
	defer pool.Close()
	p, x, err := r.plan(ctx, dncnn, steps, side, side, pool)
	if err != nil {
		return bench.Line{}, err
	}
	lines, err := bench.New(pool, 1, r.Runs).Program(ctx, "whole", p, x)
	if err != nil {
		return bench.Line{}, err
	}
	return lines[len(lines)-1], nil
}
