package spikingir

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"spikingir/runtime/cluster"
	"spikingir/runtime/cluster/clustertest"
	"spikingir/runtime/train/checkpoint"
)

// clusterRun is a fine-tuning of the fixture in processes.
type clusterRun struct {
	model *Model
	FinetuneOptions
}

func newClusterRun(t *testing.T) *clusterRun {
	t.Helper()
	m, dir := smallTraining(t, 3)
	o := DefaultFinetune()
	o.Data = Data{Dir: dir, Task: Task{Kind: Denoise, Sigma: 25}}
	o.Stages = []Stage{{Name: "calibrate"}, {Name: "rates", Steps: 2, Rate: 1e-3}, {Name: "rate-backward", Steps: 2, Rate: 1e-3}, {Name: "spikes", Steps: 2, Rate: 1e-3}}
	o.CalibratePatches, o.Batch, o.Patch, o.ValidateEvery, o.ValidationShare, o.ValidationCrop = 5, 5, 12, 3, 0.2, 16
	o.MicroBatches, o.TrainThresholds, o.TrainV0, o.Average = 4, true, true, 0.5
	return &clusterRun{m, o}
}

// in runs it in so many processes, and interrupts one of them after so many steps, 0 for never.
func (r *clusterRun) in(t *testing.T, size int, output string, resume bool, interrupt int) {
	t.Helper()
	errs := clustertest.Run(size, func(c cluster.Comm) error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		o := r.FinetuneOptions
		o.Cluster, o.Threads, o.Resume = c, 4/size, resume
		o.Output, o.Checkpoint = output, output+".checkpoint"
		if c.Rank() == 0 { // which alone is told
			o.Report = func(e FinetuneEvent) {
				if interrupt > 0 && e.Done == interrupt && e.Validation == nil {
					cancel()
				}
			}
		}
		report, err := Finetune(ctx, r.model.Clone(), o)
		switch {
		case interrupt > 0 && errors.Is(err, context.Canceled) && report != nil && report.Ended == "interrupted" && report.Steps == uint64(interrupt):
			return nil
		case interrupt > 0 || err != nil:
			return fmt.Errorf("process %d of %d: %+v, %w", c.Rank(), size, report, err)
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// TestFinetuneCluster holds that the number of processes changes no bit of what is trained, of the
// state that a run leaves when it is interrupted, and of what comes of that in other processes.
func TestFinetuneCluster(t *testing.T) {
	r := newClusterRun(t)
	dir := t.TempDir()
	read := func(path string) string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	whole := filepath.Join(dir, "whole.onnx")
	r.in(t, 1, whole, false, 0)
	var state *checkpoint.Checkpoint
	for _, size := range []int{1, 2, 4} {
		halves := filepath.Join(dir, fmt.Sprintf("halves%d.onnx", size))
		r.in(t, size, halves, false, 5)
		c, err := checkpoint.Read(halves + ".checkpoint")
		if err != nil {
			t.Fatal(err)
		}
		c.Position.Seconds, c.Best.Position.Seconds = 0, 0
		if state == nil {
			state = c
		}
		if !reflect.DeepEqual(c, state) {
			t.Errorf("%d processes leave another state than one", size)
		}
		r.in(t, 4/size, halves, true, 0)
		if read(halves) != read(whole) {
			t.Errorf("%d processes and then %d train another network than one", size, 4/size)
		}
	}
}
