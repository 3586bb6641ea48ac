package dataset

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Kind names how the samples of a task come about.
type Kind string

// The kinds of task.
const (
	None    Kind = "none"    // the images of a folder as they are, without a target
	Denoise Kind = "denoise" // clean images plus Gaussian noise
	SR      Kind = "sr"      // high-resolution images, shrunk by bicubic
	Dehaze  Kind = "dehaze"  // DIR/hazy and DIR/clear
	Pairs   Kind = "pairs"   // an input folder and a target folder, matched by stem
)

// What a super-resolution network takes as its input.
const (
	Bicubic = "bicubic" // the low-resolution image enlarged to the target's size
	LowRes  = "lowres"  // the low-resolution image itself, 8 bit as a file would hold it
)

// How a super-resolution target is cropped before it is shrunk.
const (
	ByScale    = "scale"      // to multiples of the scale
	Cumulative = "cumulative" // to multiples of 2, 3, ... scale in turn, as the SpikingIR paper
)

const (
	maxScale = 16
	maxSigma = 1e4
)

// A Task says how samples are made from files. The zero value of a field means
// its default; a field that the kind does not use must stay zero.
//
// Channels is what the network takes: 1 or 3, 0 for the default (1 for sr, 3 for
// dehaze, else whatever the file has). Gray is replicated to 3; colour becomes
// one channel by rgb2gray rounded to 8 bit, for sr by the Y of rgb2ycbcr rounded
// to 8 bit, as MATLAB computes both on uint8.
type Task struct {
	Kind     Kind
	Channels int
	Truth    int     // channels of the target where they are not those of the input, else 0
	Sigma    float64 // denoise: standard deviation in 8-bit units
	Scale    int     // sr: 2 to 16
	Input    string  // sr: Bicubic (default) or LowRes
	Crop     string  // sr: ByScale (default) or Cumulative
}

// Check reports the first field that is out of range or does not belong to the
// kind.
func (t Task) Check() error {
	switch t.Kind {
	case None, Denoise, SR, Dehaze, Pairs:
	default:
		return fmt.Errorf("unknown task %q, want none, denoise, sr, dehaze or pairs", t.Kind)
	}
	if t.Channels != 0 && t.Channels != 1 && t.Channels != 3 {
		return fmt.Errorf("task %s with %d channels, want 1 or 3", t.Kind, t.Channels)
	}
	if t.Truth != 0 && t.Truth != 1 && t.Truth != 3 {
		return fmt.Errorf("task %s with a target of %d channels, want 1 or 3", t.Kind, t.Truth)
	}
	if t.Kind == Denoise {
		if !(t.Sigma > 0 && t.Sigma <= maxSigma) {
			return fmt.Errorf("task denoise with sigma %g, want a positive number such as 25",
				t.Sigma)
		}
	} else if t.Sigma != 0 {
		return fmt.Errorf("task %s takes no sigma, only denoise does", t.Kind)
	}
	if t.Kind == SR {
		return t.checkSR()
	}
	if t.Scale != 0 || t.Input != "" || t.Crop != "" {
		return fmt.Errorf("task %s takes no scale, input or crop, only sr does", t.Kind)
	}
	return nil
}

func (t Task) checkSR() error {
	if t.Scale < 2 || t.Scale > maxScale {
		return fmt.Errorf("task sr with scale %d, want 2 to %d", t.Scale, maxScale)
	}
	if !slices.Contains([]string{"", Bicubic, LowRes}, t.Input) {
		return fmt.Errorf("task sr with input %q, want %s or %s", t.Input, Bicubic, LowRes)
	}
	if !slices.Contains([]string{"", ByScale, Cumulative}, t.Crop) {
		return fmt.Errorf("task sr with crop %q, want %s or %s", t.Crop, ByScale, Cumulative)
	}
	return nil
}

