package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/internal/atomicfile"
	"spikingir/onnxio"
	"spikingir/passes/recipes"
	"spikingir/runtime/eval"
	"spikingir/runtime/train"
	"spikingir/runtime/train/checkpoint"
	"spikingir/runtime/train/patches"
)

func (a *app) finetuneCmd() *cobra.Command {
	t := &tuning{}
	cmd := &cobra.Command{
		Use:   "finetune MODEL -o OUT --task TASK --data DIR",
		Short: "Train a converted network on a folder of images",
		Long: `finetune brings a spiking network close to the ANN that it was converted from, or
trains an ANN on the same data for comparison. It trains in stages (--stages):

  calibrate  without gradients: each layer is fitted to the ANN's by linear
             regression from the spikes that it receives
  rates      the network with its activations rounded to the rates that neurons
             can fire at, one slice in the place of T timesteps
  fast       all timesteps forward, and back through the mean rates at once
  spikes     all timesteps, and back through each of them (surrogate gradients)
  means      the network with ReLUs in the place of neurons: an ANN's training

each but calibrate with =STEPS, or with =PERCENT% of --steps or of the time of
--max-minutes, which becomes a number of steps as the stage goes on.

A part of the images (--validation-share) is held out. The network is measured on
them, in fixed point as eval does, before, after and in between; OUT is the best.

The state of the run is in --checkpoint from its first step on: after Ctrl-C, or
whatever else ended it, the same command with --resume goes on as if nothing had
happened, bit for bit. It is removed when the last step is done. The same seed,
--threads and steps give the same bytes on the same kind of CPU.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t.begin = time.Now()
			t.path = args[0]
			if err := t.check(); err != nil {
				return err
			}
			if a.Precision != "fixed" {
				return fmt.Errorf("--precision %s: finetune trains in float32 and measures in fixed point, want eval to measure in another", a.Precision)
			}
			return a.finetune(cmd.Context(), t)
		},
	}
	t.add(cmd.Flags())
	return cmd
}

// finetune is the command, its flags checked.
func (a *app) finetune(ctx context.Context, t *tuning) error {
	unlock, err := t.checkFiles()
	if err != nil {
		return err
	}
	defer unlock()
	m, err := a.load(t.path, "onnx")
	if err != nil {
		return err
	}
	plain, err := a.trainable(t.path, m)
	if err != nil {
		return err
	}
	if err := t.settle(plain); err != nil {
		return err
	}
	if !plain && !t.noBiases {
		train.AddBiases(m)
	}
	c, err := a.training(t, m, plain)
	if err != nil {
		return err
	}
	r := &reporter{app: a, t: t}
	c.Report = r.report
	defer r.end()
	trainer, err := train.New(*c)
	if err != nil {
		return cli.Unsupported(fmt.Errorf("%s: %w", t.path, err))
	}
	if err := a.position(t, trainer, r); err != nil {
		return err
	}
	trainer.Limit = t.left(trainer.Position())
	r.from = trainer.Position()
	err = trainer.Run(ctx)
	r.end()
	return a.finish(ctx, t, m, trainer, r, err)
}

// trainable prepares a model for training and reports whether it is a plain ANN.
func (a *app) trainable(path string, m *graph.Model) (plain bool, err error) {
	ports, err := eval.PortsOf(m.Graph)
	if err != nil {
		return false, cli.Unsupported(fmt.Errorf("%s: %w", path, err))
	}
	if ports.Channels != 1 && ports.Channels != 3 {
		return false, cli.Unsupported(fmt.Errorf("%s takes images of %d channels, want 1 or 3 to train on images", path, ports.Channels))
	}
	if spikingir.Spiking(m) {
		return false, nil
	}
	if _, flat := m.Metadata.Get(graph.MetaTimesteps); flat {
		return false, cli.Unsupported(fmt.Errorf("%s is a spiking network in the flat form, whose neurons cannot be told any more; "+
			"want the form that convert --lower functions writes", path))
	}
	return true, a.cleanUp(path, m)
}

// cleanUp runs the passes that recipes begin with: they fold what training could not
// keep apart, such as a BatchNormalization behind its convolution.
func (a *app) cleanUp(path string, m *graph.Model) error {
	if _, err := spikingir.Convert(context.Background(), m, spikingir.Options{Pipeline: recipes.CleanUp(), Threads: a.Threads, Log: a.log()}); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// teacher is the ANN of --ref as training takes it; nil where there is none.
func (a *app) teacher(t *tuning, m *graph.Model) (*graph.Model, error) {
	if t.ref == "" {
		if _, tuned := m.Metadata.Get(graph.MetaFinetune); tuned && t.learns() {
			return nil, fmt.Errorf("%s was fine-tuned before and no longer knows its ANN: want --ref ANN, "+
				"or --distill-output 0, no --distill-features and no stage calibrate", t.path)
		}
		return nil, nil
	}
	ann, err := a.load(t.ref, "onnx")
	if err != nil {
		return nil, err
	}
	if plain, err := a.trainable(t.ref, ann); err != nil {
		return nil, err
	} else if !plain {
		return nil, fmt.Errorf("--ref %s is a spiking network, want the ANN that %s was converted from", t.ref, t.path)
	}
	return ann, t.comparable(m, ann)
}

// comparable refuses an ANN whose values are not those of m, where the run compares
// them by their names.
func (t *tuning) comparable(m, ann *graph.Model) error {
	pipeline, _ := m.Metadata.Get(graph.MetaPipeline)
	isConv := func(n *graph.Node) bool { return n.Is("Conv") }
	switch {
	case t.features == 0 && !t.calibrates():
	case strings.Contains(pipeline, "absorb-scales"):
		return fmt.Errorf("%s is in unit form, whose activations are not those of %s: "+
			"want no --distill-features and no stage calibrate, or a model converted without --absorb-scales", t.path, t.ref)
	case t.features > 0 && !shared(m, ann, op.IsNeuron):
		return fmt.Errorf("--distill-features compares activations by their names, and %s has none of those of %s: "+
			"want the ANN that it was converted from, without PRelu", t.ref, t.path)
	case t.calibrates() && !shared(m, ann, isConv):
		return fmt.Errorf("the stage calibrate compares convolutions by the names of their outputs, and %s has none of those of %s: "+
			"want the ANN that it was converted from", t.ref, t.path)
	}
	return nil
}

// shared reports whether some nodes of m give values that ann has too.
func shared(m, ann *graph.Model, of func(*graph.Node) bool) bool {
	for n := range m.Graph.Nodes() {
		if of(n) && ann.Graph.Value(n.Output(0).Name()) != nil {
			return true
		}
	}
	return false
}

// training is the run that the flags describe.
func (a *app) training(t *tuning, m *graph.Model, plain bool) (*train.Config, error) {
	ports, err := eval.PortsOf(m.Graph)
	if err != nil {
		return nil, err
	}
	task, err := t.task(ports.Channels)
	if err != nil {
		return nil, err
	}
	teacher, err := a.teacher(t, m)
	if err != nil {
		return nil, err
	}
	src, err := patches.Open(t.patches(task, a.Seed))
	if err != nil {
		return nil, err
	}
	for i, s := range src.Skipped() {
		if i == 3 {
			a.Warnf("%d more images are too small", len(src.Skipped())-i)
			break
		}
		a.Warnf("left out: %s", s)
	}
	t.images, t.data256 = src.String(), src.SHA256()
	c := t.config()
	c.Model, c.Teacher, c.Source, c.Task, c.Threads = m, teacher, src, task, a.Kernels().Threads()
	t.settings = t.record(task, c.Threads, a.Seed, teacher)
	s, err := json.Marshal(t.settings)
	if err != nil {
		return nil, err
	}
	c.Identity = checkpoint.Header{Program: "spikingir " + spikingir.Version, Data: src.SHA256(), Settings: s}
	if m.Source != nil {
		c.Identity.Model = hex.EncodeToString(m.Source.SHA256[:])
	}
	return c, nil
}

// position begins a run or takes it up where its checkpoint left it.
func (a *app) position(t *tuning, trainer *train.Trainer, r *reporter) error {
	if !t.resume {
		return r.open(nil)
	}
	if err := trainer.Resume(); err != nil {
		return err
	}
	p := trainer.Position()
	r.last = trainer.Best()
	a.Warnf("going on at step %d of stage %s, after %s of training", p.Step, t.plan[p.Stage].name, duration(p.Seconds))
	return r.open(&p)
}

// finish writes what a run left, and says how it ended.
func (a *app) finish(ctx context.Context, t *tuning, m *graph.Model, trainer *train.Trainer, r *reporter, end error) error {
	var diverged *train.DivergedError
	stopped := errors.Is(end, train.ErrStopped)
	p := trainer.Position()
	switch {
	case stopped && ctx.Err() != nil:
		return &cli.CodeError{Code: cli.ExitInterrupted, Err: fmt.Errorf("interrupted after %d of %d steps; %s is not written; the state is in %s: "+
			"the same command with --resume goes on", p.Total, trainer.Steps(), t.out, t.checkpoint)}
	case errors.As(end, &diverged):
	case end != nil && !stopped:
		return end
	}
	t.describe(m, trainer)
	if err := atomicfile.Sweep(t.out); err != nil {
		return cli.Writing(t.out, err)
	}
	if err := onnxio.WriteFile(t.out, m); err != nil {
		return cli.Writing(t.out, err)
	}
	s := r.summary(trainer)
	s.Ended = "complete"
	switch {
	case diverged != nil:
		s.Ended = "diverged"
	case stopped:
		s.Ended = "time"
	default:
		if err := os.Remove(t.checkpoint); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove checkpoint %s: %w", t.checkpoint, atomicfile.Cause(err))
		}
		s.Checkpoint = ""
	}
	if err := a.printTuned(s); err != nil {
		return err
	}
	if diverged != nil {
		return &cli.CodeError{Code: cli.ExitGate, Err: fmt.Errorf("%w; %s holds the best network until then, %s the last state that was saved; "+
			"want a lower --rate or --clip", diverged, t.out, t.checkpoint)}
	}
	return nil
}

// describe writes what was done into the model's metadata.
func (t *tuning) describe(m *graph.Model, trainer *train.Trainer) {
	put := func(key, value string) { m.Metadata.Set(graph.MetaFinetune+key, value) }
	steps := ""
	for i, s := range trainer.Stages {
		if i > 0 {
			steps += ","
		}
		steps += s.Name
		if s.Correction == nil {
			steps += "=" + strconv.Itoa(s.Steps)
		}
	}
	p := trainer.Position()
	if b := trainer.Best(); b != nil {
		p = b.Position
	}
	put("", string(trainer.Identity.Settings))
	put("_version", spikingir.Version)
	put("_stages", steps)
	put("_steps", strconv.FormatUint(p.Total, 10))
	put("_patches", strconv.FormatUint(p.Patch, 10))
	put("_source_sha256", trainer.Identity.Model)
	put("_data_sha256", trainer.Identity.Data)
	put("_seed", strconv.FormatUint(t.settings.Seed, 10))
}

// left is the time that Run may take, of a run that is at p; 0 for any.
func (t *tuning) left(p checkpoint.Position) time.Duration {
	if t.minutes == 0 {
		return 0
	}
	return max(t.limit()-time.Since(t.begin)-time.Duration(p.Seconds*float64(time.Second)), 1)
}

func (t *tuning) limit() time.Duration { return time.Duration(t.minutes * float64(time.Minute)) }
