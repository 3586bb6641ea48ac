package main

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/fixtures"
	"spikingir/passes/recipes"
)

// demoCase is one embedded network with its task.
type demoCase struct {
	name, what string
	task       spikingir.Task
	show       string // the held-out image whose before and after are written
}

var demoCases = []demoCase{
	{"dncnn", "gray denoising, sigma 25", spikingir.Task{Kind: spikingir.Denoise, Sigma: 25}, "s01"},
	{"residual", "colour denoising, sigma 25", spikingir.Task{Kind: spikingir.Denoise, Sigma: 25}, "s02"},
	{"rednet", "colour denoising, sigma 25", spikingir.Task{Kind: spikingir.Denoise, Sigma: 25}, "s01"},
	{"vdsr", "super-resolution x2", spikingir.Task{Kind: spikingir.SR, Scale: 2}, "s03"},
	{"prelunet", "super-resolution x2", spikingir.Task{Kind: spikingir.SR, Scale: 2, Input: "lowres"}, "s04"},
	{"srvgg", "colour super-resolution x2", spikingir.Task{Kind: spikingir.SR, Scale: 2, Input: "lowres"}, "s02"},
	{"aodnet", "dehazing", spikingir.Task{Kind: spikingir.Dehaze}, "h01"},
}

func (a *app) demoCmd() *cobra.Command {
	var out string
	timesteps := recipes.Defaults().Timesteps
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Convert, run and measure the embedded networks",
		Long: `demo converts seven small networks, exported by PyTorch and embedded in the
program, runs them on held-out images, measures ANN and SNN, and leaves the
spiking ONNX files and before/after images in a folder. One of them was
fine-tuned beforehand, at its own number of timesteps; it is measured as it is.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.demo(cmd.Context(), out, timesteps)
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "demo", "folder to write")
	cmd.Flags().IntVarP(&timesteps, "timesteps", "T", timesteps, "timesteps T")
	return cmd
}

func (a *app) demo(ctx context.Context, out string, timesteps int) error {
	if err := checkTimesteps([]int{timesteps}); err != nil {
		return err
	}
	if err := unpack(out); err != nil {
		return err
	}
	t := a.table()
	t.AppendHeader(table.Row{"model", "task", "", "PSNR (dB)", "SSIM", "rate (%)", "agreement (dB)",
		"firing rate", "energy (mJ)"})
	reports := map[string]*spikingir.Report{}
	for i, d := range demoCases {
		if i > 0 {
			t.AppendSeparator()
		}
		r, err := a.demoCase(ctx, out, timesteps, d)
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		reports[d.name] = r
		demoRows(t, d, r)
		if r, err = a.demoTuned(ctx, out, d); err != nil {
			return fmt.Errorf("%s, fine-tuned: %w", d.name, err)
		}
		if r != nil {
			reports[d.name+".tuned"] = r
			t.AppendRow(spikingRow(d, r, "fine-tuned"))
		}
	}
	if a.format == "json" {
		return a.json(reports)
	}
	t.Render()
	fmt.Fprintf(a.out, "Spiking networks are in %s, images before and after in %s.\n",
		filepath.Join(out, "*.spiking.onnx"), filepath.Join(out, "*.png"))
	return nil
}

// unpack writes the embedded models and held-out images as files.
func unpack(out string) error {
	return fs.WalkDir(fixtures.FS, ".", func(path string, d fs.DirEntry, err error) error {
		kind, name, _ := strings.Cut(path, "/")
		held := kind == "images" && !strings.HasPrefix(name, fixtures.Calib)
		if err != nil || d.IsDir() || kind != "models" && !held {
			return err
		}
		if held {
			name = path
		}
		b, err := fixtures.FS.ReadFile(path)
		if err != nil {
			return err
		}
		return cli.WriteFile(filepath.Join(out, name), b)
	})
}

// demoCase converts one network with the embedded calibration images, measures
// it and writes its images.
func (a *app) demoCase(ctx context.Context, out string, timesteps int, d demoCase) (*spikingir.Report, error) {
	m, err := a.load(filepath.Join(out, d.name+".onnx"), "onnx")
	if err != nil {
		return nil, err
	}
	step, end := a.Progress("calibrating")
	_, err = spikingir.Convert(ctx, m, spikingir.Options{Settings: spikingir.Settings{Timesteps: timesteps},
		Calibration: spikingir.Data{Task: d.task, Seed: a.Seed}, Threads: a.Threads, Progress: step, Log: a.log()})
	end()
	if err != nil {
		return nil, err
	}
	spiking := filepath.Join(out, d.name+".spiking.onnx")
	if err := spikingir.Write(spiking, m); err != nil {
		return nil, err
	}
	return a.demoMeasure(ctx, out, d, spiking, "after")
}

// demoTuned measures what fine-tuning made of a network; nil for one without.
func (a *app) demoTuned(ctx context.Context, out string, d demoCase) (*spikingir.Report, error) {
	data, ok := fixtures.Tuned(d.name)
	if !ok {
		return nil, nil
	}
	path := filepath.Join(out, d.name+".tuned.onnx")
	if err := cli.WriteFile(path, data); err != nil {
		return nil, err
	}
	return a.demoMeasure(ctx, out, d, path, "tuned")
}

// demoMeasure measures a spiking network beside its ANN and writes its images, the
// network's own under the name after.
func (a *app) demoMeasure(ctx context.Context, out string, d demoCase, spiking, after string) (*spikingir.Report, error) {
	snn, err := a.open(spiking, spikingir.RunOptions{})
	if err != nil {
		return nil, err
	}
	defer snn.Close()
	ann, err := a.open(filepath.Join(out, d.name+".onnx"), spikingir.RunOptions{})
	if err != nil {
		return nil, err
	}
	defer ann.Close()
	data := spikingir.Data{Task: d.task, Dir: filepath.Join(out, "images"), Seed: a.Seed}
	if d.task.Kind != spikingir.Dehaze {
		data.Dir = filepath.Join(data.Dir, fixtures.Clean)
	}
	step, end := a.Progress(d.name)
	defer end()
	all, err := spikingir.Evaluate(ctx, snn.Network, data, spikingir.EvaluateOptions{Reference: ann.Network, Progress: step})
	if err != nil {
		return nil, err
	}
	return all[0], showcase(ctx, out, d, data, ann, snn, after)
}

// showcase writes one image before, by the ANN, by the SNN, and the truth.
func showcase(ctx context.Context, out string, d demoCase, data spikingir.Data, ann, snn *loaded, after string) error {
	set, err := data.Samples(snn.Channels())
	if err != nil {
		return err
	}
	for i := range set.Len() {
		s, err := set.At(i)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(s.Name, d.show) {
			continue
		}
		byANN, err := ann.Restore(ctx, s.Input)
		if err != nil {
			return err
		}
		bySNN, err := snn.Restore(ctx, s.Input)
		if err != nil {
			return err
		}
		for _, f := range []struct {
			name string
			img  spikingir.Image
		}{{"before", s.Input}, {"ann", byANN}, {after, bySNN}, {"truth", s.Target}} {
			if err := spikingir.WriteImage(filepath.Join(out, d.name+"."+f.name+".png"), f.img); err != nil {
				return err
			}
		}
	}
	return nil
}

func demoRows(t table.Writer, d demoCase, r *spikingir.Report) {
	if r.Input.PSNR != 0 {
		t.AppendRow(table.Row{d.name, d.what, "input", decibel(r.Input.PSNR), r4(r.Input.SSIM)})
	}
	t.AppendRow(table.Row{d.name, d.what, "ANN", decibel(r.Ref.PSNR), r4(r.Ref.SSIM), "", "", "",
		fmt.Sprintf("%.4f", *r.Energy.RefMJ)})
	t.AppendRow(spikingRow(d, r, "SNN"))
}

func spikingRow(d demoCase, r *spikingir.Report, what string) table.Row {
	return table.Row{d.name, d.what, fmt.Sprintf("%s, T = %d", what, r.Timesteps), decibel(r.Model.PSNR),
		r4(r.Model.SSIM), fmt.Sprintf("%.1f", r.Rate.Mean), decibel(r.Agreement.PSNR), r4(r.FiringRate),
		fmt.Sprintf("%.4f", r.Energy.ModelMJ)}
}
