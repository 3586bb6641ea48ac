package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"spikingir/cmd/internal/cli"
	"spikingir/passes/recipes"
	"spikingir/runtime/dataset"
	"spikingir/runtime/eval"
	"spikingir/runtime/exec"
	"spikingir/runtime/metric"
)

// benchmark is one real network with its calibration and its test set, in the
// layout of a data folder: models/*.onnx and images/SET.
type benchmark struct {
	title, model string
	calib, test  string // under images
	task         dataset.Task
	limit        int // calibration images, 0: all
	crop         int // central part of each test image, 0: whole images
	timesteps    []int
}

var benchmarks = []benchmark{
	{"AOD-Net, dehazing, SOTS-outdoor", "aod_boyiliee_op11", "SOTS-indoor/train", "SOTS-outdoor",
		dataset.Task{Kind: dataset.Dehaze}, 0, 0, []int{5, 8, 10, 20, 50}},
	{"DnCNN, denoising sigma 25, Set12", "dncnn_s25_bn_op16", "Train400", "Set12",
		dataset.Task{Kind: dataset.Denoise, Sigma: 25}, 40, 128, []int{10, 20, 50, 100}},
	{"VDSR, super-resolution x2, Set5", "vdsr_twt_op16", "T91", "Set5",
		dataset.Task{Kind: dataset.SR, Scale: 2}, 20, 128, []int{10, 20, 50, 100}},
	{"DnCNN, denoising sigma 25, Set12, whole images", "dncnn_s25_bn_op16", "Train400", "Set12",
		dataset.Task{Kind: dataset.Denoise, Sigma: 25}, 40, 0, []int{10}},
	{"VDSR, super-resolution x2, Set5, whole images", "vdsr_twt_op16", "T91", "Set5",
		dataset.Task{Kind: dataset.SR, Scale: 2}, 20, 0, []int{10}},
}

// variant is one way to convert: a group of rows.
type variant struct {
	name     string
	recipe   string
	settings recipes.Settings
	grid     bool // not measured where only one number of timesteps is
}

