package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	goruntime "runtime"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"spikingir/runtime/bench"
	"spikingir/runtime/kernel"
)

// benchHead says what the tables hold.
const benchHead = `# Performance

Made by ` + "`make bench PEERS=DIR DATA=DIR OUT=FILE`" + `, image to image on one machine. Times are in
milliseconds. Networks are converted by the default recipe; spiking ones have a post step after
their T timesteps.

`

// duelHead explains the comparison.
const duelHead = `## Beside other runtimes

In each of %d rounds this program and the peer take turns; a round's time is the median of %d runs
after warming up. The ratio is the peer's time by ours, so above 1 this program is faster: its
median over the rounds, and the least and the most of them. Where a spiking network stands beside
the ANN, the peer computes another thing: the network it was made from. PyTorch's networks have
random weights, no output neuron and no CPM.

`

// costHead explains the second table.
const costHead = `## What a run costs

DnCNN-17: medians of %d runs. Operations are those of the dense convolutions of all slices, two for
a multiply-add; the share is of the probed peak of all threads.

`

// benchReport measures networks, alone and beside peers, and writes Markdown.
func (a *app) benchReport(ctx context.Context, b *benchmarking) error {
	if err := b.checkReport(); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "spikingir-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if b.data == "" {
		b.data = os.Getenv("SPIKINGIR_DATA")
	}
	r := &race{app: a, peers: b.peers, data: b.data, threads: a.kernels().Threads(),
		runs: b.runs, rounds: b.rounds, tmp: tmp}
	page := bytes.NewBufferString(benchHead)
	r.machine(page)
	fmt.Fprintf(page, duelHead, r.rounds, r.runs)
	if err := r.duels(ctx, page, b.only); err != nil {
		return err
	}
	if wanted("cost", b.only) {
		fmt.Fprintf(page, costHead, r.runs)
		if err := r.costs(ctx, page); err != nil {
			return err
		}
	}
	if b.out == "" {
		_, err := a.out.Write(page.Bytes())
		return err
	}
	return writeFile(b.out, page.Bytes())
}

// checkReport demands the folder of the scripts and rows that exist.
func (b *benchmarking) checkReport() error {
	if b.peers != "" {
		if info, err := os.Stat(b.peers); err != nil {
			return fmt.Errorf("--peers %s: %w", b.peers, cause(err))
		} else if !info.IsDir() {
			return fmt.Errorf("--peers %s is not a folder", b.peers)
		}
	}
	names := []string{"cost"}
	for _, d := range duels {
		names = append(names, d.name)
	}
	for _, name := range b.only {
		if !slices.Contains(names, name) {
			return fmt.Errorf("--only %s: no row is called that; there are %s", name, strings.Join(names, ", "))
		}
	}
	return nil
}

// wanted reports whether a row is to be measured.
func wanted(name string, only []string) bool { return len(only) == 0 || slices.Contains(only, name) }

// machine describes what the figures hold for.
func (r *race) machine(page *bytes.Buffer) {
	fmt.Fprintf(page, "Machine: %s, %d CPUs, %s/%s; %d threads.\n\n", processor(), goruntime.NumCPU(),
		goruntime.GOOS, goruntime.GOARCH, r.threads)
	t := table.NewWriter()
	t.AppendHeader(table.Row{"kernels", "implementation", "probed peak of one thread (10^9 operations/s)"})
	for _, l := range bench.New(r.kernels(), 0, 1).Peaks() {
		t.AppendRow(table.Row{strings.TrimPrefix(l.Work, "peak "), l.Kernel, fmt.Sprintf("%.1f", l.GOPS)})
	}
	page.WriteString(t.RenderMarkdown() + "\n\n")
}

// processor is the name of the CPU, as far as the system tells.
func processor() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "CPU not named by the system"
	}
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "CPU not named by the system"
}

// duels fills the table of ratios. A row that cannot be measured is left out
// and the reason given below.
func (r *race) duels(ctx context.Context, page *bytes.Buffer, only []string) error {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"network", "W x H", "T", "peer", "ours (ms)", "peer (ms)", "ratio", "least to most"})
	var missing []string
	for _, d := range duels {
		if !wanted(d.name, only) {
			continue
		}
		r.warnf("bench: %s, %s", d.title, d.name)
		s, err := r.run(ctx, d)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.warnf("bench: %s is not measured: %s", d.name, oneLine(err))
			missing = append(missing, fmt.Sprintf("%s at %dx%d beside %s: %s", d.title, d.w, d.h, d.peer.title, oneLine(err)))
			continue
		}
		steps := "-"
		if d.steps > 0 {
			steps = fmt.Sprint(d.steps)
		}
		t.AppendRow(table.Row{d.title, fmt.Sprintf("%dx%d", d.w, d.h), steps, d.peer.title, ms(s.ours), ms(s.theirs),
			fmt.Sprintf("%.2f", bench.Median(s.ratios)),
			fmt.Sprintf("%.2f to %.2f", slices.Min(s.ratios), slices.Max(s.ratios))})
	}
	if t.Length() > 0 {
		page.WriteString(t.RenderMarkdown() + "\n\n")
	}
	notMeasured(page, missing)
	return nil
}

func ms(x float64) string { return fmt.Sprintf("%.1f", x) }

// notMeasured lists what is left out, and why.
func notMeasured(page *bytes.Buffer, missing []string) {
	if len(missing) == 0 {
		return
	}
	page.WriteString("Not measured:\n\n")
	for _, m := range missing {
		page.WriteString("- " + m + "\n")
	}
	page.WriteString("\n")
}

// cost is one row of the table of what a run costs.
type cost struct{ size, steps, threads int }

// costs varies T, the size of the image and the number of threads one by one.
func (r *race) costs(ctx context.Context, page *bytes.Buffer) error {
	n := r.threads
	t := table.NewWriter()
	t.AppendHeader(table.Row{"varied", "W x H", "T", "threads", "kernel", "ms", "10^9 operations/s", "share of peak"})
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
			r.warnf("bench: DnCNN-17 at %dx%d, T = %d, %d threads", c.size, c.size, c.steps, c.threads)
			l, err := r.cost(ctx, c)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				notMeasured(page, []string{oneLine(err)})
				return nil
			}
			steps := "-"
			if c.steps > 0 {
				steps = fmt.Sprint(c.steps)
			}
			t.AppendRow(table.Row{group.title, fmt.Sprintf("%dx%d", c.size, c.size), steps, c.threads, l.Kernel,
				ms(l.MS), fmt.Sprintf("%.1f", l.GOPS), fmt.Sprintf("%.0f %%", 100*l.Share)})
		}
	}
	page.WriteString(t.RenderMarkdown() + "\n")
	return nil
}

// cost measures one row.
func (r *race) cost(ctx context.Context, c cost) (bench.Line, error) {
	m, err := r.network(ctx, dncnn, c.steps)
	if err != nil {
		return bench.Line{}, err
	}
	pool := kernel.NewPool(c.threads)
	defer pool.Close()
	p, channels, err := compileOn(m, pool, r.numbers())
	if err != nil {
		return bench.Line{}, err
	}
	lines, err := bench.New(pool, 1, r.runs).Program(ctx, "whole", p, bench.Uniform(1, channels, c.size, c.size))
	if err != nil {
		return bench.Line{}, err
	}
	return lines[len(lines)-1], nil
}
