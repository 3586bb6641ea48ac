package main

import (
	"encoding/hex"
	"time"

	"spikingir/graph"
	"spikingir/runtime/dataset"
	"spikingir/runtime/train"
	"spikingir/runtime/train/optim"
	"spikingir/runtime/train/patches"
)

// patches are the options of the training data.
func (t *tuning) patches(task dataset.Task, seed uint64) patches.Options {
	o := patches.Options{Task: task, Dirs: dataset.Dirs{Data: t.data, Input: t.input, Target: t.target},
		Patch: t.patch, Augment: true, HazeShare: t.hazeShare, ValidationShare: t.share, ValidationCrop: t.crop, Seed: seed}
	o.Haze.Dir = t.hazeClear
	if len(t.sigmas) == 2 {
		o.SigmaMin, o.SigmaMax = t.sigmas[0], t.sigmas[1]
	}
	return o
}

// config is the run but for its data and models.
func (t *tuning) config() *train.Config {
	c := &train.Config{Batch: t.batch, Loss: optim.Loss(t.loss), EnergyWeight: t.energyWeight, Adam: optim.DefaultAdam,
		Clip: t.clip, Average: t.average, ValidateEvery: t.every, Checkpoint: t.checkpoint,
		CheckpointEvery: time.Duration(t.checkpointMinutes * float64(time.Minute)),
		Net: train.Options{Thresholds: t.thresholds, V0: t.rest, Reset: t.resetGradient,
			Surrogate: train.Surrogate{Kind: surrogates[t.surrogate], Slope: float32(t.slope)}}}
	c.Adam.Decay = t.decay
	c.CheckpointEvery = max(c.CheckpointEvery, 1)
	steps := t.stepsOf()
	for i, s := range t.plan {
		if s.name == calibrate {
			fit := train.DefaultCorrection
			fit.Patches, fit.Ridge = t.fitPatches, t.ridge
			c.Stages = append(c.Stages, train.Stage{Name: s.name, Correction: &fit})
			continue
		}
		rate := t.rateOf(s.name)
		c.Stages = append(c.Stages, train.Stage{Name: s.name, Mode: stageKinds[s.name].mode, Back: stageKinds[s.name].back,
			Rate:   optim.Schedule{Shape: optim.Shape(t.schedule), Base: rate, Floor: min(t.floor, rate/100), WarmUp: t.warmUp, Steps: 1},
			Output: t.output, Feature: t.features})
		if steps != nil {
			c.Stages[i].Steps = steps[i]
		}
	}
	if steps == nil {
		for _, s := range t.plan {
			c.Shares = append(c.Shares, s.share)
		}
		c.Limit = t.limit()
	}
	return c
}

// rateOf is the learning rate of a stage.
func (t *tuning) rateOf(stage string) float64 {
	if r, ok := t.stageRates[stage]; ok {
		return r
	}
	if t.rateOfAll > 0 {
		return t.rateOfAll
	}
	return defaultRates[stage]
}

// tuneSettings is everything that a run depends on beside its model, its data and its
// numbers of steps, under the names of the flags. Checkpoints and written models hold
// it as JSON; a run with other settings does not go on from a checkpoint.
type tuneSettings struct {
	Task             string         `json:"task"`
	SigmaRange       []float64      `json:"sigma-range,omitempty"`
	HazeShare        float64        `json:"haze-share,omitempty"`
	Stages           []stageSetting `json:"stages"`
	Steps            int            `json:"steps,omitempty"`
	Batch            int            `json:"batch"`
	Patch            int            `json:"patch"`
	Schedule         string         `json:"schedule"`
	RateFloor        float64        `json:"rate-floor"`
	WarmUp           int            `json:"warm-up"`
	Loss             string         `json:"loss"`
	Optimizer        string         `json:"optimizer"`
	WeightDecay      float64        `json:"weight-decay,omitempty"`
	Clip             float64        `json:"clip,omitempty"`
	Average          float64        `json:"average,omitempty"`
	EnergyWeight     float64        `json:"energy-weight,omitempty"`
	DistillOutput    float64        `json:"distill-output"`
	DistillFeatures  float64        `json:"distill-features,omitempty"`
	Ref              string         `json:"ref,omitempty"` // SHA-256 of its file
	TrainThresholds  bool           `json:"train-thresholds,omitempty"`
	TrainRest        bool           `json:"train-rest,omitempty"`
	Surrogate        string         `json:"surrogate"`
	Slope            float64        `json:"slope"`
	ResetGradient    bool           `json:"reset-gradient,omitempty"`
	NoBiases         bool           `json:"no-biases,omitempty"`
	CalibratePatches int            `json:"calibrate-patches,omitempty"`
	CalibrateRidge   float64        `json:"calibrate-ridge,omitempty"`
	ValidationShare  float64        `json:"validation-share"`
	ValidationCrop   int            `json:"validation-crop"`
	ValidateEvery    int            `json:"validate-every,omitempty"`
	Threads          int            `json:"threads"`
	Seed             uint64         `json:"seed"`
}

// stageSetting is a stage with what it has of its own.
type stageSetting struct {
	Name  string  `json:"name"`
	Rate  float64 `json:"rate,omitempty"`
	Steps int     `json:"steps,omitempty"`
	Share float64 `json:"share,omitempty"`
}

// record is the settings of the run.
func (t *tuning) record(task dataset.Task, threads int, seed uint64, teacher *graph.Model) *tuneSettings {
	s := &tuneSettings{Task: task.String(), SigmaRange: t.sigmas, HazeShare: t.hazeShare, Steps: t.steps,
		Batch: t.batch, Patch: t.patch, Schedule: t.schedule, RateFloor: t.floor, WarmUp: t.warmUp, Loss: t.loss,
		Optimizer: t.optimizer, WeightDecay: t.decay, Clip: t.clip, Average: t.average, EnergyWeight: t.energyWeight,
		DistillOutput: t.output, DistillFeatures: t.features, TrainThresholds: t.thresholds, TrainRest: t.rest,
		Surrogate: t.surrogate, Slope: t.slope, ResetGradient: t.resetGradient, NoBiases: t.noBiases, ValidationShare: t.share,
		ValidationCrop: t.crop, ValidateEvery: t.every, Threads: threads, Seed: seed}
	for _, p := range t.plan {
		s.Stages = append(s.Stages, stageSetting{p.name, t.rateOf(p.name), p.steps, p.share})
	}
	if t.calibrates() {
		s.CalibratePatches, s.CalibrateRidge = t.fitPatches, t.ridge
	}
	if teacher != nil && teacher.Source != nil {
		s.Ref = hex.EncodeToString(teacher.Source.SHA256[:])
	}
	return s
}
