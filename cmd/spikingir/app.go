package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/cmd/internal/gate"
	"spikingir/runtime/cluster"
)

// app is what the subcommands share: the streams and the common flags.
type app struct {
	cli.Common
	out     io.Writer // for text
	stdin   io.Reader
	stdout  io.Writer // for what is no text
	format  string
	debug   bool
	verdict gate.Verdict // of the command
	// reading is the bytes that a model may take when it is read, as [spikingir.ReadWithin] has it.
	reading int64
	// ctx is the context of the command, which reading a model heeds wherever it is done;
	// nil before there is one.
	ctx context.Context
	// cluster is the processes that work together, as a rule this one alone, and idle says that
	// this one has no part in the command.
	cluster cluster.Comm
	idle    bool
	// completing says that a shell asks what may come next.
	completing bool
}

func (a *app) context() context.Context {
	if a.ctx == nil {
		return context.Background()
	}
	return a.ctx
}

// run is the program in one process: it never calls os.Exit.
func run(args []string, in io.Reader, out, errw io.Writer) int {
	return runIn(cluster.Alone, args, in, out, errw)
}

// runIn is the program in one of several processes.
func runIn(c cluster.Comm, args []string, in io.Reader, out, errw io.Writer) int {
	a := &app{Common: cli.Common{Name: "spikingir", Err: errw}, stdin: in, stdout: out, cluster: c}
	a.completing = len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd)
	defer a.Close()
	code := cli.Run(args, in, out, errw, func(out io.Writer) *cobra.Command {
		a.out = out
		return a.root()
	})
	if a.idle {
		return cli.ExitOK
	}
	return code
}

// root builds the command tree.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "spikingir",
		Short: "Turn image-restoration CNNs in ONNX into spiking networks in ONNX",
		Long: `spikingir reads an image-restoration CNN in ONNX, as PyTorch exports it, turns it
into a spiking neural network of the same layers (SpikingIR, AAAI 2026), runs and
measures it, trains it, and writes it as ONNX that other runtimes execute.

Exit codes: 0 ok; 1 usage, input or output; 2 invalid model; 3 unsupported
structure; 4 a gate failed, models differ or training diverged; 70 a fault of the
program; 130 interrupted. With --format json an error is one JSON object on
standard error.`,
		Example: `  # can it be converted, and what would come of it?
  spikingir inspect model.onnx

  # convert it, and measure it beside the network that it was made of
  spikingir convert model.onnx -o spiking.onnx -T 10 --calib photos/ --task denoise --sigma 25
  spikingir eval spiking.onnx --ref model.onnx --data test/

  # train it to get back what the conversion cost
  spikingir finetune spiking.onnx -o tuned.onnx --data train/ --max-minutes 60`,
		Version: spikingir.Version,
	}
	f := root.PersistentFlags()
	f.StringVar(&a.format, "format", "text", "output format: text or json, errors too; of commands with gates junit or sarif, of eval csv, of diff html")
	a.AddFlags(f)
	f.BoolVar(&a.debug, "debug", false, "log what each pass does")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		a.ctx = cmd.Context()
		a.Watch(a.ctx)
		return cmp.Or(a.joins(cmd), checkFormat(cmd, a.format), a.Check())
	}
	root.AddCommand(a.judging(a.inspectCmd()), a.passesCmd(), shared(a.judging(a.convertCmd())), a.lowerCmd(), shared(a.runCmd()), shared(a.judging(a.evalCmd())),
		shared(a.finetuneCmd()), a.judging(a.diffCmd()), a.judging(a.verifyCmd()), a.judging(a.bisectCmd()), a.explainCmd(), a.reportCmd(), a.judging(a.exportCmd()), a.benchCmd(), a.demoCmd(), a.manCmd())
	root.SetOut(a.out) // which the command completion takes as it is now
	completions(root)
	if a.completing {
		offerChoices(root)
	}
	describe(root)
	group(root)
	return root
}

func (a *app) log() *slog.Logger {
	level := slog.LevelWarn
	switch {
	case a.Quiet:
		level = slog.LevelError
	case a.debug:
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(a.Err, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(_ []string, at slog.Attr) slog.Attr {
			if at.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return at
		},
	}))
}

// json writes v as indented JSON to standard output.
func (a *app) json(v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := a.out.Write(cli.JSON(b.Bytes()))
	return err
}
