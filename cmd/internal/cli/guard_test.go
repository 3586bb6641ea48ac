package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"spikingir/graph"
	"spikingir/passes"
)

// command is a program of one command.
func command(f func(ctx context.Context) error) func(io.Writer) *cobra.Command {
	return func(io.Writer) *cobra.Command {
		return &cobra.Command{Use: "program", RunE: func(cmd *cobra.Command, _ []string) error { return f(cmd.Context()) }}
	}
}

// TestGuard holds that a fault of the program is one line that says where it is and what to
// do, with an exit code of its own.
func TestGuard(t *testing.T) {
	var none *graph.Model
	var empty []int
	pass := &passes.Pass{Name: "broken", Doc: "panics", Run: func(*passes.Context) (bool, error) { panic("of a pass") }}
	for name, f := range map[string]func(context.Context) error{
		"pointer": func(context.Context) error { return errors.New(none.Doc) },
		"index":   func(context.Context) error { return fmt.Errorf("%d", empty[len(empty)]) },
		"value":   func(context.Context) error { panic("on\npurpose \x1b[2J") },
		"error":   func(context.Context) error { panic(errors.New("as an error")) },
		"elsewhere": func(ctx context.Context) error {
			_, err := Await(ctx, func() (int, error) { panic("in a goroutine") })
			return err
		},
		"pass": func(context.Context) error {
			_, err := passes.Pipeline{pass.With()}.Run(&graph.Model{Graph: graph.New("g", nil)}, passes.Options{})
			return err
		},
	} {
		var errs bytes.Buffer
		code := Guard("program", &errs, func() int { return Run(nil, nil, io.Discard, &errs, command(f)) })
		text := errs.String()
		if code != ExitInternal || strings.Count(text, "\n") != 1 || !strings.Contains(text, "please report it") ||
			strings.Contains(text, "\x1b") || name != "pass" && !strings.Contains(text, "guard_test.go:") {
			t.Errorf("%s: exit code %d: %s", name, code, text)
		}
	}
}

// TestPanicSurfaces holds that the program without Guard, as tests call it, panics.
func TestPanicSurfaces(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Run hides a panic")
		}
	}()
	Run(nil, nil, io.Discard, io.Discard, command(func(context.Context) error { panic("bug") }))
}

// TestAwait holds that what does not heed a context is left to itself.
func TestAwait(t *testing.T) {
	if x, err := Await(context.Background(), func() (int, error) { return 7, nil }); x != 7 || err != nil {
		t.Errorf("got %d, %v", x, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	never := make(chan int)
	if _, err := Await(ctx, func() (int, error) { return <-never, nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was cancelled", err)
	}
}
