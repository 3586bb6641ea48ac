package spikingir

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes/recipes"
	"spikingir/runtime/cluster"
	"spikingir/runtime/train"
	"spikingir/runtime/train/checkpoint"
	"spikingir/runtime/train/optim"
	"spikingir/runtime/train/patches"
)

// FinetuneOptions is what [Finetune] is asked for: [DefaultFinetune], and Data. The
// fields that have a name in JSON are the settings of a run. A fine-tuned model keeps
// them in its metadata, and a checkpoint goes on only under the settings it began with.
type FinetuneOptions struct {
	// Data is the task, the folders to train on, and the seed of all that is random.
	// Images and Limit must be empty.
	Data Data `json:"-"`
	// HazeClear is a folder of clear images to synthesise haze over, for [Dehaze].
	HazeClear string `json:"-"`
	// SigmaRange is two deviations between which the noise of each patch is drawn, for
	// [Denoise]; without it all patches have that of the task, as validation always has.
	SigmaRange []float64 `json:"sigma-range,omitempty"`
	// HazeShare is the share of patches with synthetic haze, 0 to 1, for [Dehaze].
	HazeShare float64 `json:"haze-share,omitempty"`

	// Stages are what is done, in order; without any, [FinetuneOptions.Follow] sets them.
	Stages []Stage `json:"stages"`
	// Steps is the number that the shares of stages are of; 0: they are of the time.
	Steps int `json:"steps,omitempty"`
	// MaxMinutes ends the run, whose time counts over all sessions. 0: any time or, where
	// the time decides on the steps, 60.
	MaxMinutes float64 `json:"-"`
	// Patience is the validations in a row without a better network after which the run ends; 0
	// goes on to its last step.
	Patience int `json:"-"`
	// Batch is the patches of a step. 0: 4, or where there are more micro-batches one for each of
	// them, up to 16, so that no thread has nothing to do.
	Batch int `json:"batch"`
	// Patch is the side of a patch in pixels of the target.
	Patch        int `json:"patch"`
	train.Method     // the learning rate, the loss, and how steps follow it; no Optimizer takes the best one
	// TeacherSHA256 is the hash of Teacher's file; Finetune sets it.
	TeacherSHA256 string `json:"ref,omitempty"`
	train.Options        // what is trained beside weights and biases, and the surrogate
	// NoBiases gives no bias to neurons that have none.
	NoBiases          bool `json:"no-biases,omitempty"`
	train.Calibration      // how the stage calibrate fits layers
	patches.HeldOut        // the images that are measured on
	// Snap rounds the network to the exact form when it is measured and written, so that every runtime
	// gives its bits. A network that came in that form is rounded without it.
	Snap bool `json:"snap,omitempty"`
	// ValidateEvery is the steps between validations; 0: a twentieth of all.
	ValidateEvery int `json:"validate-every,omitempty"`
	// Inputs is what the network is fed beside the image, as in [RunOptions]; the network that
	// is written has these values where no others are given.
	Inputs map[string]Feed `json:"inputs,omitempty"`
	// MicroBatches is how many parts of a batch are summed apart; 0: one for each thread of all
	// processes. The result depends on it.
	MicroBatches int `json:"threads"`

	// Threads is how many threads work; 0 takes every core.
	Threads int `json:"-"`
	// Cluster is the processes that share out batches and validations; nil for this one alone.
	// All of them train the same model with the same options and images; process 0 writes the
	// files, and is the one whose clock counts. An error of one must end all, as [cluster.Comm] has it.
	Cluster cluster.Comm `json:"-"`

	// MemoryLimit is the bytes that patches may take in all threads, and constants that are
	// folded: what takes more is refused before the first step. 0 is a quarter of the
	// machine's memory, negative is no limit.
	MemoryLimit int64 `json:"-"`

	// Teacher is the ANN that is aimed at. Without one it is the model's own weights
	// with ReLUs for neurons, which is right until the model is fine-tuned.
	Teacher *Model `json:"-"`
	// Output is the file that the model is written to; empty leaves that to the caller.
	Output string `json:"-"`
	// Checkpoint is the file that holds the state of the run from its first step to its
	// last, when it is removed; empty for none.
	Checkpoint string `json:"-"`
	// CheckpointMinutes are those between checkpoints.
	CheckpointMinutes float64 `json:"-"`
	// Resume goes on with the run of Checkpoint, bit for bit.
	Resume bool `json:"-"`
	// EventLog is a file of JSON lines, one for each event; empty for none.
	EventLog string `json:"-"`
	// Report, when not nil, is called for each step, validation and layer that is calibrated.
	Report func(FinetuneEvent) `json:"-"`
	// Note, when not nil, is told in words what a person should know: which images are
	// left out, where a run goes on, what could not be written.
	Note func(string) `json:"-"`
	// Log hears what the passes do that prepare an ANN; nil is silent.
	Log *slog.Logger `json:"-"`
}

