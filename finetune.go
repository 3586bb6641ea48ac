package spikingir

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/internal/atomicfile"
	"spikingir/passes"
	"spikingir/passes/quantiseweights"
	"spikingir/passes/recipes"
	"spikingir/runtime/dataset"
	"spikingir/runtime/eval"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/train"
	"spikingir/runtime/train/checkpoint"
	"spikingir/runtime/train/patches"
)

// FinetuneReport says what a run did; its JSON form is a contract.
type FinetuneReport struct {
	Output     string          `json:"output"`
	Ended      string          `json:"ended"` // complete, time, diverged or interrupted
	Data       string          `json:"data"`
	DataSHA    string          `json:"data_sha256"`
	Stages     []FinetuneStage `json:"stages"`
	Steps      uint64          `json:"steps"`   // done
	Planned    int             `json:"planned"` // steps
	Patches    uint64          `json:"patches"`
	Seconds    float64         `json:"seconds"` // of training and validation, over all sessions
	Throughput float64         `json:"patches_per_second"`
	Before     *Measured       `json:"before,omitempty"` // where this session began the run
	Best       *Measured       `json:"best,omitempty"`   // nil where nothing is held out
	Checkpoint string          `json:"checkpoint,omitempty"`
}

// FinetuneStage is a stage as it was planned.
type FinetuneStage struct {
	Name  string `json:"name"`
	Steps int    `json:"steps,omitempty"`
}

// Measured is what was measured on the held-out images.
type Measured struct {
	Stage      string  `json:"stage"`
	Step       uint64  `json:"step"` // of the stage
	PSNR       float64 `json:"psnr"`
	SSIM       float64 `json:"ssim"`
	FiringRate float64 `json:"firing_rate"`
	EnergyMJ   float64 `json:"energy_mj"`
}

// finetuning is a run.
type finetuning struct {
	FinetuneOptions
	ctx     context.Context // for passes
	model   *Model
	begin   time.Time
	pool    *machine.Pool
	trainer *train.Trainer
	taught  string // the output of the teacher that is aimed at
	events  eventLog
	before  *checkpoint.Figures // before the first step, in the session that saw it
}

// Finetune trains a model in place on folders of images: a spiking network to come
// close to the ANN that it was converted from, or an ANN. The model becomes the network
// that was best on the held-out images, and its metadata say what was done. The same
// model, options, images and kind of CPU give the same bytes, also where a run was
// stopped and resumed.
//
// A run that the context ends gives its report with the context's error, and its
// checkpoint goes on; one that diverged gives its report with a [DivergedError], and the
// model is the best network until then. After another error the model is in no defined
// state.
func Finetune(ctx context.Context, m *Model, o FinetuneOptions) (*FinetuneReport, error) {
	f := &finetuning{FinetuneOptions: o, ctx: ctx, model: m, begin: time.Now()}
	if err := f.Check(); err != nil {
		return nil, err
	}
	unlock, err := f.claim()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if f.pool, err = newPool(o.Threads); err != nil {
		return nil, err
	}
	defer f.pool.Close()
	f.Threads = f.pool.Threads()
	if err := f.prepare(); err != nil {
		return nil, err
	}
	if err := f.start(); err != nil {
		return nil, err
	}
	if f.MaxMinutes > 0 {
		f.trainer.Limit = max(f.limit()-time.Since(f.begin)-time.Duration(f.trainer.Position().Seconds*float64(time.Second)), 1)
	}
	err = f.trainer.Run(ctx)
	if e := f.events.close(); e != nil {
		f.note("log %s: %v", f.EventLog, atomicfile.Cause(e))
	}
	return f.finish(ctx, err)
}

// prepare makes model, teacher and options ready.
func (f *finetuning) prepare() error {
	plain, output, err := f.trainable(f.model, f.OutputName)
	f.OutputName = output
	if err != nil {
		return err
	}
	if err := f.settle(plain); err != nil {
		return err
	}
	if !plain && !f.NoBiases {
		train.AddBiases(f.model)
	}
	return f.teach()
}

