package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"spikingir/cmd/internal/cli"
	"spikingir/runtime/dataset"
	"spikingir/runtime/kernel"
	"spikingir/runtime/train"
	"spikingir/runtime/train/checkpoint"
	"spikingir/runtime/train/optim"
)

// tuning is what finetune is asked for.
type tuning struct {
	taskFlags
	path, out, ref string
	hazeClear      string
	hazeShare      float64
	sigmas         []float64

	stages, rates string
	fitPatches    int
	ridge         float64
	steps         int
	minutes       float64
	batch, patch  int
	schedule      string
	floor         float64
	warmUp        int

	loss, optimizer         string
	decay, clip, average    float64
	energyWeight            float64
	output, features        float64
	thresholds, rest        bool
	surrogate               string
	slope                   float64
	resetGradient, noBiases bool
	share                   float64
	crop, every             int
	checkpoint, logFile     string
	checkpointMinutes       float64
	resume                  bool
	given                   func(name string) bool // was the flag set
	begin                   time.Time              // of the command
	plan                    []stagePlan
	settings                *tuneSettings
	images                  string // what is trained on, in a line
	data256                 string
	stageRates              map[string]float64
	rateOfAll               float64
}

// The defaults that measured best; see docs/finetuning.md.
const (
	defaultStages    = "calibrate,spikes=100%"
	defaultMinutes   = 60
	defaultDistil    = 1
	defaultBatch     = 8
	defaultPatch     = 40
	defaultFloor     = 1e-6
	defaultWarmUp    = 40
	defaultShare     = 0.02
	defaultCrop      = 128
	defaultSaveEvery = 5
)

// defaultRates are the learning rates of the stages.
var defaultRates = map[string]float64{"rates": 1e-4, "fast": 1e-4, "spikes": 1e-4, "means": 1e-4}

// surrogates are the derivatives that --surrogate names.
var surrogates = map[string]kernel.Surrogate{
	"sigmoid": kernel.SigmoidSurrogate, "triangle": kernel.TriangleSurrogate, "arctan": kernel.ArctanSurrogate,
}

func (t *tuning) add(f *pflag.FlagSet) {
	f.StringVarP(&t.out, "output", "o", "", "the file to write")
	t.addTask(f)
	t.addData(f)
	f.StringVar(&t.hazeClear, "haze-clear", "", "dehaze: folder of clear images to synthesise haze over")
	f.Float64Var(&t.hazeShare, "haze-share", 0, "dehaze: share of patches with synthetic haze, 0 to 1")
	f.Float64SliceVar(&t.sigmas, "sigma-range", nil, "denoise: A,B draws the noise of each patch between these; validation takes --sigma")
	f.StringVar(&t.ref, "ref", "", "the ANN that is aimed at (teacher); without it, MODEL's own weights with ReLUs for neurons, which is right until it is fine-tuned")
	f.StringVar(&t.stages, "stages", "", "what is done, in order: calibrate, and NAME=STEPS or NAME=PERCENT% for rates, fast, spikes, means (default "+defaultStages+", for an ANN means)")
	f.IntVar(&t.fitPatches, "calibrate-patches", train.DefaultCorrection.Patches, "patches that the stage calibrate measures")
	f.Float64Var(&t.ridge, "calibrate-ridge", train.DefaultCorrection.Ridge, "how much the stage calibrate holds on to the weights that were")
	f.IntVar(&t.steps, "steps", 0, "steps that the percentages of --stages are of; without it, they are of the time")
	f.Float64Var(&t.minutes, "max-minutes", 0, fmt.Sprintf("stop after that time, over all sessions; 0 for any (default %d where no number of steps is given)", defaultMinutes))
	f.IntVar(&t.batch, "batch", defaultBatch, "patches of a step")
	f.IntVar(&t.patch, "patch", defaultPatch, "side of a patch in pixels of the target")
	f.StringVar(&t.rates, "rate", "", "learning rate, or NAME=RATE,... by stage (default "+formatRates()+")")
	f.StringVar(&t.schedule, "schedule", string(optim.Cosine), "learning rate within a stage: cosine or constant")
	f.Float64Var(&t.floor, "rate-floor", defaultFloor, "learning rate that a cosine ends at; not above a hundredth of --rate")
	f.IntVar(&t.warmUp, "warm-up", defaultWarmUp, "first steps of a stage, over which its learning rate rises; half of it at most")
	f.StringVar(&t.loss, "loss", string(optim.MSE), "distance to the target: mse, l1 or charbonnier")
	f.StringVar(&t.optimizer, "optimizer", "adam", "adam or adamw")
	f.Float64Var(&t.decay, "weight-decay", 0, "adamw: decay of weights")
	f.Float64Var(&t.clip, "clip", 0, "greatest norm of a gradient; 0 for any")
	f.Float64Var(&t.average, "average", 0, "decay of an exponential average of the weights, which is what is measured and written; 0 for none")
	f.Float64Var(&t.energyWeight, "energy-weight", 0, "weight k of the energy loss, which grows from 0 to k as the run goes on")
	f.Float64Var(&t.output, "distill-output", defaultDistil, "share of the loss that is against the ANN's output in the place of the target, 0 to 1 (an ANN without --ref: 0)")
	f.Float64Var(&t.features, "distill-features", 0, "weight of the distance of hidden rates to the ANN's activations")
	f.BoolVar(&t.thresholds, "train-thresholds", false, "train thresholds too")
	f.BoolVar(&t.rest, "train-rest", false, "train initial potentials too")
	f.BoolVar(&t.noBiases, "no-biases", false, "give no bias to neurons that have none")
	f.StringVar(&t.surrogate, "surrogate", "sigmoid", "derivative of a spike: sigmoid, triangle or arctan")
	f.Float64Var(&t.slope, "slope", 4, "slope of the surrogate")
	f.BoolVar(&t.resetGradient, "reset-gradient", false, "let gradients flow through the reset of a potential")
	f.Float64Var(&t.share, "validation-share", defaultShare, "share of the images that is held out, 0 to less than 1")
	f.IntVar(&t.crop, "validation-crop", defaultCrop, "side of the central square of held-out images that is measured; 0 takes whole images")
	f.IntVar(&t.every, "validate-every", 0, "steps between validations; 0 for a twentieth of all")
	f.StringVar(&t.checkpoint, "checkpoint", "", "file that holds the state of the run (default OUT.checkpoint)")
	f.Float64Var(&t.checkpointMinutes, "checkpoint-minutes", defaultSaveEvery, "minutes between checkpoints")
	f.BoolVar(&t.resume, "resume", false, "go on with the run of --checkpoint")
	f.StringVar(&t.logFile, "log", "", "file of JSON lines, one for each step and validation")
	t.given = func(name string) bool { return f.Changed(name) }
}

