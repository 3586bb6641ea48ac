package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"spikingir/graph"
	"spikingir/runtime/eval"
	"spikingir/runtime/exec"
	"spikingir/runtime/fit"
	"spikingir/runtime/ops"
	"spikingir/runtime/train"
	"spikingir/runtime/train/optim"
)

// A TrainStage is a kind of training step.
type TrainStage string

// The kinds of training steps, cheapest first.
const (
	RateStage         TrainStage = "rates"         // one slice of quantised activations, and back
	RateBackwardStage TrainStage = "rate-backward" // all timesteps, and back through mean rates once
	SpikeStage        TrainStage = "spikes"        // backpropagation through all timesteps
)

// TrainStages lists the kinds of steps, cheapest first.
func TrainStages() []TrainStage { return []TrainStage{RateStage, RateBackwardStage, SpikeStage} }

// TrainLine is the measurement of one training step. Its JSON form is a contract of
// the command line.
type TrainLine struct {
	Line
	Batch      int     `json:"batch"`
	Patches    float64 `json:"patches_per_s"`
	FiringRate float64 `json:"firing_rate"` // spikes a neuron and timestep; 0 in stage rates
}

// A Training is a network that learns from one batch of patches over and over:
// smooth pictures under noise of standard deviation 25/255, on which the neurons of
// a denoiser fire about as often as on photographs.
type Training struct {
	patch           int // pixels of a side
	net             *train.Net
	workers         []*train.Worker
	params          []*optim.Param
	grads           [][]float32
	adam            *optim.Adam
	images, targets [][]float32
	work            workload // of a patch
}

// trainRate is the learning rate: too small to change what a step takes.
const trainRate = 1e-5

// NewTraining makes a spiking network ready to be trained on square patches, as many
// at a time as there are threads.
func NewTraining(m *graph.Model, patch, batch, threads int) (*Training, error) {
	if patch < 1 || batch < 1 || threads < 1 {
		return nil, fmt.Errorf("%d patches of %dx%d pixels on %d threads, want 1 or more", batch, patch, patch, threads)
	}
	ports, err := eval.PortsOf(m.Graph)
	if err != nil {
		return nil, err
	}
	channels := max(ports.Channels, 1)
	t := &Training{patch: patch, images: pictures(batch, channels, patch)}
	if t.net, err = train.Compile(m, patch, patch, train.Options{}); err != nil {
		return nil, err
	}
	if t.net.Timesteps == 0 {
		return nil, errors.New("the network has no neurons that run in time: want a spiking one")
	}
	if t.work, err = measured(m, Uniform(1, channels, patch, patch)); err != nil {
		return nil, err
	}
	for range threads {
		t.workers = append(t.workers, t.net.NewWorker())
	}
	out, err := t.workers[0].Forward(t.images[0], train.Rates, train.Hooks{})
	if err != nil {
		return nil, err
	}
	t.targets = slices.Collect(slices.Chunk(Uniform(batch, len(out)).F32, len(out)))
	t.grads = t.net.Gradients(nil, t.workers)
	for i, p := range t.net.Params() {
		t.params = append(t.params, &optim.Param{Name: p.Name, Value: p.Data, Grad: t.grads[i]})
	}
	t.adam, err = optim.NewAdam(t.params, 0)
	return t, err
}

// pictures are slow waves between 0 and 1, and noise.
func pictures(n, channels, side int) [][]float32 {
	r := rand.New(rand.NewPCG(4, 4))
	x := make([]float32, 0, n*channels*side*side)
	for range n * channels {
		fy, fx, phase := r.Float64()*0.2, r.Float64()*0.2, r.Float64()*6
		for i := range side * side {
			wave := math.Sin(fy*float64(i/side) + fx*float64(i%side) + phase)
			x = append(x, float32(0.5+0.5*wave+25./255*r.NormFloat64()))
		}
	}
	return slices.Collect(slices.Chunk(x, channels*side*side))
}

// measured is the work of a network on an image, which it runs.
func measured(m *graph.Model, x *ops.Tensor) (all workload, err error) {
	m = m.Clone()
	fit.Free(m, "")
	p, err := exec.Compile(m, exec.Options{Precision: exec.Float32})
	if err != nil {
		return all, err
	}
	res, err := p.Run(context.Background(), map[string]*ops.Tensor{p.Inputs()[0].Name(): x}, exec.RunOptions{Measure: true})
	if err != nil {
		return all, err
	}
	for _, u := range p.Units() {
		w := worked(u, res, false)
		all.slice += w.slice
		all.once += w.once
	}
	return all, nil
}

// macs is the multiply-adds of a step: of the dense convolutions of all slices that
// the stage computes, once forwards and twice backwards.
func (t *Training) macs(s TrainStage) float64 {
	slices := float64(t.net.Timesteps + t.net.Post)
	passes := map[TrainStage]float64{RateStage: 1 + 2, RateBackwardStage: slices + 2, SpikeStage: slices + 2*slices}[s]
	return float64(len(t.images)) * (3*t.work.once + passes*t.work.slice)
}

// Step trains on the batch: forwards and backwards on all threads, the sum of the
// gradients, Adam, and what follows from new weights.
func (t *Training) Step(s TrainStage) error {
	errs := make([]error, len(t.workers))
	var group sync.WaitGroup
	for k, w := range t.workers {
		group.Go(func() {
			w.Clear()
			for i := k; i < len(t.images) && errs[k] == nil; i += len(t.workers) {
				errs[k] = t.learn(w, s, i)
			}
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	t.net.Gradients(t.grads, t.workers)
	if _, err := optim.Clip(t.params, math.MaxFloat64); err != nil {
		return err
	}
	t.adam.Step(trainRate)
	t.net.Refresh()
	return nil
}

// learn adds the gradients of one patch.
func (t *Training) learn(w *train.Worker, s TrainStage, i int) error {
	mode, back := train.Spikes, w.Backward
	switch s {
	case RateStage:
		mode = train.Rates
	case RateBackwardStage:
		back = w.BackwardRates
	}
	out, err := w.Forward(t.images[i], mode, train.Hooks{})
	if err != nil {
		return err
	}
	gradient := make([]float32, len(out))
	optim.MSE.Mean(out, t.targets[i], gradient, len(out), 1/float64(len(t.images)))
	return back(gradient)
}

// FiringRate is the spikes a neuron and timestep on the first patch.
func (t *Training) FiringRate() (float64, error) {
	w := t.workers[0]
	_, err := w.Forward(t.images[0], train.Spikes, train.Hooks{})
	return w.FiringRate(), err
}

// Train measures training steps of one kind; name is the network's. Kernels that pass
// silent neurons over or run by Winograd may exceed the peak.
func (b *Bench) Train(ctx context.Context, name string, t *Training, s TrainStage) (TrainLine, error) {
	var times []time.Duration
	peaks, err := probed(func() (err error) {
		times, err = b.Times(ctx, nil, func() error { return t.Step(s) })
		return err
	}, trainingFamily)
	firing, steps := 0.0, 0
	if s != RateStage && err == nil {
		steps = t.net.Timesteps
		firing, err = t.FiringRate()
	}
	if err != nil {
		return TrainLine{}, fmt.Errorf("stage %s: %w", s, err)
	}
	took := Median(times)
	return TrainLine{Batch: len(t.images), Patches: digits(float64(len(t.images)) / took.Seconds()), FiringRate: digits(firing),
		Line: b.line(fmt.Sprintf("train %s %s", s, name), trainingFamily, t.patch, t.patch, steps, took, t.macs(s), peaks)}, nil
}