// trainable prepares a model for training and reports whether it is an ANN. Of an ANN it
// folds what training could not keep apart, such as a BatchNormalization behind its
// convolution. The name is that of the output to train, the first that may be an image
// where it is empty; it is given back where there are several.
func (f *finetuning) trainable(m *Model, name string) (plain bool, output string, err error) {
	path := pathOf(m)
	if err := validate(m); err != nil {
		return false, "", err
	}
	feeds, _ := fedWith(m, f.Inputs)
	if output, err = f.trains(m, feeds, name); err == nil {
		_, err = op.TimingOf(m.Graph)
	}
	if plain = !Spiking(m); err == nil && plain {
		feeds, err = override(m, feeds)
	}
	if err != nil {
		return false, "", unsupported(fmt.Errorf("%s: %w", path, err))
	}
	if plain {
		if _, flat := m.Metadata.Get(graph.MetaTimesteps); flat {
			return false, "", unsupported(fmt.Errorf("%s is a spiking network in the flat form, or that of counts, whose neurons cannot be told any more; "+
				"want the form that convert --lower functions writes", path))
		}
		reports, err := recipes.CleanUp().Run(m, passes.Options{Context: f.ctx, Evaluate: evaluator(f.ctx, f.pool, f.MemoryLimit), Memory: budgetOf(f.MemoryLimit), Log: f.Log})
		if err != nil {
			return false, "", fmt.Errorf("%s: %w", path, refused(err))
		}
		for _, r := range reports {
			for _, n := range r.Notes {
				f.note("%s: %s", path, n)
			}
		}
	}
	if err := storeFeeds(m, feeds); err != nil {
		return false, "", fmt.Errorf("%s: %w", path, err)
	}
	return plain, output, nil
}

// trains finds what of a model is trained, or says why nothing is.
func (f *finetuning) trains(m *Model, feeds map[string]Feed, name string) (output string, err error) {
	probe, err := channelsFirst(m) // as clean-up will have it
	if err != nil {
		return "", err
	}
	if probe == m && len(feeds) > 0 {
		probe = m.Clone()
	}
	ports, err := eval.Bind(probe.Graph, feeds, name)
	switch {
	case err != nil:
		return "", err
	case ports.Channels != 1 && ports.Channels != 3:
		return "", fmt.Errorf("it takes images of %d channels, want 1 or 3 to train on images", ports.Channels)
	case ports.Gives != 0 && ports.Gives != ports.Channels:
		return "", fmt.Errorf("it takes images of %d channels and gives %d, want as many to train it", ports.Channels, ports.Gives)
	case len(ports.Beside()) > 0:
		return "", fmt.Errorf("its input %q follows the size of the image, want fixed dimensions to train it", ports.Beside()[0])
	}
	if outputs := m.Graph.Outputs(); len(outputs) > 1 {
		output = outputs[ports.Output].Name()
		if name == "" {
			f.note("%s has %d outputs; %q is trained, --output-name takes another", pathOf(m), len(outputs), output)
		}
	}
	return output, nil
}

// pathOf names a model in errors.
func pathOf(m *Model) string {
	if m.Source == nil || m.Source.Path == "" {
		return "the model"
	}
	return m.Source.Path
}

