package main

import (
	"context"
	"fmt"

	"spikingir"
	"spikingir/graph"
	"spikingir/runtime/eval"
)

// measured is what convert measured on calibration images.
type measured struct {
	Images     int            `json:"images"`
	Agreement  eval.Agreement `json:"agreement"`
	Input      *eval.Quality  `json:"input,omitempty"` // nil without a ground truth, as the next two
	Model      *eval.Quality  `json:"model,omitempty"`
	Ref        *eval.Quality  `json:"ref,omitempty"`
	FiringRate *float64       `json:"firing_rate,omitempty"` // nil where no neuron fires that could be counted
	Energy     float64        `json:"energy_ratio"`
	ExactCost  *float64       `json:"exact_cost,omitempty"` // in dB; nil where it is in the exact form, or cannot have it
	Layers     []eval.Layer   `json:"layers,omitempty"`
	Findings   eval.Findings  `json:"findings"`

	record *spikingir.Record // what the file states of it
}

func measuredOf(r *spikingir.Report) *measured {
	m := &measured{Images: r.Images, Agreement: *r.Agreement, Energy: r.Energy.ModelMJ / *r.Energy.RefMJ, Layers: r.Layers, Findings: r.Findings,
		record: r.Record(eval.OnCalibration)}
	if len(r.Layers) > 0 {
		m.FiringRate = &r.FiringRate
	}
	if r.Model.PSNR != 0 {
		m.Model, m.Ref = &r.Model, r.Ref
	}
	if r.Input.PSNR != 0 {
		m.Input = &r.Input
	}
	return m
}

func (m *measured) String() string {
	quality := ""
	if m.Model != nil && m.Ref != nil {
		quality = fmt.Sprintf(", PSNR %.2f dB (ANN %.2f", float64(m.Model.PSNR), float64(m.Ref.PSNR))
		if m.Input != nil {
			quality += fmt.Sprintf(", input %.2f", float64(m.Input.PSNR))
		}
		quality += ")"
	}
	rate := ""
	if m.FiringRate != nil {
		rate = fmt.Sprintf(", firing rate %.4f", *m.FiringRate)
	}
	return fmt.Sprintf("on %d calibration images: agreement with the ANN %s dB%s%s, energy %.4f of the ANN's",
		m.Images, decibel(m.Agreement.PSNR), quality, rate, m.Energy)
}

// plainForms are the passes that leave no neurons to count spikes at.
var plainForms = []string{"lower-flat", "lower-unrolled", "lower-counts", "lower-qdq"}

// checkLimits refuses gates that nothing could be measured for.
func (c *conversion) checkLimits() error {
	flags := c.limits.flags()
	if len(flags) == 0 {
		return nil
	}
	if d := c.Calibration; d.Dir == "" && d.Task.Kind != spikingir.Pairs {
		return fmt.Errorf("%s is measured on the calibration images, and none are given: want --calib DIR, of images as the network will be used on; "+
			"or measure OUT by eval", flags[0])
	}
	return nil
}

// measureConversion runs what a conversion gave beside the ANN that it was made of, on all
// calibration images, and holds it to the gates.
func (a *app) measureConversion(ctx context.Context, path string, ann, snn *graph.Model, c *conversion) (*measured, error) {
	p, err := a.pair(path, ann, snn, c)
	if err != nil {
		return nil, fmt.Errorf("to measure what was converted: %w", err)
	}
	defer p.close()
	if err := p.snn.Restores(); err != nil {
		return nil, fmt.Errorf("%s: %s cannot be measured: %w", path, c.limits.flags()[0], err)
	}
	if names, at := p.snn.Outputs(); len(names) > 1 {
		a.Warnf("%s: gates are held to output %q", path, names[at])
	}
	r, err := a.measurePair(ctx, p, c.Calibration, spikingir.EvaluateOptions{Blind: true, Cluster: a.cluster})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	a.judgeLimits(&c.limits, []*spikingir.Report{r})
	if err := a.judge(); err != nil {
		if c.out == "" {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %s is not written", err, c.out)
	}
	return measuredOf(r), nil
}
