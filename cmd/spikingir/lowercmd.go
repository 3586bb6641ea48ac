package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"spikingir"
	"spikingir/cmd/internal/cli"
)

// lowering is what lower is asked for.
type lowering struct {
	form, reader, out string
	memory            int64
	opset             int
	dump              dumper
}

func (a *app) lowerCmd() *cobra.Command {
	l := &lowering{}
	cmd := &cobra.Command{
		Use:   "lower MODEL --to FORM -o OUT",
		Short: "Write a spiking network in another form",
		Long: `lower writes a spiking network, converted or fine-tuned, in another form: the
operators with functions (functions) or alone (none), or standard operators only:
neurons unrolled over the timesteps (flat), all layers too (unrolled), and of
two-phase networks counts of spikes (counts), those in 8 bits (qdq). The network
stays the same, and lower there and back gives the same model; qdq alone rounds
weights to 8 bits where they are not.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.lower(cmd, l, args[0]) },
	}
	f := cmd.Flags()
	f.StringVar(&l.form, "to", "", "the form: "+strings.Join(spikingir.Forms(), ", "))
	f.StringVarP(&l.out, "output", "o", "", "the file to write")
	f.StringVar(&l.reader, "reader", "onnx", "model reader: onnx, onnx-go")
	addOpset(f, &l.opset)
	addBudget(f, &l.memory, "constants that are folded")
	l.dump.add(f)
	return cmd
}

func (a *app) lower(cmd *cobra.Command, l *lowering, path string) error {
	switch {
	case l.out == "":
		return fmt.Errorf("lower: --output is missing, want a file to write")
	case l.form == "":
		return fmt.Errorf("lower: --to is missing, want %s", strings.Join(spikingir.Forms(), " or "))
	}
	if err := oneOf("to", l.form, spikingir.Forms()); err != nil {
		return err
	}
	if err := checkOpset(cmd.Flags(), l.opset); err != nil {
		return err
	}
	form := spikingir.Settings{Lower: spikingir.Form(l.form), Opset: l.opset}
	p, err := spikingir.Rewriting(form)
	if err != nil {
		return err
	}
	if err := l.dump.check(p); err != nil {
		return err
	}
	var in cli.Inputs
	in.Add(path)
	if err := in.CheckOutput(l.out); err != nil {
		return err
	}
	m, err := a.load(path, l.reader)
	if err != nil {
		return err
	}
	in.AddModels(m)
	if err := in.Check(l.out); err != nil {
		return err
	}
	s := &summary{Model: path, Output: l.out}
	s.Conversion, err = spikingir.Lower(cmd.Context(), m, spikingir.Form(l.form), spikingir.Options{
		Settings: form, MemoryLimit: l.memory, Threads: a.Threads, Before: l.dump.ahead(a), After: l.dump.after(a), Log: a.log(),
	})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := spikingir.Write(l.out, m); err != nil {
		return cli.Writing(l.out, err)
	}
	return a.printSummary(s, m)
}
