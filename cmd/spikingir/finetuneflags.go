package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/runtime/cluster"
	"spikingir/runtime/train/checkpoint"
)

// tuning is what finetune is asked for.
type tuning struct {
	spikingir.FinetuneOptions
	path, ref     string
	tensors       *[]string // the files of --input
	stages, rates string
	rate          float64            // of all stages; 0: the default
	rateOf        map[string]float64 // by stage
}

func (t *tuning) add(f *pflag.FlagSet) {
	t.FinetuneOptions = spikingir.DefaultFinetune()
	o := &t.FinetuneOptions
	f.StringVarP(&o.Output, "output", "o", "", "the file to write")
	addTask(f, &o.Data.Task)
	t.tensors = addFolders(f, &o.Data, &o.Inputs)
	addOutputName(f, &o.OutputName)
	f.StringVar(&o.HazeClear, "haze-clear", "", "dehaze: folder of clear images to synthesise haze over")
	f.Float64Var(&o.HazeShare, "haze-share", 0, "dehaze: share of patches with synthetic haze, 0 to 1 (default 0.5)")
	f.Float64SliceVar(&o.SigmaRange, "sigma-range", nil, "denoise: A,B draws the noise of each patch between these; validation takes --sigma")
	f.StringVar(&t.ref, "ref", "", "the ANN that is aimed at (teacher); without it, MODEL's own weights with ReLUs for neurons, which is right until it is fine-tuned")
	f.StringVar(&t.stages, "stages", "", "what is done, in order: calibrate, and NAME=STEPS or NAME=PERCENT% for rates, rate-backward, spikes, ann (default calibrate,spikes=100%; two-phase: calibrate,rates=100%; for an ANN ann)")
	f.IntVar(&o.CalibratePatches, "calibrate-patches", o.CalibratePatches, "patches that the stage calibrate measures")
	f.Float64Var(&o.CalibrateRidge, "calibrate-ridge", o.CalibrateRidge, "how much the stage calibrate holds on to the weights that were")
	f.IntVar(&o.Steps, "steps", 0, "steps that the percentages of --stages are of; without it, they are of the time")
	f.Float64Var(&o.MaxMinutes, "max-minutes", 0, "stop after that time, over all sessions; 0 for any (default 60 where no number of steps is given)")
	addBudget(f, &o.MemoryLimit, "the patches of all threads, and constants that are folded,")
	f.IntVar(&o.Patience, "patience", o.Patience, "validations in a row without a better network, after which the run ends; 0 goes on to the last step")
	f.IntVar(&o.Batch, "batch", o.Batch, "patches of a step (default 4, or one for each micro-batch where these are more, up to 16)")
	f.IntVar(&o.MicroBatches, "micro-batches", 0, "parts of a batch that are summed apart, on which the result depends; 0 for one for each thread (of all processes under mpirun)")
	f.IntVar(&o.Patch, "patch", o.Patch, "side of a patch in pixels of the target (dehaze: 64)")
	f.StringVar(&t.rates, "rate", "", "learning rate, or NAME=RATE,... by stage (default 1e-4; muon 2e-4; two-phase 3e-4; dehaze 1e-5)")
	f.StringVar((*string)(&o.Schedule), "schedule", string(o.Schedule), "learning rate within a stage: cosine or constant")
	f.Float64Var(&o.RateFloor, "rate-floor", o.RateFloor, "learning rate that a cosine ends at; not above a hundredth of --rate")
	f.IntVar(&o.WarmUp, "warm-up", o.WarmUp, "first steps of a stage, over which its learning rate rises; half of it at most")
	f.StringVar((*string)(&o.Loss), "loss", string(o.Loss), "distance to the target: mse, l1, charbonnier or psnr (mse in dB, patch by patch; dehaze: psnr)")
	f.StringVar(&o.Optimizer, "optimizer", o.Optimizer, "adam, adamw or muon (default muon for spiking networks, for an ANN adam, or adamw where weights decay)")
	f.Float64Var(&o.WeightDecay, "weight-decay", o.WeightDecay, "adamw, muon: decay of weights")
	f.Float64Var(&o.Clip, "clip", o.Clip, "greatest norm of a gradient; 0 for any")
	f.Float64Var(&o.Average, "average", o.Average, "decay of an exponential average of the weights, which is what is measured and written; 0 for none")
	f.Float64Var(&o.EnergyWeight, "energy-weight", o.EnergyWeight, "weight k of the energy loss, which grows from 0 to k as the run goes on")
	f.Float64Var(&o.DistillOutput, "distill-output", o.DistillOutput, "share of the loss that is against the ANN's output in the place of the target, 0 to 1 (dehaze, and an ANN without --ref: 0)")
	f.Float64Var(&o.DistillFeatures, "distill-features", o.DistillFeatures, "weight of the distance of hidden rates to the ANN's activations")
	f.IntVar(&o.WeightBits, "weight-bits", 0, "bits that the weights behind spikes are rounded to while they are trained; 0 for those of convert --weight-bits")
	f.BoolVar(&o.Snap, "snap", false, "measure and write the network in the exact form, so that every runtime gives the same bits")
	f.BoolVar(&o.TrainThresholds, "train-thresholds", false, "train thresholds too")
	f.BoolVar(&o.TrainV0, "train-v0", false, "train initial potentials too")
	f.BoolVar(&o.TrainV0, "train-rest", false, "--train-v0 as it was called before")
	f.Lookup("train-rest").Hidden = true
	f.BoolVar(&o.NoBiases, "no-biases", false, "give no bias to neurons that have none")
	f.StringVar((*string)(&o.Surrogate), "surrogate", string(o.Surrogate), "derivative of a spike: sigmoid, triangle or arctan")
	f.Float64Var(&o.Slope, "slope", o.Slope, "slope of the surrogate")
	f.BoolVar(&o.ResetGradient, "reset-gradient", false, "let gradients flow through the reset of a potential")
	f.Float64Var(&o.ValidationShare, "validation-share", o.ValidationShare, "share of the images that is held out, 0 to less than 1 (sr: 0.05, dehaze: 0.2)")
	f.IntVar(&o.ValidationCrop, "validation-crop", o.ValidationCrop, "side of the central square of held-out images that is measured; 0 takes whole images")
	f.IntVar(&o.ValidateEvery, "validate-every", o.ValidateEvery, "steps between validations; 0 for a twentieth of all")
	f.StringVar(&o.Checkpoint, "checkpoint", "", "file that holds the state of the run (default OUT.checkpoint)")
	f.Float64Var(&o.CheckpointMinutes, "checkpoint-minutes", o.CheckpointMinutes, "minutes between checkpoints")
	f.BoolVar(&o.Resume, "resume", false, "go on with the run of --checkpoint")
	f.StringVar(&o.EventLog, "log", "", "file of JSON lines, one for each step and validation")
}

