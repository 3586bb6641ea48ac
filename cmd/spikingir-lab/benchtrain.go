package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"spikingir"
	"spikingir/fixtures"
	"spikingir/runtime/bench"
)

const (
	// trainRows is how many rows of the comparison the table of training may take the
	// time of.
	trainRows = 3
	// trainRuns is how many steps a round takes of each row at most.
	trainRuns = 3
)

// TrainTime is the time that the table of training may take.
func (r *race) TrainTime() time.Duration { return trainRows * r.RowTime }

// TrainRuns is how many steps a round takes of each row.
func (r *race) TrainRuns() int { return min(trainRuns, r.Runs) }

// A trainee is a row of the table of training.
type trainee struct {
	side
	network string
	stage   bench.TrainStage
	line    bench.TrainLine // of the last round
}

// training is the table of training steps, on the best kernels and on avx512, beside the
// same work in PyTorch: through time, and on rates.
func (r *race) training(ctx context.Context) *grid {
	r.Warnf("bench: training")
	rows := r.trainees(ctx)
	var through, once []*side
	for _, t := range rows {
		if t.stage == bench.RateStage {
			once = append(once, &t.side)
		} else {
			through = append(through, &t.side)
		}
	}
	firing := 0.0
	c, peerErr := r.torchTraining(ctx)
	err := r.turns(ctx, "training", through, r.TrainTime(), true, func(ctx context.Context) (float64, error) {
		if peerErr != nil {
			return 0, peerErr
		}
		a, err := c.ask(ctx, "train")
		firing = cmp.Or(a.Firing, firing)
		return a.MS, err
	})
	rates := line(r.python(ctx), "-", r.Workers(), r.Steps, r.Batch, r.Patch)
	rates.stdin = fixtures.TorchRates
	rateErr := r.turns(ctx, "training on rates", once, r.TrainTime(), true, func(ctx context.Context) (float64, error) {
		a, err := rates.ask(ctx, "train")
		return a.MS, err
	})
	if ctx.Err() != nil {
		return nil
	}
	g := newGrid("network", "stage", "kernel", "firing rate", "ours (ms)", "ours (patches/s)",
		"PyTorch (ms)", "PyTorch (patches/s)", "ratio", "least to most", "rounds")
	if err != nil {
		g.leaveOut(err, "PyTorch")
	}
	if rateErr != nil {
		g.leaveOut(rateErr, "PyTorch on rates")
	}
	for _, t := range rows {
		if t.err != nil {
			g.leaveOut(t.err, "%s, stage %s on %s", t.network, t.stage, cmp.Or(t.kernel, "the best kernels"))
			continue
		}
		cells := t.row(r.Batch)
		r.Warnf("bench: %s, stage %s: %v ms on %v, PyTorch %v ms, ratio %v", t.network, t.stage, cells[4], cells[2], cells[6], cells[8])
		g.AppendRow(cells)
	}
	if firing > 0 {
		g.note = fmt.Sprintf("PyTorch's neurons fire at a rate of %.3f.", firing)
	}
	return g
}

// trainees are the rows, ready to train.
func (r *race) trainees(ctx context.Context) []*trainee {
	trained, err := r.network(ctx, dncnn, r.Steps)
	random := r.random
	if random == nil {
		random = bench.DnCNN(17, 64, r.Steps)
	}
	var rows []*trainee
	for _, n := range []struct {
		title string
		model *spikingir.Model
		err   error
	}{{"DnCNN-17, random", random, nil}, {"DnCNN-17, trained", trained, err}} {
		for _, k := range []struct {
			kernel string
			stages []bench.TrainStage
		}{
			{"", []bench.TrainStage{bench.SpikeStage, bench.RateBackwardStage, bench.RateStage}},
			{"avx512", []bench.TrainStage{bench.SpikeStage}},
		} {
			var learns *bench.Training
			err := n.err
			if err == nil {
				err = on(k.kernel, func() (err error) {
					learns, err = bench.NewTraining(n.model, r.Patch, r.Batch, r.Workers())
					return err
				})
			}
			for _, stage := range k.stages {
				t := &trainee{network: n.title, stage: stage, side: side{kernel: k.kernel, err: err}}
				t.once = func(ctx context.Context) (_ float64, err error) {
					t.line, err = bench.New(r.Kernels(), 1, r.TrainRuns()).Train(ctx, n.title, learns, stage)
					return t.line.MS, err
				}
				rows = append(rows, t)
			}
		}
	}
	return rows
}

// flushedTorch runs PyTorch's script with subnormal numbers flushed, from its first
// thread on, as those that follow take it over; then it prints the firing rate of the
// script's network.
const flushedTorch = `
import json, runpy, sys
import torch
torch.set_flush_denormal(True)
sys.argv = sys.argv[1:]
script = runpy.run_path(sys.argv[0], run_name='__main__')
names, rates = script['Net'].forward.__globals__, []
fire = names['integrate_and_fire']
def counted(*args):
    spikes = fire(*args)
    rates.append(float(spikes.mean()))
    return spikes
names['integrate_and_fire'] = counted
with torch.no_grad():
    script['net'](script['x'][:1])
print(json.dumps({'firing_rate': sum(rates) / len(rates)}))
`

// torchTraining is PyTorch's training step. The inference that its script measures too
// is as small as can be.
func (r *race) torchTraining(ctx context.Context) (command, error) {
	script, err := r.script("torch_multistep_bench.py")
	return line(r.python(ctx), "-c", flushedTorch, script, r.Workers(), r.Steps, 8, r.Batch, r.Patch), err
}

// row has dashes for a peer that does not answer.
func (t *trainee) row(batch int) row {
	perSecond := func(ms float64) float64 { return float64(batch) / ms * 1e3 }
	ours, theirs, ratio := t.cells()
	cells := row{t.network, string(t.stage), t.line.Kernel, "-", ms(ours), rate(perSecond(ours)), "-", "-"}
	if t.line.FiringRate > 0 {
		cells[3] = fmt.Sprintf("%.3f", t.line.FiringRate)
	}
	if theirs > 0 {
		cells[6], cells[7] = ms(theirs), fmt.Sprintf("%.2f", perSecond(theirs))
	}
	return append(cells, ratio...)
}
