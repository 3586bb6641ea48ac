package cli

import (
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Progress gives a function to report steps with, and one to call at the end.
// A bar is drawn on standard error when that is a terminal; otherwise nothing.
func (c *Common) Progress(what string) (step func(done, total int), end func()) {
	f := c.Terminal()
	if c.Quiet || f == nil {
		return func(int, int) {}, func() {}
	}
	var bar *progressbar.ProgressBar
	step = func(done, total int) {
		if bar == nil {
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(f),
				progressbar.OptionSetDescription(what), progressbar.OptionShowCount(),
				progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
		}
		// A progress bar that cannot be drawn must not stop the work.
		_ = bar.Set(done)
	}
	return step, func() {
		if bar != nil {
			_ = bar.Clear()
		}
	}
}

// Terminal is standard error when it is a terminal, else nil.
func (c *Common) Terminal() *os.File {
	if f, ok := c.Err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return f
	}
	return nil
}
