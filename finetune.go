package spikingir

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"spikingir/graph"
	"spikingir/internal/atomicfile"
	"spikingir/passes/annotations"
	"spikingir/runtime/cluster"
	"spikingir/runtime/eval"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/train"
	"spikingir/runtime/train/checkpoint"
)

// FinetuneReport says what a run did; its JSON form is a contract.
type FinetuneReport struct {
	Output     string          `json:"output"`
	Ended      string          `json:"ended"` // complete, time, stalled, diverged or interrupted
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
	// Exchange is what the gradients took on their way between processes; nil where there is one.
	Exchange *FinetuneExchange `json:"exchange,omitempty"`
	// Unfinished is the file of the best network of a run that was interrupted: see
	// [UnfinishedName].
	Unfinished string `json:"unfinished,omitempty"`
}

// FinetuneExchange is the exchange of gradients in a step of the last kind, for process 0.
type FinetuneExchange struct {
	Processes int     `json:"processes"`
	Bytes     int64   `json:"bytes"`           // that it sends
	Seconds   float64 `json:"seconds"`         // that sums are under way
	Waited    float64 `json:"waiting_seconds"` // of these, after its last patch: what overlap does not hide
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
	taught  string          // the output of the teacher that is aimed at
	feeds   map[string]Feed // of inputs beside the image that follow its size
	exact   bool            // the model came in the exact form
	events  eventLog
	before  *checkpoint.Figures // before the first step, in the session that saw it
}

// Finetune trains a model in place on folders of images: a spiking network to come
// close to the ANN that it was converted from, or an ANN. The model becomes the network
// that was best on the held-out images, and its metadata say what was done. The same
// model, options, images and kind of CPU give the same bytes, also where a run was
// stopped and resumed.
//
// A run that the context ends gives its report with the context's error; its
// checkpoint goes on, and the best network so far is in the file [UnfinishedName]. One that diverged gives its report with a [DivergedError], and the
// model is the best network until then. After another error the model is in no defined
// state.
func Finetune(ctx context.Context, m *Model, o FinetuneOptions) (*FinetuneReport, error) {
	f := &finetuning{FinetuneOptions: o, ctx: ctx, model: m, begin: time.Now()}
	if err := f.Check(); err != nil {
		return nil, err
	}
	f.follow()
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
	if err := f.microBatches(); err != nil {
		return nil, err
	}
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

// follow leaves what is written and told to process 0.
func (f *finetuning) follow() {
	if cluster.Or(f.Cluster).Rank() > 0 {
		f.Output, f.Checkpoint, f.EventLog, f.Report, f.Note = "", "", "", nil, nil
	}
}

// microBatches completes their number, and that of the patches that they share.
func (f *finetuning) microBatches() error {
	processes := cluster.Or(f.Cluster)
	if f.MicroBatches == 0 {
		n, err := cluster.Total(processes, int64(f.Threads))
		if err != nil {
			return err
		}
		f.MicroBatches = int(n)
	}
	if n := processes.Size(); f.MicroBatches < n {
		return badOption("--micro-batches %d in %d processes, want one for each at least", f.MicroBatches, n)
	}
	if f.Batch == 0 {
		f.Batch = min(max(leastBatch, f.MicroBatches), mostBatch)
	}
	return nil
}

// The batch of a run that states none lies between these. Small ones make more of few patches,
// and of a large one every thread has its part.
const leastBatch, mostBatch = 4, 16

// start begins the run or takes it up where its checkpoint left it.
func (f *finetuning) start() error {
	c, err := f.config()
	if err != nil {
		return err
	}
	if f.trainer, err = train.New(*c); err != nil {
		return f.untrainable(err)
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
	case stopped && f.trainer.Interrupted(ctx):
		r.Ended = "interrupted"
		if r.Unfinished, end = f.keepBest(); end != nil {
			f.note("the best network so far could not be written: %v", end)
		}
		return r, cmp.Or(ctx.Err(), context.Canceled)
	case errors.As(end, &diverged):
		r.Ended = "diverged"
	case errors.Is(end, train.ErrStalled):
		r.Ended = "stalled"
	case stopped:
		r.Ended = "time"
	case end != nil:
		return nil, end
	}
	if err := f.write(f.Output); err != nil {
		return nil, err
	}
	if err := f.dropUnfinished(); err != nil {
		return nil, err
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

// write completes the model, and writes it unless the path is empty.
func (f *finetuning) write(path string) error {
	f.describe()
	if err := f.record().Put(f.model); err != nil {
		return err
	}
	if err := f.snap(); err != nil {
		return err
	}
	if err := annotations.Renew(f.model); err != nil || path == "" {
		return err
	}
	if err := atomicfile.Sweep(path); err != nil {
		return err
	}
	if err := Write(path, f.model); err != nil {
		return fmt.Errorf("write %s: %w", path, atomicfile.Cause(err))
	}
	return nil
}

// record is what was measured of the network on the held-out images; nil where nothing was.
func (f *finetuning) record() *eval.Record {
	if best := f.trainer.Best(); best != nil {
		return best.Record
	}
	return nil
}

// UnfinishedName is the file that the best network of a run is written to that is interrupted,
// beside its output: x.best.onnx for x.onnx.
func UnfinishedName(output string) string {
	ext := filepath.Ext(output)
	return strings.TrimSuffix(output, ext) + ".best" + ext
}

// dropUnfinished removes what an interruption of the same run left.
func (f *finetuning) dropUnfinished() error {
	if !f.Resume || f.Output == "" {
		return nil
	}
	path := UnfinishedName(f.Output)
	if err := atomicfile.Sweep(path); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", path, atomicfile.Cause(err))
	}
	return nil
}

// keepBest writes the best network of a run that was interrupted, whose context is at its
// end. Without a measurement after the first step there is none.
func (f *finetuning) keepBest() (string, error) {
	if best := f.trainer.Best(); f.Output == "" || best == nil || best.Position.Total == 0 {
		return "", nil
	}
	f.ctx = context.WithoutCancel(f.ctx)
	path := UnfinishedName(f.Output)
	if err := f.write(path); err != nil {
		return "", err
	}
	return path, nil
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
	if x := f.trainer.Exchanged(); x.Steps > 0 {
		steps := float64(x.Steps)
		r.Exchange = &FinetuneExchange{f.Cluster.Size(), x.Bytes, x.Busy.Seconds() / steps, x.Waited.Seconds() / steps}
	}
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
