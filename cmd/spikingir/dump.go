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
	dir           string
	print, before []string
	changed       bool
}

func (d *dumper) add(f *pflag.FlagSet) {
	f.StringVar(&d.dir, "dump-dir", "", "folder that gets the model after each pass, as NN-pass.onnxtxt")
	f.StringSliceVar(&d.print, "print-ir-after", nil, "passes to print the model after, or all; on standard error")
	f.StringSliceVar(&d.before, "print-ir-before", nil, "passes to print the model before, or all; on standard error")
	f.BoolVar(&d.changed, "print-ir-after-change", false, "print the model after passes that changed it: all, or those of --print-ir-after")
}

// check demands that the passes to print at are in the pipeline.
func (d *dumper) check(p passes.Pipeline) error {
	for _, f := range []struct {
		flag  string
		names []string
	}{{"after", d.print}, {"before", d.before}} {
		for _, name := range f.names {
			if name != "all" && !slices.ContainsFunc(p, func(s passes.Step) bool { return s.Pass.Name == name }) {
				return fmt.Errorf("--print-ir-%s %s: the pipeline %q has no such pass", f.flag, name, p)
			}
		}
	}
	return nil
}

// among reports whether a pass is one of a list, which all stands for.
func among(list []string, s passes.Step) bool {
	return slices.Contains(list, "all") || slices.Contains(list, s.Pass.Name)
}

func printed(m *graph.Model) string { return text.Print(m, text.Options{MaxElements: 16}) }

// ahead is the pipeline's hook before a pass.
func (d *dumper) ahead(a *app) func(int, passes.Step, *graph.Model) error {
	if d.dir == "" && len(d.before) == 0 {
		return nil
	}
	return func(index int, s passes.Step, m *graph.Model) error {
		if d.dir != "" && index == 0 {
			if err := d.write("00-input", printed(m)); err != nil {
				return err
			}
		}
		if among(d.before, s) {
			fmt.Fprintf(a.Err, "// before %s\n%s\n", s, printed(m))
		}
		return nil
	}
}

// after is the pipeline's hook behind a pass.
func (d *dumper) after(a *app) func(passes.Report, *graph.Model) error {
	if d.dir == "" && len(d.print) == 0 && !d.changed {
		return nil
	}
	return func(r passes.Report, m *graph.Model) error {
		if d.dir != "" {
			if err := d.write(fmt.Sprintf("%02d-%s", r.Index+1, r.Step.Pass.Name), printed(m)); err != nil {
				return err
			}
		}
		wanted := among(d.print, r.Step) || d.changed && len(d.print) == 0
		if wanted && (r.Changed || !d.changed) {
			fmt.Fprintf(a.Err, "// after %s\n%s\n", r.Step, printed(m))
		}
		return nil
	}
}

func (d *dumper) write(name, s string) error {
	return cli.WriteFile(filepath.Join(d.dir, name+".onnxtxt"), []byte(s))
}
