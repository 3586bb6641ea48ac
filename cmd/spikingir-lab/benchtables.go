package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"spikingir/cmd/internal/cli"
	"spikingir/passes/recipes"
	"spikingir/runtime/bench"
)

// layersHead explains the table of layers.
const layersHead = `## Spiking layers

DnCNN-17 at 256x256, T = 10: layers within whole runs, the least of at least %d runs and the median.
The 64->64 layers are those in fixed point; "all" has the neurons behind the first convolution and the
output neurons too. The first share is of the probed peak of one thread, times %[2]d. Threads reach less
together where two of them share a core, with each other or with other programs, and that changes from
moment to moment. So what %[2]d threads sustain at once is probed right before and after every run, and
the second share is that of a run in the mean of the two: the median over the runs, the least and the
most.

`

// layerRuns is the least number of runs, of which the minimum means something.
const layerRuns = 5

// layers fills the table of DnCNN's spiking layers: on the best kernels, and on those
// of AVX-512.
func (r *race) layers(ctx context.Context, page *bytes.Buffer) error {
	runs := max(r.runs, layerRuns)
	fmt.Fprintf(page, layersHead, runs, r.threads)
	t := table.NewWriter()
	t.AppendHeader(table.Row{"layers", "kernel", "ms", "10^9 operations/s",
		fmt.Sprintf("peak, %d x one thread", r.threads), "share", fmt.Sprintf("%d sustain at once", r.threads), "share, run by run", "least to most"})
	var missing []string
	for _, on := range []string{"", "avx512-vnni", "avx512-lookup"} {
		r.Warnf("bench: spiking layers on %s", cmp.Or(on, "the best kernels"))
		s := &side{duel: duel{model: dncnn, h: 256, w: 256, steps: 10, kernel: on}}
		err := s.on(func() error {
			if err := r.prepare(ctx, s); err != nil {
				return err
			}
			hidden, all, err := bench.New(r.Kernels(), bench.DefaultWarmUp, runs).Groups(ctx, s.program, s.x, 64)
			if err != nil {
				return err
			}
			t.AppendRow(groupRow("64->64", hidden))
			t.AppendRow(groupRow("all", all))
			return nil
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			missing = append(missing, fmt.Sprintf("on %s: %s", cmp.Or(on, "the best kernels"), cli.OneLine(err)))
		}
	}
	section(page, t, missing)
	return nil
}

// groupRow gives each figure at the least time and at the median, but the shares of pairs.
func groupRow(name string, g bench.Group) table.Row {
	fast, usual := g.Rate(g.Min), g.Rate(g.Median)
	pair := func(form func(float64) string, x, y float64) string { return form(x) + ", " + form(y) }
	return table.Row{fmt.Sprintf("%s (%d)", name, g.Layers), g.Kernel, pair(ms, g.Min, g.Median), pair(rate, fast, usual),
		rate(g.Peak), pair(portion, fast/g.Peak, usual/g.Peak),
		rate(g.Together), portion(bench.Median(g.Shares)),
		fmt.Sprintf("%s to %s", portion(g.Shares[0]), portion(g.Shares[len(g.Shares)-1]))}
}

// kernelsHead explains the table of kernels.
const kernelsHead = `## Kernels

Layers alone: the float32 convolution, and the spiking layer at T = %d with its neurons. Medians of
%d runs; shares are of the probed peak of one thread times the threads, of the kernel in question.
"step by step" is the same layer in float32, which runs where integers do not suit. It does not use
Winograd, nor do 3x3 convolutions with more than 65536 pairs of channels, strides, dilations or groups.

Layers of more than 8 output channels, without strides or groups, work on lists of the spikes where
few source neurons fire: below a rate of 0.15 on avx512-lookup, 0.12 on avx512-vnni, 0.2 on avx2. Their
time follows the rate, and their share counts the products or lookups that they skip. The sources of
this table fire at a rate of 0.08 unless another one is given.

Spiking layers are slower in these cases:

- Few output channels: kernels compute 16 at a time, except by lookups. Neighbouring pixels share
  them, over a wider window that is zero elsewhere. With strides they do not: layers of 3 fill 3 of 16
  lanes, those of 1 a single one, and the share can't exceed 19 %% or 6 %%.
- Few input channels: on amx a window has 64 bytes, and a row of a 3x3 kernel on 3 channels fills 12.
- Input channels that are no multiple of 6 leave lookups incomplete: 64 take 11, for 66.
- Groups: except by lookups, a block of 16 output channels runs densely on every window of the source
  that holds a weight of it. A depthwise layer multiplies 15 zeros for each weight, on amx 63, which
  count as no operations; its lookups use one channel of six.
- Small sums, such as 1x1 kernels: spikes are expanded and neurons advanced besides, which count as no
  operations.
- auto_pad, residual additions, pooling, and layers whose weights and thresholds are too far apart for
  integers run in float32, one timestep after another.

`

// kernelRows fills the table of kernels.
func (r *race) kernelRows(ctx context.Context, page *bytes.Buffer) error {
	return r.sweep(ctx, page, bench.Size{})
}

func (r *race) sweep(ctx context.Context, page *bytes.Buffer, size bench.Size) error {
	steps := recipes.Defaults().Timesteps
	fmt.Fprintf(page, kernelsHead, steps, r.runs)
	r.Warnf("bench: kernels")
	var lines []bench.Line
	var missing []string
	err := bench.New(r.Kernels(), bench.DefaultWarmUp, r.runs).SweepLayers(ctx, size, steps, func(l bench.Line, err error) error {
		if err != nil {
			missing = append(missing, fmt.Sprintf("%s at %dx%d: %s", l.Work, l.W, l.H, cli.OneLine(err)))
			return nil
		}
		lines = append(lines, l)
		return nil
	})
	if err != nil {
		return err
	}
	section(page, kernelTable(lines), missing)
	return nil
}

// kernelTable has a row for each layer, the convolution and the spiking layer side
// by side.
func kernelTable(lines []bench.Line) table.Writer {
	t := table.NewWriter()
	figures := []string{"ms", "10^9 operations/s", "share"}
	head := table.Row{"layer", "W x H"}
	for _, kind := range []string{"float32", "spiking"} {
		head = append(head, kind+" kernel")
		for _, f := range figures {
			head = append(head, kind+" "+f)
		}
	}
	t.AppendHeader(head)
	cells := func(l bench.Line) table.Row { return table.Row{l.Kernel, ms(l.MS), rate(l.GOPS), portion(l.Share)} }
	none := table.Row{"-", "-", "-", "-"}
	type place struct {
		layer string
		h, w  int
	}
	var order []place
	analog, spiking := map[place]table.Row{}, map[place]table.Row{}
	for _, l := range lines {
		p, rows := place{l.Work, l.H, l.W}, spiking
		switch {
		case strings.HasPrefix(l.Work, bench.AnalogWork):
			p.layer, rows = strings.TrimPrefix(l.Work, bench.AnalogWork), analog
		case strings.HasPrefix(l.Work, bench.SpikingWork):
			p.layer = strings.TrimPrefix(l.Work, bench.SpikingWork)
		case strings.HasPrefix(l.Work, bench.SlicesWork):
			p.layer = strings.TrimPrefix(l.Work, bench.SlicesWork) + ", step by step"
		}
		rows[p] = cells(l)
		if !slices.Contains(order, p) {
			order = append(order, p)
		}
	}
	for _, p := range order {
		row := table.Row{p.layer, fmt.Sprintf("%dx%d", p.w, p.h)}
		for _, found := range []map[place]table.Row{analog, spiking} {
			cells := found[p]
			if cells == nil {
				cells = none
			}
			row = append(row, cells...)
		}
		t.AppendRow(row)
	}
	return t
}