// String returns the task with its settings, for example
// "sr{scale=4,input=bicubic,crop=scale,channels=1}", with defaults written out.
func (t Task) String() string {
	var fields []string
	switch t.Kind {
	case Denoise:
		fields = append(fields, "sigma="+strconv.FormatFloat(t.Sigma, 'g', -1, 64))
	case SR:
		fields = append(fields, fmt.Sprintf("scale=%d", t.Scale), "input="+t.input(), "crop="+t.crop())
	}
	if c := t.channels(); c != 0 {
		fields = append(fields, fmt.Sprintf("channels=%d", c))
	}
	if t.Truth != 0 {
		fields = append(fields, fmt.Sprintf("truth=%d", t.Truth))
	}
	if len(fields) == 0 {
		return string(t.Kind)
	}
	return string(t.Kind) + "{" + strings.Join(fields, ",") + "}"
}

func (t Task) input() string { return cmp.Or(t.Input, Bicubic) }
func (t Task) crop() string  { return cmp.Or(t.Crop, ByScale) }

func (t Task) channels() int {
	switch {
	case t.Channels == 0 && t.Kind == SR:
		return 1
	case t.Channels == 0 && t.Kind == Dehaze:
		return 3
	}
	return t.Channels
}

// Prepare brings a clean image to what the network should give back where that has the
// channels of its input: the task's channels, and for sr the crop. A training loop prepares
// once, cuts patches and calls [Task.Degrade] on each.
func (t Task) Prepare(clean Image) (Image, error) { return t.prepare(clean, t.channels()) }

// PrepareTruth is Prepare with the channels of the target.
func (t Task) PrepareTruth(clean Image) (Image, error) {
	return t.prepare(clean, cmp.Or(t.Truth, t.channels()))
}

// Pair makes a target and the network's input from a clean image.
func (t Task) Pair(clean Image, seed uint64) (input, target Image, err error) {
	if target, err = t.PrepareTruth(clean); err != nil {
		return input, target, err
	}
	whole := target
	if t.Truth != 0 {
		if whole, err = t.Prepare(clean); err != nil {
			return input, target, err
		}
	}
	input, err = t.Degrade(whole, seed)
	return input, target, err
}

func (t Task) prepare(clean Image, channels int) (Image, error) {
	m := t.convert(clean, channels)
	h, w := t.PreparedSize(m.H, m.W)
	switch {
	case h < 1 || w < 1:
		return Image{}, fmt.Errorf("cannot crop an image of %dx%d pixels to multiples of %d",
			m.W, m.H, t.Scale)
	case h == m.H && w == m.W:
		return m, nil
	}
	return m.Crop(0, 0, h, w)
}

// PreparedSize is the size that [Task.Prepare] brings an image of h rows and w
// columns to; 0 where it would refuse the image as too small.
func (t Task) PreparedSize(h, w int) (int, int) {
	if t.Kind != SR {
		return h, w
	}
	first := t.Scale
	if t.crop() == Cumulative {
		first = 2
	}
	for n := first; n <= t.Scale; n++ {
		h, w = h-h%n, w-w%n
	}
	return h, w
}

func (t Task) convert(m Image, c int) Image {
	switch {
	case c == 0 || c == m.C:
		return m
	case c == 3:
		return m.Color()
	case t.Kind == SR:
		return m.Luma().Quantize8()
	}
	return m.Gray().Quantize8()
}

// Degrade makes the network's input from a prepared image. For sr both sides
// must be multiples of the scale. Images of none come back as they are; dehaze
// and pairs have their inputs in files and are refused.
func (t Task) Degrade(m Image, seed uint64) (Image, error) {
	switch t.Kind {
	case None:
		return m, nil
	case Denoise:
		return AddNoise(m, t.Sigma, seed), nil
	case SR:
		return t.shrink(m)
	}
	return Image{}, fmt.Errorf("task %s takes its inputs from files, not from clean images", t.Kind)
}

func (t Task) shrink(m Image) (Image, error) {
	if t.Scale < 1 || m.H%t.Scale != 0 || m.W%t.Scale != 0 {
		return Image{}, fmt.Errorf("image of %dx%d pixels, want multiples of the scale %d",
			m.W, m.H, t.Scale)
	}
	low, err := Resize(m, m.H/t.Scale, m.W/t.Scale)
	if err != nil {
		return low, err
	}
	if t.input() == LowRes {
		return low.Quantize8(), nil
	}
	return Resize(low, m.H, m.W)
}

// Shave is the border in pixels that scoring leaves out: the scale for sr, else
// 0.
func (t Task) Shave() int {
	if t.Kind == SR {
		return t.Scale
	}
	return 0
}
