package eval

import (
	"cmp"
	"context"
	"fmt"

	"spikingir/graph/op"
	"spikingir/runtime/cluster"
	"spikingir/runtime/dataset"
	"spikingir/runtime/exec"
	"spikingir/runtime/metric"
)

// Samples are what a model is measured on; a [dataset.Set] is one.
type Samples interface {
	Len() int
	At(i int) (dataset.Sample, error)
	Task() dataset.Task
}

// Config is one evaluation.
type Config struct {
	Model, Ref *exec.Program // Ref, as a rule the ANN, may be nil
	Ports      Ports         // of Model
	RefPorts   Ports         // of Ref
	// Tile and RefTile are tiles that images run in, where a model takes one size alone.
	Tile, RefTile Tile
	Set           Samples
	Window        metric.Window
	Energy        metric.EnergyOptions // empty fields mean Paper and Once
	// Crop measures the central Crop x Crop pixels of each input only, and what belongs to
	// them of the target, whose size must be a multiple; 0 measures whole images.
	Crop int
	// Blind measures what needs no ground truth: agreement, spikes and energy, with any task.
	// The report's qualities are zero then, and it has no rate.
	Blind bool
	// Accept, when not nil, may refuse an image by its dimensions [1,C,H,W] before any
	// network runs on it.
	Accept func(dims []int) error
	// Each, when not nil, is shown each image with what came of it, which it must not change.
	Each     func(Outcome) error
	Progress func(done, total int)
	// Cluster is the processes that share out the images; nil for this one alone. All have
	// the same images, and get the same report. With Each nothing is shared out.
	Cluster cluster.Comm
}

// Outcome is one image of an evaluation, and what came of it. What there is none of is the zero
// Image.
type Outcome struct {
	Name               string
	Input, Target, Ref dataset.Image
	Timesteps          []int           // rising
	Results            []dataset.Image // of the model, by number of timesteps
}

// Report is what an evaluation found; the JSON form is a contract of the
// command line. Conversion rates are in per cent, firing rates in spikes per neuron and
// main step, energies in mJ per image.
type Report struct {
	Images    int `json:"images"`
	Timesteps int `json:"timesteps"`
	// Timing is the schedule and the latency of a two-phase network; nil in lock-step.
	Timing     *op.TimingReport `json:"timing,omitempty"`
	Input      Quality          `json:"input"`
	Model      Quality          `json:"model"`
	Ref        *Quality         `json:"ref,omitempty"`
	Rate       *metric.Rate     `json:"rate,omitempty"` // nil where the ANN's quality is infinite or not positive
	Agreement  *Agreement       `json:"agreement,omitempty"`
	FiringRate float64          `json:"firing_rate"`
	SpikeShare float64          `json:"spike_driven_macs"` // share of the multiply-accumulates that spikes drive
	// CurrentShare is that of layers that read sums of other layers, in full at every step.
	CurrentShare float64       `json:"current_driven_macs"`
	Energy       Energy        `json:"energy"`
	Seconds      float64       `json:"seconds_per_image"`
	Layers       []Layer       `json:"layers"`
	Findings     Findings      `json:"findings"`
	PerImage     []ImageReport `json:"per_image"`

	Pixels float64 `json:"-"` // of an input, on the mean
}

// Quality is restoration quality against the ground truth, the mean over the
// images.
type Quality struct {
	PSNR metric.DB `json:"psnr"`
	SSIM float64   `json:"ssim"`
}

// Agreement is the PSNR between the model's output and the reference's, the
// mean over the images.
type Agreement struct {
	PSNR metric.DB `json:"psnr"`
}

// Energy is the estimated energy per image.
type Energy struct {
	Mode     metric.Mode       `json:"mode"`
	First    metric.FirstLayer `json:"first_layer"`
	ModelMJ  float64           `json:"model_mj"`
	RefMJ    *float64          `json:"ref_mj,omitempty"`
	SavingPC *float64          `json:"saving,omitempty"`
	// Layers is what has a part in that of a spiking model.
	Layers []LayerEnergy `json:"layers,omitempty"`
}

// LayerEnergy is the part of one layer.
type LayerEnergy struct {
	Node   string        `json:"node"`
	Source metric.Source `json:"driven_by"`
	// SpikesIn is spikes for each element of the input, over all steps: above
	// [metric.BreakEven] a layer that spikes drive costs more than its ANN's.
	SpikesIn float64 `json:"spikes_per_input"`
	ModelMJ  float64 `json:"model_mj"`
	ANNMJ    float64 `json:"ann_mj"` // what the same layer costs once, on analog values
}

// Layer is one neuron population over all images.
type Layer struct {
	Node       string  `json:"node"`
	Origin     string  `json:"origin"`
	Neuron     string  `json:"neuron"`
	FiringRate float64 `json:"firing_rate"`
	PostShare  float64 `json:"post_share"`    // of the spikes, in the post step
	Residual   float64 `json:"residual"`      // mean |v|/theta after the last step
	Half       float64 `json:"residual_half"` // share of neurons with v >= theta/2
	Full       float64 `json:"residual_full"` // share of neurons with v >= theta
}

// ImageReport is the figures of one image.
type ImageReport struct {
	Name      string     `json:"name"`
	Model     Quality    `json:"model"`
	Ref       *Quality   `json:"ref,omitempty"`
	Agreement *metric.DB `json:"agreement,omitempty"`
}

// Run measures a model at the T of its program.
func Run(ctx context.Context, c Config) (*Report, error) {
	all, err := RunAll(ctx, c)
	if err != nil {
		return nil, err
	}
	return all[len(all)-1], nil
}

// RunAll measures a model at every number of timesteps that its program gives results
// for, in one run.
func RunAll(ctx context.Context, c Config) ([]*Report, error) {
	if c.Set.Task().Kind == dataset.None && !c.Blind {
		return nil, fmt.Errorf("task none has no ground truth to measure against")
	}
	c.Energy.Mode = cmp.Or(c.Energy.Mode, metric.Paper)
	c.Energy.FirstLayer = cmp.Or(c.Energy.FirstLayer, metric.Once)
	t := &tally{Config: c, tracks: make([]track, len(c.Model.Timesteps))}
	if err := t.images(ctx); err != nil {
		return nil, err
	}
	var all []*Report
	for i := range t.tracks {
		r, err := t.report(&t.tracks[i])
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// cropped is the central part of a sample.
func (c Config) cropped(s dataset.Sample) (dataset.Sample, error) {
	if c.Crop == 0 {
		return s, nil
	}
	h, w := min(c.Crop, s.Input.H), min(c.Crop, s.Input.W)
	y, x := (s.Input.H-h)/2, (s.Input.W-w)/2
	scale := s.Target.H / s.Input.H
	if !c.Blind && (scale == 0 || s.Target.H != scale*s.Input.H || s.Target.W != scale*s.Input.W) {
		return s, fmt.Errorf("the input is %dx%d and the target %dx%d: cropping wants the same size, or a multiple",
			s.Input.W, s.Input.H, s.Target.W, s.Target.H)
	}
	var err error
	if s.Input, err = s.Input.Crop(y, x, h, w); err != nil || c.Blind {
		return s, err
	}
	s.Target, err = s.Target.Crop(y*scale, x*scale, h*scale, w*scale)
	return s, err
}
