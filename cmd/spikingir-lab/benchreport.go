package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	goruntime "runtime"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/spf13/cobra"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/internal/atomicfile"
	"spikingir/runtime/bench"
)

// race is a run of all measurements. The page reads what is exported.
type race struct {
	*lab
	Runs, Rounds int
	RowTime      time.Duration // see turns
	Steps        int           // T where none is stated
	Patch, Batch int           // of a training step
	Tables       map[string]*grid

	peers, data, out string
	only             []string
	limit            time.Duration
	end              time.Time // when no other row is begun; zero for never
	tmp              string    // holds the flat forms
	interpreter      string    // see python
	networks         map[string]*spikingir.Model
	random           *spikingir.Model // learns beside the trained network; nil for DnCNN-17
	h, w             int              // of the images of layers alone; 0 for their own
}

func (a *lab) newRace() *race {
	return &race{lab: a, Steps: spikingir.DefaultSettings().Timesteps, Patch: 40, Batch: 8,
		Tables: map[string]*grid{}, networks: map[string]*spikingir.Model{}}
}

func (a *lab) benchCmd() *cobra.Command {
	r := a.newRace()
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure networks beside other runtimes, and the kernels",
		Long: `bench measures networks of --data beside other runtimes, in turns, by the
scripts ort_bench.js and torch_multistep_bench.py in the folder --peers, and prints
tables in Markdown: these rows, and the tables "training", "layers" (both of
DnCNN-17), "kernels", "cost" and, of two-phase networks, "steps". Rows "forms-..." are
the forms of a spiking network in ONNX Runtime.
A row takes --rounds or as many as fit in --row-time, and none is begun after
--limit. What is missing is said and left out.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.bench(cmd.Context()) },
	}
	f := cmd.Flags()
	f.IntVar(&r.Runs, "runs", 7, "runs that a median is taken of")
	f.StringVar(&r.peers, "peers", "", "folder with the scripts that measure other runtimes")
	f.StringVar(&r.data, "data", os.Getenv("SPIKINGIR_DATA"), "folder with models/")
	f.IntVar(&r.Rounds, "rounds", 5, "how often the runtimes take turns at most")
	f.DurationVar(&r.RowTime, "row-time", 24*time.Second, "when a row begins no other round")
	f.DurationVar(&r.limit, "limit", 0, "when the page begins no other row beside a peer; 0 for never")
	f.StringSliceVar(&r.only, "only", nil, "rows and tables to measure, by name; empty measures all")
	f.StringVarP(&r.out, "output", "o", "", "Markdown file to write; empty prints it")
	return cmd
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
	{"steps", []string{"steps"}, (*race).stepCosts},
	{"forms", rowNames(formDuels), (*race).forms},
	{"contests", rowNames(contests), (*race).contests},
	{"duels", duelRows(), (*race).duels},
}

// bench measures the wanted tables and writes the page. What fails within one is said
// there; an error means that the user interrupted.
func (r *race) bench(ctx context.Context) (err error) {
	start := time.Now()
	if err := r.check(); err != nil {
		return err
	}
	if r.limit > 0 {
		r.end = start.Add(r.limit)
	}
	if r.tmp, err = os.MkdirTemp("", "spikingir-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(r.tmp)
	r.Tables["peaks"] = r.peaks()
	for _, s := range sections {
		if len(r.only) > 0 && !slices.ContainsFunc(r.only, func(name string) bool { return slices.Contains(s.rows, name) }) {
			continue
		}
		r.Tables[s.name] = s.write(r, ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	page, err := r.page()
	if err != nil {
		return err
	}
	r.Warnf("bench: measured in %s", time.Since(start).Round(time.Second))
	return r.write(r.out, page)
}

//go:embed bench.md
var benchPage string

// page has the tables there are, each with what explains it.
func (r *race) page() ([]byte, error) {
	var page bytes.Buffer
	err := template.Must(template.New("page").Parse(benchPage)).Execute(&page, r)
	return page.Bytes(), err
}

// check finds what is wrong with the flags.
func (r *race) check() error {
	if n := min(r.Runs, r.Rounds); n < 1 || max(r.Runs, r.Rounds) > 1000 {
		return fmt.Errorf("--runs %d and --rounds %d, want 1 to 1000", r.Runs, r.Rounds)
	}
	if r.RowTime < 0 || r.limit < 0 {
		return fmt.Errorf("--row-time %v and --limit %v, want 0 or more", r.RowTime, r.limit)
	}
	if r.peers != "" {
		if info, err := os.Stat(r.peers); err != nil {
			return fmt.Errorf("--peers %s: %w", r.peers, atomicfile.Cause(err))
		} else if !info.IsDir() {
			return fmt.Errorf("--peers %s is not a folder", r.peers)
		}
	}
	var names []string
	for _, s := range sections {
		names = append(names, s.rows...)
	}
	for _, name := range r.only {
		if !slices.Contains(names, name) {
			return fmt.Errorf("--only %s: no row is called that; there are %s", name, strings.Join(names, ", "))
		}
	}
	if r.out != "" {
		return cli.CheckOutput(r.out)
	}
	return nil
}

// Workers is how many threads work.
func (r *race) Workers() int { return r.Kernels().Threads() }

// Machine describes what the figures hold for.
func (r *race) Machine() string {
	cpu := "CPU not named by the system"
	b, _ := os.ReadFile("/proc/cpuinfo") // of Linux alone
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			cpu = strings.TrimSpace(value)
		}
	}
	return fmt.Sprintf("%s, %d CPUs, %s/%s", cpu, goruntime.NumCPU(), goruntime.GOOS, goruntime.GOARCH)
}

// peaks is the table of the kernels' peaks.
func (r *race) peaks() *grid {
	g := newGrid("kernels", "implementation", "probed peak of one thread (10^9 operations/s)",
		fmt.Sprintf("sustained by %d threads at once", r.Workers()))
	one, together := bench.New(r.Kernels(), 0, 1).Peaks()
	for i, l := range one {
		g.AppendRow(row{strings.TrimPrefix(l.Work, "peak "), l.Kernel, rate(l.GOPS), rate(together[i].GOPS)})
	}
	return g
}
