package main

import (
	"context"
	"fmt"
	"slices"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/passes"
	"spikingir/runtime/eval"
)

// measured is what convert measured for its gates, on the calibration images.
type measured struct {
	Images     int            `json:"images"`
	Agreement  eval.Agreement `json:"agreement"`
	FiringRate *float64       `json:"firing_rate,omitempty"` // nil where no neuron fires that could be counted
	Energy     float64        `json:"energy_ratio"`
}

func (m *measured) String() string {
	rate := ""
	if m.FiringRate != nil {
		rate = fmt.Sprintf(", firing rate %.4f", *m.FiringRate)
	}
	return fmt.Sprintf("on %d calibration images: agreement with the ANN %s dB%s, energy %.4f of the ANN's",
		m.Images, decibel(m.Agreement.PSNR), rate, m.Energy)
}

// plainForms are the passes that leave no neurons to count spikes at.
var plainForms = []string{"lower-flat", "lower-unrolled", "lower-counts", "lower-qdq"}

// checkLimits refuses gates that nothing could be measured for.
func (c *conversion) checkLimits(p passes.Pipeline) error {
	flags := c.limits.flags()
	if len(flags) == 0 {
		return nil
	}
	if d := c.Calibration; d.Dir == "" && d.Task.Kind != spikingir.Pairs {
		return fmt.Errorf("%s is measured on the calibration images, and none are given: want --calib DIR, of images as the network will be used on; "+
			"or measure OUT by eval", flags[0])
	}
	for _, s := range p {
		if slices.Contains(plainForms, s.Pass.Name) && (given(c.limits.rate) || given(c.limits.energy)) {
			return fmt.Errorf("%s counts spikes, and %s leaves no neurons to count them at: want another --lower, and to write OUT "+
				"in that form by a second convert", flags[len(flags)-1], s.Pass.Name)
		}
	}
	return nil
}

// measureConversion runs what a conversion gave beside the ANN that it was made of, and holds
// it to the gates.
func (a *app) measureConversion(ctx context.Context, path string, ann, snn *graph.Model, c *conversion) (*measured, error) {
	n, err := a.ready(path, snn, spikingir.RunOptions{Inputs: taken(snn, c.Inputs)})
	if err != nil {
		return nil, fmt.Errorf("to measure what was converted: %w", err)
	}
	defer n.Close()
	if err := n.Restores(); err != nil {
		return nil, cli.Unsupported(fmt.Errorf("%s: %s cannot be measured: %w", path, c.limits.flags()[0], err))
	}
	ref, err := a.against(path, ann, n, spikingir.RunOptions{Inputs: c.Inputs})
	if err != nil {
		return nil, err
	}
	defer ref.Close()
	if names, at := n.Outputs(); len(names) > 1 {
		a.Warnf("%s: gates are held to output %q", path, names[at])
	}
	step, end := a.Progress("measuring")
	all, err := spikingir.Evaluate(ctx, n.Network, c.Calibration, spikingir.EvaluateOptions{Reference: ref.Network, Blind: true, Progress: step})
	end()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	r := all[len(all)-1]
	a.judgeLimits(&c.limits, all)
	if err := a.judge(); err != nil {
		return nil, fmt.Errorf("%w: %s is not written", err, c.out)
	}
	m := &measured{Images: r.Images, Agreement: *r.Agreement, Energy: r.Energy.ModelMJ / *r.Energy.RefMJ}
	if len(r.Layers) > 0 {
		m.FiringRate = &r.FiringRate
	}
	return m, nil
}
