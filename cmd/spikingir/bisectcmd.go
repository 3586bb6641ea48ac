package main

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/spf13/cobra"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/graph/diff"
)

// bisection is what bisect is asked for.
type bisection struct {
	passes    string
	tolerance float64
	memory    int64
	calib     spikingir.Data
	inputs    map[string]spikingir.Feed
}

// bisected is the report of bisect.
type bisected struct {
	A         string                `json:"a"`
	B         string                `json:"b,omitempty"`
	Pipeline  string                `json:"pipeline"`
	Tolerance float64               `json:"tolerance"`
	Checks    []spikingir.PassCheck `json:"pass_checks"`
	First     *spikingir.PassCheck  `json:"first"` // nil: none differs
	// Differences is how many parts of what the pipeline gives and B differ by structure,
	// the header apart; nil without B, and where a pass was found before.
	Differences *int `json:"differences_from_b,omitempty"`
}

func (a *app) bisectCmd() *cobra.Command {
	b := &bisection{}
	cmd := &cobra.Command{
		Use:   "bisect A B | bisect A --passes LIST",
		Short: "Find the first pass after which a model computes something else",
		Long: `bisect runs the passes that made B, as its metadata states them, on A, or those of
--passes. After each it runs the model on seeded inputs and compares the outputs
with A's. The first pass behind which they differ by more than --tolerance ends
it, with exit code 4. Thresholds need the calibration images that B had: --calib
and --task as they were given to convert.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			listed := cmd.Flags().Changed("passes")
			switch {
			case listed == (len(args) == 2):
				return fmt.Errorf("bisect: want two models, or one and --passes")
			case !(b.tolerance >= 0):
				return fmt.Errorf("--tolerance %g, want 0 or more", b.tolerance)
			}
			if cmd.Flags().Changed("calib") {
				if err := checkCalib(b.calib.Dir); err != nil {
					return err
				}
			}
			if err := checkTask(&b.calib); err != nil {
				return err
			}
			return a.bisect(cmd.Context(), b, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&b.passes, "passes", "", `passes to run in the place of B's: "a,b{option=value}"`)
	f.Float64Var(&b.tolerance, "tolerance", 1e-4, "largest difference from A's outputs, relative to magnitudes above 1; raise it to look behind the passes that make spikes")
	f.StringVar(&b.calib.Dir, "calib", "", "folder of calibration images; without it embedded ones are used")
	addInput(f, "", &b.calib.Inputs, &b.inputs, "task pairs: folder of inputs to calibrate on")
	f.StringVar(&b.calib.Targets, "target", "", "task pairs: folder of targets")
	addBudget(f, &b.memory, "constants that are folded, and what a network computes,")
	addTask(f, &b.calib.Task)
	addLimit(f, &b.calib)
	return cmd
}

func (a *app) bisect(ctx context.Context, b *bisection, args []string) error {
	m, err := a.load(args[0], "onnx")
	if err != nil {
		return err
	}
	r := &bisected{A: args[0], Tolerance: b.tolerance, Checks: []spikingir.PassCheck{}, Pipeline: b.passes}
	var other *graph.Model
	if len(args) == 2 {
		if other, err = a.load(args[1], "onnx"); err != nil {
			return err
		}
		r.B = args[1]
		var made bool
		if r.Pipeline, made = other.Metadata.Get(graph.MetaPipeline); !made {
			return fmt.Errorf("%s does not state the passes that made it (metadata %q); give them by --passes", args[1], graph.MetaPipeline)
		}
	}
	p, err := spikingir.ParsePipeline(r.Pipeline)
	if err != nil {
		return err
	}
	b.calib.Seed = a.Seed
	_, err = spikingir.Convert(ctx, m, spikingir.Options{Pipeline: p, Calibration: b.calib, Inputs: b.feeds(m, other), MemoryLimit: b.memory, Threads: a.Threads, Log: a.log(),
		Check: &spikingir.Check{Tolerance: b.tolerance, FromStart: true, Told: func(c spikingir.PassCheck) {
			r.Checks = append(r.Checks, c)
			if a.format != "json" {
				fmt.Fprintln(a.out, checkLine(c))
			}
		}}})
	var found *spikingir.DifferenceError
	if err != nil && !errors.As(err, &found) {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	a.checkPasses("bisect", r.Checks, found)
	if found != nil {
		r.First = &found.Check
	} else if other != nil {
		n := otherParts(m, other)
		r.Differences = &n
	}
	return a.reportBisection(r, found)
}

// feeds is what inputs beside the image are fed: what --input says, and what B states that it was
// calibrated with.
func (b *bisection) feeds(m, other *graph.Model) map[string]spikingir.Feed {
	if other == nil {
		return b.inputs
	}
	all := taken(m, spikingir.StatedFeeds(other))
	maps.Copy(all, b.inputs)
	return all
}

// otherParts counts what differs by structure between what the passes gave and B, but for
// the header.
func otherParts(m, b *graph.Model) int {
	n := 0
	for _, e := range diff.Structure(m, b).Entries {
		if e.Kind != diff.Header {
			n++
		}
	}
	return n
}

func (a *app) reportBisection(r *bisected, found *spikingir.DifferenceError) error {
	if a.format == "json" {
		if err := a.json(r); err != nil {
			return err
		}
	}
	if found != nil {
		return &cli.CodeError{Code: cli.ExitGate, Err: fmt.Errorf("%s: first %w", r.A, found)}
	}
	if a.format == "json" {
		return nil
	}
	compared := 0
	for _, c := range r.Checks {
		if c.Agreement != nil {
			compared++
		}
	}
	fmt.Fprintf(a.out, "no pass of %d makes a difference above %g; %d changed the model and were compared\n", len(r.Checks), r.Tolerance, compared)
	if r.Differences != nil && *r.Differences > 0 {
		fmt.Fprintf(a.out, "%s is not what these passes give: %d parts differ; it was calibrated on other images (--calib, --task), trained or edited\n",
			r.B, *r.Differences)
	}
	return nil
}

// checkLine says what running the model before and after a pass showed.
func checkLine(p spikingir.PassCheck) string {
	what := "left the model as it was"
	switch {
	case p.Skipped != "":
		what = "not compared: " + p.Skipped
	case p.Agreement != nil && p.Difference != nil:
		what = fmt.Sprintf("largest difference %.3g, agreement %s dB", *p.Difference, decibel(*p.Agreement))
	case p.Agreement != nil:
		what = "numbers became infinite or NaN, or were before"
	}
	if p.Agreement != nil && p.Changes != "" {
		what += "; expected: " + p.Changes
	}
	return fmt.Sprintf("verified %d %s: %s", p.Index+1, p.Pass, what)
}
