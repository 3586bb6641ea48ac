package train

import (
	"strings"
	"testing"

	"spikingir/runtime/train/checkpoint"
)

// TestConsistent holds that a checkpoint is refused whose counts no run comes to: they
// would index stages, choose patches and end or never end a run.
func TestConsistent(t *testing.T) {
	const huge = 1_000_000_000_000_000_000
	at := func(stage int, step, total, patch uint64) checkpoint.Position {
		return checkpoint.Position{Stage: stage, Step: step, Total: total, Patch: patch}
	}
	for _, c := range []struct {
		name      string
		position  checkpoint.Position
		best      *checkpoint.Position
		validated uint64
		want      string
	}{
		{"begin", at(0, 0, 0, 0), nil, 0, ""},
		{"calibrated", at(0, 1, 0, 0), nil, 0, ""},
		{"between stages", at(1, 10, 10, 40), &checkpoint.Position{}, 11, ""},
		{"later", at(2, 5, 15, 60), &checkpoint.Position{Stage: 1, Step: 10, Total: 10, Patch: 40}, 16, ""},
		{"end", at(2, 20, 30, 120), nil, 31, ""},
		{"negative stage", at(-1, 0, 0, 0), nil, 0, "stage -1 of 3"},
		{"no such stage", at(3, 0, 30, 120), nil, 0, "stage 3 of 3"},
		{"step", at(1, huge, huge, 4*huge), nil, 0, "step 1000000000000000000 of stage rates, which has 10"},
		{"calibration twice", at(0, 2, 0, 0), nil, 0, "step 2 of stage calibrate, which has 1"},
		{"total", at(1, 5, huge, 20), nil, 0, "done 1000000000000000000 steps and 20 patches, want 5 and 20"},
		{"patch", at(1, 5, 5, huge), nil, 0, "1000000000000000000 patches, want 5 and 20"},
		{"best stage", at(1, 5, 5, 20), &checkpoint.Position{Stage: 7}, 0, "best validation: the checkpoint is in stage 7"},
		{"best later", at(1, 5, 5, 20), &checkpoint.Position{Stage: 1, Step: 6, Total: 6, Patch: 24}, 0, "after 6 steps, and 5 are done"},
		{"validated", at(1, 5, 5, 20), nil, huge, "the last validation was after"},
		{"seconds", checkpoint.Position{Seconds: -1}, nil, 0, "-1 seconds"},
	} {
		r := &Trainer{Config: Config{Batch: 4, Stages: []Stage{{Name: CalibrateStage}, {Name: RateStage, Steps: 10}, {Name: "spikes", Steps: 20}}}}
		r.prepared()
		k := &checkpoint.Checkpoint{Header: checkpoint.Header{Position: c.position}}
		if c.best != nil {
			k.Best = &checkpoint.Figures{Position: *c.best}
		}
		switch err := r.consistent(k, c.validated); {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	r := &Trainer{Config: Config{Batch: 4, Stages: []Stage{{Name: CalibrateStage}, {Name: RateStage, Steps: 10}}}}
	r.prepared()
	for _, plan := range [][]uint64{{2, 1, 1, 11}, {2, 1, 2, 10}, {3, 1, 1, 10}} {
		if err := r.follow(plan); err == nil {
			t.Errorf("the plan %v is followed", plan)
		}
	}
}
