package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	goruntime "runtime"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/internal/atomicfile"
	"spikingir/runtime/bench"
	"spikingir/runtime/kernel/machine"
)

// benchHead says what the tables hold.
const benchHead = `# Performance

Made by ` + "`make bench PEERS=DIR DATA=DIR OUT=FILE`" + ` on one machine. Times are in milliseconds, from the
input image to the output image. Networks are converted by the default recipe; spiking ones have a
post step after their T timesteps.

Operations are those of the dense convolutions of all slices, two for a multiply-add, even where a
kernel skips some. On amx in fixed point a multiply-add counts four, because the two bytes of a weight
are multiplied one by one. On avx512-lookup the spikes of six channels look up the sum of their
weights, and the peak counts six products for each lookup. 3x3 convolutions of ANNs with at
least 16 input and 16 output channels run by Winograd, with a quarter of the products: their share of
the peak may exceed 100 %. Peaks are probed right before and after each measurement, and the larger one
counts, because the speed of a shared machine changes from moment to moment.

`

// duelHead explains the comparison.
const duelHead = `## Beside other runtimes

This program and the peer take turns, in up to %d rounds, as many as fit in %v. A round's time is the
median of up to %d runs after a warm-up, or of 1 where it takes seconds. (PyTorch's DnCNN always takes
3 runs, and a PyTorch network that takes more than 10 s takes 1.) The ratio is the peer's time divided
by ours: above 1, this program is faster. It is the median over the rounds (of two, the less
favourable one), with the least and the most. Where a spiking network stands beside an ANN, the peer
runs the ANN that it was converted from. PyTorch's networks have random weights, no output neuron and
no CPM. The kernel is the one that our convolutions ran on.

`

// costHead explains the last table.
const costHead = `## What a run costs

DnCNN-17: medians of %d runs. The share is of the probed peak of one thread times the threads.

`

// benchReport measures networks, alone and beside peers, and writes Markdown.
func (a *lab) benchReport(ctx context.Context, b *benchmarking) error {
	start := time.Now()
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
	r := &race{lab: a, peers: b.peers, data: b.data, threads: a.Kernels().Threads(),
		runs: b.runs, rounds: b.rounds, rowTime: b.rowTime, tmp: tmp, networks: map[string]*graph.Model{}}
	if b.limit > 0 {
		r.end = start.Add(b.limit)
	}
	page := bytes.NewBufferString(benchHead)
	r.machine(page)
	if err := r.sections(ctx, page, b.only); err != nil {
		return err
	}
	a.Warnf("bench: measured in %s", time.Since(start).Round(time.Second))
	if b.out == "" {
		_, err := a.out.Write(page.Bytes())
		return err
	}
	return cli.WriteFile(b.out, page.Bytes())
}

// sections writes the wanted tables. What fails within one is said there; an error
// means that the user interrupted. The duels come first on the page and are measured
// last, because they take the longest: --limit leaves out some of them only.
func (r *race) sections(ctx context.Context, page *bytes.Buffer, only []string) error {
	rest := &bytes.Buffer{}
	for _, s := range []struct {
		name  string
		write func(context.Context, *bytes.Buffer) error
	}{{"training", r.training}, {"layers", r.layers}, {"kernels", r.kernelRows}, {"cost", r.costs}} {
		if !wanted(s.name, only) {
			continue
		}
		if err := s.write(ctx, rest); err != nil {
			return err
		}
	}
	if len(heats(only)) > 0 {
		fmt.Fprintf(page, duelHead, r.rounds, r.rowTime, r.runs)
		if err := r.duels(ctx, page, only); err != nil {
			return err
		}
	}
	_, err := rest.WriteTo(page)
	return err
}

// checkReport demands the folder of the scripts and rows that exist.
func (b *benchmarking) checkReport() error {
	if b.peers != "" {
		if info, err := os.Stat(b.peers); err != nil {
			return fmt.Errorf("--peers %s: %w", b.peers, atomicfile.Cause(err))
		} else if !info.IsDir() {
			return fmt.Errorf("--peers %s is not a folder", b.peers)
		}
	}
	names := []string{"training", "layers", "kernels", "cost"}
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
	b := bench.New(r.Kernels(), 0, 1)
	t := table.NewWriter()
	t.AppendHeader(table.Row{"kernels", "implementation", "probed peak of one thread (10^9 operations/s)",
		fmt.Sprintf("sustained by %d threads at once", r.threads)})
	together := b.Together()
	for i, l := range b.Peaks() {
		t.AppendRow(table.Row{strings.TrimPrefix(l.Work, "peak "), l.Kernel, rate(l.GOPS), rate(together[i].GOPS)})
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

// cost is one row of the table of what a run costs.
type cost struct{ size, steps, threads int }

// costs varies T, the size of the image and the number of threads one by one. What
// is measured once stands in every group that it belongs to.
func (r *race) costs(ctx context.Context, page *bytes.Buffer) error {
	fmt.Fprintf(page, costHead, r.runs)
	n := r.threads
	t := table.NewWriter()
	t.AppendHeader(table.Row{"varied", "W x H", "T", "threads", "kernel", "ms", "10^9 operations/s", "share of peak"})
	known := map[cost]bench.Line{}
	var missing []string
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
				r.Warnf("bench: DnCNN-17 at %dx%d, T = %d, %d threads", c.size, c.size, c.steps, c.threads)
				var err error
				l, err = r.cost(ctx, c)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err != nil {
					missing = append(missing, fmt.Sprintf("%s, %dx%d, T = %d, %d threads: %s",
						group.title, c.size, c.size, c.steps, c.threads, cli.OneLine(err)))
					continue
				}
				known[c] = l
			}
			t.AppendRow(table.Row{group.title, fmt.Sprintf("%dx%d", c.size, c.size), timesteps(c.steps), c.threads, l.Kernel,
				ms(l.MS), rate(l.GOPS), portion(l.Share)})
		}
	}
	section(page, t, missing)
	return nil
}

// section writes a table, and what is left out of it.
func section(page *bytes.Buffer, t table.Writer, missing []string) {
	if t.Length() > 0 {
		page.WriteString(t.RenderMarkdown() + "\n\n")
	}
	notMeasured(page, missing)
}

// notMeasured lists what is left out, and why.
func notMeasured(page *bytes.Buffer, missing []string) {
	if len(missing) > 0 {
		page.WriteString("Not measured:\n\n- " + strings.Join(missing, "\n- ") + "\n\n")
	}
}

func ms(x float64) string {
	if x < 10 {
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.1f", x)
}

func rate(gops float64) string { return fmt.Sprintf("%.1f", gops) }

func portion(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

// timesteps is T as tables have it.
func timesteps(t int) string {
	if t == 0 {
		return "-"
	}
	return fmt.Sprint(t)
}

// cost measures one row.
func (r *race) cost(ctx context.Context, c cost) (bench.Line, error) {
	m, err := r.network(ctx, dncnn, c.steps)
	if err != nil {
		return bench.Line{}, err
	}
	pool := machine.NewPool(c.threads)
	defer pool.Close()
	p, channels, err := compileOn(m, pool, r.Numbers())
	if err != nil {
		return bench.Line{}, err
	}
	lines, err := bench.New(pool, 1, r.runs).Program(ctx, "whole", p, bench.Uniform(1, channels, c.size, c.size))
	if err != nil {
		return bench.Line{}, err
	}
	return lines[len(lines)-1], nil
}
