package train

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"time"

	"spikingir/graph"
	"spikingir/runtime/dataset"
	"spikingir/runtime/eval"
	"spikingir/runtime/exec"
	"spikingir/runtime/fit"
	"spikingir/runtime/train/checkpoint"
	"spikingir/runtime/train/patches"
)

// heldOut is the held-out samples as an evaluation takes them.
type heldOut struct {
	*patches.Source
	task dataset.Task
}

func (h heldOut) Len() int                         { return h.ValidationLen() }
func (h heldOut) At(i int) (dataset.Sample, error) { return h.Validation(i) }
func (h heldOut) Task() dataset.Task               { return h.task }

// validate measures the network, or the average of its weights, on the held-out
// images as eval does, in fixed point, and remembers it when it is the best.
func (t *Trainer) validate(ctx context.Context) error {
	begin := time.Now()
	if t.average != nil {
		t.average.Swap()
		t.net.Refresh()
		defer func() {
			t.average.Swap()
			t.net.Refresh()
		}()
	}
	if err := t.finite(); err != nil {
		return err
	}
	if err := t.together(); err != nil {
		return err
	}
	t.net.Store()
	if t.Source.ValidationLen() == 0 {
		t.remember(nil)
		t.validated = t.position.Total + 1
		return nil
	}
	f, err := t.figures(ctx)
	if err != nil {
		return err
	}
	if t.best != nil && f.PSNR < t.best.PSNR-hopeless {
		return t.diverged(fmt.Errorf("PSNR %.2f dB on the held-out images, after %.2f dB at step %d",
			f.PSNR, t.best.PSNR, t.best.Position.Total))
	}
	t.validated, t.validation = t.position.Total+1, time.Since(begin)
	e, told := t.event(), *f
	told.Record = nil // a log is of the run, not of layers
	e.Validation, e.Best = &told, t.best == nil || t.worth(f) > t.worth(t.best)
	if e.Best {
		t.remember(f)
	}
	t.tell(e)
	return nil
}

// hopeless is how far below the best, in dB, a validation ends the run: spikes cannot
// overflow, so that a network that is far off need not show it by its gradients.
const hopeless = 30

// figures measures the network on the held-out images.
func (t *Trainer) figures(ctx context.Context) (*checkpoint.Figures, error) {
	m := t.Model.Clone()
	if t.Finish != nil {
		if err := t.Finish(m); err != nil {
			return nil, err
		}
	}
	ports, err := eval.Bind(m.Graph, taken(m, t.Feeds), t.Net.OutputName)
	if err != nil {
		return nil, err
	}
	p, err := exec.Compile(m, exec.Options{Pool: t.Pool, Sizes: fit.Free(m, ports.Input)})
	if err != nil {
		return nil, err
	}
	r, err := eval.Run(t.whole(ctx), eval.Config{Model: p, Ports: ports, Set: heldOut{t.Source, t.Task}, Cluster: t.cluster})
	if err != nil {
		return nil, err
	}
	psnr := float64(r.Model.PSNR)
	if math.IsNaN(psnr) || math.IsInf(psnr, -1) {
		return nil, t.diverged(errors.New("the output for a held-out image is not a number"))
	}
	f := &checkpoint.Figures{Position: t.position, PSNR: min(psnr, perfect), SSIM: r.Model.SSIM,
		FiringRate: r.FiringRate, EnergyMJ: r.Energy.ModelMJ, Record: r.Record(eval.OnHeldOut)}
	f.Position.Seconds = t.seconds()
	return f, nil
}

// taken is those of some feeds that a model has inputs for, which are not stored in it.
func taken(m *graph.Model, feeds map[string]eval.Feed) map[string]eval.Feed {
	feeds = maps.Clone(feeds)
	maps.DeleteFunc(feeds, func(name string, _ eval.Feed) bool {
		v := m.Graph.Value(name)
		return v == nil || !v.IsInput() || v.IsInitializer()
	})
	return feeds
}

// perfect is the PSNR that is given to outputs without any error, dB.
const perfect = 200

// finite finds parameters that an update took out of the numbers.
func (t *Trainer) finite() error {
	for _, p := range t.net.params {
		for i, x := range p.Data {
			if x-x != 0 {
				return t.diverged(fmt.Errorf("value %d of %s is %g", i, p.Name, x))
			}
		}
	}
	return nil
}

// A DivergedError is the end of a run whose numbers left what can be trained.
type DivergedError struct {
	Stage string
	Step  uint64 // of the stage
	Err   error
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("training diverged at step %d of stage %s: %v", e.Step, e.Stage, e.Err)
}

func (e *DivergedError) Unwrap() error { return e.Err }

func (t *Trainer) diverged(err error) error {
	return &DivergedError{t.stage().Name, t.position.Step, err}
}

// worth orders networks: with an energy term it is the PSNR less what the spikes cost,
// as the loss weighs them.
func (t *Trainer) worth(f *checkpoint.Figures) float64 {
	return -math.Pow(10, -f.PSNR/10) - t.EnergyWeight*f.FiringRate
}

// remember keeps the present parameters as the best.
func (t *Trainer) remember(f *checkpoint.Figures) {
	t.best = f
	t.bestData = nil
	for _, p := range t.net.params {
		t.bestData = append(t.bestData, append([]float32(nil), p.Data...))
	}
}

// keepBest writes the best parameters to the model.
func (t *Trainer) keepBest() {
	for i, p := range t.net.params {
		copy(p.Data, t.bestData[i])
	}
	t.net.Refresh()
	t.net.Store()
}

// Best is the figures of the best validation; nil where nothing is held out.
func (t *Trainer) Best() *checkpoint.Figures { return t.best }
