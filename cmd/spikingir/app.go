package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"spikingir/passes"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel"
)

// The exit codes; they are a contract.
const (
	exitOK          = 0
	exitUsage       = 1   // usage, input or output
	exitInvalid     = 2   // the model is not a valid one
	exitUnsupported = 3   // the model's structure cannot be converted or run
	exitGate        = 4   // a gate failed, models differ, or training diverged
	exitInterrupted = 130 // Ctrl-C
)

// codeError carries an exit code with an error.
type codeError struct {
	code int
	err  error
}

func (e *codeError) Error() string { return e.err.Error() }
func (e *codeError) Unwrap() error { return e.err }

// invalid marks an error as the model's fault.
func invalid(err error) error { return &codeError{exitInvalid, err} }

// unsupported marks an error as a structure that cannot be handled.
func unsupported(err error) error { return &codeError{exitUnsupported, err} }

// app is what the subcommands share: the streams and the common flags.
type app struct {
	in     io.Reader
	out    io.Writer
	err    io.Writer
	format string
	quiet  bool
	debug  bool
	thread int
	seed   uint64
	// precision is the value of --precision: fixed or float32.
	precision string

	pool *kernel.Pool
}

// run is the program: it never calls os.Exit.
func run(args []string, in io.Reader, out, errw io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	stdout := &output{w: out}
	a := &app{in: in, out: stdout, err: errw}
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if a.pool != nil {
		a.pool.Close()
	}
	if err == nil {
		err = stdout.err
	}
	if err == nil {
		return exitOK
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintln(errw, "spikingir: interrupted; no file is left half written")
		return exitInterrupted
	}
	fmt.Fprintln(errw, "spikingir: "+oneLine(err))
	return exitCode(err)
}

// oneLine keeps an error on one line.
func oneLine(err error) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "\n", "; ")), " ")
}

func exitCode(err error) int {
	var c *codeError
	if errors.As(err, &c) {
		return c.code
	}
	var u *passes.Unsupported
	if errors.As(err, &u) {
		return exitUnsupported
	}
	return exitUsage
}

// root builds the command tree.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "spikingir",
		Short: "Turn image-restoration CNNs in ONNX into spiking networks in ONNX",
		Long: `spikingir reads an image-restoration CNN in ONNX, turns it by passes into a
spiking neural network (SpikingIR, AAAI 2026), runs and measures it, and writes
it as ONNX that other runtimes execute.

Exit codes: 0 ok; 1 usage, input or output; 2 invalid model; 3 unsupported
structure; 4 a gate failed, models differ or training diverged; 130 interrupted.`,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	f := root.PersistentFlags()
	f.StringVar(&a.format, "format", "text", "output format: text or json")
	f.IntVar(&a.thread, "threads", 0, "threads; 0 takes every core")
	f.StringVar(&a.precision, "precision", "fixed", "numbers that spiking layers are computed in: fixed (whole numbers, the same bits on every machine) or float32")
	f.Uint64Var(&a.seed, "seed", 0, "seed of all randomness")
	f.BoolVar(&a.quiet, "quiet", false, "no progress, notes or summaries, only errors and measured data")
	f.BoolVar(&a.debug, "debug", false, "log what each pass does")
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return a.check() }
	root.AddCommand(a.inspectCmd(), a.passesCmd(), a.convertCmd(), a.runCmd(), a.evalCmd(),
		a.finetuneCmd(), a.diffCmd(), a.verifyCmd(), a.benchCmd(), a.demoCmd(), a.resultsCmd())
	completions(root)
	return root
}

func (a *app) check() error {
	if a.format != "text" && a.format != "json" {
		return fmt.Errorf("--format %s, want text or json", a.format)
	}
	if a.thread < 0 || a.thread > 1024 {
		return fmt.Errorf("--threads %d, want 0 to 1024", a.thread)
	}
	if a.precision != "fixed" && a.precision != "float32" {
		return fmt.Errorf("--precision %s, want fixed or float32", a.precision)
	}
	return kernel.EnvError()
}

// numbers is what spiking layers are computed in.
func (a *app) numbers() exec.Precision {
	if a.precision == "float32" {
		return exec.Float32
	}
	return exec.FixedPoint
}

// kernels is the pool that all work runs on.
func (a *app) kernels() *kernel.Pool {
	if a.pool == nil {
		a.pool = kernel.NewPool(a.thread)
	}
	return a.pool
}

func (a *app) log() *slog.Logger {
	level := slog.LevelWarn
	switch {
	case a.quiet:
		level = slog.LevelError
	case a.debug:
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(_ []string, at slog.Attr) slog.Attr {
			if at.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return at
		},
	}))
}

// warnf tells the user something that is not an error.
func (a *app) warnf(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.err, "spikingir: "+format+"\n", args...)
	}
}

// json writes v as indented JSON to standard output.
func (a *app) json(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
