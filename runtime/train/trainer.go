package train

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"spikingir/graph"
	"spikingir/runtime/cluster"
	"spikingir/runtime/dataset"
	"spikingir/runtime/eval"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/train/checkpoint"
	"spikingir/runtime/train/optim"
	"spikingir/runtime/train/patches"
)

// Config is a training run. The zero value of a field that says so has a default.
type Config struct {
	Model *graph.Model // the spiking network; trained in place
	// Teacher is a network whose mode ANN is the ANN: its output and the values that
	// have the names of Model's spikes are what distillation aims at. nil: Model
	// as it is before training, which is right when it was converted and not trained.
	Teacher *graph.Model
	Source  *patches.Source
	Task    dataset.Task // that of Source
	Net     Options
	// Feeds are what Model and Teacher are fed beside the image, for those inputs that they have.
	Feeds map[string]eval.Feed
	// Finish makes of a copy of the network what is written in its place, and so what is measured; it may be nil.
	Finish func(*graph.Model) error
	// TeacherOutput is what Net.OutputName is of the network.
	TeacherOutput string
	Method
	Calibration Calibration
	// Stages are what is done, in order. Shares are of Total steps or, where that is 0,
	// of Limit: the time then decides on the steps of each stage when it begins, and
	// checkpoints keep them.
	Stages []Stage
	Total  int

	// Memory is the bytes that the patches of all threads may take; a negative number is no
	// limit, 0 means [machine.Budget].
	Memory int64
	Batch  int
	// MicroBatches is how many parts of a batch are summed apart: results depend on their
	// number, and on nothing else of threads and processes. 0: one for each thread of all processes.
	MicroBatches int
	Pool         *machine.Pool // has a worker for each thread
	// Cluster is the processes that share out batches and validations, all with the same Config;
	// nil for this one alone. Each of them has its Report; Checkpoint is for process 0.
	Cluster       cluster.Comm
	ValidateEvery int // steps; 0: a twentieth of all
	// Checkpoint is the file that the state of the run is written to, empty for none:
	// when the run begins and ends, and every CheckpointEvery.
	Checkpoint      string
	CheckpointEvery time.Duration
	// Limit is the time that Run may take, its last validation included; 0: any.
	Limit time.Duration
	// Patience is the validations in a row without a better network after which Run ends with
	// [ErrStalled]; 0: it never does.
	Patience int
	// Identity is what the model and the settings were; a checkpoint of another
	// identity is not resumed.
	Identity checkpoint.Header
	// Report is told of each step, validation, end of a stage and layer that a calibration has
	// fitted; it may be nil.
	Report func(Event)
}

// An Event is news of a run.
type Event struct {
	Stage     int     `json:"stage"`
	StageName string  `json:"stage_name"`
	Step      int     `json:"step"`
	Steps     int     `json:"steps"`
	Done, All int     `json:"-"` // steps of all stages
	Left      float64 `json:"-"` // seconds that the other steps will take, after a step, or the other layers
	// Layer of Layers have been fitted, while a calibration goes on; both 0 in other events.
	Layer, Layers int                 `json:"-"`
	Seconds       float64             `json:"seconds"`
	Rate          float64             `json:"learning_rate,omitempty"`
	Loss          float64             `json:"loss,omitempty"`
	PSNR          float64             `json:"psnr,omitempty"` // of the batch's patches against the ground truth, dB
	FiringRate    float64             `json:"firing_rate,omitempty"`
	Norm          float64             `json:"gradient_norm,omitempty"`
	Validation    *checkpoint.Figures `json:"validation,omitempty"`
	Best          bool                `json:"best,omitempty"`
	// Problem is why a checkpoint could not be written; the run goes on.
	Problem string `json:"problem,omitempty"`
}

// A Trainer is a run under way.
type Trainer struct {
	Config
	timed        bool // the time decides on the steps
	net, teacher *Net
	threads      []*workers
	cluster      cluster.Comm
	lanes        []*lane // of this process, from firstLane on
	firstLane    int
	exchange     *exchange // of batches of the kind exchanged
	exchanged    kind
	interrupted  bool // by the context of any process
	params       []*optim.Param
	grads        [][]float32
	optimizer    optim.Optimizer
	average      *optim.Average
	position     checkpoint.Position
	best         *checkpoint.Figures
	bestData     [][]float32
	norms        []float64 // of hidden features; nil until one is needed
	started      time.Time // zero before Run
	before       float64   // seconds of earlier sessions
	saved        time.Time
	validated    uint64        // 1 + the steps before the last validation; 0 before the first
	validation   time.Duration // what it took
	stepped      time.Duration // what the last step took
	pace         time.Duration // that of all steps since the plan was adjusted
	paced        int           // steps since then
	trained      time.Duration // that of all steps of this session
	steps        int           // of this session
	planned      int           // stages whose steps are fixed
}

// ErrStopped is the end of a run before its last step: by its limit, its context or, then also
// ErrStalled, because nothing became better.
var (
	ErrStopped = errors.New("stopped before the last step")
	ErrStalled = fmt.Errorf("%w: nothing became better", ErrStopped)
)

