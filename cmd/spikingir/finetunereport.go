package main

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"spikingir/runtime/train"
	"spikingir/runtime/train/checkpoint"
)

// tuned is the report of finetune; its JSON form is a contract.
type tuned struct {
	Model      string       `json:"model"`
	Output     string       `json:"output"`
	Ended      string       `json:"ended"` // complete, time or diverged
	Data       string       `json:"data"`
	DataSHA    string       `json:"data_sha256"`
	Stages     []tunedStage `json:"stages"`
	Steps      uint64       `json:"steps"`   // done
	Planned    int          `json:"planned"` // steps
	Patches    uint64       `json:"patches"`
	Seconds    float64      `json:"seconds"` // of training and validation, over all sessions
	Throughput float64      `json:"patches_per_second"`
	Before     *measured    `json:"before,omitempty"` // where this session began the run
	Best       *measured    `json:"best,omitempty"`   // nil where nothing is held out
	Checkpoint string       `json:"checkpoint,omitempty"`
}

// tunedStage is a stage as it was planned.
type tunedStage struct {
	Name  string `json:"name"`
	Steps int    `json:"steps,omitempty"`
}

// measured is what was measured on the held-out images.
type measured struct {
	Stage      string  `json:"stage"`
	Step       uint64  `json:"step"` // of the stage
	PSNR       float64 `json:"psnr"`
	SSIM       float64 `json:"ssim"`
	FiringRate float64 `json:"firing_rate"`
	EnergyMJ   float64 `json:"energy_mj"`
}

func measuredAs(t *train.Trainer, f *checkpoint.Figures) *measured {
	if f == nil {
		return nil
	}
	return &measured{t.Stages[f.Position.Stage].Name, f.Position.Step, f.PSNR, f.SSIM, f.FiringRate, f.EnergyMJ}
}

// summary is the report of a run that has ended.
func (r *reporter) summary(t *train.Trainer) *tuned {
	p := t.Position()
	s := &tuned{Model: r.t.path, Output: r.t.out, Data: r.t.images, DataSHA: r.t.data256, Steps: p.Total, Planned: t.Steps(),
		Patches: p.Patch, Seconds: max(r.seconds, p.Seconds), Before: measuredAs(t, r.first), Best: measuredAs(t, t.Best()),
		Checkpoint: r.t.checkpoint}
	for _, g := range t.Stages {
		stage := tunedStage{Name: g.Name}
		if g.Correction == nil {
			stage.Steps = g.Steps
		}
		s.Stages = append(s.Stages, stage)
	}
	if r.trained > 0 {
		s.Throughput = float64(p.Patch-r.from.Patch) / r.trained
	}
	return s
}

// printTuned shows the report.
func (a *app) printTuned(s *tuned) error {
	if a.format == "json" {
		return a.json(s)
	}
	if a.Quiet {
		return nil
	}
	var stages []string
	for _, g := range s.Stages {
		if g.Steps > 0 {
			stages = append(stages, fmt.Sprintf("%s %d", g.Name, g.Steps))
		} else {
			stages = append(stages, g.Name)
		}
	}
	fmt.Fprintf(a.out, "%s -> %s\n%s\n%d of %d steps (%s), %d patches in %s, %.2f patches a second of training\n", s.Model, s.Output,
		s.Data, s.Steps, s.Planned, strings.Join(stages, ", "), s.Patches, duration(s.Seconds), s.Throughput)
	if s.Best != nil {
		t := a.table()
		t.AppendHeader(table.Row{"held-out images", "PSNR (dB)", "SSIM", "firing rate", "energy (mJ)"})
		row := func(name string, m *measured) {
			if m != nil {
				t.AppendRow(table.Row{name, fmt.Sprintf("%.3f", m.PSNR), r4(m.SSIM), r4(m.FiringRate), fmt.Sprintf("%.3f", m.EnergyMJ)})
			}
		}
		row("before", s.Before)
		row("best: "+place(s.Best.Stage, int(s.Best.Step), 0), s.Best)
		t.Render()
	}
	if b := s.Best; b != nil && s.Before != nil && b.Step == 0 && s.Steps > 0 {
		fmt.Fprintln(a.out, "no step made it better on the held-out images: the network is written as it was")
	}
	if s.Ended == "time" {
		fmt.Fprintf(a.out, "the time was over before the last step; --resume with more --max-minutes goes on from %s\n", s.Checkpoint)
	}
	return nil
}
