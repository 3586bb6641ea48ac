// Package cli is what the commands of this project share: the flags of every
// subcommand, exit codes, standard output, files to write, and progress.
package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"spikingir"
	"spikingir/internal/atomicfile"
	"spikingir/passes"
	"spikingir/runtime/watch"
)

// The exit codes; they are a contract.
const (
	ExitOK          = 0
	ExitUsage       = 1   // usage, input or output
	ExitInvalid     = 2   // the model is not a valid one
	ExitUnsupported = 3   // the model's structure cannot be converted or run
	ExitGate        = 4   // a gate failed, models differ, or training diverged
	ExitInternal    = 70  // a fault of the program
	ExitInterrupted = 130 // Ctrl-C
)

// CodeError carries an exit code with an error.
type CodeError struct {
	Code int
	Err  error
}

func (e *CodeError) Error() string { return e.Err.Error() }

// Unwrap gives the error.
func (e *CodeError) Unwrap() error { return e.Err }

// Invalid marks an error as the model's fault.
func Invalid(err error) error { return &CodeError{ExitInvalid, err} }

// Unsupported marks an error as a structure that cannot be handled.
func Unsupported(err error) error { return &CodeError{ExitUnsupported, err} }

// interruptible is a context that the signals end which end a command, until stop is called.
// A second one ends the program at once, but for the end of the terminal, which a shell may
// tell more than once. A program that was started by nohup keeps ignoring that.
func interruptible() (ctx context.Context, stop func()) {
	list := []os.Signal{os.Interrupt, syscall.SIGTERM}
	hears := !signal.Ignored(syscall.SIGHUP)
	if hears {
		list = append(list, syscall.SIGHUP)
	}
	came := make(chan os.Signal, 1)
	signal.Notify(came, list...)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		defer signal.Stop(came)
		select {
		case <-came:
			if hears {
				signal.Ignore(syscall.SIGHUP)
			}
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// Await gives what f does, or the error of the context where that ends first: f, which
// must not write, goes on then, and ends with the program.
func Await[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		x     T
		err   error
		panic any
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if x := recover(); x != nil {
				r.panic = fmt.Sprintf("%v (%s)", x, panicPlace())
			}
			done <- r
		}()
		r.x, r.err = f()
	}()
	select {
	case r := <-done:
		if r.panic != nil {
			panic(r.panic)
		}
		return r.x, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// patience is how long a command may take to end when it was interrupted: what it computes
// may not heed that, and nothing of it is lost.
const patience = 400 * time.Millisecond

type patienceKey struct{}

// Patient lets the command of a context end in its own time when it is interrupted, as one
// that saves its state.
func Patient(ctx context.Context) {
	if p, ok := ctx.Value(patienceKey{}).(*atomic.Bool); ok {
		p.Store(true)
	}
}

// execute is f, or the end of its context where f does not end soon after that: f goes on
// then, and ends with the program, which must be next. Files that it was about to write do
// not appear, and leave nothing behind.
func execute(ctx context.Context, f func(ctx context.Context) error) error {
	patient := &atomic.Bool{}
	done := make(chan struct{})
	var err error
	var caught any
	go func() {
		defer close(done)
		defer func() {
			if x := recover(); x != nil {
				caught = &fault{x, panicPlace(), debug.Stack()}
			}
		}()
		err = f(context.WithValue(ctx, patienceKey{}, patient))
	}()
	select {
	case <-done:
	case <-ctx.Done():
		select {
		case <-done:
		case <-time.After(patience):
			if !patient.Load() {
				atomicfile.Abandon()
				return ctx.Err()
			}
			<-done
		}
	}
	if caught != nil {
		panic(caught)
	}
	return err
}

// fault is the panic of another goroutine.
type fault struct {
	value any
	place string
	trace []byte
}

func (f *fault) Error() string { return fmt.Sprintf("%v\n%s", f.value, f.trace) }

// Run runs the command tree that root builds on a standard output, and gives the exit
// code. Ctrl-C cancels the context.
func Run(args []string, in io.Reader, out, errw io.Writer, root func(out io.Writer) *cobra.Command) int {
	ctx, stop := interruptible()
	defer stop()
	ctx = watch.With(ctx, &watch.Watch{})
	stdout := &output{w: out}
	plain := &plainWriter{w: stdout}
	cmd := root(plain)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetIn(in)
	cmd.SetOut(plain)
	cmd.SetErr(errw)
	cmd.SetArgs(args)
	cmd.SetFlagErrorFunc(FlagError)
	err := execute(ctx, cmd.ExecuteContext)
	plain.end()
	if err != nil {
		err = cmp.Or(UnknownCommand(cmd, args), err)
	}
	if err == nil {
		err = stdout.err
	}
	if err == nil {
		return ExitOK
	}
	var fault *passes.Internal
	if errors.As(err, &fault) {
		return internal(errw, cmd.Name(), strings.SplitN(err.Error(), "\n", 2)[0], []byte(err.Error()))
	}
	f := failureOf(ctx, err)
	if asJSON(cmd, args) {
		f.write(errw)
	} else {
		fmt.Fprintf(errw, "%s: %s\n", cmd.Name(), f.Message)
	}
	return f.Code
}

// canceled reports whether an error is that the command was told to end.
func canceled(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, context.Canceled)
}

// OneLine is the text of an error on one line.
func OneLine(err error) string {
	return Line(strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "\n", "; ")), " "))
}

// ExitCode is what an error of a command with that context ends the program with.
func ExitCode(ctx context.Context, err error) int {
	if err == nil {
		return ExitOK
	}
	if canceled(ctx, err) {
		return ExitInterrupted
	}
	var fault *passes.Internal
	if errors.As(err, &fault) {
		return ExitInternal
	}
	var c *CodeError
	if errors.As(err, &c) {
		return c.Code
	}
	var i *spikingir.InvalidError
	if errors.As(err, &i) {
		return ExitInvalid
	}
	var u *spikingir.UnsupportedError
	if errors.As(err, &u) {
		return ExitUnsupported
	}
	var d *spikingir.DifferenceError
	if errors.As(err, &d) {
		return ExitGate
	}
	return ExitUsage
}
