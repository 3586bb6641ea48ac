package eval

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"spikingir/graph/op"
	"spikingir/runtime/dataset"
	"spikingir/runtime/exec"
	"spikingir/runtime/metric"
	"spikingir/runtime/watch"
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
	Set        Samples
	Window     metric.Window
	Energy     metric.EnergyOptions // empty fields mean Paper and Once
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
	for i := range c.Set.Len() {
		watch.Of(ctx).Task("measuring image %d of %d", i+1, c.Set.Len())
		s, err := c.Set.At(i)
		if err != nil {
			return nil, err
		}
		if s, err = c.cropped(s); err == nil {
			err = t.image(ctx, s)
		}
		if err != nil {
			return nil, fmt.Errorf("image %q: %w", s.Name, err)
		}
		if c.Progress != nil {
			c.Progress(i+1, c.Set.Len())
		}
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

// tally collects the figures of the images.
type tally struct {
	Config
	names       []string
	inputs, ref []metric.Quality
	refOps      metric.MeanOps
	tracks      []track // by number of timesteps
	seconds     float64
}

// track is the figures of the model at one number of timesteps.
type track struct {
	timesteps int
	quality   []metric.Quality
	agree     []float64
	neurons   []exec.NeuronReport
	ops       metric.MeanOps
}

func (t *tally) image(ctx context.Context, s dataset.Sample) error {
	if t.Accept != nil {
		if err := t.Accept(Tensor(s.Input).Dims); err != nil {
			return err
		}
	}
	start := time.Now()
	inputs, err := t.Ports.Inputs(Tensor(s.Input))
	if err != nil {
		return err
	}
	results, err := t.Model.RunAll(ctx, inputs, exec.RunOptions{Measure: true})
	if err != nil {
		return err
	}
	t.seconds += time.Since(start).Seconds()
	t.names = append(t.names, s.Name)
	if !t.Blind && s.Input.SameSize(s.Target) {
		q, err := t.score(s.Input, s)
		if err != nil {
			return err
		}
		t.inputs = append(t.inputs, q)
	}
	ann, err := t.reference(ctx, s)
	if err != nil {
		return fmt.Errorf("reference: %w", err)
	}
	all := Outcome{Name: s.Name, Input: s.Input, Target: s.Target, Ref: ann}
	for i, res := range results {
		out, err := t.tracks[i].add(t, s, res, ann)
		if err != nil {
			return err
		}
		all.Timesteps, all.Results = append(all.Timesteps, res.Timesteps), append(all.Results, out)
	}
	if t.Each == nil {
		return nil
	}
	return t.Each(all)
}

// reference runs the ANN; the zero Image when there is none.
func (t *tally) reference(ctx context.Context, s dataset.Sample) (dataset.Image, error) {
	if t.Ref == nil {
		return dataset.Image{}, nil
	}
	inputs, err := t.RefPorts.Inputs(Tensor(s.Input))
	if err != nil {
		return dataset.Image{}, err
	}
	res, err := t.Ref.Run(ctx, inputs, exec.RunOptions{Measure: true})
	if err != nil {
		return dataset.Image{}, err
	}
	if err := t.refOps.Add(LayerOps(res)); err != nil {
		return dataset.Image{}, err
	}
	out, err := Image(res.Outputs[t.RefPorts.Output])
	if err != nil || t.Blind {
		return out, err
	}
	q, err := t.score(out, s)
	t.ref = append(t.ref, q)
	return out, err
}

// add counts a result, and gives it as an image.
func (k *track) add(t *tally, s dataset.Sample, res *exec.Result, ann dataset.Image) (dataset.Image, error) {
	out, err := Image(res.Outputs[t.Ports.Output])
	if err != nil {
		return out, err
	}
	if !t.Blind {
		q, err := t.score(out, s)
		if err != nil {
			return out, err
		}
		k.quality = append(k.quality, q)
	}
	k.timesteps = res.Timesteps
	if err := k.ops.Add(LayerOps(res)); err != nil {
		return out, err
	}
	if k.neurons, err = merge(k.neurons, res.Neurons); err != nil {
		return out, err
	}
	if t.Ref == nil {
		return out, nil
	}
	a, err := metric.Agreement(out.Pix, ann.Pix)
	k.agree = append(k.agree, a)
	return out, err
}

// score compares as the benchmark of the task does.
func (t *tally) score(out dataset.Image, s dataset.Sample) (metric.Quality, error) {
	return metric.Score(out, s.Target, metric.ScoreOptions{
		Window: t.Window, Shave: s.Shave, Clip: true,
		Quantize8: t.Set.Task().Kind == dataset.SR,
	})
}