// settle completes the options when the kind of the model is known.
func (f *finetuning) settle(plain bool) (err error) {
	timing, err := op.TimingOf(f.model.Graph)
	if err != nil {
		return err
	}
	twoPhase := timing.Schedule == op.TwoPhase
	if f.WeightBits == 0 {
		f.WeightBits = weightBits(f.model)
	}
	if len(f.Stages) == 0 {
		f.Stages = DefaultStages(f.model)
	}
	if f.Stages, err = fillShares(f.Stages); err != nil {
		return err
	}
	counted, shared := false, false
	for i := range f.Stages {
		s := &f.Stages[i]
		if plain && s.Name != "ann" {
			return badOption("%s is an ANN, without neurons: want --stages ann, not %s", pathOf(f.model), s.Name)
		}
		if twoPhase && !s.Calibrates() && s.Name != train.RateStage {
			return badOption("%s is a two-phase network, whose neurons do not fire step by step with their input: "+
				"want --stages calibrate,%s, not %s", pathOf(f.model), train.RateStage, s.Name)
		}
		if s.Rate == 0 && !s.Calibrates() {
			s.Rate = defaultRate
			if twoPhase {
				s.Rate = twoPhaseRate
			}
		}
		counted, shared = counted || s.Steps > 0, shared || s.Share > 0
	}
	if plain {
		for _, o := range []struct {
			name string
			set  bool
		}{{"train-thresholds", f.TrainThresholds}, {"train-v0", f.TrainV0},
			{"energy-weight", f.EnergyWeight != 0}, {"distill-features", f.DistillFeatures != 0}} {
			if o.set {
				return badOption("%s is an ANN, without neurons: --%s is for spiking networks", pathOf(f.model), o.name)
			}
		}
		if f.Teacher == nil {
			f.DistillOutput = 0 // there is no other ANN to learn from
		}
	}
	if !f.calibrates() {
		f.Calibration = train.Calibration{}
	}
	switch {
	case f.Steps > 0 && !shared:
		return badOption("--steps %d: --stages says all numbers of steps, want percentages there or no --steps", f.Steps)
	case shared && !counted && f.Steps == 0 && f.MaxMinutes == 0:
		f.MaxMinutes = defaultMinutes
	}
	return nil
}

// weightBits is the size that conversion has rounded the weights of a model to, 0 where it
// left them.
func weightBits(m *Model) int {
	text, _ := m.Metadata.Get(graph.MetaPipeline)
	p, err := ParsePipeline(text)
	if err != nil {
		return 0
	}
	bits := 0 // of the last
	for _, s := range p {
		if s.Pass == quantiseweights.Pass {
			bits = int(quantiseweights.Bits.In(s))
		}
	}
	return bits
}

func (f *finetuning) calibrates() bool { return slices.ContainsFunc(f.Stages, Stage.Calibrates) }

// teach prepares the teacher.
func (f *finetuning) teach() error {
	path := pathOf(f.model)
	if f.Teacher == nil {
		learns := f.DistillOutput > 0 || f.DistillFeatures > 0 || f.calibrates()
		if _, tuned := f.model.Metadata.Get(graph.MetaFinetune); tuned && learns {
			return badOption("%s was fine-tuned before and no longer knows its ANN: want --ref ANN, "+
				"or --distill-output 0, no --distill-features and no stage calibrate", path)
		}
		return nil
	}
	f.Teacher = f.Teacher.Clone()
	name := f.OutputName
	if !slices.ContainsFunc(f.Teacher.Graph.Outputs(), func(v *graph.Value) bool { return v.Name() == name }) {
		name = ""
	}
	plain, output, err := f.trainable(f.Teacher, name)
	if f.taught = output; err != nil {
		return err
	} else if !plain {
		return badOption("--ref %s is a spiking network, want the ANN that %s was converted from", pathOf(f.Teacher), path)
	}
	f.TeacherSHA256 = fileSHA256(f.Teacher)
	return f.comparable()
}

// fileSHA256 identifies the file of a model; empty where there is none.
func fileSHA256(m *Model) string {
	if m.Source == nil {
		return ""
	}
	return hex.EncodeToString(m.Source.SHA256[:])
}

