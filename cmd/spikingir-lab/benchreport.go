package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"os"
	goruntime "runtime"
	"slices"
	"strings"
	"text/template"
	"time"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/internal/atomicfile"
	"spikingir/runtime/bench"
)

// benchPage is the page, with what explains the tables.
//
//go:embed bench.md
var benchPage string

// race is a run of all measurements. The page reads what is exported.
type race struct {
	*lab
	Threads      int
	Runs, Rounds int
	RowTime      time.Duration // see take
	Steps        int           // T where none is stated
	Patch, Batch int           // of a training step
	Tables       map[string]*grid
	peers, data  string
	only         []string
	end          time.Time // when no other row is begun; zero for never
	tmp          string    // holds the flat forms
	interpreter  string    // see python
	networks     map[string]*spikingir.Model
	random       *spikingir.Model // the network with random weights that is trained
	sweepSize    bench.Size       // of the layers; zero takes their own
}

// race prepares what b asks for.
func (a *lab) race(b *benchmarking) *race {
	steps := spikingir.DefaultSettings().Timesteps
	r := &race{lab: a, Threads: a.Kernels().Threads(), Runs: b.runs, Rounds: b.rounds, RowTime: b.rowTime,
		Steps: steps, Patch: 40, Batch: 4, Tables: map[string]*grid{}, peers: b.peers,
		data: cmp.Or(b.data, os.Getenv("SPIKINGIR_DATA")), only: b.only,
		networks: map[string]*spikingir.Model{}, random: bench.DnCNN(17, 64, steps)}
	if b.limit > 0 {
		r.end = time.Now().Add(b.limit)
	}
	return r
}

// sections are the tables, in the order in which they are measured, by what --only may
// name of them. The duels come first on the page and last here, because they take the
// longest: --limit leaves out some of them only.
var sections = []struct {
	name  string
	rows  []string
	write func(*race, context.Context) *grid
}{
	{"training", []string{"training"}, (*race).training},
	{"layers", []string{"layers"}, (*race).layers},
	{"kernels", []string{"kernels"}, (*race).kernels},
	{"cost", []string{"cost"}, (*race).costs},
	{"duels", duelRows(), (*race).duels},
}

// duelRows lists the rows of the duels.
func duelRows() []string {
	var names []string
	for _, d := range duels {
		for _, k := range d.kernels {
			names = append(names, d.row(k))
		}
	}
	return names
}

// benchReport measures networks, alone and beside peers, and writes Markdown.
func (a *lab) benchReport(ctx context.Context, b *benchmarking) error {
	start := time.Now()
	r := a.race(b)
	var err error
	if r.tmp, err = os.MkdirTemp("", "spikingir-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(r.tmp)
	page, err := r.page(ctx)
	if err != nil {
		return err
	}
	a.Warnf("bench: measured in %s", time.Since(start).Round(time.Second))
	return a.write(b.out, page)
}

// page measures the wanted tables. What fails within one is said there; an error means
// that the user interrupted.
func (r *race) page(ctx context.Context) ([]byte, error) {
	r.Tables["peaks"] = r.peaks()
	for _, s := range sections {
		if len(r.only) > 0 && !slices.ContainsFunc(r.only, func(name string) bool { return slices.Contains(s.rows, name) }) {
			continue
		}
		r.Tables[s.name] = s.write(r, ctx)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return r.render()
}

// render is the page with the tables there are.
func (r *race) render() ([]byte, error) {
	var page bytes.Buffer
	err := template.Must(template.New("page").Parse(benchPage)).Execute(&page, r)
	return page.Bytes(), err
}

// check finds what is wrong with the flags: the folder of the scripts must be there,
// and the rows must exist.
func (b *benchmarking) check() error {
	for _, f := range []struct {
		name  string
		value int
	}{{"runs", b.runs}, {"rounds", b.rounds}} {
		if f.value < 1 || f.value > 1000 {
			return fmt.Errorf("--%s %d, want 1 to 1000", f.name, f.value)
		}
	}
	if b.rowTime < 0 || b.limit < 0 {
		return fmt.Errorf("--row-time %v and --limit %v, want 0 or more", b.rowTime, b.limit)
	}
	if b.peers != "" {
		if info, err := os.Stat(b.peers); err != nil {
			return fmt.Errorf("--peers %s: %w", b.peers, atomicfile.Cause(err))
		} else if !info.IsDir() {
			return fmt.Errorf("--peers %s is not a folder", b.peers)
		}
	}
	var names []string
	for _, s := range sections {
		names = append(names, s.rows...)
	}
	for _, name := range b.only {
		if !slices.Contains(names, name) {
			return fmt.Errorf("--only %s: no row is called that; there are %s", name, strings.Join(names, ", "))
		}
	}
	if b.out != "" {
		return cli.CheckOutput(b.out)
	}
	return nil
}

// Machine describes what the figures hold for.
func (r *race) Machine() string {
	return fmt.Sprintf("%s, %d CPUs, %s/%s", processor(), goruntime.NumCPU(), goruntime.GOOS, goruntime.GOARCH)
}

// peaks is the table of the kernels' peaks.
func (r *race) peaks() *grid {
	g := newGrid("kernels", "implementation", "probed peak of one thread (10^9 operations/s)",
		fmt.Sprintf("sustained by %d threads at once", r.Threads))
	peaks, together := bench.New(r.Kernels(), 0, 1).Peaks()
	for i, l := range peaks {
		g.AppendRow(row{strings.TrimPrefix(l.Work, "peak "), l.Kernel, rate(l.GOPS), rate(together[i].GOPS)})
	}
	return g
}

// processor is the name of the CPU, as far as the system tells.
func processor() string {
	b, _ := os.ReadFile("/proc/cpuinfo") // of Linux alone
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "CPU not named by the system"
}
