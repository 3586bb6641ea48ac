package main

import (
	"errors"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/graph/diff"
	"spikingir/graph/op"
)

func (a *app) diffCmd() *cobra.Command {
	var structure, stat bool
	var out string
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Show what differs between two models, by name or by structure",
		Long: `diff compares the header, nodes, attributes, values and initializers of two
models by name and counts their operators. With --ignore-names it compares their
structure: what has the same operator, attributes, constants and wiring is the
same, whatever it is called, and the report takes A's names. A file of standard
operators that states its neurons is compared as the spiking network. It exits with 0 when
the models are the same and with 4 when they differ.

With --format html it writes both side by side as one page, what is the same too.`,
		Args:        cobra.ExactArgs(2),
		Annotations: map[string]string{hasPage: "given"},
		RunE: func(_ *cobra.Command, args []string) error {
			in, err := a.checkPage(args, stat, out)
			if err != nil {
				return err
			}
			x, err := a.loadNetwork(args[0], "onnx")
			if err != nil {
				return err
			}
			y, err := a.loadNetwork(args[1], "onnx")
			if err != nil {
				return err
			}
			in.AddModels(x, y)
			if err := in.Check(out); err != nil {
				return err
			}
			r, err := a.compare(args, x, y, structure, stat, out)
			if err != nil {
				return err
			}
			if !r.Same {
				return &cli.CodeError{Code: cli.ExitGate, Err: errDiffer(len(r.Entries))}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&structure, "ignore-names", false, "compare by structure: operators, attributes, constants and wiring, not names")
	cmd.Flags().StringVarP(&out, "output", "o", "", "with --format html, the file to write; without it the page goes to standard output")
	cmd.Flags().BoolVar(&stat, "stat", false, "only count what differs, a line for each kind and a row for each operator, and tell how far weights lie apart")
	return cmd
}

// hasPage marks the commands that give a page.
const hasPage = "page"

// checkPage finds what is wrong with the flags of a page, and gives the files that it must not
// take the place of.
func (a *app) checkPage(args []string, stat bool, out string) (*cli.Inputs, error) {
	in := &cli.Inputs{}
	switch page := a.format == "html"; {
	case page && stat:
		return nil, fmt.Errorf("--stat counts what differs, and a page shows it: want --format text or json")
	case out != "" && !page:
		return nil, fmt.Errorf("--output is the file of a page: want --format html")
	case out != "":
		in.Add(args...)
		return in, in.CheckOutput(out)
	}
	return in, nil
}

// compare compares two models and shows what it finds.
func (a *app) compare(args []string, x, y *graph.Model, structure, stat bool, out string) (*diff.Report, error) {
	if a.format == "html" {
		return a.writePage(args, x, y, structure, out)
	}
	compare := diff.Models
	if structure {
		compare = diff.Structure
	}
	r := compare(x, y)
	a.judgeDiff(r)
	return r, a.showDiff(r, stat)
}

// judgeDiff notes a gate for each kind of part that is the same, and one for each part that
// differs.
func (a *app) judgeDiff(r *diff.Report) {
	for _, kind := range diff.Kinds() {
		same := true
		for _, e := range r.Entries {
			if e.Kind != kind {
				continue
			}
			same = false
			var nodes []string
			if kind != diff.Header && kind != diff.Interface {
				nodes = []string{e.Name}
			}
			a.check("same-"+string(kind), e.Name, false, nodes, "%s %s", e.Change, shownChange(e))
		}
		if same {
			a.check("same-"+string(kind), "all", true, nil, "no difference")
		}
	}
}

// shownChange is what an entry had and has.
func shownChange(e diff.Entry) string {
	switch e.Change {
	case diff.Added:
		return e.B
	case diff.Removed:
		return e.A
	}
	return e.A + " -> " + e.B
}

// diffStat is what diff --stat reports.
type diffStat struct {
	Same    bool         `json:"same"`
	Stat    []diff.Count `json:"stat"`
	Weights diff.Weights `json:"weights"`
	// Ops is the operators of which the two have different numbers.
	Ops []diff.OpCount `json:"ops"`
}

// otherCounts are the operators of which two models have different numbers.
func otherCounts(all []diff.OpCount) []diff.OpCount {
	list := []diff.OpCount{}
	for _, c := range all {
		if c.A != c.B {
			list = append(list, c)
		}
	}
	return list
}

func (a *app) showDiff(r *diff.Report, stat bool) error {
	switch {
	case stat && a.format == "json":
		return a.json(diffStat{r.Same, r.Stat, r.Weights, otherCounts(r.Ops)})
	case stat:
		a.printStat(r)
	case a.format == "json":
		return a.json(r)
	default:
		a.printDiff(r)
	}
	return nil
}

// printStat is a line for each kind of part that differs.
func (a *app) printStat(r *diff.Report) {
	for _, c := range r.Stat {
		fmt.Fprintf(a.out, "%s: %d added, %d removed, %d changed", c.Kind, c.Added, c.Removed, c.Changed)
		if c.Kind == diff.NodeKind {
			fmt.Fprintf(a.out, ", %d moved", c.Moved)
		}
		fmt.Fprintln(a.out)
	}
	switch w := r.Weights; {
	case w.Norm != nil:
		fmt.Fprintf(a.out, "weights: %d changed, relative norm of the difference %.3g\n", w.Changed, *w.Norm)
	case w.Changed > 0:
		fmt.Fprintf(a.out, "weights: %d changed, of which no relative norm is defined\n", w.Changed)
	}
	if r.Same {
		fmt.Fprintln(a.out, "no difference")
	}
	if list := otherCounts(r.Ops); len(list) > 0 {
		a.printCounts(list)
	}
}

// printCounts is a table of operators and of how many of them two models have.
func (a *app) printCounts(list []diff.OpCount) {
	t := a.table()
	t.AppendHeader(table.Row{"operator", "A", "B", "B-A"})
	for _, c := range list {
		t.AppendRow(table.Row{c.Op, c.A, c.B, fmt.Sprintf("%+d", c.B-c.A)})
	}
	t.Render()
}

func errDiffer(n int) error {
	if n == 1 {
		return errors.New("the models differ in 1 place")
	}
	return fmt.Errorf("the models differ in %d places", n)
}

// changeMarks stand in front of what differs.
var changeMarks = map[diff.Change]string{diff.Added: "+", diff.Removed: "-", diff.Changed: "~", diff.Moved: ">"}

func (a *app) printDiff(r *diff.Report) {
	for _, e := range r.Entries {
		fmt.Fprintf(a.out, "%s %s %s: %s\n", changeMarks[e.Change], e.Kind, cli.Shown(e.Name), cli.Line(shownChange(e)))
	}
	a.printTimings(r.TimingA, r.TimingB)
	a.printCounts(r.Ops)
}

// printTimings shows those of two models that are two-phase.
func (a *app) printTimings(x, y *op.TimingReport) {
	for i, t := range []*op.TimingReport{x, y} {
		if t != nil {
			fmt.Fprintf(a.out, "%c: %v\n", "AB"[i], t)
		}
	}
}