// check finds what is wrong with the flags before a model is read.
func (t *tuning) check() error {
	if t.out == "" {
		return fmt.Errorf("finetune: --output is missing, want a file to write")
	}
	if t.kind == "" {
		return fmt.Errorf("--task is missing, want denoise, sr, dehaze or pairs")
	}
	if t.kind != string(dataset.Pairs) && t.data == "" && t.hazeClear == "" {
		return fmt.Errorf("--data is missing, want a folder of images to train on")
	}
	task, err := t.task(0)
	if err != nil {
		return err
	}
	if len(t.sigmas) != 0 && len(t.sigmas) != 2 {
		return fmt.Errorf("--sigma-range has %d numbers, want A,B", len(t.sigmas))
	}
	if task.Kind != dataset.Dehaze && (t.hazeClear != "" || t.hazeShare != 0) {
		return fmt.Errorf("--haze-clear and --haze-share need --task dehaze")
	}
	if t.checkpoint == "" {
		t.checkpoint = t.out + ".checkpoint"
	}
	if t.rateOfAll, t.stageRates, err = parseRates(t.rates); err != nil {
		return err
	}
	return errors.Join(t.checkNumbers(), t.checkWords())
}

// checkNumbers finds numbers out of range.
func (t *tuning) checkNumbers() error {
	type bounds struct {
		name      string
		value     float64
		low, high float64
		open      bool // without low and high themselves
	}
	inf := math.Inf(1)
	for _, b := range []bounds{
		{"steps", float64(t.steps), 0, math.MaxInt32, false},
		{"max-minutes", t.minutes, 0, 1e6, false},
		{"calibrate-patches", float64(t.fitPatches), 1, math.MaxInt32, false},
		{"calibrate-ridge", t.ridge, 0, inf, true},
		{"batch", float64(t.batch), 1, 1 << 16, false},
		{"patch", float64(t.patch), 2, 1 << 14, false},
		{"rate-floor", t.floor, 0, 1, false},
		{"warm-up", float64(t.warmUp), 0, math.MaxInt32, false},
		{"weight-decay", t.decay, 0, 1e6, false},
		{"clip", t.clip, 0, math.MaxFloat64, false},
		{"average", t.average, 0, 1 - 0x1p-53, false},
		{"energy-weight", t.energyWeight, 0, math.MaxFloat32, false},
		{"distill-output", t.output, 0, 1, false},
		{"distill-features", t.features, 0, math.MaxFloat32, false},
		{"slope", t.slope, 0, inf, true},
		{"haze-share", t.hazeShare, 0, 1, false},
		{"validation-share", t.share, 0, 1 - 0x1p-53, false},
		{"validation-crop", float64(t.crop), 0, math.MaxInt32, false},
		{"validate-every", float64(t.every), 0, math.MaxInt32, false},
		{"checkpoint-minutes", t.checkpointMinutes, 0, 1e6, false},
	} {
		ok := b.value >= b.low && b.value <= b.high
		if b.open {
			ok = b.value > b.low && b.value < b.high
		}
		switch {
		case ok:
		case b.open:
			return fmt.Errorf("--%s %g, want more than %g", b.name, b.value, b.low)
		case b.value < b.low || b.high > 1e4:
			return fmt.Errorf("--%s %g, want %g or more", b.name, b.value, b.low)
		default:
			return fmt.Errorf("--%s %g, want %g to %.4g", b.name, b.value, b.low, b.high)
		}
	}
	return nil
}