// variants are the recipes with thresholds per layer and per channel, the step
// between them, and the initial potential that centres the MPRN's error.
func variants() []variant {
	make := func(name, recipe string, grid bool, set func(*recipes.Settings)) variant {
		s := recipes.Defaults()
		set(&s)
		return variant{name, recipe, s, grid}
	}
	return []variant{
		make("rueckauer, per layer", "rueckauer", true, func(s *recipes.Settings) { s.Per = "layer" }),
		make("rueckauer, per channel", "rueckauer", false, func(s *recipes.Settings) { s.Per = "channel" }),
		make("IF + CPM, per channel", "rueckauer", true, func(s *recipes.Settings) {
			s.Per, s.Readout = "channel", "cpm"
		}),
		make("spikingir, per layer", "spikingir", true, func(s *recipes.Settings) { s.Per = "layer" }),
		make("spikingir, per channel", "spikingir", false, func(s *recipes.Settings) { s.Per = "channel" }),
		make("spikingir, per channel, v0 = 0.25", "spikingir", false, func(s *recipes.Settings) {
			s.Per, s.V0 = "channel", 0.25
		}),
	}
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
const resultsHead = `# Results on real networks, before any fine-tuning

Made by ` + "`make results DATA=DIR`" + `: conversion alone, without training, %s simulation (` + "`--precision`" + `).
Energy is the paper's model (4.6 pJ a MAC, 0.9 pJ an AC, first layer once), in mJ an image. SSIM is
Gaussian 11x11. Rates are in per cent of the ANN. Agreement is the PSNR between the outputs of the
spiking network and of its ANN. It measures the conversion; the PSNR against the truth may even rise by
quantisation. A rate readout has no negative values, so where the output is signed (DnCNN, VDSR) the
recipe rueckauer reads an ON and an OFF population. "IF + CPM" is rueckauer with the CPM readout, the
step between the recipes.

`

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
	b := bytes.NewBufferString(fmt.Sprintf(resultsHead, numbers))
	for _, bm := range benchmarks {
		if len(only) > 0 && !slices.Contains(only, bm.model) {
			continue
		}
		if err := a.benchmark(ctx, b, data, bm); err != nil {
			return fmt.Errorf("%s: %w", bm.model, err)
		}
	}
	if out == "" {
		_, err := a.out.Write(b.Bytes())
		return err
	}
	kept, err := fineTuned(out)
	if err != nil {
		return err
	}
	b.WriteString(kept)
	return cli.WriteFile(out, b.Bytes())
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
func (a *lab) benchmark(ctx context.Context, b *bytes.Buffer, data string, bm benchmark) error {
	path := filepath.Join(data, "models", bm.model+".onnx")
	t := table.NewWriter()
	t.AppendHeader(table.Row{"recipe", "T", "PSNR (dB)", "SSIM", "rate PSNR (%)", "rate SSIM (%)", "rate (%)",
		"agreement (dB)", "firing rate", "energy (mJ)"})
	var ann *eval.Report
	for _, v := range variants() {
		if v.grid && len(bm.timesteps) == 1 {
			continue
		}
		all, err := a.measure(ctx, path, data, bm, v)
		if err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
		for _, r := range all {
			if r.Rate == nil {
				return fmt.Errorf("%s: the ANN's quality leaves no conversion rate", v.name)
			}
			ann = r
			t.AppendRow(table.Row{v.name, r.Timesteps, decibel(r.Model.PSNR), r4(r.Model.SSIM),
				percent(r.Rate.PSNR), percent(r.Rate.SSIM), percent(r.Rate.Mean), decibel(r.Agreement.PSNR),
				r4(r.FiringRate), fmt.Sprintf("%.3f", r.Energy.ModelMJ)})
			a.Warnf("%s: %s, T = %d: %s dB, agreement %s dB", bm.model, v.name, r.Timesteps,
				decibel(r.Model.PSNR), decibel(r.Agreement.PSNR))
		}
	}
	fmt.Fprintf(b, "## %s (`%s`)\n\n", bm.title, bm.model)
	part := "whole"
	if bm.crop > 0 {
		part = fmt.Sprintf("central %dx%d pixels each", bm.crop, bm.crop)
	}
	fmt.Fprintf(b, "ANN: %s dB, SSIM %s, %.3f mJ. Input: %s dB. %d images, %s; calibrated on %s.\n\n",
		decibel(ann.Ref.PSNR), r4(ann.Ref.SSIM), *ann.Energy.RefMJ, decibel(ann.Input.PSNR), ann.Images, part, bm.calib)
	b.WriteString(t.RenderMarkdown() + "\n\n")
	return nil
}

func percent(x float64) string { return fmt.Sprintf("%.1f", x) }

func r4(x float64) string { return fmt.Sprintf("%.4f", x) }

// decibel prints a PSNR to three decimals, the precision of the paper's tables.
func decibel(x metric.DB) string { return fmt.Sprintf("%.3f", float64(x)) }

// measure converts the network one way and evaluates it at every number of
// timesteps.
func (a *lab) measure(ctx context.Context, path, data string, bm benchmark, v variant) ([]*eval.Report, error) {
	m, err := a.load(path)
	if err != nil {
		return nil, err
	}
	ports, err := eval.PortsOf(m.Graph)
	if err != nil {
		return nil, err
	}
	eval.FreeSize(m.Graph)
	ref, err := exec.Compile(m.Clone(), exec.Options{Pool: a.Kernels(), Precision: a.Numbers()})
	if err != nil {
		return nil, err
	}
	task := bm.task
	task.Channels = ports.Channels
	calib, err := dataset.Open(task, dataset.Dirs{Data: filepath.Join(data, "images", bm.calib)}, bm.limit, a.Seed)
	if err != nil {
		return nil, err
	}
	err = a.convert(ctx, m, v.recipe, v.settings, images{calib.Len(), func(i int) (dataset.Image, error) {
		s, err := calib.At(i)
		return s.Input, err
	}})
	if err != nil {
		return nil, err
	}
	snn, err := exec.Compile(m, exec.Options{Pool: a.Kernels(), Precision: a.Numbers(), Timesteps: bm.timesteps})
	if err != nil {
		return nil, err
	}
	set, err := dataset.Open(task, dataset.Dirs{Data: filepath.Join(data, "images", bm.test)}, 0, a.Seed)
	if err != nil {
		return nil, err
	}
	step, end := a.Progress(v.name)
	defer end()
	return eval.RunAll(ctx, eval.Config{Model: snn, Input: ports.Input, Ref: ref,
		RefInput: ports.Input, Set: set, Crop: bm.crop, Window: metric.Gaussian, Progress: step,
		Energy: metric.EnergyOptions{Mode: metric.Paper, FirstLayer: metric.Once}})
}
