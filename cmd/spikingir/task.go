package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/pflag"

	"spikingir"
)

// addTask adds the flags that choose how images are degraded; they mean the same
// everywhere.
func addTask(f *pflag.FlagSet, t *spikingir.Task) {
	f.StringVar((*string)(&t.Kind), "task", "", "how images are degraded: denoise, sr, dehaze or pairs")
	f.Float64Var(&t.Sigma, "sigma", 0, "denoise: standard deviation of the noise, in 8-bit units")
	f.IntVar(&t.Scale, "scale", 0, "sr: the scale, 2 to 16")
	f.StringVar(&t.Input, "sr-input", "", "sr: what the network is fed: bicubic (default) or lowres")
	f.StringVar(&t.Crop, "sr-crop", "", "sr: crop to multiples of the scale (scale, default) or of 2, 3, ... scale in turn (cumulative, as the paper)")
}

// addLimit adds the number of images.
func addLimit(f *pflag.FlagSet, d *spikingir.Data) {
	f.IntVar(&d.Limit, "limit", 0, "only the first N images; 0 takes all")
}

// addFolders adds the folders of a data set with ground truth, and what else --input takes.
func addFolders(f *pflag.FlagSet, d *spikingir.Data, feeds *map[string]spikingir.Feed) (tensors *[]string) {
	f.StringVar(&d.Dir, "data", "", "folder of images (dehaze: of the folders hazy and clear)")
	f.StringVar(&d.Targets, "target", "", "pairs: folder of targets")
	return addInput(f, "", &d.Inputs, feeds, "pairs: folder of inputs")
}

// checkTask finds what is wrong with the flags of a data set.
func checkTask(d *spikingir.Data) error {
	switch {
	case d.Limit < 0:
		return fmt.Errorf("--limit %d, want 0 (all images) or more", d.Limit)
	case d.Task.Kind != spikingir.Pairs && (d.Inputs != "" || d.Targets != ""):
		return fmt.Errorf("--input and --target need --task pairs")
	case d.Task == spikingir.Task{}:
		return nil
	case d.Task.Kind == "":
		return fmt.Errorf("--sigma, --scale, --sr-input and --sr-crop need --task")
	}
	return d.Task.Check()
}

// checkTruth is checkTask of one with ground truth.
func checkTruth(d *spikingir.Data) error {
	switch {
	case d.Task.Kind == "":
		return fmt.Errorf("--task is missing, and the model does not tell what it was converted for: want denoise, sr, dehaze or pairs")
	case d.Task.Kind != spikingir.Pairs && d.Dir == "":
		return fmt.Errorf("--data is missing, want a folder of images")
	}
	return checkTask(d)
}

// checkGiven is checkTask before the model is read, which may tell what flags leave open.
func checkGiven(d *spikingir.Data) error {
	t := d.Task
	if t.Kind == "" || t.Kind == spikingir.Denoise && t.Sigma == 0 || t.Kind == spikingir.SR && t.Scale == 0 {
		t = spikingir.Task{}
	}
	return checkTask(&spikingir.Data{Task: t, Limit: d.Limit})
}

// takeTask completes the task that flags give by what a model tells: the task that it was
// converted for, or that it enlarges images itself. It says what it takes, and where flags
// contradict the model.
func (a *app) takeTask(path string, m *spikingir.Model, t *spikingir.Task) {
	told, ok := spikingir.TaskOf(m)
	told.Channels, told.Truth = 0, 0
	given := *t
	if t.Kind == "" {
		t.Kind = told.Kind
	}
	if t.Kind == told.Kind {
		t.Sigma, t.Scale = cmp.Or(t.Sigma, told.Sigma), cmp.Or(t.Scale, told.Scale)
	}
	if t.Kind == told.Kind && t.Scale == told.Scale {
		t.Input, t.Crop = cmp.Or(t.Input, told.Input), cmp.Or(t.Crop, told.Crop)
	}
	if *t != given {
		a.Warnf("%s: --task %s, for which it was converted", path, t)
	}
	a.takeInput(path, m, t)
	differs := t.Kind != told.Kind || t.Sigma != told.Sigma || t.Scale != told.Scale ||
		t.Kind == spikingir.SR && cmp.Or(t.Input, spikingir.Bicubic) != told.Input
	if ok && differs {
		a.Warnf("%s was converted for --task %s, and is used for %s", path, told, t)
	}
}

// takeInput finds what a network of super-resolution is fed: one that enlarges images takes
// small ones.
func (a *app) takeInput(path string, m *spikingir.Model, t *spikingir.Task) {
	if t.Kind != spikingir.SR || t.Input != "" {
		return
	}
	if n := spikingir.Enlarges(m); n == t.Scale && n > 1 {
		t.Input = spikingir.LowRes
		a.Warnf("%s enlarges images %d times: --sr-input lowres", path, n)
	}
}