type (
	Stage         = train.Stage        // of fine-tuning: a number of steps of one kind
	FinetuneEvent = train.Event        // news of a run
	Figures       = checkpoint.Figures // what a validation measured
	// A DivergedError is the end of a run whose numbers left what can be trained.
	DivergedError = train.DivergedError
)

// The numbers of [DefaultFinetune] that are no field of it.
const (
	defaultRate  = 1e-4 // of a stage that states none
	muonRate     = 2e-4 // the same of a spiking network whose optimiser is Muon
	twoPhaseRate = 3e-4 // the same of a two-phase network
	// dehazeRate is that of dehazing, whose sets have few scenes: at a higher one a small network
	// soon knows them, and is worse on all others.
	dehazeRate     = 1e-5
	defaultMinutes = 60
)

// DefaultFinetune is the options that measured best: see docs/finetuning.md. Adam's are
// those of Kingma and Ba, ICLR 2015.
func DefaultFinetune() FinetuneOptions {
	return FinetuneOptions{
		Patch: 40,
		Method: train.Method{Schedule: optim.Cosine, RateFloor: 1e-6, WarmUp: 40,
			Loss: optim.MSE, DistillOutput: 1},
		Options:           train.Options{Surrogate: train.Sigmoid, Slope: 4},
		Calibration:       train.Calibration{CalibratePatches: 128, CalibrateRidge: 1e-3},
		HeldOut:           patches.HeldOut{ValidationShare: 0.02, ValidationCrop: 128},
		Patience:          10,
		CheckpointMinutes: 5,
	}
}

// DefaultFinetuneOf is [DefaultFinetune] for a task. Images of super-resolution and scenes of
// dehazing are few in the sets that are usual, so that a larger share of them is held out. Haze is
// a matter of larger patches, and what takes it away may surpass its ANN: it learns from the clear
// images, in decibels, as a mean square error is mostly that of the thickest haze. Half of the
// patches have synthetic haze over these images, so that few scenes are not learned by heart.
func DefaultFinetuneOf(task TaskKind) FinetuneOptions {
	o := DefaultFinetune()
	switch task {
	case SR:
		o.ValidationShare = 0.05
	case Dehaze:
		o.Patch, o.ValidationShare, o.DistillOutput, o.Loss, o.HazeShare = 64, 0.2, 0, optim.PSNR, 0.5
	}
	return o
}

// Follow takes the stages, and whether thresholds are trained, from the recipe that made m,
// where no stages are given.
func (o *FinetuneOptions) Follow(m *Model) {
	if len(o.Stages) > 0 {
		return
	}
	o.Stages = DefaultStages(m)
	o.TrainThresholds = o.TrainThresholds || training(m).Thresholds
}

// training is that of the recipe that made a spiking network, if it has one of its own.
func training(m *Model) recipes.Training {
	name, _ := m.Metadata.Get(graph.MetaRecipe)
	r, _ := recipes.Lookup(name)
	if t, err := op.TimingOf(m.Graph); err != nil || t.Schedule != r.Schedule || !Spiking(m) {
		return recipes.Training{}
	}
	return r.Training
}

// DefaultStages are the stages of a run that names none: for a spiking network those of its
// recipe or, where that has none of its own, a calibration and backpropagation, through time in
// lock-step and through the rates with two phases; for an ANN its own training.
func DefaultStages(m *Model) []Stage {
	name := "spikes"
	if !Spiking(m) {
		return []Stage{{Name: "ann", Share: 1}}
	}
	if own, err := ParseStages(training(m).Stages); err == nil && own != nil {
		return own
	}
	if t, err := op.TimingOf(m.Graph); err == nil && t.Schedule == op.TwoPhase {
		name = train.RateStage
	}
	return []Stage{{Name: train.CalibrateStage}, {Name: name, Share: 1}}
}

// An OptionError says what is wrong with options.
type OptionError struct {
	// Flags is the text with each option as a flag, --name, of the name it has in JSON.
	Flags string
}

func (e *OptionError) Error() string { return strings.ReplaceAll(e.Flags, "--", "") }

func badOption(format string, args ...any) error {
	return &OptionError{fmt.Sprintf(format, args...)}
}

// method is the method with an optimiser where none is asked for: what measured best, which is
// Muon for spiking networks.
func (o *FinetuneOptions) method(spiking bool) train.Method {
	m := o.Method
	switch {
	case m.Optimizer != "":
	case spiking:
		m.Optimizer = "muon"
	case m.WeightDecay != 0:
		m.Optimizer = "adamw"
	default:
		m.Optimizer = "adam"
	}
	return m
}