// New makes a run ready.
func New(c Config) (*Trainer, error) {
	t, err := begin(c, c.Source.Options())
	if err != nil {
		return nil, err
	}
	for range c.Pool.Threads() {
		t.threads = append(t.threads, t.newWorkers())
	}
	t.net.Threads = len(t.threads)
	if err := t.makeLanes(); err != nil {
		return nil, err
	}
	if err := t.alike(); err != nil {
		return nil, err
	}
	return t, t.optimiser()
}

// Check is what [New] refuses without reading an image: a network that has no gradients, patches that
// do not fit it or take too much memory. Source may be nil; o are its options.
func (c Config) Check(o patches.Options) error {
	_, err := begin(c, o)
	return err
}

// begin makes the networks of a run ready for patches.
func begin(c Config, o patches.Options) (*Trainer, error) {
	c.Stages = slices.Clone(c.Stages)
	t := &Trainer{Config: c}
	if t.Memory == 0 {
		t.Memory = machine.Budget()
	}
	t.prepared()
	if err := t.check(); err != nil {
		return nil, err
	}
	target, side := o.Sides()
	teacher, output := c.Teacher, c.TeacherOutput
	if teacher == nil {
		teacher, output = c.Model.Clone(), c.Net.OutputName
	}
	var err error
	if t.net, err = CompileFed(c.Model, side, side, c.Net, taken(c.Model, c.Feeds)); err != nil {
		return nil, err
	}
	if t.teacher, err = CompileFed(teacher, side, side, Options{OutputName: output}, taken(teacher, c.Feeds)); err != nil {
		return nil, fmt.Errorf("teacher: %w", err)
	}
	if t.teacher.output.elems != t.net.output.elems {
		return nil, fmt.Errorf("teacher gives %v, the network %v", t.teacher.output.dims, t.net.output.dims)
	}
	return t, t.fits(target)
}

func (t *Trainer) check() error {
	switch {
	case t.Batch < 1:
		return fmt.Errorf("batch of %d patches, want 1 or more", t.Batch)
	case len(t.Stages) == 0:
		return errors.New("no stages to train")
	case t.timed && t.Limit <= 0:
		return errors.New("stages with shares of the time and no limit of it")
	}
	for i, s := range t.Stages {
		if err := s.Check(); err != nil {
			return err
		}
		if s.Steps > 0 && !s.Calibrates() {
			if err := t.schedule(i).Check(); err != nil {
				return fmt.Errorf("stage %s: %w", s.Name, err)
			}
		}
	}
	return t.Method.Check()
}

// schedule is the learning rates of stage i.
func (t *Trainer) schedule(i int) optim.Schedule {
	s := t.Stages[i]
	return optim.Schedule{Shape: t.Schedule, Base: s.Rate, Floor: min(t.RateFloor, s.Rate/100),
		WarmUp: min(t.WarmUp, s.Steps/2), Steps: s.Steps}
}

// optimiser makes parameters, the optimiser and the average.
func (t *Trainer) optimiser() (err error) {
	for _, p := range t.net.params {
		grad := make([]float32, len(p.Data))
		t.grads = append(t.grads, grad)
		t.params = append(t.params, &optim.Param{Name: p.Name, Value: p.Data, Grad: grad, Decays: p.Role == Weight, Rows: p.rows()})
	}
	if t.Optimizer == "muon" {
		t.optimizer, err = optim.NewMuon(t.params, t.WeightDecay, t.Pool)
	} else {
		t.optimizer, err = optim.NewAdam(t.params, t.WeightDecay)
	}
	if err != nil {
		return err
	}
	if t.Average > 0 {
		t.average, err = optim.NewAverage(t.params, t.Average)
	}
	return err
}

// Run trains until the last step, the limit or the end of ctx, and leaves the best
// network in Model. The error is ErrStopped when steps are left, by the limit or the end of ctx;
// before the first validation Model is then as the last step left it. A [DivergedError]
// leaves the best network in Model too, and the last checkpoint.
func (t *Trainer) Run(ctx context.Context) error {
	t.started, t.saved = time.Now(), time.Now()
	t.before = t.position.Seconds
	err := t.run(ctx)
	var bad *DivergedError
	switch {
	case t.Interrupted(ctx):
		if e := t.save(); e != nil {
			return e
		}
		err = ErrStopped
	case errors.As(err, &bad):
		if t.bestData == nil {
			return err
		}
	case err != nil && !errors.Is(err, ErrStopped):
		return err
	default:
		if e := t.save(); e != nil {
			return e
		}
	}
	if t.bestData != nil { // else ctx ended before the first validation
		t.keepBest()
	}
	return err
}

func (t *Trainer) stage() Stage { return t.Stages[t.position.Stage] }