// checkWords finds unknown words, and flags that do not go together.
func (t *tuning) checkWords() error {
	if _, ok := surrogates[t.surrogate]; !ok {
		return fmt.Errorf("--surrogate %s, want sigmoid, triangle or arctan", t.surrogate)
	}
	switch {
	case optim.Loss(t.loss).Check() != nil:
		return fmt.Errorf("--loss %s, want mse, l1 or charbonnier", t.loss)
	case t.schedule != string(optim.Cosine) && t.schedule != string(optim.Constant):
		return fmt.Errorf("--schedule %s, want cosine or constant", t.schedule)
	case t.optimizer != "adam" && t.optimizer != "adamw":
		return fmt.Errorf("--optimizer %s, want adam or adamw", t.optimizer)
	case t.optimizer == "adam" && t.decay != 0:
		return fmt.Errorf("--weight-decay needs --optimizer adamw")
	}
	_, err := parseStages(t.stages)
	return err
}

// checkFiles refuses files that would overwrite another, a checkpoint that another run
// is writing, which it locks until unlock, and a new run over that of an unfinished one.
func (t *tuning) checkFiles() (unlock func(), err error) {
	if err := t.checkNames(); err != nil {
		return nil, err
	}
	unlock, err = checkpoint.Lock(t.checkpoint)
	if errors.Is(err, checkpoint.ErrLocked) {
		return nil, fmt.Errorf("%s: %w: want another --checkpoint or -o", t.checkpoint, err)
	}
	if err != nil {
		return nil, err
	}
	if err := t.checkState(); err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// checkNames refuses files that would overwrite another.
func (t *tuning) checkNames() error {
	inputs := []string{t.path}
	if t.ref != "" {
		inputs = append(inputs, t.ref)
	}
	names := map[string]string{}
	for _, f := range [][2]string{{"--output", t.out}, {"--checkpoint", t.checkpoint}, {"--log", t.logFile}} {
		if f[1] == "" {
			continue
		}
		if err := cli.CheckOutput(f[1], inputs...); err != nil {
			return err
		}
		full, err := filepath.Abs(f[1])
		if err != nil {
			return err
		}
		if other := names[full]; other != "" {
			return fmt.Errorf("%s and %s are both %s, want two files", other, f[0], f[1])
		}
		names[full] = f[0]
	}
	return nil
}

// checkState refuses a new run over the checkpoint of an unfinished one, and to resume
// none.
func (t *tuning) checkState() error {
	_, err := os.Stat(t.checkpoint)
	switch {
	case err == nil && !t.resume && !unbegun(t.checkpoint):
		return fmt.Errorf("%s holds the state of an unfinished run: want --resume to go on with it, or the file removed to begin anew", t.checkpoint)
	case errors.Is(err, fs.ErrNotExist) && t.resume:
		return fmt.Errorf("--resume: there is no checkpoint %s; a run that is done leaves none", t.checkpoint)
	}
	return nil
}

// unbegun reports whether a checkpoint holds nothing that was trained.
func unbegun(path string) bool {
	c, err := checkpoint.Read(path)
	return err == nil && c.Position.Stage == 0 && c.Position.Step == 0
}

// settle completes the flags when the kind of the model is known.
func (t *tuning) settle(plain bool) (err error) {
	text := t.stages
	if text == "" {
		text = defaultStages
		if plain {
			text = "means"
		}
	}
	if t.plan, err = parseStages(text); err != nil {
		return err
	}
	for _, s := range t.plan {
		if plain && s.name != "means" {
			return fmt.Errorf("%s is an ANN, without neurons: want --stages means, not %s", t.path, s.name)
		}
	}
	if plain {
		if !t.given("distill-output") && t.ref == "" {
			t.output = 0
		}
		for _, name := range []string{"train-thresholds", "train-rest", "energy-weight", "distill-features"} {
			if t.given(name) {
				return fmt.Errorf("%s is an ANN, without neurons: --%s is for spiking networks", t.path, name)
			}
		}
		if t.output > 0 && t.ref == "" {
			return fmt.Errorf("%s is an ANN: --distill-output needs --ref, another one to learn from", t.path)
		}
	}
	counted := slices.ContainsFunc(t.plan, func(s stagePlan) bool { return s.steps > 0 })
	shared := slices.ContainsFunc(t.plan, func(s stagePlan) bool { return s.share > 0 })
	switch {
	case t.steps > 0 && !shared:
		return fmt.Errorf("--steps %d: --stages says all numbers of steps, want percentages there or no --steps", t.steps)
	case shared && !counted && t.steps == 0 && t.minutes == 0:
		t.minutes = defaultMinutes
	}
	return nil
}

// learns reports whether the run needs the ANN.
func (t *tuning) learns() bool { return t.output > 0 || t.features > 0 || t.calibrates() }

func (t *tuning) calibrates() bool {
	return slices.ContainsFunc(t.plan, func(s stagePlan) bool { return s.name == calibrate })
}
