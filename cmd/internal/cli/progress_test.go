package cli

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"spikingir/runtime/watch"
)

// lines hands over what is written.
type lines chan string

func (l lines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}

// TestWatch holds that a program which shows nothing says what it is at, and one that does
// not.
func TestWatch(t *testing.T) {
	defer func(before time.Duration) { NoticeAfter = before }(NoticeAfter)
	NoticeAfter = time.Millisecond
	w := &watch.Watch{}
	w.Task("restoring a.png")
	w.Unit(1, 3, "loop\x1b[2J")
	ctx, cancel := context.WithCancel(watch.With(context.Background(), w))
	defer cancel()
	said := make(lines)
	loud := &Common{Name: "program", Err: said}
	loud.Watch(ctx)
	if line := <-said; !strings.HasPrefix(line, "program: still at work after ") || !strings.Contains(line, ": restoring a.png, node ") ||
		!strings.HasSuffix(line, " (2 of 3); Ctrl-C ends it\n") || strings.Contains(line, "\x1b") {
		t.Errorf("it says %q", line)
	}
	if line := notice("program", 5*time.Second, ""); line != "program: still at work after 5s; Ctrl-C ends it\n" {
		t.Errorf("without a task it says %q", line)
	}
	quiet, shows := &Common{Err: io.Discard, Quiet: true}, &Common{Err: io.Discard}
	quiet.Watch(ctx)
	step, end := shows.Progress("running")
	step(1, 2)
	end()
}
