package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/passes/insertcpm"
	"spikingir/passes/normalizethresholds"
	"spikingir/runtime/metric"
)

// benchmark is one real network with its calibration and its test set, in the
// layout of a data folder: models/*.onnx and images/SET.
type benchmark struct {
	title, model string
	calib, test  string // under images
	task         spikingir.Task
	limit        int // calibration images, 0: all
	crop         int // central part of each test image, 0: whole images
	timesteps    []int
}

var benchmarks = []benchmark{
	{"AOD-Net, dehazing, SOTS-outdoor", "aod_boyiliee_op11", "SOTS-indoor/train", "SOTS-outdoor",
		spikingir.Task{Kind: spikingir.Dehaze}, 0, 0, []int{5, 8, 10, 20, 50}},
	{"DnCNN, denoising sigma 25, Set12", "dncnn_s25_bn_op16", "Train400", "Set12",
		spikingir.Task{Kind: spikingir.Denoise, Sigma: 25}, 40, 128, []int{10, 20, 50, 100}},
	{"VDSR, super-resolution x2, Set5", "vdsr_twt_op16", "T91", "Set5",
		spikingir.Task{Kind: spikingir.SR, Scale: 2}, 20, 128, []int{10, 20, 50, 100}},
	{"DnCNN, denoising sigma 25, Set12, whole images", "dncnn_s25_bn_op16", "Train400", "Set12",
		spikingir.Task{Kind: spikingir.Denoise, Sigma: 25}, 40, 0, []int{10}},
	{"VDSR, super-resolution x2, Set5, whole images", "vdsr_twt_op16", "T91", "Set5",
		spikingir.Task{Kind: spikingir.SR, Scale: 2}, 20, 0, []int{10}},
}

// variant is one way to convert: a group of rows.
type variant struct {
	name     string
	recipe   string
	settings spikingir.Settings
	grid     bool // not measured where only one number of timesteps is
}

// variants are the recipes with thresholds per layer and per channel, the step
// between them, and the initial potential that centres the MPRN's error.
var variants = []variant{
	{"rueckauer, per layer", "rueckauer", spikingir.Settings{Per: normalizethresholds.PerLayer}, true},
	{"rueckauer, per channel", "rueckauer", spikingir.Settings{Per: normalizethresholds.PerChannel}, false},
	{"IF + CPM, per channel", "rueckauer", spikingir.Settings{Per: normalizethresholds.PerChannel, Readout: insertcpm.CPM}, true},
	{"spikingir, per layer, v0 = 0", "spikingir", spikingir.Settings{Per: normalizethresholds.PerLayer, V0: spikingir.NoV0}, true},
	{"spikingir, per channel, v0 = 0", "spikingir", spikingir.Settings{Per: normalizethresholds.PerChannel, V0: spikingir.NoV0}, false},
	{"spikingir, per channel, v0 = 0.25", "spikingir", spikingir.Settings{Per: normalizethresholds.PerChannel, V0: 0.25}, false},
}