func (t *Trainer) run(ctx context.Context) error {
	if t.validated == 0 || t.due() {
		if err := t.validate(ctx); err != nil {
			return err
		}
	}
	if err := t.save(); err != nil {
		return err
	}
	for ; t.position.Stage < len(t.Stages); t.position.Stage, t.position.Step = t.position.Stage+1, 0 {
		t.pace, t.paced = 0, 0
		if err := t.fix(ctx); err != nil {
			return err
		}
		for int(t.position.Step) < t.stage().Steps {
			switch why, err := t.stopping(ctx); {
			case err != nil:
				return err
			case why == interrupted:
				return ErrStopped
			case why == outOfTime:
				return t.stop(ctx)
			}
			if err := t.step(ctx); err != nil {
				return err
			}
			if err := t.after(ctx); err != nil {
				return err
			}
			if t.stalled() {
				return ErrStalled
			}
		}
		if t.position.Stage == len(t.Stages)-1 {
			return nil
		}
	}
	return nil
}

// stalled reports whether the patience is at its end. It follows from the position alone, so
// that a run that is resumed ends where it would have.
func (t *Trainer) stalled() bool {
	if t.Patience == 0 || t.stage().Calibrates() || t.best == nil || t.validated != t.position.Total+1 || int(t.position.Total) == t.Steps() {
		return false
	}
	return t.position.Total-t.best.Position.Total >= uint64(t.Patience)*uint64(t.ValidateEvery)
}

// late reports whether another step would not leave the time for a validation.
func (t *Trainer) late() bool {
	return t.Limit > 0 && time.Since(t.started)+t.stepped+t.validation > t.Limit
}

// stop validates what the last step gave.
func (t *Trainer) stop(ctx context.Context) error {
	if t.validated != t.position.Total+1 {
		if err := t.validate(ctx); err != nil {
			return err
		}
	}
	return ErrStopped
}

// due reports whether it is time to validate.
func (t *Trainer) due() bool {
	last := t.position.Step > 0 && int(t.position.Step) == t.stage().Steps
	turn := t.ValidateEvery > 0 && t.position.Total%uint64(t.ValidateEvery) == 0
	return (last || turn) && t.validated != t.position.Total+1
}

// after validates and saves when it is time. What is trained is worth more than a
// checkpoint that cannot be written just now.
func (t *Trainer) after(ctx context.Context) error {
	changed := false
	if t.due() {
		if err := t.validate(ctx); err != nil {
			return err
		}
		changed = t.adjust()
		if err := t.agreePlan(); err != nil {
			return err
		}
	}
	if changed || t.CheckpointEvery > 0 && time.Since(t.saved) > t.CheckpointEvery {
		if err := t.save(); err != nil {
			e := t.event()
			e.Problem = err.Error()
			t.tell(e)
		}
	}
	return nil
}

// step trains on one batch.
func (t *Trainer) step(ctx context.Context) error {
	s, begin := t.stage(), time.Now()
	if s.Calibrates() {
		return t.correct(ctx)
	}
	if err := t.prepare(); err != nil {
		return err
	}
	sum, err := t.batch(ctx)
	if err != nil {
		return err
	}
	norm, err := optim.Clip(t.params, t.Clip)
	if err != nil {
		return t.diverged(err)
	}
	rate := t.schedule(t.position.Stage).Rate(int(t.position.Step))
	t.optimizer.Step(rate)
	t.net.project()
	if t.average != nil {
		t.average.Update()
	}
	if err := t.finite(); err != nil {
		return err
	}
	t.net.Refresh()
	t.position.Step++
	t.position.Total++
	t.position.Patch += uint64(t.Batch)
	t.stepped = time.Since(begin)
	t.pace, t.paced = t.pace+t.stepped, t.paced+1
	t.trained, t.steps = t.trained+t.stepped, t.steps+1
	e := t.event()
	e.Left = (t.pace.Seconds()/float64(t.paced) + t.validation.Seconds()/float64(max(t.ValidateEvery, 1))) * float64(e.All-e.Done)
	if t.Limit > 0 {
		e.Left = min(e.Left, max(0, (t.Limit-time.Since(t.started)).Seconds()))
	}
	e.Rate, e.Loss, e.PSNR, e.FiringRate, e.Norm = rate, sum.loss, sum.psnr(t.Batch), sum.rate, norm
	t.tell(e)
	return nil
}

// prepare measures what the present stage needs to know.
func (t *Trainer) prepare() error {
	if t.DistillFeatures > 0 && t.norms == nil {
		return t.measure()
	}
	return nil
}

func (t *Trainer) event() Event {
	return Event{Stage: t.position.Stage, StageName: t.stage().Name, Step: int(t.position.Step), Steps: t.stage().Steps,
		Done: int(t.position.Total), All: t.Steps(), Seconds: t.seconds()}
}

// Throughput is the patches a second of the steps of this session.
func (t *Trainer) Throughput() float64 {
	return float64(t.steps*t.Batch) / max(t.trained.Seconds(), 1e-9)
}

// Exchanged is what the exchange of gradients has taken in the present kind of stage; zero in a
// process that is alone.
func (t *Trainer) Exchanged() Exchanged {
	if t.exchange == nil {
		return Exchanged{}
	}
	return t.exchange.took
}

// seconds is the time spent in Run, over all sessions.
func (t *Trainer) seconds() float64 {
	if t.started.IsZero() {
		return t.position.Seconds
	}
	return t.before + time.Since(t.started).Seconds()
}

func (t *Trainer) tell(e Event) {
	if t.Report != nil {
		t.Report(e)
	}
}
