package main

import (
	"fmt"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"spikingir/internal/atomicfile"
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
		r.Warnf("%s; training goes on", e.Problem)
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
	if r.Quiet {
		return
	}
	text := fmt.Sprintf("%s, %s left: loss %.3g, PSNR %.2f dB", place(e.StageName, e.Step, e.Steps), r.eta(e), e.Loss, e.PSNR)
	if e.FiringRate > 0 {
		text += fmt.Sprintf(", firing rate %.4f", e.FiringRate)
	}
	to := r.Terminal()
	if to == nil {
		if time.Since(r.spoken) > lineEvery {
			r.spoken = time.Now()
			fmt.Fprintln(r.Err, text)
		}
		return
	}
	if r.bar == nil {
		r.bar = progressbar.NewOptions(e.All, progressbar.OptionSetWriter(to), progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(false), progressbar.OptionSetWidth(barWidth),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	if r.last != nil {
		text += fmt.Sprintf(" | held out %.2f dB", r.last.PSNR)
		if r.last.FiringRate > 0 {
			text += fmt.Sprintf(", %.4g mJ", r.last.EnergyMJ)
		}
	}
	if width, _, err := term.GetSize(int(to.Fd())); err == nil {
		text = text[:min(len(text), max(width-barWidth-10, 0))]
	}
	r.bar.Describe(text)
	r.bar.ChangeMax(e.All)
	// A progress bar that cannot be drawn must not stop the work.
	_ = r.bar.Set(e.Done)
}

// barWidth is that of the bar itself; what it is about takes the rest of the line.
const barWidth = 10

// validated shows a validation.
func (r *reporter) validated(e train.Event) {
	if r.Quiet || r.Terminal() != nil && e.Done > 0 {
		return
	}
	r.spoken = time.Now()
	best := ""
	if e.Best && e.Done > 0 {
		best = ", the best so far"
	}
	fmt.Fprintf(r.Err, "%s: held-out images %s%s\n", place(e.StageName, e.Step, e.Steps), figures(e.Validation), best)
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
			r.Warnf("log %s: %v", r.t.logFile, atomicfile.Cause(err))
		}
		r.log = nil
	}
}