func (a *lab) resultsCmd() *cobra.Command {
	var data, out string
	var only []string
	cmd := &cobra.Command{
		Use:   "results --data DIR -o FILE",
		Short: "Measure the recipes on real networks and write a table",
		Long: `results converts the networks in DIR/models by every recipe, calibrated on the
training folders of DIR/images, evaluates them on the test folders at several
numbers of timesteps, and writes Markdown tables. What FILE holds from a line
"# Fine-tuned networks" on is kept behind them.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if data == "" {
				return fmt.Errorf("results: --data is missing, want a folder with models and images")
			}
			if out != "" {
				if err := cli.CheckOutput(out); err != nil {
					return err
				}
			}
			return a.results(cmd.Context(), data, out, only)
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "folder with models/ and images/")
	cmd.Flags().StringVarP(&out, "output", "o", "", "Markdown file to write; empty prints it")
	cmd.Flags().StringSliceVar(&only, "only", nil, "models to measure, by file name without .onnx; empty measures all")
	return cmd
}

// resultsHead says what the tables hold.
//
//go:embed results.md
var resultsHead string

func (a *lab) results(ctx context.Context, data, out string, only []string) error {
	for _, name := range only {
		if !slices.ContainsFunc(benchmarks, func(bm benchmark) bool { return bm.model == name }) {
			return fmt.Errorf("--only %s: no network of the results is called that", name)
		}
	}
	numbers := "fixed-point"
	if a.Precision != "fixed" {
		numbers = a.Precision
	}
	page := bytes.NewBufferString(fmt.Sprintf(resultsHead, numbers))
	for _, bm := range benchmarks {
		if len(only) > 0 && !slices.Contains(only, bm.model) {
			continue
		}
		if err := a.benchmark(ctx, page, data, bm); err != nil {
			return fmt.Errorf("%s: %w", bm.model, err)
		}
	}
	if out != "" {
		kept, err := fineTuned(out)
		if err != nil {
			return err
		}
		page.WriteString(kept)
	}
	return a.write(out, page.Bytes())
}

// fineTunedHeading begins the part of a page that runs of hours have made.
const fineTunedHeading = "# Fine-tuned networks\n"

// fineTuned is that part of a page, if the file exists and has one.
func fineTuned(path string) (string, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	_, after, ok := strings.Cut(string(b), "\n"+fineTunedHeading)
	if !ok {
		return "", nil
	}
	return fineTunedHeading + after, nil
}

// benchmark measures one network: a table of all variants and timesteps.
func (a *lab) benchmark(ctx context.Context, page *bytes.Buffer, data string, bm benchmark) error {
	g := newGrid("recipe", "T", "PSNR (dB)", "SSIM", "rate PSNR (%)", "rate SSIM (%)", "rate (%)",
		"agreement (dB)", "firing rate", "energy (mJ)")
	var last *spikingir.Report // which says what the ANN does too
	for _, v := range variants {
		if v.grid && len(bm.timesteps) == 1 {
			continue
		}
		all, err := a.measure(ctx, data, bm, v)
		if err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
		for _, r := range all {
			if r.Rate == nil {
				return fmt.Errorf("%s: the ANN's quality leaves no conversion rate", v.name)
			}
			last = r
			g.AppendRow(row{v.name, r.Timesteps, decibel(r.Model.PSNR), r4(r.Model.SSIM),
				percent(r.Rate.PSNR), percent(r.Rate.SSIM), percent(r.Rate.Mean), decibel(r.Agreement.PSNR),
				r4(r.FiringRate), fmt.Sprintf("%.3f", r.Energy.ModelMJ)})
			a.Warnf("%s: %s, T = %d: %s dB, agreement %s dB", bm.model, v.name, r.Timesteps,
				decibel(r.Model.PSNR), decibel(r.Agreement.PSNR))
		}
	}
	part := "whole"
	if bm.crop > 0 {
		part = fmt.Sprintf("central %s pixels each", size(bm.crop, bm.crop))
	}
	fmt.Fprintf(page, "## %s (`%s`)\n\nANN: %s dB, SSIM %s, %.3f mJ. Input: %s dB. %d images, %s; calibrated on %s.\n\n%s\n\n",
		bm.title, bm.model, decibel(last.Ref.PSNR), r4(last.Ref.SSIM), *last.Energy.RefMJ, decibel(last.Input.PSNR),
		last.Images, part, bm.calib, g)
	return nil
}

func percent(x float64) string { return fmt.Sprintf("%.1f", x) }

func r4(x float64) string { return fmt.Sprintf("%.4f", x) }

// decibel prints a PSNR to three decimals, the precision of the paper's tables.
func decibel(x metric.DB) string { return fmt.Sprintf("%.3f", float64(x)) }

// measure converts the network one way and evaluates it at every number of
// timesteps.
func (a *lab) measure(ctx context.Context, data string, bm benchmark, v variant) ([]*spikingir.Report, error) {
	m, err := a.load(filepath.Join(data, "models", bm.model+".onnx"))
	if err != nil {
		return nil, err
	}
	options := spikingir.RunOptions{Threads: a.Threads, Precision: a.Numbers()}
	ann, err := spikingir.Open(m, options)
	if err != nil {
		return nil, err
	}
	defer ann.Close()
	images := func(set string, limit int) spikingir.Data {
		return spikingir.Data{Task: bm.task, Dir: filepath.Join(data, "images", set), Limit: limit, Seed: a.Seed}
	}
	_, err = spikingir.Convert(ctx, m, spikingir.Options{Recipe: v.recipe, Settings: v.settings,
		Calibration: images(bm.calib, bm.limit), Threads: a.Threads})
	if err != nil {
		return nil, err
	}
	options.Timesteps = bm.timesteps
	snn, err := spikingir.Open(m, options)
	if err != nil {
		return nil, err
	}
	defer snn.Close()
	step, end := a.Progress(v.name)
	defer end()
	return spikingir.Evaluate(ctx, snn, images(bm.test, 0), spikingir.EvaluateOptions{Reference: ann, Crop: bm.crop, Progress: step})
}
