package patches

import (
	"errors"
	"fmt"
	"math"

	"spikingir/runtime/dataset"
)

// DefaultCache is the limit of decoded images kept in memory where
// [Options.Cache] is 0: 1 GiB.
const DefaultCache = 1 << 30

// Options say what patches are made of. Task, Dirs and Patch are required.
type Options struct {
	// Task degrades the images; every kind but none is trained on. Its channels
	// should be set: a folder may hold gray and colour files.
	Task dataset.Task
	// Dirs are the folders as [dataset.Open] takes them. For dehaze Data may
	// also hold a folder clear without a folder hazy, or just clear images.
	Dirs dataset.Dirs
	// Patch is the side of the target in pixels. For low-resolution input it is
	// rounded down to a multiple of the scale.
	Patch int
	// SigmaMin and SigmaMax bound the noise of a denoising patch, in 8-bit
	// units, drawn uniformly for each; both 0: the task's sigma. Validation
	// always takes the task's.
	SigmaMin, SigmaMax float64
	// Scales are factors by which whole images are shrunk to have more of them
	// (bicubic, rounded to 8 bit), for denoise and sr, for example 1, 0.8, 0.6.
	// Empty: the images as they are.
	Scales []float64
	// Augment turns and mirrors each patch at random.
	Augment bool
	// Haze is how haze is synthesised, HazeShare the share of patches with
	// synthetic haze, for dehaze. Without hazy files all patches have it.
	Haze      HazeOptions
	HazeShare float64
	// ValidationShare is the share of images, for dehaze of scenes, that is held
	// out: at least one unless it is 0. ValidationCrop is the side of the
	// central square of them that [Source.Validation] gives; 0: whole images.
	ValidationShare float64
	ValidationCrop  int
	// Seed drives all that is random about patches.
	Seed uint64
	// Cache limits the bytes of decoded images kept in memory; 0:
	// [DefaultCache], negative: none are kept.
	Cache int64
}

// A Range is a closed interval that values are drawn from uniformly.
type Range struct{ Min, Max float64 }

// HazeOptions are the ranges of the scattering model, drawn for each patch. The
// zero Range means its default.
type HazeOptions struct {
	// Dir is a folder of clear images; empty: those of the data folder.
	Dir string
	// Beta is the scattering coefficient for depths of 0 (near) to 1 (far):
	// what is farthest is seen through the transmission exp(-beta).
	Beta Range
	// Airlight is the light of the haze in [0,1], the same for all channels.
	Airlight Range
}

// The default ranges are those that the indoor training set of RESIDE was made
// with (Li et al., "Benchmarking Single-Image Dehazing and Beyond", 2019).
var (
	defaultBeta     = Range{0.6, 1.8}
	defaultAirlight = Range{0.7, 1}
)

// filled returns the options with defaults in place.
func (o Options) filled() Options {
	if o.Cache == 0 {
		o.Cache = DefaultCache
	}
	if o.Task.Kind == dataset.SR && o.Task.Input == dataset.LowRes && o.Task.Scale > 0 {
		o.Patch -= o.Patch % o.Task.Scale
	}
	if o.SigmaMin == 0 && o.SigmaMax == 0 {
		o.SigmaMin, o.SigmaMax = o.Task.Sigma, o.Task.Sigma
	}
	if len(o.Scales) == 0 {
		o.Scales = []float64{1}
	}
	if o.Haze.Beta == (Range{}) {
		o.Haze.Beta = defaultBeta
	}
	if o.Haze.Airlight == (Range{}) {
		o.Haze.Airlight = defaultAirlight
	}
	return o
}

// check reports the first option that is out of range or that the task does not
// use. It takes the options as the user gave them.
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
	return errors.Join(o.checkSigma(), o.checkScales(), o.checkHaze())
}

func (o Options) checkSigma() error {
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

func (o Options) checkScales() error {
	if len(o.Scales) > 0 && o.Task.Kind != dataset.Denoise && o.Task.Kind != dataset.SR {
		return fmt.Errorf("task %s takes no scales of its images, only denoise and sr do", o.Task.Kind)
	}
	for _, f := range o.Scales {
		if !(f > 0 && f <= 1) {
			return fmt.Errorf("images scaled by %g, want more than 0 and at most 1", f)
		}
	}
	return nil
}

func (o Options) checkHaze() error {
	if o.Task.Kind != dataset.Dehaze {
		if o.Haze != (HazeOptions{}) || o.HazeShare != 0 {
			return fmt.Errorf("task %s takes no haze, only dehaze does", o.Task.Kind)
		}
		return nil
	}
	if !(o.HazeShare >= 0 && o.HazeShare <= 1) {
		return fmt.Errorf("share of synthetic haze is %g, want 0 to 1", o.HazeShare)
	}
	if b := o.Haze.Beta; !(b.Min >= 0 && b.Max >= b.Min) || math.IsInf(b.Max, 1) {
		return fmt.Errorf("scattering coefficient from %g to %g, want 0 or more, the lower one first",
			b.Min, b.Max)
	}
	if a := o.Haze.Airlight; !(a.Min >= 0 && a.Max >= a.Min && a.Max <= 1) {
		return fmt.Errorf("airlight from %g to %g, want values in [0,1], the lower one first",
			a.Min, a.Max)
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
