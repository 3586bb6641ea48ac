package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes/recipes"
)

const (
	// checkedImages and checkedSide bound what a conversion is tried on, so that it takes
	// seconds: the central part of so many calibration images.
	checkedImages = 3
	checkedSide   = 128
)

// pair is a converted network and the ANN that it was made of.
type pair struct{ snn, ann *loaded }

func (p *pair) close() {
	p.snn.Close()
	p.ann.Close()
}

// pair opens both.
func (a *app) pair(path string, ann, snn *graph.Model, c *conversion) (*pair, error) {
	n, err := a.ready(path, snn, spikingir.RunOptions{Inputs: taken(snn, c.Inputs)})
	if err != nil {
		return nil, err
	}
	ref, err := a.against(path, ann, n, spikingir.RunOptions{Inputs: c.Inputs})
	if err != nil {
		n.Close()
		return nil, err
	}
	return &pair{n, ref}, nil
}

func (a *app) measurePair(ctx context.Context, p *pair, d spikingir.Data, o spikingir.EvaluateOptions) (*spikingir.Report, error) {
	step, end := a.Progress("measuring")
	defer end()
	o.Reference, o.Progress = p.ann.Network, step
	all, err := spikingir.Evaluate(ctx, p.snn.Network, d, o)
	if err != nil {
		return nil, err
	}
	return all[len(all)-1], nil
}

// checks reports whether the result of a conversion is to be tried before it is written: a
// network of its own that runs.
func (c *conversion) checks(done *spikingir.Conversion) bool {
	return !c.unchecked && c.StopAfter == "" && done.Timesteps > 0
}

// spiking is what was converted with its neurons, m where m has them.
func (c *conversion) spiking(m *graph.Model) *graph.Model {
	if c.network != nil {
		return c.network
	}
	return m
}

// measure holds a conversion to its gates, or, where there are none, tries it. Of a form
// without neurons it is the network that was lowered to it.
func (a *app) measure(ctx context.Context, s *summary, ann, snn *graph.Model, c *conversion) (err error) {
	snn = c.spiking(snn)
	switch {
	case len(c.limits.flags()) > 0:
		s.Measured, err = a.measureConversion(ctx, s.Model, ann, snn, c)
	case ann != nil && c.checks(s.Conversion) && a.cluster.Rank() == 0: // a few small images
		var note string
		if s.Measured, note, err = a.try(ctx, s.Model, ann, snn, c); note != "" {
			s.Notes = append(s.Notes, note)
		}
		if err == nil {
			err = a.tryExact(ctx, s, ann, snn, c)
		}
	}
	return err
}

// try runs what was converted beside its ANN on a few calibration images. What cannot be
// measured is no error: the note says why.
func (a *app) try(ctx context.Context, path string, ann, snn *graph.Model, c *conversion) (m *measured, note string, err error) {
	r, err := a.tried(ctx, path, ann, snn, c)
	switch {
	case ctx.Err() != nil:
		return nil, "", ctx.Err()
	case err != nil:
		return nil, fmt.Sprintf("what was converted could not be tried on calibration images: %v", err), nil
	}
	return measuredOf(r), "", nil
}

func (a *app) tried(ctx context.Context, path string, ann, snn *graph.Model, c *conversion) (*spikingir.Report, error) {
	p, err := a.pair(path, ann, snn, c)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if err := p.snn.Restores(); err != nil {
		return nil, err
	}
	d, err := c.Calibration.OrEmbedded()
	if err != nil {
		return nil, err
	}
	if d.Limit == 0 || d.Limit > checkedImages {
		d.Limit = checkedImages
	}
	w, h := p.snn.Size()
	fixed := w > 0 || h > 0
	o := spikingir.EvaluateOptions{Crop: checkedSide}
	o.Blind = fixed || d.Task.Kind == spikingir.AsIs || d.Task.Kind == "" || p.snn.Gives() != p.snn.Channels()
	if fixed {
		o.Crop = 0
	}
	return a.measurePair(ctx, p, d, o)
}

// printChecked shows how a converted network does, layer by layer.
func (a *app) printChecked(m *measured, snn *graph.Model) {
	if len(m.Layers) == 0 {
		return
	}
	thresholds := map[string]string{}
	for n := range snn.Graph.Nodes() {
		if s, err := op.NeuronOf(n); err == nil && s.Theta.Const != nil {
			thresholds[n.Name] = thresholdsOf(s.Theta.Const)
		}
	}
	remarks := map[string]string{}
	for _, name := range m.Findings.Silent {
		remarks[name] = "never fires"
	}
	for _, name := range m.Findings.Saturated {
		remarks[name] = "saturated"
	}
	t := a.table()
	t.AppendHeader(table.Row{"layer", "neuron", "threshold", "firing rate", ""})
	for _, l := range m.Layers {
		t.AppendRow(table.Row{l.Origin, l.Neuron, thresholds[l.Node], r4(l.FiringRate), remarks[l.Origin]})
	}
	t.Render()
}

// thresholdsOf is a threshold, or the least and the greatest of many.
func thresholdsOf(t *graph.Tensor) string {
	x, err := t.Float32s()
	if err != nil || len(x) == 0 {
		return ""
	}
	least, most := x[0], x[0]
	for _, v := range x {
		least, most = min(least, v), max(most, v)
	}
	if least == most {
		return fmt.Sprintf("%.4g", least)
	}
	return fmt.Sprintf("%.4g to %.4g", least, most)
}

// warnChecked says that a converted network is no good, why, and what would help.
func (a *app) warnChecked(m *measured, c *conversion, done *spikingir.Conversion) {
	f := m.Findings
	if f.Poor == "" {
		return
	}
	a.Warnf("the network is no good as it is: %s", cli.Line(f.Poor))
	if len(f.Silent) > 0 {
		a.Warnf("layers that never fire: %s", cli.Line(strings.Join(f.Silent, ", ")))
	}
	var ways []string
	v0 := c.Settings.V0
	if r, _ := recipes.Lookup(done.Recipe); done.Timing == nil && (v0 == spikingir.NoV0 || v0 == 0 && (c.Settings.Paper || !r.Centred())) {
		ways = append(ways, "--v0 0.25")
	}
	ways = append(ways, fmt.Sprintf("more timesteps (-T %d)", 2*done.Timesteps))
	if done.Timing == nil {
		ways = append(ways, "--schedule two-phase")
	}
	if c.Calibration.Dir == "" && c.Calibration.Task.Kind != spikingir.Pairs {
		ways = append(ways, "--calib with images of your own and their --task")
	}
	a.Warnf("what helps: %s; and `spikingir finetune %s`", strings.Join(ways, ", "), cmp.Or(c.out, "OUT"))
}
