package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"spikingir"
	"spikingir/cmd/internal/cli"
)

func (a *app) finetuneCmd() *cobra.Command {
	t := &tuning{}
	cmd := &cobra.Command{
		Use:   "finetune MODEL -o OUT --task TASK --data DIR",
		Short: "Train a converted network on a folder of images",
		Long: `finetune brings a spiking network close to the ANN that it was converted from, or
trains an ANN on the same data for comparison. It trains in stages (--stages):

  calibrate      without gradients: each layer is fitted to the ANN's by linear
                 regression from the spikes that it receives
  rates          the network with its activations rounded to the rates that
                 neurons can fire at, one slice in the place of T timesteps
  rate-backward  all timesteps forward, and back through the mean rates at once
  spikes         all timesteps, and back through each of them (surrogate
                 gradients)
  ann            the network with ReLUs in the place of neurons: an ANN's training

each but calibrate with =STEPS, or with =PERCENT% of --steps or of the time of
--max-minutes, which becomes a number of steps as the stage goes on.

A part of the images (--validation-share) is held out. The network is measured on
them, in fixed point as eval does, before, after and in between; OUT is the best.

The state of the run is in --checkpoint from its first step on: after Ctrl-C, or
whatever else ended it, the same command with --resume goes on as if nothing had
happened, bit for bit. It is removed when the last step is done. After Ctrl-C the best
network so far is in x.best.onnx, for -o x.onnx. The same seed, --micro-batches (as a
rule --threads) and steps give the same bytes on the same kind of CPU.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t.path = args[0]
			err := t.check(a)
			if err == nil {
				err = a.finetune(cmd.Context(), t, cmd.Flags())
			}
			var o *spikingir.OptionError
			if errors.As(err, &o) {
				return errors.New(o.Flags)
			}
			return err
		},
	}
	t.add(cmd.Flags())
	return cmd
}

// finetune is the command, its flags checked.
func (a *app) finetune(ctx context.Context, t *tuning, f *pflag.FlagSet) error {
	if f.Changed("batch") && t.Batch < 1 {
		return fmt.Errorf("--batch %d, want 1 or more", t.Batch)
	}
	m, err := a.load(t.path, "onnx")
	if err != nil {
		return err
	}
	a.takeTask(t.path, m, &t.Data.Task)
	t.byTask(f)
	if err := t.checkOptions(); err != nil {
		return err
	}
	if spikingir.Lowered(m) { // it is written as functions
		if _, err := spikingir.Lower(ctx, m, spikingir.Form(spikingir.Forms()[0]), spikingir.Options{Threads: a.Threads}); err != nil {
			return fmt.Errorf("%s: %w", t.path, err)
		}
	}
	if t.ref != "" {
		if t.Teacher, err = a.load(t.ref, "onnx"); err != nil {
			return err
		}
	} else if f.Changed("distill-output") && t.DistillOutput > 0 && !spikingir.Spiking(m) {
		return fmt.Errorf("%s is an ANN: --distill-output needs --ref, another one to learn from", t.path)
	}
	if err := t.checkNames(m, t.Teacher); err != nil {
		return err
	}
	t.Follow(m)
	for i, s := range t.Stages {
		t.Stages[i].Rate = t.rate
		if r, ok := t.rateOf[s.Name]; ok {
			t.Stages[i].Rate = r
		}
	}
	cli.Patient(ctx) // it saves the state of the run
	r := &reporter{app: a}
	t.Report, t.Note, t.Log = r.report, func(text string) { a.Warnf("%s", text) }, a.log()
	report, err := spikingir.Finetune(ctx, m, t.FinetuneOptions)
	r.end()
	var diverged *spikingir.DivergedError
	switch {
	case report == nil:
		return err
	case report.Ended == "interrupted":
		best := "; "
		if report.Unfinished != "" {
			best = fmt.Sprintf(", the best network so far is in %s; ", report.Unfinished)
		}
		return &cli.CodeError{Code: cli.ExitInterrupted, Err: fmt.Errorf("interrupted after %d of %d steps; %s is not written%sthe state is in %s: "+
			"the same command with --resume goes on", report.Steps, report.Planned, t.Output, best, t.Checkpoint)}
	case err != nil && !errors.As(err, &diverged):
		return err
	}
	if err := a.printTuned(&tuned{t.path, report}); err != nil {
		return err
	}
	if diverged != nil {
		return &cli.CodeError{Code: cli.ExitGate, Err: fmt.Errorf("%w; %s holds the best network until then, %s the last state that was saved; "+
			"want a lower --rate or --clip", diverged, t.Output, t.Checkpoint)}
	}
	return nil
}
