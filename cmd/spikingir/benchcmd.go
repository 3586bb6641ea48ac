package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/passes/recipes"
	"spikingir/runtime/bench"
	"spikingir/runtime/kernel/machine"
)

// benchmarking is what bench is asked for.
type benchmarking struct {
	model         string
	height, width int
	timesteps     int
	memory        int64
	spiking       bool
	train         bool
	patch, batch  int
	runs          int
	kernels       bool
}

func (a *app) benchCmd() *cobra.Command {
	b := &benchmarking{}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure the speed of kernels, of a model, or of training steps",
		Long: `bench prints a JSON object a line: work, kernel, threads, h, w, T, ms_median, gops
(10^9 operations a second of the dense convolutions of all slices, two for a
multiply-add) and peak_share (of the probed peak of all threads; above 1 where
Winograd's method spares an ANN's convolution products). Times are medians of --runs
after two runs that do not count, on pseudo-random images.

Without a model it sweeps the probed peaks, convolutions and spiking layers: one of
each kernel size, with strides, dilations and groups, transposed ones and those of
real networks; "float32 spiking layer" is what runs step by step. With
--model the lines are those of the operators with weights and, last, of the whole
model from image to image. A spiking model runs as it is; any other does too,
unless -T or --spiking is given: then it is first converted by the default recipe
on embedded images. An image that takes more than --memory runs tile by tile; the
lines then end with tiles, and count the image's operations, not what tiles repeat.

--train measures training steps on --batch patches of --patch x --patch pixels: of
--model, which it converts unless it is spiking, or of a DnCNN-17 with random weights.
Lines are those of the stages "rates" (one slice of quantised activations),
"rate-backward" (all timesteps forwards, and back through mean rates once) and
"spikes" (backpropagation through all timesteps). A step is forwards, backwards, the sum of
the gradients, Adam, and weights made ready for the next one. Its operations are
those of the dense convolutions, once forwards and twice backwards; lines end with
batch, patches_per_s and firing_rate (spikes a neuron and timestep).

gops counts both halves of the work where weights are multiplied byte by byte (amx).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := b.check(cmd.Flags().Changed); err != nil {
				return err
			}
			switch {
			case b.kernels:
				return a.listKernels()
			case b.train:
				return a.benchTrain(cmd.Context(), b)
			case b.model != "":
				return a.benchModel(cmd.Context(), b)
			}
			return a.benchKernels(cmd.Context(), b)
		},
	}
	b.flags(cmd.Flags())
	return cmd
}

func (b *benchmarking) flags(f *pflag.FlagSet) {
	f.StringVar(&b.model, "model", "", "ONNX model to measure; empty measures kernels")
	f.IntVar(&b.height, "height", 0, "height of the images; 0 takes each layer's own, 256 for a model")
	f.IntVar(&b.width, "width", 0, "width of the images")
	f.IntVarP(&b.timesteps, "timesteps", "T", 0, "timesteps T; 0 takes the model's own, or 10")
	addMemory(f, &b.memory)
	f.BoolVar(&b.spiking, "spiking", false, "convert the model before it is measured")
	f.BoolVar(&b.train, "train", false, "measure training steps")
	f.IntVar(&b.patch, "patch", 40, "with --train: height and width of the patches")
	f.IntVar(&b.batch, "batch", 4, "with --train: patches of a step")
	f.IntVar(&b.runs, "runs", 7, "runs that a median is taken of")
	f.BoolVar(&b.kernels, "kernels", false, "list the implementations of the kernels")
}

// check finds flags that no measurement takes.
func (b *benchmarking) check(changed func(string) bool) error {
	for _, f := range []struct {
		name              string
		value, least, top int
	}{
		{"height", b.height, 0, 1 << 15}, {"width", b.width, 0, 1 << 15},
		{"timesteps", b.timesteps, 0, maxTimesteps},
		{"patch", b.patch, 8, 1 << 10}, {"batch", b.batch, 1, 1 << 12}, {"runs", b.runs, 1, 1000},
	} {
		if f.value < f.least || f.value > f.top {
			return fmt.Errorf("--%s %d, want %d to %d", f.name, f.value, f.least, f.top)
		}
	}
	for _, f := range []struct {
		name string
		fits bool
		why  string
	}{
		{"patch", b.train, "goes with --train only"}, {"batch", b.train, "goes with --train only"},
		{"height", !b.train, "does not go with --train, which has --patch"},
		{"width", !b.train, "does not go with --train, which has --patch"},
		{"memory", !b.train, "does not go with --train, which has --patch"},
		{"memory", b.model != "", "goes with --model only"},
		{"spiking", b.model != "" || !b.spiking, "wants a --model to convert"},
	} {
		if changed(f.name) && !f.fits {
			return fmt.Errorf("--%s %s", f.name, f.why)
		}
	}
	return nil
}

// steps is the number of timesteps of what states none.
func (b *benchmarking) steps() int {
	return cmp.Or(b.timesteps, spikingir.DefaultSettings().Timesteps)
}

// name is what lines call the model.
func (b *benchmarking) name() string { return strings.TrimSuffix(filepath.Base(b.model), ".onnx") }

// meter measures as often as the flags say.
func (a *app) meter(b *benchmarking) *bench.Bench {
	return bench.New(a.Kernels(), bench.DefaultWarmUp, b.runs)
}

// benchKernels measures the peaks and the layers.
func (a *app) benchKernels(ctx context.Context, b *benchmarking) error {
	peaks, _ := a.meter(b).Peaks()
	if err := printLines(a, peaks); err != nil {
		return err
	}
	for l, err := range a.meter(b).Sweep(ctx, b.height, b.width, b.steps()) {
		if err != nil {
			return fmt.Errorf("%s: %w", l.Work, err)
		}
		if err := printLines(a, []bench.Line{l}); err != nil {
			return err
		}
	}
	return nil
}

// listKernels lists the implementations that this build has.
func (a *app) listKernels() error {
	list := machine.Implementations()
	if a.format == "json" {
		return a.json(list)
	}
	t := a.table()
	t.AppendHeader(table.Row{"family", "implementation", "runs here", "selected"})
	word := map[bool]string{true: "yes", false: "no"}
	for _, i := range list {
		t.AppendRow(table.Row{i.Family, i.Name, word[i.Available], word[i.Selected]})
	}
	t.Render()
	return nil
}

// printLines prints measurements, an object a line.
func printLines[T any](a *app, lines []T) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	for _, l := range lines {
		if err := enc.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

// benched is the model to measure. It is converted by the default recipe, calibrated on
// the embedded images, where that is wanted: the speed hardly depends on thresholds.
func (a *app) benched(ctx context.Context, b *benchmarking) (*spikingir.Model, error) {
	m, err := a.load(b.model, "onnx")
	if err != nil {
		return nil, err
	}
	if spikingir.Spiking(m) {
		if b.train && b.timesteps > 0 {
			return nil, fmt.Errorf("--timesteps: %s is spiking already and is trained with its own", b.model)
		}
		return m, nil
	}
	if !b.train && !b.spiking && b.timesteps == 0 {
		return m, nil
	}
	_, err = spikingir.Convert(ctx, m, spikingir.Options{Threads: a.Threads, Calibration: spikingir.Data{Seed: a.Seed},
		Settings: spikingir.Settings{Timesteps: b.steps(), Lower: recipes.None}, Log: a.log()})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.model, err)
	}
	return m, nil
}

// benchModel measures one model.
func (a *app) benchModel(ctx context.Context, b *benchmarking) error {
	m, err := a.benched(ctx, b)
	if err != nil {
		return err
	}
	options := spikingir.RunOptions{MemoryLimit: b.memory}
	if b.timesteps > 0 {
		options.Timesteps = []int{b.timesteps}
	}
	n, err := a.ready(b.model, m, options)
	if err != nil {
		return err
	}
	defer n.Close()
	h, w := cmp.Or(b.height, 256), cmp.Or(b.width, 256)
	if err := checkMemory(n.Tiling(w, h), w, h); err != nil {
		return fmt.Errorf("%s: %w", b.model, err)
	}
	lines, err := a.meter(b).Program(ctx, b.name(), n.Program(), bench.Uniform(1, max(n.Channels(), 1), h, w))
	if err != nil {
		return fmt.Errorf("%s: %w", b.model, n.Fault(err))
	}
	return printLines(a, lines)
}

// benchTrain measures the training steps of a model.
func (a *app) benchTrain(ctx context.Context, b *benchmarking) error {
	m, name := bench.DnCNN(17, 64, b.steps()), "dncnn-17"
	if b.model != "" {
		var err error
		if m, err = a.benched(ctx, b); err != nil {
			return err
		}
		name = b.name()
	}
	t, err := bench.NewTraining(m, b.patch, b.batch, a.Kernels().Threads())
	if err != nil {
		return cli.Unsupported(fmt.Errorf("%s: %w", cmp.Or(b.model, name), err))
	}
	for _, s := range bench.TrainStages() {
		l, err := a.meter(b).Train(ctx, name, t, s)
		if err != nil {
			return err
		}
		if err := printLines(a, []bench.TrainLine{l}); err != nil {
			return err
		}
	}
	return nil
}
