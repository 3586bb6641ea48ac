package main

import (
	"context"
	"fmt"
	"strings"

	"spikingir"
	"spikingir/graph"
)

// explaining is what explain is asked for beside names.
type explaining struct {
	data spikingir.Data
	run  spikingir.RunOptions
}

// measures reports whether there are images to run on.
func (e *explaining) measures() bool { return e.data.Dir != "" || e.data.Task.Kind == spikingir.Pairs }

// check finds what is wrong with the flags before a model is read.
func (e *explaining) check() error {
	if err := checkTask(&e.data); err != nil {
		return err
	}
	if !e.measures() && (e.data.Task.Kind != "" || e.data.Limit != 0 || len(e.run.Inputs) > 0) {
		return fmt.Errorf("--task, --limit and --input are of the images that firing is measured on: want --data DIR")
	}
	return nil
}

// measureActivity notes how the neurons of a list fire on the images.
func (a *app) measureActivity(ctx context.Context, path string, m *graph.Model, e *explaining, list []explanation) error {
	n, err := a.ready(path, m, e.run)
	if err != nil {
		return err
	}
	defer n.Close()
	a.notePorts(n, "")
	a.takeTask(path, m, &e.data.Task)
	e.data.Seed = a.Seed
	step, end := a.Progress("measuring")
	all, err := spikingir.MeasureActivity(ctx, n.Network, e.data, step)
	end()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	byName := map[string][]spikingir.Activity{}
	for _, k := range all {
		byName[k.Node] = append(byName[k.Node], k)
	}
	for i := range list {
		x := &list[i]
		if left := byName[x.Node]; x.Neuron != nil && len(left) > 0 {
			x.Activity, byName[x.Node] = &left[0], left[1:]
		}
	}
	return nil
}

// activityLine says how a layer fires.
func activityLine(k *spikingir.Activity) string {
	line := fmt.Sprintf("on %d images: firing rate %.4f; %.2f %% of the neurons never fire, %.2f %% fire T times or more",
		k.Images, k.FiringRate, 100*k.Silent, 100*k.Saturated)
	for _, c := range []struct {
		what string
		list []int
	}{{"silent", k.SilentChannels}, {"saturated", k.SaturatedChannels}} {
		if len(c.list) > 0 {
			line += fmt.Sprintf("; %s channels %s: %s", c.what, share(c.list, k), numbers(c.list))
		}
	}
	return line
}

// share is how many of the channels of a layer a list has.
func share(list []int, k *spikingir.Activity) string {
	return fmt.Sprintf("%d of %d", len(list), k.Channels)
}

// maxNumbers is the most channels that are named on a line; JSON has all.
const maxNumbers = 16

func numbers(list []int) string {
	var parts []string
	for i, n := range list {
		if i == maxNumbers {
			parts = append(parts, "...")
			break
		}
		parts = append(parts, fmt.Sprint(n))
	}
	return strings.Join(parts, ", ")
}
