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
	g := newGrid("layers", "kernel", "ms", "10^9 operations/s", fmt.Sprintf("peak, %d x one thread", r.Threads), "share",
		fmt.Sprintf("%d sustain at once", r.Threads), "share, run by run", "least to most")
	for _, name := range []string{"", "avx512-vnni", "avx512-lookup"} {
		r.Warnf("bench: spiking layers on %s", cmp.Or(name, "the best kernels"))
		err := on(name, func() error {
			p, err := r.plan(ctx, dncnn, 10, 256, 256, r.Kernels())
			if err != nil {
				return err
			}
			var sustained []float64
			t, err := bench.New(r.Kernels(), bench.DefaultWarmUp, r.LayerRuns()).Time(ctx, p.Program, p.x,
				func() { sustained = append(sustained, bench.Sustained(r.Threads)) })
			if err != nil {
				return err
			}
			g.AppendRow(r.groupRow("64->64", t.Group((*bench.UnitTiming).Hidden), sustained))
			g.AppendRow(r.groupRow("all", t.Group((*bench.UnitTiming).Neurons), sustained))
			return nil
		})
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			g.leaveOut(err, "on %s", cmp.Or(name, "the best kernels"))
		}
	}
	return g
}

// groupRow gives each figure at the least time and at the median, and the shares run
// by run: each in the mean of what was sustained right before it and right after.
func (r *race) groupRow(name string, g bench.Group, sustained []float64) row {
	peak := g.Peak * float64(r.Threads)
	var times, around, shares []float64
	for k, d := range g.Times {
		times = append(times, bench.Milliseconds(d))
		around = append(around, (sustained[k]+sustained[k+1])/2)
		shares = append(shares, g.Operations/d.Seconds()/around[k])
	}
	pair := func(form func(float64) string, of func(ms float64) float64) string {
		return form(of(slices.Min(times))) + ", " + form(of(bench.Median(times)))
	}
	speed := func(ms float64) float64 { return g.Operations / ms * 1e3 }
	return row{fmt.Sprintf("%s (%d)", name, g.Layers), g.Kernel, pair(ms, func(ms float64) float64 { return ms }), pair(rate, speed),
		rate(peak), pair(portion, func(ms float64) float64 { return speed(ms) / peak }),
		rate(bench.Median(around)), portion(bench.Median(shares)), span(shares, portion)}
}

// kernels is the table of kernels.
func (r *race) kernels(ctx context.Context) *grid {
	r.Warnf("bench: kernels")
	var lines []bench.Line
	g := newGrid("layer", "W x H", "float32 kernel", "float32 ms", "float32 10^9 operations/s", "float32 share",
		"spiking kernel", "spiking ms", "spiking 10^9 operations/s", "spiking share")
	for l, err := range bench.New(r.Kernels(), bench.DefaultWarmUp, r.Runs).Sweep(ctx, r.sweepSize, r.Steps) {
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
		first, name := 6, l.Work
		switch {
		case strings.HasPrefix(l.Work, bench.AnalogWork):
			first, name = 2, strings.TrimPrefix(l.Work, bench.AnalogWork)
		case strings.HasPrefix(l.Work, bench.SpikingWork):
			name = strings.TrimPrefix(l.Work, bench.SpikingWork)
		case strings.HasPrefix(l.Work, bench.SlicesWork):
			name = strings.TrimPrefix(l.Work, bench.SlicesWork) + ", step by step"
		}
		at := slices.IndexFunc(rows, func(x row) bool { return x[0] == name && x[1] == size(l.W, l.H) })
		if at < 0 {
			at = len(rows)
			rows = append(rows, row{name, size(l.W, l.H), "-", "-", "-", "-", "-", "-", "-", "-"})
		}
		copy(rows[at][first:], row{l.Kernel, ms(l.MS), rate(l.GOPS), portion(l.Share)})
	}
	return rows
}

// cost is one row of the table of what a run costs.
type cost struct{ size, steps, threads int }

// costs varies T, the size of the image and the number of threads one by one. What
// is measured once stands in every group that it belongs to.
func (r *race) costs(ctx context.Context) *grid {
	g := newGrid("varied", "W x H", "T", "threads", "kernel", "ms", "10^9 operations/s", "share of peak")
	n := r.Threads
	known := map[cost]bench.Line{}
	for _, group := range []struct {
		title string
		rows  []cost
	}{
		{"the ANN", []cost{{256, 0, n}}},
		{"T", []cost{{256, 5, n}, {256, 10, n}, {256, 20, n}}},
		{"pixels", []cost{{128, 10, n}, {256, 10, n}, {512, 10, n}}},
		{"threads", []cost{{256, 10, 1}, {256, 10, 2}}},
	} {
		for _, c := range group.rows {
			l, ok := known[c]
			if !ok {
				var err error
				if l, err = r.cost(ctx, c); err != nil {
					g.leaveOut(err, "%s, %s, T = %d, %d threads", group.title, size(c.size, c.size), c.steps, c.threads)
					continue
				}
				known[c] = l
			}
			g.AppendRow(row{group.title, size(c.size, c.size), timesteps(c.steps), c.threads, l.Kernel,
				ms(l.MS), rate(l.GOPS), portion(l.Share)})
		}
	}
	return g
}

// cost measures one row.
func (r *race) cost(ctx context.Context, c cost) (bench.Line, error) {
	r.Warnf("bench: DnCNN-17 at %s, T = %d, %d threads", size(c.size, c.size), c.steps, c.threads)
	pool := machine.NewPool(c.threads)
	defer pool.Close()
	p, err := r.plan(ctx, dncnn, c.steps, c.size, c.size, pool)
	if err != nil {
		return bench.Line{}, err
	}
	lines, err := bench.New(pool, 1, r.Runs).Program(ctx, "whole", p.Program, p.x)
	if err != nil {
		return bench.Line{}, err
	}
	return lines[len(lines)-1], nil
}