// check finds what is wrong with the flags before a model is read, and takes the rest
// of them into the options.
func (t *tuning) check(a *app) (err error) {
	switch {
	case t.Output == "":
		return fmt.Errorf("finetune: --output is missing, want a file to write")
	case t.Data.Task.Kind != spikingir.Pairs && t.Data.Dir == "" && t.HazeClear == "":
		return fmt.Errorf("--data is missing, want a folder of images to train on")
	}
	if err := checkGiven(&t.Data); err != nil {
		return err
	}
	t.Data.Seed, t.Threads, t.Cluster = a.Seed, a.Threads, a.cluster
	if t.Checkpoint == "" {
		t.Checkpoint = t.Output + ".checkpoint"
	}
	if t.Stages, err = spikingir.ParseStages(t.stages); err != nil {
		return fmt.Errorf("--stages %s: %w", t.stages, err)
	}
	if t.rate, t.rateOf, err = parseRates(t.rates); err != nil {
		return err
	}
	if a.Precision != "fixed" {
		return fmt.Errorf("--precision %s: finetune trains in float32 and measures in fixed point, want eval to measure in another", a.Precision)
	}
	return t.checkNames()
}

// byTask gives flags that were not given the values that are right for the task.
func (t *tuning) byTask(f *pflag.FlagSet) {
	d := spikingir.DefaultFinetuneOf(t.Data.Task.Kind)
	for name, set := range map[string]func(){
		"patch":            func() { t.Patch = d.Patch },
		"validation-share": func() { t.ValidationShare = d.ValidationShare },
		"distill-output":   func() { t.DistillOutput = d.DistillOutput },
		"loss":             func() { t.Loss = d.Loss },
		"haze-share":       func() { t.HazeShare = d.HazeShare },
	} {
		if !f.Changed(name) {
			set()
		}
	}
}

// checkOptions finds what is wrong with the options when the task is known.
func (t *tuning) checkOptions() error {
	if t.Data.Task.Kind == "" {
		return fmt.Errorf("--task is missing, and %s does not tell what it was converted for: want denoise, sr, dehaze or pairs", t.path)
	}
	return cmp.Or(checkTask(&t.Data), t.Check())
}

// checkNames refuses files that would overwrite another. models are those that were read,
// or nil before they are.
func (t *tuning) checkNames(models ...*spikingir.Model) error {
	var in cli.Inputs
	in.Add(t.path, t.ref)
	in.Add(*t.tensors...)
	in.AddModels(models...)
	in.AddFolders(t.Data.Dir, t.Data.Inputs, t.Data.Targets, t.HazeClear)
	outputs := []struct{ flag, path string }{{"--output", t.Output}, {"the best network so far", spikingir.UnfinishedName(t.Output)}, {"--checkpoint", t.Checkpoint}, {"--log", t.EventLog},
		{"the lock of --output", checkpoint.LockName(t.Output)}, {"the lock of --checkpoint", checkpoint.LockName(t.Checkpoint)}}
	for i, o := range outputs {
		if o.path == "" || cluster.Or(t.Cluster).Rank() > 0 { // process 0 writes
			continue
		}
		if err := in.CheckOutput(o.path); err != nil {
			return err
		}
		for _, other := range outputs[:i] {
			if other.path != "" && cli.Same(other.path, o.path) {
				return fmt.Errorf("%s and %s are both %s, want two files", other.flag, o.flag, o.path)
			}
		}
	}
	return nil
}

// parseRates reads "3e-4", for all stages, or "rates=3e-4,spikes=1e-4".
func parseRates(text string) (all float64, each map[string]float64, err error) {
	if text == "" {
		return 0, nil, nil
	}
	each = map[string]float64{}
	for _, part := range strings.Split(text, ",") {
		name, value, named := strings.Cut(strings.TrimSpace(part), "=")
		if !named {
			name, value = "", name
		}
		stages, err := spikingir.ParseStages(name)
		if err != nil || named && name == "" || slices.ContainsFunc(stages, spikingir.Stage.Calibrates) {
			return 0, nil, fmt.Errorf("--rate %s: no stage of steps is called %q, want rates, rate-backward, spikes or ann", text, name)
		}
		rate, err := strconv.ParseFloat(value, 64)
		if err != nil || !(rate > 0) || math.IsInf(rate, 1) {
			return 0, nil, fmt.Errorf("--rate %s: learning rate %q, want a positive number such as 3e-4", text, value)
		}
		if stages == nil {
			all = rate
		} else {
			each[stages[0].Name] = rate
		}
	}
	return all, each, nil
}