// comparable refuses a teacher whose values are not those of the model, where the run
// compares them by their names.
func (f *finetuning) comparable() error {
	path, ref := pathOf(f.model), pathOf(f.Teacher)
	pipeline, _ := f.model.Metadata.Get(graph.MetaPipeline)
	isConv := func(n *graph.Node) bool { return n.Is("Conv") }
	switch {
	case f.DistillFeatures == 0 && !f.calibrates():
	case strings.Contains(pipeline, "absorb-scales"):
		return badOption("%s is in unit form, whose activations are not those of %s: "+
			"want no --distill-features and no stage calibrate, or a model converted without --absorb-scales", path, ref)
	case f.DistillFeatures > 0 && !f.shares(op.IsNeuron):
		return badOption("--distill-features compares activations by their names, and %s has none of those of %s: "+
			"want the ANN that it was converted from, without PRelu", ref, path)
	case f.calibrates() && !f.shares(isConv):
		return badOption("the stage calibrate compares convolutions by the names of their outputs, and %s has none of those of %s: "+
			"want the ANN that it was converted from", ref, path)
	}
	return nil
}

// shares reports whether some nodes of the model give values that the teacher has too.
func (f *finetuning) shares(of func(*graph.Node) bool) bool {
	for n := range f.model.Graph.Nodes() {
		if of(n) && f.Teacher.Graph.Value(n.Output(0).Name()) != nil {
			return true
		}
	}
	return false
}

// start opens the images, and begins the run or takes it up where its checkpoint left it.
func (f *finetuning) start() error {
	c, err := f.config()
	if err != nil {
		return err
	}
	var large *train.TooLargeError
	if f.trainer, err = train.New(*c); errors.As(err, &large) {
		return badOption("%s: %v", pathOf(f.model), large)
	} else if err != nil {
		return unsupported(fmt.Errorf("%s: %w", pathOf(f.model), err))
	}
	if !f.Resume {
		return f.events.open(f.EventLog, nil)
	}
	if err := f.trainer.Resume(); err != nil {
		return err
	}
	p := f.trainer.Position()
	f.note("going on at step %d of stage %s, after %s of training", p.Step, f.Stages[p.Stage].Name,
		time.Duration(p.Seconds*float64(time.Second)).Round(time.Millisecond))
	return f.events.open(f.EventLog, &p)
}

// config opens the images and describes the run.
func (f *finetuning) config() (*train.Config, error) {
	ports, err := eval.FindPorts(f.model.Graph, nil, f.OutputName)
	if err != nil {
		return nil, err
	}
	task, err := f.Data.task(ports.Channels)
	if err != nil {
		return nil, err
	}
	p := patches.Options{Task: task, Dirs: dataset.Dirs{Data: f.Data.Dir, Input: f.Data.Inputs, Target: f.Data.Targets},
		Patch: f.Patch, Augment: true, HazeDir: f.HazeClear, HazeShare: f.HazeShare,
		HeldOut: f.HeldOut, Seed: f.Data.Seed}
	if len(f.SigmaRange) == 2 {
		p.SigmaMin, p.SigmaMax = f.SigmaRange[0], f.SigmaRange[1]
	}
	source, err := patches.OpenContext(f.ctx, p)
	if err != nil {
		return nil, err
	}
	for i, s := range source.Skipped() {
		if i == 3 {
			f.note("%d more images are too small", len(source.Skipped())-i)
			break
		}
		f.note("left out: %s", s)
	}
	settings, err := json.Marshal(struct {
		Task string `json:"task"`
		FinetuneOptions
		Seed uint64 `json:"seed"`
	}{task.String(), f.FinetuneOptions, f.Data.Seed})
	if err != nil {
		return nil, err
	}
	return &train.Config{Model: f.model, Teacher: f.Teacher, Source: source, Task: task, Net: f.Options, TeacherOutput: f.taught, Method: f.Method,
		Calibration: f.Calibration, Stages: f.Stages, Total: f.Steps, Memory: f.MemoryLimit, Batch: f.Batch, Pool: f.pool,
		ValidateEvery: f.ValidateEvery, Checkpoint: f.Checkpoint, Limit: f.limit(), Report: f.report,
		CheckpointEvery: max(time.Duration(f.CheckpointMinutes*float64(time.Minute)), 1),
		Identity: checkpoint.Header{Program: "spikingir " + Version, Data: source.SHA256(), Settings: settings,
			Model: fileSHA256(f.model)}}, nil
}

