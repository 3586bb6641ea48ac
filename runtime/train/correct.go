package train

import (
	"context"
	"errors"
	"slices"

	"spikingir/runtime/train/optim"
)

// correct is the step of a calibration; one that is cut short, by the limit of the run
// too, leaves no trace.
func (t *Trainer) correct(whole context.Context) error {
	ctx := whole
	if t.Limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(whole, t.started.Add(t.Limit-t.validation))
		defer cancel()
	}
	var before [][]float32
	for _, p := range t.params {
		before = append(before, slices.Clone(p.Value))
	}
	err := t.Calibrate(ctx, t.Calibration)
	if err == nil {
		err = t.finite()
	}
	if err != nil {
		for i, p := range t.params {
			copy(p.Value, before[i])
		}
		t.net.Refresh()
		if errors.Is(err, context.DeadlineExceeded) && whole.Err() == nil {
			return t.stop(whole)
		}
		return err
	}
	if t.average != nil { // of what was before it means nothing
		if t.average, err = optim.NewAverage(t.params, t.Average); err != nil {
			return err
		}
	}
	t.position.Step++
	t.validated = 0
	t.tell(t.event())
	return nil
}
