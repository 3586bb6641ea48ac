package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/passes"
)

// conversion is what convert is asked for.
type conversion struct {
	spikingir.Options
	passes, reader, out string
	tensors             *[]string // the files of --input
	dump                dumper
	verify, unchecked   bool
	dry                 bool          // nothing is written
	layers              []explanation // of a dry run
	tolerance           float64
	limits              limits
	recipe              error        // what is wrong with the settings, unless the model is spiking
	network             *graph.Model // as it was before a lowering that leaves no neurons; nil without one
}

func (c *conversion) add(f *pflag.FlagSet) {
	c.Settings = spikingir.DefaultSettings()
	s, d := &c.Settings, &c.Calibration
	f.StringVarP(&c.out, "output", "o", "", "the file to write")
	f.BoolVar(&c.dry, "dry-run", false, "convert and measure, and show what would become of each layer, but write nothing; the exit code is as without it")
	f.StringVar(&c.Recipe, "recipe", "spikingir", "conversion method: "+strings.Join(spikingir.Recipes(), ", "))
	f.StringVar(&c.passes, "passes", "", `passes to run instead of a recipe: "a,b{option=value}"; "" runs none`)
	f.IntVarP(&s.Timesteps, "timesteps", "T", s.Timesteps, "number of timesteps T that the network runs for: more are better, and cost time and energy")
	f.StringVar(&d.Dir, "calib", "", "folder of images that thresholds are set by, like those that the network will see; without it embedded ones are used")
	f.Float64Var(&s.Percentile, "percentile", s.Percentile, "percentile of the activations that becomes the threshold (default 99.9; two-phase below T = 24: 99; from T = 96 on: 99.99)")
	f.StringVar((*string)(&s.Over), "over", string(s.Over), "percentile over nonzero activations or all: nonzero, all; empty takes the recipe's")
	f.StringVar((*string)(&s.Per), "per", string(s.Per), "one threshold per layer or per channel; empty takes the recipe's")
	f.Float64Var(&s.V0, "v0", s.V0, "initial membrane potential in units of the threshold (default 0.25 for spikingir and two-phase; 0.5 for qcfs, ltb and other neurons with two phases; else 0)")
	f.StringVar((*string)(&s.Readout), "readout", "", "what is read of the last layer: cpm, rate, or membrane: its current, without an output neuron; empty takes the recipe's")
	f.BoolVar(&s.Paper, "paper", false, "the settings of the recipe's publication where others measured better: spikingir with one threshold a layer and v0 = 0, and the 99.9th percentile at any T")
	f.Float64Var(&s.Beta, "beta", s.Beta, "MPRN: alpha = 0.5*sigmoid(beta)+0.5 of the post step")
	f.StringVar((*string)(&s.Currents), "currents", string(s.Currents),
		"layers that read sums of layers, with no activation between: keep them multiplying in full at every step, or spike: neurons in front of them")
	f.StringVar((*string)(&s.Analog), "analog", string(s.Analog), "what cannot be spiking: refuse, or keep it analog")
	f.BoolVar(&s.Unit, "absorb-scales", false, "unit form: thresholds 1, scales in the weights")
	f.BoolVar(&s.Exact, "exact", false, "unit form, in which all numbers are multiples of powers of two: every runtime gives the same bits")
	f.StringVar((*string)(&s.Lower), "lower", string(s.Lower), "form of the spiking operators: functions, flat, unrolled, none; two-phase: counts, qdq")
	addOpset(f, &s.Opset)
	f.StringVar((*string)(&s.Schedule), "schedule", "", "when neurons fire: lockstep, two-phase; empty takes the recipe's")
	f.IntVar(&s.WeightBits, "weight-bits", s.WeightBits, "bits of the weights behind spikes: 8 or 12, which rounds them in the file, or 16; the form qdq takes 8 (default 12; 16 for neurons that start at 0 or send several spikes a step)")
	f.StringVar(&c.reader, "reader", "onnx", "model reader: onnx, onnx-go")
	addTask(f, &d.Task)
	addLimit(f, d)
	c.tensors = addInput(f, "", &d.Inputs, &c.Inputs, "task pairs: folder of inputs to calibrate on")
	f.StringVar(&d.Targets, "target", "", "task pairs: folder of targets")
	addBudget(f, &c.MemoryLimit, "constants that are folded, and what lies between input and output of a calibrated network,")
	c.dump.add(f)
	f.StringVar(&c.StopAfter, "stop-after", "", "pass to stop after; the model is written as it is then")
	f.BoolVar(&c.verify, "verify-each", false, "run the model before and after each pass on seeded inputs; the first pass that changes results without saying so ends in exit code 4")
	f.Float64Var(&c.tolerance, "tolerance", 1e-4, "with --verify-each, the largest difference allowed")
	f.BoolVar(&c.unchecked, "no-check", false, fmt.Sprintf("do not try what was converted on %d calibration images; OUT does not state firing rates and energy then", checkedImages))
	c.limits.addMeasured(f, "MODEL", ", measured on the calibration images before OUT is written")
}

