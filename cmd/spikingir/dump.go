package main

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/onnxio/text"
	"spikingir/passes"
)

// dumper prints the model between passes.
type dumper struct {
	dir   string
	print []string
}

func (d *dumper) add(f *pflag.FlagSet) {
	f.StringVar(&d.dir, "dump-dir", "", "folder that gets the model after each pass, as NN-pass.onnxtxt")
	f.StringSliceVar(&d.print, "print-ir-after", nil, "passes to print the model after, or all; on standard error")
}

// check demands that the passes to print after are in the pipeline.
func (d *dumper) check(p passes.Pipeline) error {
	for _, name := range d.print {
		if name != "all" && !slices.ContainsFunc(p, func(s passes.Step) bool { return s.Pass.Name == name }) {
			return fmt.Errorf("--print-ir-after %s: the pipeline %q has no such pass", name, p)
		}
	}
	return nil
}

// after is the pipeline's hook. It writes the model before the first pass too.
func (d *dumper) after(a *app, m *graph.Model) func(passes.Report, *graph.Model) error {
	if d.dir == "" && len(d.print) == 0 {
		return nil
	}
	before := text.Print(m, text.Options{MaxElements: 16})
	return func(r passes.Report, m *graph.Model) error {
		now := text.Print(m, text.Options{MaxElements: 16})
		if d.dir != "" {
			if r.Index == 0 {
				if err := d.write("00-input", before); err != nil {
					return err
				}
			}
			if err := d.write(fmt.Sprintf("%02d-%s", r.Index+1, r.Step.Pass.Name), now); err != nil {
				return err
			}
		}
		if slices.Contains(d.print, "all") || slices.Contains(d.print, r.Step.Pass.Name) {
			fmt.Fprintf(a.Err, "// after %s\n%s\n", r.Step, now)
		}
		return nil
	}
}

func (d *dumper) write(name, s string) error {
	return cli.WriteFile(filepath.Join(d.dir, name+".onnxtxt"), []byte(s))
}
