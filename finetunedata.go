package spikingir

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"spikingir/runtime/dataset"
	"spikingir/runtime/eval"
	"spikingir/runtime/train"
	"spikingir/runtime/train/checkpoint"
	"spikingir/runtime/train/patches"
)

// config describes the run, and opens its images unless something else of it is refused.
func (f *finetuning) config() (*train.Config, error) {
	ports, err := eval.FindPorts(f.model.Graph, f.feeds, f.OutputName)
	if err != nil {
		return nil, err
	}
	task, err := f.Data.task(ports.Channels)
	if err != nil {
		return nil, err
	}
	settings, err := json.Marshal(struct {
		Task string `json:"task"`
		FinetuneOptions
		Seed uint64 `json:"seed"`
	}{task.String(), f.FinetuneOptions, f.Data.Seed})
	if err != nil {
		return nil, err
	}
	c := &train.Config{Model: f.model, Teacher: f.Teacher, Task: task, Net: f.Options, Feeds: f.feeds, Finish: f.measured, TeacherOutput: f.taught, Method: f.Method,
		Calibration: f.Calibration, Stages: f.Stages, Total: f.Steps, Memory: f.MemoryLimit, Batch: f.Batch, MicroBatches: f.MicroBatches,
		Pool: f.pool, Cluster: f.Cluster,
		ValidateEvery: f.ValidateEvery, Checkpoint: f.Checkpoint, Limit: f.limit(), Patience: f.Patience, Report: f.report,
		CheckpointEvery: max(time.Duration(f.CheckpointMinutes*float64(time.Minute)), 1),
		Identity:        checkpoint.Header{Program: "spikingir " + Version, Settings: settings, Model: fileSHA256(f.model)}}
	p := f.patches(task)
	if err := p.Check(); err != nil {
		return nil, err
	}
	if err := c.Check(p); err != nil {
		return nil, f.untrainable(err)
	}
	return c, f.open(c, p)
}

// patches says what patches are made of.
func (f *finetuning) patches(task Task) patches.Options {
	p := patches.Options{Task: task, Dirs: dataset.Dirs{Data: f.Data.Dir, Input: f.Data.Inputs, Target: f.Data.Targets},
		Patch: f.Patch, Augment: true, HazeDir: f.HazeClear, HazeShare: f.HazeShare,
		HeldOut: f.HeldOut, Seed: f.Data.Seed, Threads: f.Threads}
	if len(f.SigmaRange) == 2 {
		p.SigmaMin, p.SigmaMax = f.SigmaRange[0], f.SigmaRange[1]
	}
	return p
}

// open opens the images of a run.
func (f *finetuning) open(c *train.Config, p patches.Options) (err error) {
	if c.Source, err = patches.OpenContext(f.ctx, p); err != nil {
		return err
	}
	for i, s := range c.Source.Skipped() {
		if i == 3 {
			f.note("%d more images are too small", len(c.Source.Skipped())-i)
			break
		}
		f.note("left out: %s", s)
	}
	c.Identity.Data = c.Source.SHA256()
	return nil
}

// untrainable says whose fault it is that a run is refused.
func (f *finetuning) untrainable(err error) error {
	var large *train.TooLargeError
	if errors.As(err, &large) {
		return badOption("%s: %v", pathOf(f.model), large)
	}
	return unsupported(fmt.Errorf("%s: %w", pathOf(f.model), err))
}
