package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"spikingir"
	"spikingir/runtime/dataset"
)

// taskFlags choose how images are degraded; they mean the same everywhere.
type taskFlags struct {
	kind, srInput, srCrop string
	sigma                 float64
	scale, limit          int
	data, input, target   string
}

func (t *taskFlags) add(f *pflag.FlagSet) {
	t.addTask(f)
	f.IntVar(&t.limit, "limit", 0, "only the first N images; 0 takes all")
}

// addTask adds the flags of the task alone.
func (t *taskFlags) addTask(f *pflag.FlagSet) {
	f.StringVar(&t.kind, "task", "", "how images are degraded: denoise, sr, dehaze or pairs")
	f.Float64Var(&t.sigma, "sigma", 0, "denoise: standard deviation of the noise, in 8-bit units")
	f.IntVar(&t.scale, "scale", 0, "sr: the scale, 2 to 16")
	f.StringVar(&t.srInput, "sr-input", "", "sr: what the network is fed: bicubic (default) or lowres")
	f.StringVar(&t.srCrop, "sr-crop", "", "sr: crop to multiples of the scale (scale, default) or of 2, 3, ... scale in turn (cumulative, as the paper)")
}

// addData adds the folders of a data set with ground truth.
func (t *taskFlags) addData(f *pflag.FlagSet) {
	f.StringVar(&t.data, "data", "", "folder of images (dehaze: of the folders hazy and clear)")
	f.StringVar(&t.input, "input", "", "pairs: folder of inputs")
	f.StringVar(&t.target, "target", "", "pairs: folder of targets")
}

// task is the flags as a task for a network of that many channels.
func (t *taskFlags) task(channels int) (dataset.Task, error) {
	task := dataset.Task{Kind: dataset.Kind(t.kind), Channels: channels, Sigma: t.sigma,
		Scale: t.scale, Input: t.srInput, Crop: t.srCrop}
	if t.limit < 0 {
		return task, fmt.Errorf("--limit %d, want 0 (all images) or more", t.limit)
	}
	if t.kind != string(dataset.Pairs) && (t.input != "" || t.target != "") {
		return task, fmt.Errorf("--input and --target need --task pairs")
	}
	if t.kind == "" {
		task.Kind = dataset.None
		if t.sigma != 0 || t.scale != 0 || t.srInput != "" || t.srCrop != "" {
			return task, fmt.Errorf("--sigma, --scale, --sr-input and --sr-crop need --task")
		}
	}
	if err := task.Check(); err != nil {
		return task, err
	}
	return task, nil
}

// check finds what is wrong with the flags of a data set with ground truth.
func (t *taskFlags) check() error {
	if t.kind == "" {
		return fmt.Errorf("--task is missing, want denoise, sr, dehaze or pairs")
	}
	if t.kind != string(dataset.Pairs) && t.data == "" {
		return fmt.Errorf("--data is missing, want a folder of images")
	}
	_, err := t.task(0)
	return err
}

// images is the flags, once they are checked, as the library takes them.
func (t *taskFlags) images(dir string, seed uint64) spikingir.Data {
	task, _ := t.task(0)
	return spikingir.Data{Task: task, Dir: dir, Inputs: t.input, Targets: t.target, Limit: t.limit, Seed: seed}
}
