package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"

	"github.com/spf13/cobra"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/internal/atomicfile"
	"spikingir/onnxio/nir"
)

// exporting is what export is asked for.
type exporting struct {
	to, out, size, readout, report string
	strict                         bool
	options                        spikingir.NIROptions
}

// exported is the report of export; its JSON form is a contract.
type exported struct {
	Model   string `json:"model"`
	Output  string `json:"output"`
	To      string `json:"to"`
	Written bool   `json:"written"` // not with --strict where something is lost
	*nir.Report
}

func (a *app) exportCmd() *cobra.Command {
	x := &exporting{}
	cmd := &cobra.Command{
		Use:   "export MODEL --to nir -o FILE",
		Short: "Write a spiking network in the format of neuromorphic simulators and chips",
		Long: `export writes a spiking network as NIR, the Neuromorphic Intermediate
Representation, in HDF5: neurons as IF of threshold 1, layers as Conv2d, and the
edges between them. It reports what NIR cannot say of the network (soft reset, the
post step, when to read), and what the file says in other words.

Every pixel has its neurons in NIR, so a file is for images of one size (--size).
Operators on spikes that NIR has no node for end it with exit code 3, and are
named. With --strict it writes nothing and exits with 4 where anything is lost.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := x.check(); err != nil {
				return err
			}
			if err := a.wantGate(x.strict, "--strict"); err != nil {
				return err
			}
			return a.export(cmd, x, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&x.to, "to", "", "the format: nir")
	f.StringVarP(&x.out, "output", "o", "", "the file to write")
	f.StringVar(&x.size, "size", "", "size of the images that the file is for, as 64x48: columns x rows (default: the model's own, or 64x64)")
	f.StringVar(&x.readout, "readout", string(nir.Integrator), "how the result is read: integrator, its potential after step T; spikes, their mean, without the residual potential")
	f.StringVar(&x.report, "report", "", "file to write the report to, as JSON")
	f.BoolVar(&x.strict, "strict", false, "write nothing, and end in exit code 4, where NIR cannot say all of the network")
	addBudget(f, &x.options.MemoryLimit, "constants that are folded")
	return cmd
}

// imageSize is columns and rows.
var imageSize = regexp.MustCompile(`^(\d{1,6})x(\d{1,6})$`)

// check finds what is wrong with the flags before a model is read.
func (x *exporting) check() error {
	switch {
	case x.to == "":
		return fmt.Errorf("export: --to is missing, want nir")
	case choose("to", x.to) != nil:
		return choose("to", x.to)
	case x.out == "":
		return fmt.Errorf("export: --output is missing, want a file to write")
	case choose("readout", x.readout) != nil:
		return choose("readout", x.readout)
	case x.report != "" && cli.Same(x.report, x.out):
		return fmt.Errorf("--report and --output are both %s, want two files", x.out)
	}
	x.options.Readout = nir.Readout(x.readout)
	if x.size == "" {
		return nil
	}
	m := imageSize.FindStringSubmatch(x.size)
	if m == nil {
		return fmt.Errorf("--size %s, want columns x rows, as 64x48", x.size)
	}
	for i, at := range []*int{&x.options.Columns, &x.options.Rows} {
		n, err := strconv.Atoi(m[i+1])
		if err != nil || n == 0 {
			return fmt.Errorf("--size %s, want columns x rows, as 64x48", x.size)
		}
		*at = n
	}
	return nil
}

func (a *app) export(cmd *cobra.Command, x *exporting, path string) error {
	var in cli.Inputs
	in.Add(path)
	for _, out := range []string{x.out, x.report} {
		if out == "" {
			continue
		}
		if err := in.CheckOutput(out); err != nil {
			return err
		}
	}
	m, err := a.loadNetwork(path, "onnx")
	if err != nil {
		return err
	}
	in.AddModels(m)
	for _, out := range []string{x.out, x.report} {
		if out == "" {
			continue
		}
		if err := in.Check(out); err != nil {
			return err
		}
	}
	net, r, err := spikingir.NIR(cmd.Context(), m, x.options)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	e := &exported{Model: path, Output: x.out, To: x.to, Report: r, Written: !x.strict || len(r.Lost) == 0}
	if e.Written {
		if err := atomicfile.Write(x.out, false, net.Write); err != nil {
			return cli.Writing(x.out, err)
		}
	}
	if x.report != "" {
		b, err := json.MarshalIndent(e, "", "  ")
		if err != nil {
			return err
		}
		if err := cli.WriteFile(x.report, append(cli.JSON(b), '\n')); err != nil {
			return err
		}
	}
	return a.printExported(e, x.strict)
}

// printExported shows a report; with strict every finding of what is lost is a gate.
func (a *app) printExported(e *exported, strict bool) error {
	if a.format == "json" {
		if err := a.json(e); err != nil {
			return err
		}
	} else {
		count := 0
		for _, k := range e.Nodes {
			count += k.Count
		}
		what := fmt.Sprintf("%d nodes, %d edges, T = %d", count, e.Edges, e.Timesteps)
		if !e.Written {
			what = "not written: NIR cannot say all of the network"
		}
		fmt.Fprintf(a.out, "%s -> %s: %s\n", e.Model, e.Output, what)
		for _, p := range e.Inputs {
			fmt.Fprintf(a.out, "input %s: %v\n", p.Node, p.Shape)
		}
		for _, p := range e.Outputs {
			fmt.Fprintf(a.out, "output %s: %v\n", p.Node, p.Shape)
		}
		for _, f := range e.Lost {
			fmt.Fprintln(a.out, "lost: "+cli.Line(f.String()))
		}
		for _, f := range e.Reworded {
			fmt.Fprintln(a.out, "in other words: "+cli.Line(f.String()))
		}
	}
	if !strict {
		return nil
	}
	for _, f := range e.Lost {
		a.check("lossless", f.What, false, f.Nodes, "NIR cannot say %s", f)
	}
	if len(e.Lost) == 0 {
		a.check("lossless", "all", true, nil, "nothing is lost")
	}
	return a.judge()
}
