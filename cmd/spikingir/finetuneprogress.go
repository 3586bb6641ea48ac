package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/schollz/progressbar/v3"

	"spikingir/runtime/train"
	"spikingir/runtime/train/checkpoint"
)

// A reporter shows how a run is getting on: a bar on a terminal, else a line for each
// validation and now and then one in between, and a log.
type reporter struct {
	*app
	t       *tuning
	bar     *progressbar.ProgressBar
	log     *os.File
	broken  bool // the log could not be written to
	from    checkpoint.Position
	first   *checkpoint.Figures // before the first step, in the session that saw it
	last    *checkpoint.Figures
	spoken  time.Time
	seconds float64 // of the last event
	trained float64 // seconds of this session in steps
	pace    pace
}

// pace is how fast the present stage goes, validations and all.
type pace struct {
	stage int
	step  int
	began float64
}

// lineEvery is the time between lines that no validation brings.
const lineEvery = 20 * time.Second

// report takes an event of the run.
func (r *reporter) report(e train.Event) {
	r.write(e)
	if e.Problem != "" {
		r.warnf("%s; training goes on", e.Problem)
		return
	}
	before := r.seconds
	r.seconds = e.Seconds
	if e.Validation != nil {
		if e.Done == 0 && r.first == nil {
			r.first = e.Validation
		}
		r.last = e.Validation
		r.validated(e)
		return
	}
	if e.Loss == 0 && e.PSNR == 0 {
		return // a calibration, which a validation follows
	}
	if before < r.from.Seconds {
		before = r.from.Seconds
	}
	r.trained += e.Seconds - before
	if r.pace.began == 0 || r.pace.stage != e.Stage {
		r.pace = pace{e.Stage, e.Step - 1, before}
	}
	r.stepped(e)
}

// stepped shows a step.
func (r *reporter) stepped(e train.Event) {
	if r.quiet {
		return
	}
	text := fmt.Sprintf("%s: loss %.3g, PSNR %.2f dB", place(e.StageName, e.Step, e.Steps), e.Loss, e.PSNR)
	if e.FiringRate > 0 {
		text += fmt.Sprintf(", firing rate %.4f", e.FiringRate)
	}
	if r.bar == nil && r.terminal() == nil {
		if time.Since(r.spoken) > lineEvery {
			r.spoken = time.Now()
			fmt.Fprintf(r.err, "%s, %s left\n", text, r.eta(e))
		}
		return
	}
	if r.bar == nil {
		r.bar = progressbar.NewOptions(e.All, progressbar.OptionSetWriter(r.terminal()), progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionSetWidth(20),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	if r.last != nil {
		text += fmt.Sprintf(" | held out %.2f dB", r.last.PSNR)
		if r.last.FiringRate > 0 {
			text += fmt.Sprintf(", %.4g mJ", r.last.EnergyMJ)
		}
	}
	r.bar.Describe(text + ", " + r.eta(e) + " left")
	// A progress bar that cannot be drawn must not stop the work.
	_ = r.bar.Set(e.Done)
}

// validated shows a validation.
func (r *reporter) validated(e train.Event) {
	if r.quiet || r.terminal() != nil && e.Done > 0 {
		return
	}
	r.spoken = time.Now()
	best := ""
	if e.Best && e.Done > 0 {
		best = ", the best so far"
	}
	fmt.Fprintf(r.err, "%s: held-out images %s%s\n", place(e.StageName, e.Step, e.Steps), figures(e.Validation), best)
}

// place says where in a run something was measured.
func place(stage string, step, steps int) string {
	switch {
	case step == 0:
		return "before " + stage
	case stage == calibrate:
		return "calibrated"
	case steps == 0:
		return fmt.Sprintf("%s %d", stage, step)
	}
	return fmt.Sprintf("%s %d/%d", stage, step, steps)
}

func figures(f *checkpoint.Figures) string {
	text := fmt.Sprintf("PSNR %.3f dB, SSIM %.4f", f.PSNR, f.SSIM)
	if f.FiringRate > 0 {
		text += fmt.Sprintf(", firing rate %.4f", f.FiringRate)
	}
	return text + fmt.Sprintf(", %.4g mJ", f.EnergyMJ)
}

// eta is the time that is left: that of the steps at the pace of the stage, or of
// --max-minutes where that ends sooner.
func (r *reporter) eta(e train.Event) string {
	n := e.Step - r.pace.step
	left := (e.Seconds - r.pace.began) / float64(max(n, 1)) * float64(e.All-e.Done)
	if r.t.minutes > 0 {
		left = min(left, max(0, (r.t.limit()-time.Since(r.t.begin)).Seconds()-r.from.Seconds))
	}
	return duration(left)
}

// duration is a time for people to read.
func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(100 * time.Microsecond).String()
}

// end takes the bar away and closes the log.
func (r *reporter) end() {
	if r.bar != nil {
		_ = r.bar.Clear()
		r.bar = nil
	}
	if r.log != nil {
		if err := r.log.Close(); err != nil {
			r.warnf("log %s: %v", r.t.logFile, cause(err))
		}
		r.log = nil
	}
}

// open makes the log, or makes it end where a run goes on.
func (r *reporter) open(from *checkpoint.Position) (err error) {
	if r.t.logFile == "" {
		return nil
	}
	if from == nil {
		r.log, err = os.Create(r.t.logFile)
	} else {
		r.log, err = reopenLog(r.t.logFile, *from)
	}
	if err != nil {
		return fmt.Errorf("log %s: %w", r.t.logFile, cause(err))
	}
	return nil
}

// reopenLog cuts a log after the events that lie before a position. What was logged
// after it is done again, and what a process that was killed left of a line goes.
func reopenLog(path string, from checkpoint.Position) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	end, err := logEnd(f, from)
	if err == nil {
		err = f.Truncate(end)
	}
	if err == nil {
		_, err = f.Seek(end, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// logEnd is the length of the events up to a position.
func logEnd(r io.Reader, from checkpoint.Position) (end int64, err error) {
	b := bufio.NewReader(r)
	for line := 1; ; line++ {
		text, err := b.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return end, nil
		}
		if err != nil {
			return 0, err
		}
		var e train.Event
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&e); err != nil {
			return 0, fmt.Errorf("line %d is no event of a run: %w", line, err)
		}
		if e.Stage > from.Stage || e.Stage == from.Stage && uint64(e.Step) > from.Step {
			return end, nil
		}
		end += int64(len(text))
	}
}

// write adds an event to the log. A log that cannot be written does not stop a run.
func (r *reporter) write(e train.Event) {
	if r.log == nil || r.broken {
		return
	}
	b, err := json.Marshal(e)
	if err == nil {
		_, err = r.log.Write(append(b, '\n'))
	}
	if err != nil {
		r.broken = true
		r.warnf("log %s: %v; nothing more is logged", r.t.logFile, cause(err))
	}
}

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
	if a.quiet {
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
