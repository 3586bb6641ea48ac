// Package watch tells what something long is at while it runs. Whoever waits puts a
// [Watch] into the context; what runs finds it there.
package watch

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// A Watch is what goes on at the moment. Its methods may be called from any goroutine, and
// on nil, where they do nothing.
type Watch struct {
	mu          sync.Mutex
	task        string
	node        string
	unit, units int
	step, steps int64
}

type key struct{}

// With is a context in which w is told what goes on.
func With(ctx context.Context, w *Watch) context.Context { return context.WithValue(ctx, key{}, w) }

// Of is the watch of a context, nil where it has none.
func Of(ctx context.Context) *Watch {
	w, _ := ctx.Value(key{}).(*Watch)
	return w
}

// Task begins something, such as a pass or an image.
func (w *Watch) Task(format string, args ...any) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.task, w.node, w.steps, w.step = fmt.Sprintf(format, args...), "", 0, 0
}

// Unit begins unit i, from 0, of n that a network runs in, which ends with the node.
func (w *Watch) Unit(i, n int, node string) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.node, w.unit, w.units, w.step, w.steps = node, i+1, n, 0, 0
}

// Step tells how many steps of the unit are done, of how many: 0 where that is not known.
func (w *Watch) Step(done, of int64) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.step, w.steps = done, of
}

// String is what goes on in words, empty where nothing was told.
func (w *Watch) String() string {
	if w == nil {
		return ""
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var parts []string
	if w.task != "" {
		parts = append(parts, w.task)
	}
	if w.node != "" {
		parts = append(parts, fmt.Sprintf("node %q (%d of %d)", w.node, w.unit, w.units))
	}
	switch {
	case w.steps > 0:
		parts = append(parts, fmt.Sprintf("step %d of %d", w.step, w.steps))
	case w.step > 0:
		parts = append(parts, fmt.Sprintf("step %d", w.step))
	}
	return strings.Join(parts, ", ")
}
