package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/onnxio"
	"spikingir/passes"
	"spikingir/passes/recipes"
	"spikingir/passes/standard"
	"spikingir/runtime/dataset"
	"spikingir/runtime/eval"
)

// version is the program's own; it is written into converted models.
const version = "0.1.0"

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
	builtin  bool // calibrates on the embedded images on purpose
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
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			if err := onnxio.WriteFile(out, m); err != nil {
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
	Model     string   `json:"model"`
	Output    string   `json:"output"`
	Recipe    string   `json:"recipe,omitempty"`
	Pipeline  string   `json:"pipeline"`
	Timesteps int64    `json:"timesteps"`
	Neurons   []string `json:"neurons"`
	Images    int      `json:"calibration_images"`
	Calib     string   `json:"calibration_sha256,omitempty"`
	Notes     []string `json:"notes"`
}

// convert runs the pipeline over m in place.
func (a *app) convert(ctx context.Context, path string, m *graph.Model, c *conversion) (*summary, error) {
	p, err := c.pipeline()
	if err != nil {
		return nil, err
	}
	if !c.hasList && spiking(m) {
		return nil, cli.Unsupported(fmt.Errorf("the model is a spiking network already; convert the network it was made from"))
	}
	s := &summary{Model: path, Pipeline: p.String(), Notes: []string{}, Neurons: []string{}}
	if len(p) == 0 {
		return s, nil
	}
	channels := 0
	if ports, err := eval.PortsOf(m.Graph); err == nil {
		channels = ports.Channels
	}
	set, err := a.calibrationSet(c.calib, &c.taskFlags, channels)
	if err != nil {
		return nil, err
	}
	if c.calib == "" && c.kind != string(dataset.Pairs) && !c.builtin && needsCalibration(p) {
		a.Warnf("no --calib: thresholds come from %d embedded images; calibrate on images of your own for real use", set.Len())
	}
	var stats *graph.Stats
	s.neurons(m)
	dump := c.dump.after(a, m)
	reports, err := p.Run(m, passes.Options{
		Calibrate: a.calibrator(ctx, set, &stats),
		Evaluate:  a.evaluate,
		Log:       a.log(),
		After: func(r passes.Report, m *graph.Model) error {
			s.neurons(m)
			if dump == nil {
				return nil
			}
			return dump(r, m)
		},
	})
	if err != nil {
		return nil, err
	}
	for _, r := range reports {
		for _, n := range r.Notes {
			s.Notes = append(s.Notes, n.String())
		}
	}
	c.describe(a, m, s, set, stats)
	return s, nil
}

// pipeline is the passes asked for.
func (c *conversion) pipeline() (passes.Pipeline, error) {
	if c.hasList {
		return passes.Parse(c.passes, standard.Passes())
	}
	return recipes.New(c.recipe, c.settings)
}

func needsCalibration(p passes.Pipeline) bool {
	for _, s := range p {
		if s.Pass.Name == "normalize-thresholds" {
			return true
		}
	}
	return false
}

// neurons notes the neurons of m, unless a lowering has left none to see.
func (s *summary) neurons(m *graph.Model) {
	var list []string
	for n := range m.Graph.Nodes() {
		if op.IsNeuron(n) {
			list = append(list, n.Op().Type+" "+n.OriginLabel())
			t, _ := graph.Get(n.Attrs, "timesteps", graph.Int(0))
			s.Timesteps = int64(t)
		}
	}
	if list != nil {
		s.Neurons = list
	}
}

// describe writes what was done into the model's metadata and the summary.
func (c *conversion) describe(a *app, m *graph.Model, s *summary, set *calibration, stats *graph.Stats) {
	if len(s.Neurons) == 0 {
		return
	}
	put := m.Metadata.Set
	put(graph.MetaVersion, version)
	if !c.hasList {
		s.Recipe = c.recipe
		put(graph.MetaRecipe, c.recipe)
	}
	put(graph.MetaPipeline, s.Pipeline)
	put(graph.MetaTimesteps, strconv.FormatInt(s.Timesteps, 10))
	if m.Source != nil {
		put(graph.MetaSource, hex.EncodeToString(m.Source.SHA256[:]))
	}
	if stats != nil {
		s.Images, s.Calib = stats.Images, stats.SHA256
		put(graph.MetaCalib, stats.SHA256)
		put(graph.MetaCalibImages, strconv.Itoa(stats.Images))
		put(graph.MetaTask, set.task)
	}
	put(graph.MetaSeed, strconv.FormatUint(a.Seed, 10))
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