func (a *app) convertCmd() *cobra.Command {
	c := &conversion{}
	cmd := &cobra.Command{
		Use:   "convert MODEL -o OUT",
		Short: "Turn an ONNX model into a spiking ONNX model",
		Long: `convert makes integrate-and-fire neurons of the activations of a CNN (ReLU, LeakyReLU,
PReLU, ReLU6), which then runs for T timesteps. The threshold of each neuron is a high
percentile of what its activation gives on the images of --calib, degraded as --task says:
take images like those that the network will see, and not those that it is measured on.

More timesteps give better images and take more time and energy. Layers that no neuron
can stand in are refused by name, or stay as they are with --analog keep. In the end the
network is tried on a few of the images, beside MODEL; where it is no good, what would help
is said. A spiking network is not converted again, but written in another form (lower does the same).`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.out == "" && !c.dry {
				return fmt.Errorf("convert: --output is missing, want a file to write, or --dry-run")
			}
			if err := c.check(cmd.Flags()); err != nil {
				return err
			}
			gates := len(c.limits.flags()) > 0
			if err := a.wantGate(c.verify || gates, "--verify-each, --assert-agreement, --assert-rate or --assert-energy-ratio"); err != nil {
				return err
			}
			return a.convertFile(cmd, args[0], c)
		},
	}
	c.add(cmd.Flags())
	return cmd
}

// convertFile converts the model of a file and writes what it becomes, or with --dry-run only
// says so.
func (a *app) convertFile(cmd *cobra.Command, path string, c *conversion) error {
	var in cli.Inputs
	in.Add(path)
	in.Add(*c.tensors...)
	in.AddFolders(c.Calibration.Dir, c.Calibration.Inputs, c.Calibration.Targets)
	c.Cluster = a.cluster
	switch {
	case a.cluster.Rank() > 0: // process 0 writes
		c.dump = dumper{}
	case c.out != "":
		if err := in.CheckOutput(c.out); err != nil {
			return err
		}
	}
	m, err := a.load(path, c.reader)
	if err != nil {
		return err
	}
	in.AddModels(m)
	if err := in.Check(c.out); err != nil {
		return err
	}
	if c.Pipeline == nil {
		if err := a.raise(path, m); err != nil {
			return err
		}
	}
	if err := c.checkForm(cmd.Flags(), m); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	a.takeInput(path, m, &c.Calibration.Task)
	var ann *graph.Model // a conversion leaves nothing of it
	if !spikingir.Spiking(m) {
		ann = m.Clone()
	}
	s := &summary{Model: path, Output: c.out, DryRun: c.dry}
	if s.Conversion, err = a.convert(cmd.Context(), m, c); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := a.measure(cmd.Context(), s, ann, m, c); err != nil {
		return err
	}
	if s.Measured != nil {
		if err := s.Measured.record.Put(m); err != nil {
			return err
		}
	}
	switch {
	case c.dry:
		err = c.takeLayers(m)
		s.Layers = c.layers
	case a.cluster.Rank() > 0:
		return nil
	default:
		if err = spikingir.Write(c.out, m); err != nil {
			err = cli.Writing(c.out, err)
		}
	}
	if err != nil {
		return err
	}
	if err := a.printSummary(s, c.spiking(m)); err != nil || s.Measured == nil {
		return err
	}
	a.warnChecked(s.Measured, c, s.Conversion)
	return nil
}

