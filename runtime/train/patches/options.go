package patches

import (
	"errors"
	"fmt"
	"math"

	"spikingir/runtime/dataset"
)

// Options say what patches are made of. Task, Dirs and Patch are required.
type Options struct {
	// Task degrades the images; every kind but none is trained on. Its channels
	// should be set: a folder may hold gray and colour files.
	Task dataset.Task
	// Dirs are the folders as [dataset.Open] takes them. For dehaze there may be none, with a
	// HazeDir.
	Dirs dataset.Dirs
	// Patch is the side of the target in pixels. For low-resolution input it is
	// rounded down to a multiple of the scale.
	Patch int
	// SigmaMin and SigmaMax bound the noise of a denoising patch, in 8-bit
	// units, drawn uniformly for each; both 0: the task's sigma. Validation
	// always takes the task's.
	SigmaMin, SigmaMax float64
	// Augment turns and mirrors each patch at random.
	Augment bool
	// HazeShare is the share of patches with synthetic haze, for dehaze; without a data
	// folder all have it. HazeDir is a folder of clear images to synthesise it over;
	// empty: those of the data folder.
	HazeDir   string
	HazeShare float64
	HeldOut
	// Seed drives all that is random about patches.
	Seed uint64
	// Cache limits the bytes of decoded images kept in memory; 0: 1 GiB, negative: none
	// are kept.
	Cache int64
	// Threads is how many images are decoded at a time when the source is opened; 0: one for
	// each core.
	Threads int
}

// HeldOut is what is kept from training, to measure on.
type HeldOut struct {
	// ValidationShare is the share of the images, for dehaze of scenes, that is held out,
	// 0 to less than 1: at least one unless it is 0.
	ValidationShare float64 `json:"validation-share"`
	// ValidationCrop is the side of the central square of them that is measured, in
	// pixels of the target; 0 takes whole images.
	ValidationCrop int `json:"validation-crop"`
}

// filled returns the options with defaults in place.
func (o Options) filled() Options {
	if o.Cache == 0 {
		o.Cache = 1 << 30
	}
	if o.Task.Kind == dataset.SR && o.Task.Input == dataset.LowRes && o.Task.Scale > 0 {
		o.Patch -= o.Patch % o.Task.Scale
	}
	if o.SigmaMin == 0 && o.SigmaMax == 0 {
		o.SigmaMin, o.SigmaMax = o.Task.Sigma, o.Task.Sigma
	}
	return o
}

// Check reports the first option that is out of range or that the task does not use, as
// [Open] does. It takes the options as the user gave them.
func (o Options) Check() error {
	if err := o.check(); err != nil {
		return fmt.Errorf("training data: %w", err)
	}
	return nil
}

// Sides returns the sides of a patch's target and input in pixels.
func (o Options) Sides() (target, input int) {
	o = o.filled()
	return o.Patch, o.Patch / o.scale()
}

func (o Options) check() error {
	if err := o.Task.Check(); err != nil {
		return err
	}
	if o.Task.Kind == dataset.None {
		return errors.New("task none has no target to train towards, want denoise, sr, dehaze or pairs")
	}
	if least := o.scale(); o.Patch < max(least, 2) {
		return fmt.Errorf("patch of %d pixels, want at least %d", o.Patch, max(least, 2))
	}
	if o.Patch > 1<<14 {
		return fmt.Errorf("patch of %d pixels, want at most %d", o.Patch, 1<<14)
	}
	if !(o.ValidationShare >= 0 && o.ValidationShare < 1) {
		return fmt.Errorf("validation share is %g, want 0 to less than 1", o.ValidationShare)
	}
	if least := 2*o.Task.Shave() + max(o.Task.Scale, 1); o.ValidationCrop != 0 && o.ValidationCrop < least {
		return fmt.Errorf("validation crop of %d pixels, want 0 (whole images) or at least %d",
			o.ValidationCrop, least)
	}
	if o.Task.Kind != dataset.Dehaze && (o.HazeDir != "" || o.HazeShare != 0) {
		return fmt.Errorf("task %s takes no haze, only dehaze does", o.Task.Kind)
	}
	if !(o.HazeShare >= 0 && o.HazeShare <= 1) {
		return fmt.Errorf("share of synthetic haze is %g, want 0 to 1", o.HazeShare)
	}
	switch {
	case o.SigmaMin == 0 && o.SigmaMax == 0:
		return nil
	case o.Task.Kind != dataset.Denoise:
		return fmt.Errorf("task %s takes no range of sigma, only denoise does", o.Task.Kind)
	case !(o.SigmaMin >= 0 && o.SigmaMax >= o.SigmaMin) || math.IsInf(o.SigmaMax, 1):
		return fmt.Errorf("sigma from %g to %g, want 0 or more, the lower one first",
			o.SigmaMin, o.SigmaMax)
	}
	return nil
}

// scale is the factor between the sides of target and input.
func (o Options) scale() int {
	if o.Task.Kind == dataset.SR && o.Task.Input == dataset.LowRes {
		return o.Task.Scale
	}
	return 1
}
