package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"spikingir/runtime/watch"
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
		c.Spoke()
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
	if IsTerminal(c.Err) {
		return c.Err.(*os.File)
	}
	return nil
}

// IsTerminal reports whether what is written to w is seen on a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// NoticeAfter is the time after which a program that has shown nothing says what it is at,
// once, and now and then again; 0 for never. Programs set it, tests do not.
var NoticeAfter time.Duration

// Spoke notes that the command shows how it is getting on.
func (c *Common) Spoke() { c.spoke.Store(true) }

// Watch says on standard error what the command of a context is at, when that takes long
// and the command itself shows nothing.
func (c *Common) Watch(ctx context.Context) {
	if c.Quiet || NoticeAfter <= 0 {
		return
	}
	go func() {
		begin := time.Now()
		for wait := NoticeAfter; ; wait *= 4 {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait - time.Since(begin)):
			}
			if !c.spoke.Load() {
				fmt.Fprint(c.Err, notice(c.Name, time.Since(begin), watch.Of(ctx).String()))
			}
		}
	}()
}

// notice is a line that says what a program is at.
func notice(name string, took time.Duration, what string) string {
	if what != "" {
		what = ": " + what
	}
	return fmt.Sprintf("%s: still at work after %s%s; Ctrl-C ends it\n", name, took.Round(time.Second), Line(what))
}
