package eval

import (
	"context"
	"fmt"
	"time"

	"spikingir/runtime/dataset"
	"spikingir/runtime/exec"
	"spikingir/runtime/metric"
	"spikingir/runtime/ops"
)

// Config is one evaluation.
type Config struct {
	Model, Ref *exec.Program // Ref, the ANN, may be nil
	Input      string        // name of Model's image input
	RefInput   string        // name of Ref's
	Set        *dataset.Set
	Window     metric.Window
	Energy     metric.EnergyOptions
	Progress   func(done, total int)
}

// Report is what an evaluation found; the JSON form is a contract of the
// command line. Rates are in per cent, energies in mJ per image.
type Report struct {
	Images     int           `json:"images"`
	Timesteps  int           `json:"timesteps"`
	Input      Quality       `json:"input"`
	Model      Quality       `json:"model"`
	Ref        *Quality      `json:"ref,omitempty"`
	Rate       *Rate         `json:"rate,omitempty"`
	Agreement  *Agreement    `json:"agreement,omitempty"`
	FiringRate float64       `json:"firing_rate"`
	Energy     Energy        `json:"energy"`
	Seconds    float64       `json:"seconds_per_image"`
	Layers     []Layer       `json:"layers"`
	PerImage   []ImageReport `json:"per_image"`
}

// Quality is restoration quality against the ground truth, the mean over the
// images.
type Quality struct {
	PSNR metric.DB `json:"psnr"`
	SSIM float64   `json:"ssim"`
}

// Rate is the conversion rate in per cent.
type Rate struct {
	PSNR float64 `json:"psnr"`
	SSIM float64 `json:"ssim"`
	Mean float64 `json:"mean"`
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

// Run measures a model.
func Run(ctx context.Context, c Config) (*Report, error) {
	if c.Set.Task().Kind == dataset.None {
		return nil, fmt.Errorf("task none has no ground truth to measure against")
	}
	t := &tally{Config: c}
	for i := range c.Set.Len() {
		s, err := c.Set.At(i)
		if err != nil {
			return nil, err
		}
		if err := t.image(ctx, s); err != nil {
			return nil, fmt.Errorf("image %q: %w", s.Name, err)
		}
		if c.Progress != nil {
			c.Progress(i+1, c.Set.Len())
		}
	}
	return t.report()
}

// tally collects the figures of the images.
type tally struct {
	Config
	inputs, model, ref []metric.Quality
	agree              []float64
	neurons            []exec.NeuronReport
	modelOps, refOps   [][]metric.LayerOps
	names              []string
	seconds            float64
}

func (t *tally) image(ctx context.Context, s dataset.Sample) error {
	start := time.Now()
	out, res, err := infer(ctx, t.Model, t.Input, s.Input, true)
	if err != nil {
		return err
	}
	t.seconds += time.Since(start).Seconds()
	q, err := t.score(out, s)
	if err != nil {
		return err
	}
	t.names = append(t.names, s.Name)
	t.model = append(t.model, q)
	t.modelOps = append(t.modelOps, LayerOps(res, t.Model.Timesteps > 0))
	if t.neurons, err = merge(t.neurons, res.Neurons); err != nil {
		return err
	}
	if s.Input.SameSize(s.Target) {
		q, err := t.score(s.Input, s)
		if err != nil {
			return err
		}
		t.inputs = append(t.inputs, q)
	}
	if t.Ref == nil {
		return nil
	}
	return t.reference(ctx, s, out)
}

func (t *tally) reference(ctx context.Context, s dataset.Sample, out dataset.Image) error {
	ann, res, err := infer(ctx, t.Ref, t.RefInput, s.Input, true)
	if err != nil {
		return fmt.Errorf("reference: %w", err)
	}
	q, err := t.score(ann, s)
	if err != nil {
		return fmt.Errorf("reference: %w", err)
	}
	a, err := metric.Agreement(out.Pix, ann.Pix)
	if err != nil {
		return err
	}
	t.ref = append(t.ref, q)
	t.agree = append(t.agree, a)
	t.refOps = append(t.refOps, LayerOps(res, false))
	return nil
}

// score compares as the benchmark of the task does.
func (t *tally) score(out dataset.Image, s dataset.Sample) (metric.Quality, error) {
	return metric.Score(out, s.Target, metric.ScoreOptions{
		Window: t.Window, Shave: s.Shave, Clip: true,
		Quantize8: t.Set.Task().Kind == dataset.SR,
	})
}

func infer(ctx context.Context, p *exec.Program, input string, m dataset.Image, measure bool) (dataset.Image, *exec.Result, error) {
	res, err := p.Run(ctx, map[string]*ops.Tensor{input: Tensor(m)}, exec.RunOptions{Measure: measure})
	if err != nil {
		return dataset.Image{}, nil, err
	}
	out, err := Image(res.Outputs[0])
	return out, res, err
}

// Restore runs a model on one image.
func Restore(ctx context.Context, p *exec.Program, input string, m dataset.Image) (dataset.Image, error) {
	out, _, err := infer(ctx, p, input, m, false)
	return out, err
}
