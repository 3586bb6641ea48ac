package main

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"spikingir"
	"spikingir/graph"
	"spikingir/passes/recipes"
)

// littleCost is up to what cost in dB the exact form is worth telling of.
const littleCost = 0.01

// tryExact measures what the exact form would cost on the images that a conversion was tried on, and
// notes it where it is little. A network that cannot have the form is told nothing.
func (a *app) tryExact(ctx context.Context, s *summary, ann, snn *graph.Model, c *conversion) error {
	if c.Settings.Exact || c.Settings.Lower == recipes.QDQ || c.Pipeline != nil || s.Measured == nil || a.Quiet && a.format != "json" {
		return nil
	}
	m := snn.Clone()
	o := spikingir.Options{Calibration: c.Calibration, Inputs: c.Inputs, MemoryLimit: c.MemoryLimit, Threads: a.Threads}
	o.Settings = spikingir.Settings{Exact: true, Lower: recipes.None, WeightBits: c.Settings.WeightBits}
	if s.Timing != nil {
		o.Settings.WeightBits = cmp.Or(o.Settings.WeightBits, recipes.SameSpikes)
	}
	if _, err := spikingir.Convert(ctx, m, o); err != nil {
		return ctx.Err()
	}
	r, err := a.tried(ctx, s.Model, ann, m, c)
	if err != nil {
		return ctx.Err()
	}
	x := measuredOf(r)
	cost := float64(s.Measured.Agreement.PSNR - x.Agreement.PSNR)
	what := "agreement"
	if s.Measured.Model != nil && x.Model != nil {
		cost, what = float64(s.Measured.Model.PSNR-x.Model.PSNR), "PSNR"
	}
	if math.IsNaN(cost) || math.IsInf(cost, 0) {
		return nil
	}
	s.Measured.ExactCost = &cost
	if cost <= littleCost {
		s.Notes = append(s.Notes, fmt.Sprintf("--exact would cost %.3f dB of %s on these images, and every runtime would give the same bits", max(cost, 0), what))
	}
	return nil
}