// Check finds what is wrong with the options before there is a model.
func (o *FinetuneOptions) Check() error {
	for _, err := range []error{
		train.Bound{Name: "steps", Value: float64(o.Steps), High: math.MaxInt32}.Check(),
		train.Bound{Name: "max-minutes", Value: o.MaxMinutes, High: 1e6}.Check(),
		o.Calibration.Check(),
		train.Bound{Name: "patience", Value: float64(o.Patience), High: math.MaxInt32}.Check(),
		train.Bound{Name: "batch", Value: float64(o.Batch), High: 1 << 16}.Check(),
		train.Bound{Name: "micro-batches", Value: float64(o.MicroBatches), High: 1 << 16}.Check(),
		train.Bound{Name: "patch", Value: float64(o.Patch), Low: 2, High: 1 << 14}.Check(),
		o.method(false).Check(),
		o.Options.Check(),
		train.Bound{Name: "slope", Value: o.Slope, High: math.Inf(1), Open: true}.Check(),
		train.Bound{Name: "haze-share", Value: o.HazeShare, High: 1}.Check(),
		train.Bound{Name: "validation-share", Value: o.ValidationShare, High: 1 - 0x1p-53}.Check(),
		train.Bound{Name: "validation-crop", Value: float64(o.ValidationCrop), High: math.MaxInt32}.Check(),
		train.Bound{Name: "validate-every", Value: float64(o.ValidateEvery), High: math.MaxInt32}.Check(),
		train.Bound{Name: "checkpoint-minutes", Value: o.CheckpointMinutes, High: 1e6}.Check(),
	} {
		if err != nil {
			return badOption("--%v", err)
		}
	}
	switch {
	case o.Data.Images != nil || o.Data.Limit != 0:
		return errors.New("fine-tuning reads folders: want Data without Images and Limit")
	case len(o.SigmaRange) != 0 && len(o.SigmaRange) != 2:
		return badOption("--sigma-range has %d numbers, want A,B", len(o.SigmaRange))
	case o.Data.Task.Kind != Dehaze && (o.HazeClear != "" || o.HazeShare != 0):
		return badOption("--haze-clear and --haze-share need --task dehaze")
	case o.Optimizer == "adam" && o.WeightDecay != 0:
		return badOption("--weight-decay needs --optimizer adamw or muon")
	}
	_, err := fillShares(o.Stages)
	return err
}

// oldStages are the names that stages had before: they are still read.
var oldStages = map[string]string{"fast": "rate-backward", "means": "ann"}

// ParseStages reads "calibrate,rates=70%,spikes=30%": all with steps, or all with
// percentages that make 100, where those left out share the rest evenly. Calibrate has
// neither. It gives none for "".
func ParseStages(text string) ([]Stage, error) {
	if text == "" {
		return nil, nil
	}
	var list []Stage
	for _, part := range strings.Split(text, ",") {
		name, value, valued := strings.Cut(strings.TrimSpace(part), "=")
		s := Stage{Name: cmp.Or(oldStages[name], name)}
		if err := s.Check(); err != nil {
			return nil, err
		}
		number, percent := strings.CutSuffix(value, "%")
		switch {
		case !valued:
		case s.Calibrates():
			return nil, errors.New("calibrate has no steps, want it without a number")
		case percent:
			x, err := strconv.ParseFloat(number, 64)
			if err != nil || !(x > 0 && x <= 100) {
				return nil, fmt.Errorf("%s%% for %s, want more than 0%% and at most 100%%", number, name)
			}
			s.Share = x / 100
		default:
			n, err := strconv.ParseInt(value, 10, 32)
			if err != nil || n < 1 {
				return nil, fmt.Errorf("%q for %s, want a number of steps or PERCENT%%", value, name)
			}
			s.Steps = int(n)
		}
		list = append(list, s)
	}
	return fillShares(list)
}

// fillShares gives the stages that state neither steps nor a share what the others
// leave, evenly. Either all stages of steps state their number, or the shares make 1;
// calibrate has neither.
func fillShares(stages []Stage) ([]Stage, error) {
	const slack = 1e-9
	list := slices.Clone(stages)
	open, counted, total := 0, 0, 0.0
	for _, s := range list {
		if err := s.Check(); err != nil {
			return nil, err
		}
		switch {
		case s.Steps > 0:
			counted++
		case s.Share == 0 && !s.Calibrates():
			open++
		}
		total += s.Share
	}
	switch rest := 1 - total; {
	case counted > 0 && (open > 0 || total > 0):
		return nil, errors.New("some stages have a number of steps and others none, want all or none")
	case counted > 0 || open == 0 && total == 0:
		return list, nil
	case open == 0 && math.Abs(rest) > slack, rest < -slack, open > 0 && rest <= slack:
		return nil, fmt.Errorf("the percentages make %.4g, want 100", 100*total)
	default:
		for i := range list {
			if list[i].Share == 0 && !list[i].Calibrates() {
				list[i].Share = rest / float64(open)
			}
		}
		return list, nil
	}
}
