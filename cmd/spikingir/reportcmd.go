package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/cmd/internal/pictures"
	"spikingir/cmd/internal/report"
)

const (
	// reportImages is how many images a report is of, and reportSide how many pixels of each it
	// shows, so that the page stays small.
	reportImages = 3
	reportSide   = 320
)

// reporting is what report is asked for.
type reporting struct {
	evaluation
	out, log string
	side     int
}

func (a *app) reportCmd() *cobra.Command {
	r := &reporting{side: reportSide}
	cmd := &cobra.Command{
		Use:   "report MODEL --ref ANN --data DIR -o PAGE.html",
		Short: "Write what a spiking network is and does as one HTML page, with pictures and plots",
		Long: `report runs a spiking network on some images, at its own T and at others, and writes
one HTML page that needs no other file and no network: the images beside those of the
ANN and the ground truth, with a slider and maps of errors; PSNR, SSIM, agreement and
energy against T; firing rates, residual potentials, thresholds and energy of each
layer; the curves of a training run (--log); nodes, passes and metadata.

The task is the one that the network was converted for, unless --task says otherwise.
Without any, images are fed as they are, and there is no ground truth.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r.bounded = cmd.Flags().Changed("memory")
			return a.report(cmd.Context(), args[0], r)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&r.out, "output", "o", "", "the page to write")
	f.StringVar(&r.log, "log", "", "file that finetune --log wrote, for the curves of the training")
	f.IntVar(&r.side, "show", reportSide, "show the central N x N pixels of larger images; 0 shows all. Figures are of whole images")
	addTask(f, &r.data.Task)
	addLimit(f, &r.data)
	r.data.Limit = reportImages
	f.Lookup("limit").DefValue = fmt.Sprint(reportImages)
	r.addMeasure(f)
	f.StringVar(&r.ref, "ref", "", "the ANN that the model was converted from")
	f.IntSliceVarP(&r.run.Timesteps, "timesteps", "T", nil, "rising numbers of timesteps to measure at (default a quarter, a half, one and two times the model's own)")
	return cmd
}

// check finds what is wrong with the flags before a model is read.
func (r *reporting) check(model string) error {
	switch {
	case r.out == "":
		return errors.New("--output is missing, want the page to write: -o PAGE.html")
	case r.side < 0:
		return fmt.Errorf("--show %d, want 0 (all pixels) or more", r.side)
	case r.data.Dir == "" && r.data.Inputs == "":
		return errors.New("--data is missing, want a folder of images")
	}
	if err := r.checkMeasure(); err != nil {
		return err
	}
	var in cli.Inputs
	in.Add(model, r.ref, r.log)
	in.AddFolders(r.data.Dir, r.data.Inputs, r.data.Targets)
	return in.CheckOutput(r.out)
}

// report measures a network and writes the page.
func (a *app) report(ctx context.Context, path string, r *reporting) error {
	if err := r.check(path); err != nil {
		return err
	}
	p := &report.Page{Model: path, Reference: r.ref, Log: r.log, Side: r.side}
	if r.log != "" {
		var err error
		if p.Events, err = report.ReadLog(r.log); err != nil {
			return err
		}
	}
	m, err := a.loadNetwork(path, "onnx")
	if err != nil {
		return err
	}
	p.Network = m
	own := ownTimesteps(m)
	if own == 0 {
		return cli.Unsupported(fmt.Errorf("%s has no neurons in time: want a converted network, "+
			"or a plain file that states its neurons", path))
	}
	if r.run.Timesteps == nil {
		r.run.Timesteps = around(own)
	}
	p.At = slices.Index(r.run.Timesteps, own)
	if p.Own = p.At >= 0; !p.Own {
		p.At = len(r.run.Timesteps) - 1
	}
	if err := a.reportTask(path, m, r); err != nil {
		return err
	}
	if !r.Blind {
		p.Task = r.data.Task.String()
	}
	if err := a.measurePage(ctx, path, r, p); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		return err
	}
	var in cli.Inputs
	in.AddModels(m, p.ANN)
	if err := in.Check(r.out); err != nil {
		return err
	}
	return cli.WriteFile(r.out, b.Bytes())
}

// reportTask completes the task. Without any there is no ground truth.
func (a *app) reportTask(path string, m *spikingir.Model, r *reporting) error {
	a.takeTask(path, m, &r.data.Task)
	r.Blind = r.data.Task.Kind == ""
	if !r.Blind {
		return checkTruth(&r.data)
	}
	a.Warnf("no --task is given, and %s does not tell what it was converted for: images are fed as they are, and there is no ground truth", path)
	return checkTask(&r.data)
}

// measurePage runs the networks.
func (a *app) measurePage(ctx context.Context, path string, r *reporting, p *report.Page) error {
	model, err := a.ready(path, p.Network, r.run)
	if err != nil {
		return err
	}
	defer model.Close()
	if err := model.Restores(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if r.ref != "" {
		if p.ANN, err = a.load(r.ref, "onnx"); err != nil {
			return err
		}
		ref, err := a.against(r.ref, p.ANN, model, r.run)
		if err != nil {
			return err
		}
		defer ref.Close()
		r.Reference = ref.Network
	}
	a.notePorts(model, r.run.Output)
	r.guard(model)
	step, end := a.Progress("measuring")
	defer end()
	r.Progress, r.data.Seed = step, a.Seed
	r.Each = func(o spikingir.Outcome) error {
		set, err := pictures.Views(o, p.At, r.side)
		p.Sets = append(p.Sets, set)
		return err
	}
	p.Reports, err = spikingir.Evaluate(ctx, model.Network, r.data, r.EvaluateOptions)
	return err
}

// around is numbers of timesteps that show what more or fewer of them bring.
func around(own int) []int {
	var list []int
	for _, t := range []int{own / 4, own / 2, own, 2 * own} {
		if t >= 1 && t <= maxTimesteps {
			list = append(list, t)
		}
	}
	return slices.Compact(list)
}