// ahead is the hook before a pass. In front of the pass that writes the network in another form it takes
// the layers for a dry run, and keeps the network where its neurons go, for spikes are counted at
// them.
func (c *conversion) ahead(a *app) func(int, passes.Step, *graph.Model) error {
	before := c.dump.ahead(a)
	return func(index int, s passes.Step, m *graph.Model) error {
		if c.dry && strings.HasPrefix(s.Pass.Name, "lower-") {
			if err := c.takeLayers(m); err != nil {
				return err
			}
		}
		if slices.Contains(plainForms, s.Pass.Name) && (!c.unchecked || len(c.limits.flags()) > 0) {
			c.network = m.Clone()
		}
		if before == nil {
			return nil
		}
		return before(index, s, m)
	}
}

// takeLayers notes the neurons and layers of a model, unless that is done.
func (c *conversion) takeLayers(m *graph.Model) (err error) {
	if c.layers == nil {
		c.layers, err = explain(m, "")
	}
	return err
}

// addOpset adds the flag of the opset that a form is said in.
func addOpset(f *pflag.FlagSet, opset *int) {
	f.IntVar(opset, "target-opset", 0, "opset of the standard operators, 9 to 24; functions from 16 on, qdq from 13 (default the model's, 17 at least)")
}

// checkOpset refuses 0, which the settings take for none.
func checkOpset(f *pflag.FlagSet, opset int) error {
	if f.Changed("target-opset") && opset == 0 {
		return fmt.Errorf("--target-opset 0, want 9 to 24")
	}
	return nil
}

// recipeFlags are the settings of recipes; a list of passes states its own.
var recipeFlags = []string{"recipe", "timesteps", "percentile", "over", "per", "v0", "readout", "paper", "beta", "analog", "currents",
	"absorb-scales", "exact", "lower", "schedule", "target-opset", "weight-bits"}

// conversionFlags are those that say how neurons are made.
var conversionFlags = []string{"recipe", "timesteps", "percentile", "over", "per", "v0", "readout", "paper", "beta", "analog", "currents", "schedule",
	"calib", "task", "assert-agreement", "assert-rate", "assert-energy-ratio"}

// checkForm refuses flags of a conversion for a model that is a spiking network already, and
// for any other what is of no conversion.
func (c *conversion) checkForm(f *pflag.FlagSet, m *graph.Model) error {
	if c.Pipeline != nil || !spikingir.Spiking(m) {
		return c.recipe
	}
	c.Rewrite = f.Changed("lower")
	for _, name := range conversionFlags {
		if f.Changed(name) {
			return fmt.Errorf("--%s is of a conversion, and the model is a spiking network already; convert the network it was made from, "+
				"or write this one in another form: lower --to FORM, or convert by nothing but --lower, --target-opset, --absorb-scales, --exact and --weight-bits", name)
		}
	}
	return nil
}

// checkGiven finds what is wrong with flags whose zero the settings take for a flag that was not given.
func (c *conversion) checkGiven(f *pflag.FlagSet) error {
	if f.Changed("timesteps") {
		if err := checkTimesteps([]int{c.Settings.Timesteps}); err != nil {
			return err
		}
	}
	if f.Changed("calib") {
		if err := checkCalib(c.Calibration.Dir); err != nil {
			return err
		}
	}
	if f.Changed("v0") {
		if c.Settings.V0 < 0 {
			return fmt.Errorf("--v0 %g, want 0 to 1", c.Settings.V0)
		}
		if c.Settings.V0 == 0 {
			c.Settings.V0 = spikingir.NoV0
		}
	}
	if f.Changed("percentile") && c.Settings.Percentile < 1 {
		return fmt.Errorf("--percentile %g, want 1 to 100", c.Settings.Percentile)
	}
	return nil
}

