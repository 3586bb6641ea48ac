package train

import (
	"context"
	"fmt"
	"math"

	"spikingir/runtime/dataset"
	"spikingir/runtime/eval"
	"spikingir/runtime/exec"
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
	if t.average != nil {
		t.average.Swap()
		t.net.Refresh()
		defer func() {
			t.average.Swap()
			t.net.Refresh()
		}()
	}
	t.net.Store()
	if t.Source.ValidationLen() == 0 {
		t.remember(nil)
		return nil
	}
	ports, err := eval.PortsOf(t.Model.Graph)
	if err != nil {
		return err
	}
	p, err := exec.Compile(t.Model, exec.Options{Pool: t.pool})
	if err != nil {
		return err
	}
	r, err := eval.Run(ctx, eval.Config{Model: p, Input: ports.Input, Set: heldOut{t.Source, t.Task}})
	if err != nil {
		return err
	}
	if math.IsNaN(float64(r.Model.PSNR)) {
		return fmt.Errorf("validation at step %d: the output is not a number", t.position.Total)
	}
	f := &checkpoint.Figures{Position: t.position, PSNR: float64(r.Model.PSNR), SSIM: r.Model.SSIM,
		FiringRate: r.FiringRate, EnergyMJ: r.Energy.ModelMJ}
	e := t.event()
	e.Validation, e.Best = f, t.better(f)
	if e.Best {
		t.remember(f)
	}
	t.tell(e)
	return nil
}

// better reports whether f beats the best. With an energy term a network is worth
// its PSNR less what its spikes cost, as the loss weighs them.
func (t *Trainer) better(f *checkpoint.Figures) bool {
	return t.best == nil || t.worth(f) > t.worth(t.best)
}

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
