package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/passes/recipes"
)

// conversion is what convert is asked for.
type conversion struct {
	taskFlags
	settings recipes.Settings
	recipe   string
	passes   string
	hasList  bool
	calib    string
	reader   string
	dump     dumper
}

func (c *conversion) add(cmd *cobra.Command) {
	f := cmd.Flags()
	c.settings = recipes.Defaults()
	f.StringVar(&c.recipe, "recipe", "spikingir", "conversion method: "+strings.Join(recipes.Names(), ", "))
	f.StringVar(&c.passes, "passes", "", `passes to run instead of a recipe: "a,b{option=value}"; "" runs none`)
	f.IntVarP(&c.settings.Timesteps, "timesteps", "T", c.settings.Timesteps, "timesteps T")
	f.StringVar(&c.calib, "calib", "", "folder of calibration images; without it embedded ones are used")
	f.Float64Var(&c.settings.Percentile, "percentile", c.settings.Percentile, "percentile of the activations that becomes the threshold")
	f.StringVar((*string)(&c.settings.Over), "over", string(c.settings.Over), "percentile over nonzero activations or all: nonzero, all")
	f.StringVar((*string)(&c.settings.Per), "per", string(c.settings.Per), "one threshold per layer or per channel; empty takes the recipe's")
	f.Float64Var(&c.settings.V0, "v0", c.settings.V0, "initial membrane potential in units of the threshold")
	f.Float64Var(&c.settings.Beta, "beta", c.settings.Beta, "MPRN: alpha = 0.5*sigmoid(beta)+0.5 of the post step")
	f.StringVar((*string)(&c.settings.Analog), "analog", string(c.settings.Analog), "what cannot be spiking: refuse, or keep it analog")
	f.BoolVar(&c.settings.Unit, "absorb-scales", false, "unit form: thresholds 1, scales in the weights")
	f.StringVar((*string)(&c.settings.Lower), "lower", string(c.settings.Lower), "form of the spiking operators: functions, flat, none")
	f.StringVar(&c.reader, "reader", "onnx", "model reader: onnx, onnx-go")
	c.taskFlags.add(f)
	f.StringVar(&c.input, "input", "", "task pairs: folder of inputs to calibrate on")
	f.StringVar(&c.target, "target", "", "task pairs: folder of targets")
	c.dump.add(f)
}

func (a *app) convertCmd() *cobra.Command {
	c := &conversion{}
	var out string
	cmd := &cobra.Command{
		Use:   "convert MODEL -o OUT",
		Short: "Turn an ONNX model into a spiking ONNX model",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return fmt.Errorf("convert: --output is missing, want a file to write")
			}
			c.hasList = cmd.Flags().Changed("passes")
			if err := c.check(cmd.Flags()); err != nil {
				return err
			}
			if err := cli.CheckOutput(out, args[0]); err != nil {
				return err
			}
			m, err := a.load(args[0], c.reader)
			if err != nil {
				return err
			}
			s, err := a.convert(cmd.Context(), args[0], m, c)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if err := spikingir.Write(out, m); err != nil {
				return cli.Writing(out, err)
			}
			s.Output = out
			return a.printSummary(s)
		},
	}
	c.add(cmd)
	cmd.Flags().StringVarP(&out, "output", "o", "", "the file to write")
	return cmd
}

// recipeFlags are the settings of recipes; a list of passes states its own.
var recipeFlags = []string{"recipe", "timesteps", "percentile", "over", "per", "v0", "beta", "analog",
	"absorb-scales", "lower"}

// check finds what is wrong with the flags before a model is read.
func (c *conversion) check(f *pflag.FlagSet) error {
	for _, name := range recipeFlags {
		if c.hasList && f.Changed(name) {
			return fmt.Errorf("--%s is a recipe's and --passes takes none: write it as an option, pass{option=value}", name)
		}
	}
	p, err := c.pipeline()
	if err != nil {
		return err
	}
	if err := c.dump.check(p); err != nil {
		return err
	}
	_, err = c.task(0)
	return err
}

// summary is what convert reports.
type summary struct {
	Model  string `json:"model"`
	Output string `json:"output"`
	*spikingir.Conversion
}

// convert runs the passes over m in place.
func (a *app) convert(ctx context.Context, path string, m *graph.Model, c *conversion) (*summary, error) {
	o := spikingir.Options{Recipe: c.recipe, Settings: c.settings, Calibration: c.images(c.calib, a.Seed),
		Threads: a.Threads, After: c.dump.after(a, m), Log: a.log()}
	if c.hasList {
		var err error
		if o.Pipeline, err = c.pipeline(); err != nil {
			return nil, err
		}
	}
	step, end := a.Progress("calibrating")
	defer end()
	told := c.calib != "" || c.kind == string(spikingir.Pairs)
	o.Progress = func(done, total int) {
		if !told {
			a.Warnf("no --calib: thresholds come from %d embedded images; calibrate on images of your own for real use", total)
		}
		told = true
		step(done, total)
	}
	r, err := spikingir.Convert(ctx, m, o)
	return &summary{Model: path, Conversion: r}, err
}

// pipeline is the passes asked for.
func (c *conversion) pipeline() (spikingir.Pipeline, error) {
	if c.hasList {
		return spikingir.ParsePipeline(c.passes)
	}
	return spikingir.Recipe(c.recipe, c.settings)
}

func (a *app) printSummary(s *summary) error {
	if a.format == "json" {
		return a.json(s)
	}
	if a.Quiet {
		return nil
	}
	for _, n := range s.Notes {
		fmt.Fprintln(a.Err, "note: "+n)
	}
	what := fmt.Sprintf("%d neuron layers, T = %d", len(s.Neurons), s.Timesteps)
	switch {
	case s.Pipeline == "":
		what = "unchanged"
	case len(s.Neurons) == 0:
		what = "no neurons"
	case s.Timesteps == 0:
		what = fmt.Sprintf("%d neuron layers, not timed", len(s.Neurons))
	}
	fmt.Fprintf(a.out, "%s -> %s: %s\n", s.Model, s.Output, what)
	return nil
}