// check finds what is wrong with the flags before a model is read.
func (c *conversion) check(f *pflag.FlagSet) error {
	listed := f.Changed("passes")
	for _, name := range recipeFlags {
		if listed && f.Changed(name) {
			return fmt.Errorf("--%s is a recipe's and --passes takes none: write it as an option, pass{option=value}", name)
		}
	}
	if err := c.checkGiven(f); err != nil {
		return err
	}
	if err := checkOpset(f, c.Settings.Opset); err != nil {
		return err
	}
	p, err := spikingir.Recipe(c.Recipe, c.Settings)
	if listed {
		p, err = spikingir.ParsePipeline(c.passes)
		c.Pipeline = p
	} else if err != nil && !slices.ContainsFunc(conversionFlags, f.Changed) {
		c.recipe = err
		p, err = spikingir.Rewriting(c.Settings)
	}
	if err != nil {
		return err
	}
	if c.StopAfter != "" {
		if p, err = p.Until(c.StopAfter); err != nil {
			return fmt.Errorf("--stop-after %s: %w", c.StopAfter, err)
		}
	}
	if err := c.dump.check(p); err != nil {
		return err
	}
	if err := c.checkLimits(); err != nil {
		return err
	}
	if f.Changed("tolerance") && !c.verify {
		return fmt.Errorf("--tolerance is of --verify-each, which is not given")
	}
	if !(c.tolerance >= 0) {
		return fmt.Errorf("--tolerance %g, want 0 or more", c.tolerance)
	}
	return checkTask(&c.Calibration)
}

// checkCalib refuses a folder of calibration images that is none, or has nothing in it.
func checkCalib(dir string) error {
	what := "--calib is empty"
	if dir != "" {
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) > 0 {
			return nil // what else is wrong is said where the images are read
		}
		what = fmt.Sprintf("--calib %s: there is nothing in the folder", dir)
	}
	return fmt.Errorf("%s, want images like those that the network will see; without --calib, embedded ones are used", what)
}

// summary is what convert reports.
type summary struct {
	Model  string `json:"model"`
	Output string `json:"output"`
	DryRun bool   `json:"dry_run,omitempty"` // nothing was written
	*spikingir.Conversion
	Measured *measured `json:"measured,omitempty"`
	// Layers is what neurons and layers would be, of a dry run.
	Layers []explanation `json:"layers,omitempty"`
}

// convert runs the passes over m in place.
func (a *app) convert(ctx context.Context, m *graph.Model, c *conversion) (*spikingir.Conversion, error) {
	step, end := a.Progress("calibrating")
	defer end()
	d := &c.Calibration
	told := d.Dir != "" || d.Task.Kind == spikingir.Pairs
	c.Progress = func(done, total int) {
		if !told {
			a.Warnf("no --calib: thresholds come from %d embedded images; calibrate on images of your own for real use", total)
		}
		told = true
		step(done, total)
	}
	d.Seed, c.Threads, c.Before, c.After, c.Log = a.Seed, a.Threads, c.ahead(a), c.dump.after(a), a.log()
	var checks []spikingir.PassCheck
	if c.verify {
		c.Check = &spikingir.Check{Tolerance: c.tolerance, Told: func(p spikingir.PassCheck) {
			checks = append(checks, p)
			a.tellCheck(p)
		}}
	}
	r, err := spikingir.Convert(ctx, m, c.Options)
	var found *spikingir.DifferenceError
	errors.As(err, &found)
	a.checkPasses("verify-each", checks, found)
	return r, err
}

// tellCheck tells a check where notes are told.
func (a *app) tellCheck(p spikingir.PassCheck) {
	if !a.Quiet {
		fmt.Fprintln(a.Err, checkLine(p))
	}
}

func (a *app) printSummary(s *summary, m *graph.Model) error {
	if a.format == "json" {
		return a.json(s)
	}
	if a.Quiet {
		return nil
	}
	for _, n := range s.Notes {
		fmt.Fprintln(a.Err, "note: "+cli.Line(n))
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
	if s.Timing != nil {
		what += ", " + s.Timing.String()
	}
	if s.SpikeShare > 0 {
		what += fmt.Sprintf(", %.1f %% of the multiply-accumulates driven by spikes", 100*s.SpikeShare)
	}
	if s.CurrentShare > 0 {
		what += fmt.Sprintf(", %.1f %% in full at every step, in layers that read sums of layers without an activation", 100*s.CurrentShare)
	}
	if s.DryRun {
		fmt.Fprintf(a.out, "%s: %s; a dry run, nothing is written\n", s.Model, what)
		a.printLayers(s.Layers, nil, false)
	} else {
		fmt.Fprintf(a.out, "%s -> %s: %s\n", s.Model, s.Output, what)
	}
	if s.Measured != nil {
		fmt.Fprintln(a.out, s.Measured)
		a.printChecked(s.Measured, m)
	}
	return nil
}