func (f *finetuning) limit() time.Duration { return time.Duration(f.MaxMinutes * float64(time.Minute)) }

func (f *finetuning) note(format string, args ...any) {
	if f.Note != nil {
		f.Note(fmt.Sprintf(format, args...))
	}
}

// report passes an event of the run on.
func (f *finetuning) report(e FinetuneEvent) {
	if err := f.events.write(e); err != nil {
		f.note("log %s: %v; nothing more is logged", f.EventLog, atomicfile.Cause(err))
	}
	if e.Validation != nil && e.Done == 0 && f.before == nil {
		f.before = e.Validation
	}
	if f.Report != nil {
		f.Report(e)
	}
}

// finish writes what a run left, and says how it ended.
func (f *finetuning) finish(ctx context.Context, end error) (*FinetuneReport, error) {
	r := f.summary()
	var diverged *DivergedError
	stopped := errors.Is(end, train.ErrStopped)
	switch {
	case stopped && ctx.Err() != nil:
		r.Ended = "interrupted"
		return r, ctx.Err()
	case errors.As(end, &diverged):
		r.Ended = "diverged"
	case stopped:
		r.Ended = "time"
	case end != nil:
		return nil, end
	}
	f.describe()
	if f.Output != "" {
		if err := atomicfile.Sweep(f.Output); err != nil {
			return nil, err
		}
		if err := Write(f.Output, f.model); err != nil {
			return nil, fmt.Errorf("write %s: %w", f.Output, atomicfile.Cause(err))
		}
	}
	if r.Ended == "complete" && f.Checkpoint != "" {
		if err := os.Remove(f.Checkpoint); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("remove checkpoint %s: %w", f.Checkpoint, atomicfile.Cause(err))
		}
		r.Checkpoint = ""
	}
	if diverged != nil {
		return r, diverged
	}
	return r, nil
}

// summary is the report of a run that has ended.
func (f *finetuning) summary() *FinetuneReport {
	measured := func(c *checkpoint.Figures) *Measured {
		if c == nil {
			return nil
		}
		return &Measured{f.Stages[c.Position.Stage].Name, c.Position.Step, c.PSNR, c.SSIM, c.FiringRate, c.EnergyMJ}
	}
	p := f.trainer.Position()
	r := &FinetuneReport{Output: f.Output, Ended: "complete", Data: f.trainer.Source.String(), DataSHA: f.trainer.Source.SHA256(),
		Steps: p.Total, Planned: f.trainer.Steps(), Patches: p.Patch, Seconds: p.Seconds, Throughput: f.trainer.Throughput(),
		Before: measured(f.before), Best: measured(f.trainer.Best()), Checkpoint: f.Checkpoint}
	for _, s := range f.trainer.Stages {
		stage := FinetuneStage{Name: s.Name}
		if !s.Calibrates() {
			stage.Steps = s.Steps
		}
		r.Stages = append(r.Stages, stage)
	}
	return r
}

// describe writes what was done into the model's metadata.
func (f *finetuning) describe() {
	put := func(key, value string) { f.model.Metadata.Set(graph.MetaFinetune+key, value) }
	var stages []string
	for _, s := range f.trainer.Stages {
		if s.Calibrates() {
			stages = append(stages, s.Name)
		} else {
			stages = append(stages, s.Name+"="+strconv.Itoa(s.Steps))
		}
	}
	p := f.trainer.Position()
	if b := f.trainer.Best(); b != nil {
		p = b.Position
	}
	id := f.trainer.Identity
	put("", string(id.Settings))
	put("_version", Version)
	put("_stages", strings.Join(stages, ","))
	put("_steps", strconv.FormatUint(p.Total, 10))
	put("_patches", strconv.FormatUint(p.Patch, 10))
	put("_source_sha256", id.Model)
	put("_data_sha256", id.Data)
	put("_seed", strconv.FormatUint(f.Data.Seed, 10))
}
