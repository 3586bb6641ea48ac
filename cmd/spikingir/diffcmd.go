package main

import (
	"errors"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"spikingir/cmd/internal/cli"
	"spikingir/graph/diff"
	"spikingir/graph/op"
)

func (a *app) diffCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "diff A B",
		Short: "Show what differs between two models, by name",
		Long: `diff compares the header, nodes, attributes, values and initializers of two
models by name and counts their operators. It exits with 0 when the models are
the same and with 4 when they differ.`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			x, err := a.load(args[0], "onnx")
			if err != nil {
				return err
			}
			y, err := a.load(args[1], "onnx")
			if err != nil {
				return err
			}
			r := diff.Models(x, y)
			if a.format == "json" {
				if err := a.json(r); err != nil {
					return err
				}
			} else {
				a.printDiff(r)
			}
			if !r.Same {
				return &cli.CodeError{Code: cli.ExitGate, Err: errDiffer(len(r.Entries))}
			}
			return nil
		},
	}
}

func errDiffer(n int) error {
	if n == 1 {
		return errors.New("the models differ in 1 place")
	}
	return fmt.Errorf("the models differ in %d places", n)
}

func (a *app) printDiff(r *diff.Report) {
	marks := map[diff.Change]string{diff.Added: "+", diff.Removed: "-", diff.Changed: "~"}
	for _, e := range r.Entries {
		shown := map[diff.Change]string{diff.Added: e.B, diff.Removed: e.A, diff.Changed: e.A + " -> " + e.B}
		fmt.Fprintf(a.out, "%s %s %s: %s\n", marks[e.Change], e.Kind, e.Name, shown[e.Change])
	}
	a.printTimings(r.TimingA, r.TimingB)
	t := a.table()
	t.AppendHeader(table.Row{"operator", "A", "B", "B-A"})
	for _, c := range r.Ops {
		t.AppendRow(table.Row{c.Op, c.A, c.B, fmt.Sprintf("%+d", c.B-c.A)})
	}
	t.Render()
}

// printTimings shows those of two models that are two-phase.
func (a *app) printTimings(x, y *op.TimingReport) {
	for i, t := range []*op.TimingReport{x, y} {
		if t != nil {
			fmt.Fprintf(a.out, "%c: %v\n", "AB"[i], t)
		}
	}
}
