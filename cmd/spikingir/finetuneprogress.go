package main

import (
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"spikingir"
)

// A reporter shows how a run is getting on: a bar on a terminal, else a line for each
// validation and now and then one in between.
type reporter struct {
	*app
	bar    *progressbar.ProgressBar
	last   *spikingir.Figures
	spoken time.Time
}

// lineEvery is the time between lines that no validation brings.
const lineEvery = 20 * time.Second

// report takes an event of the run.
func (r *reporter) report(e spikingir.FinetuneEvent) {
	r.Spoke()
	switch {
	case e.Problem != "":
		r.Warnf("%s; training goes on", e.Problem)
	case e.Validation != nil:
		r.last = e.Validation
		r.validated(e)
	case e.Layers > 0:
		r.show(fmt.Sprintf("%s: layer %d of %d, %s left", e.StageName, e.Layer, e.Layers, duration(e.Left)), e.Layer, e.Layers)
	case e.Loss != 0 || e.PSNR != 0: // not a calibration, which a validation follows
		r.stepped(e)
	}
}

// stepped shows a step.
func (r *reporter) stepped(e spikingir.FinetuneEvent) {
	text := fmt.Sprintf("%s, %s left: loss %.3g, PSNR %.2f dB", place(e.StageName, e.Step, e.Steps), duration(e.Left), e.Loss, e.PSNR)
	if e.FiringRate > 0 {
		text += fmt.Sprintf(", firing rate %.4f", e.FiringRate)
	}
	if r.last != nil && r.Terminal() != nil {
		text += fmt.Sprintf(" | held out %.2f dB", r.last.PSNR)
		if r.last.FiringRate > 0 {
			text += fmt.Sprintf(", %.4g mJ", r.last.EnergyMJ)
		}
	}
	r.show(text, e.Done, e.All)
}

// show says how far something is, of which so much is done.
func (r *reporter) show(text string, done, all int) {
	to := r.Terminal()
	switch {
	case r.Quiet:
		return
	case to == nil:
		if time.Since(r.spoken) > lineEvery {
			r.spoken = time.Now()
			fmt.Fprintln(r.Err, text)
		}
		return
	}
	if r.bar == nil {
		r.bar = progressbar.NewOptions(all, progressbar.OptionSetWriter(to), progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(false), progressbar.OptionSetWidth(barWidth),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	if width, _, err := term.GetSize(int(to.Fd())); err == nil {
		text = text[:min(len(text), max(width-barWidth-10, 0))]
	}
	r.bar.Describe(text)
	r.bar.ChangeMax(all)
	// A progress bar that cannot be drawn must not stop the work.
	_ = r.bar.Set(done)
	if done >= all { // it has gone, and stages have bars of their own
		r.bar = nil
	}
}

// barWidth is that of the bar itself; what it is about takes the rest of the line.
const barWidth = 10

// validated shows a validation.
func (r *reporter) validated(e spikingir.FinetuneEvent) {
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
	case stage == "calibrate":
		return "calibrated"
	case steps == 0:
		return fmt.Sprintf("%s %d", stage, step)
	}
	return fmt.Sprintf("%s %d/%d", stage, step, steps)
}

func figures(f *spikingir.Figures) string {
	text := fmt.Sprintf("PSNR %.3f dB, SSIM %.4f", f.PSNR, f.SSIM)
	if f.FiringRate > 0 {
		text += fmt.Sprintf(", firing rate %.4f", f.FiringRate)
	}
	return text + fmt.Sprintf(", %.4g mJ", f.EnergyMJ)
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

// end takes the bar away.
func (r *reporter) end() {
	if r.bar != nil {
		_ = r.bar.Clear()
	}
}
