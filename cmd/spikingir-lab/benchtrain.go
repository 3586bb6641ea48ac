package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/passes/recipes"
	"spikingir/runtime/bench"
)

// trainHead explains the table of training.
const trainHead = `## Training

A step on %[1]d patches of %[2]dx%[2]d pixels at T = %[3]d: forward, backward, the sum of the gradients, Adam,
and preparing the weights for the next step. Stage "spikes" backpropagates through all timesteps, as
PyTorch's script does. "fast" runs all timesteps forward and goes back once, through mean
rates. "rates" runs one slice of quantised activations both ways. The rows take turns with the script,
in up to %[4]d rounds, as many as fit in %[5]v. A round's time is the median of up to %[6]d steps, PyTorch's of 3.
PyTorch flushes subnormal numbers, as our kernels do. Its network has T slices, random weights, no
output neuron and no CPM. "Random" is the same network with weights of the same distribution, and with
a post step, an output neuron and a CPM. "Trained" is the real one, converted by the default recipe.
Our kernels skip silent neurons, so the firing rate (spikes for each neuron and timestep) matters to
them; to PyTorch it does not.

`

const (
	trainPatch = 40
	trainBatch = 4
	// trainRows is how many rows of the comparison the table of training may take the
	// time of.
	trainRows = 3
	// trainRuns is how many steps a round takes of each row at most.
	trainRuns = 3
)

// A trainRow is a row of the table of training.
type trainRow struct {
	network string
	stage   bench.TrainStage
	kernel  string // empty is the best

	training     *bench.Training
	line         bench.TrainLine // of the last round
	ours, theirs []float64       // milliseconds
	err          error
}

// on runs f with the row's implementation selected.
func (t *trainRow) on(f func() error) error { return (&side{duel: duel{kernel: t.kernel}}).on(f) }

// training fills the table of training steps, on the best kernels and on avx512,
// beside PyTorch.
func (r *race) training(ctx context.Context, page *bytes.Buffer) error {
	return r.train(ctx, page, bench.DnCNN(17, 64, recipes.Defaults().Timesteps), trainPatch)
}

func (r *race) train(ctx context.Context, page *bytes.Buffer, random *graph.Model, patch int) error {
	steps := recipes.Defaults().Timesteps
	limit := trainRows * r.rowTime
	fmt.Fprintf(page, trainHead, trainBatch, patch, steps, r.rounds, limit, min(trainRuns, r.runs))
	r.Warnf("bench: training")
	rows := r.trainees(ctx, random, patch, steps)
	argv, peerErr := r.torchTraining(ctx, patch, steps)
	firing, start, longest := 0.0, time.Now(), time.Duration(0)
	rounds := 0
	for ; rounds < r.rounds && (rounds == 0 || time.Since(start)+longest <= limit && !r.late()); rounds++ {
		began := time.Now()
		theirs := 0.0
		if peerErr == nil {
			var fires float64
			theirs, fires, peerErr = theirStep(ctx, argv)
			firing = cmp.Or(fires, firing)
		}
		for _, t := range rows {
			if t.err == nil {
				t.err = t.on(func() error { return r.trainRound(ctx, t, theirs) })
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		longest = max(longest, time.Since(began))
	}
	r.trainTable(page, rows, firing, peerErr)
	return nil
}

// trainees are the rows, ready to train.
func (r *race) trainees(ctx context.Context, random *graph.Model, patch, steps int) []*trainRow {
	var rows []*trainRow
	add := func(network, kernel string, stages []bench.TrainStage, m *graph.Model, err error) {
		t := &trainRow{network: network, kernel: kernel, err: err}
		if err == nil {
			t.err = t.on(func() (err error) {
				t.training, err = bench.NewTraining(m, patch, trainBatch, r.threads)
				return err
			})
		}
		for _, s := range stages {
			row := *t
			row.stage = s
			rows = append(rows, &row)
		}
	}
	trained, err := r.network(ctx, dncnn, steps)
	all := []bench.TrainStage{bench.SpikeStage, bench.FastStage, bench.RateStage}
	add("DnCNN-17, random", "", all, random, nil)
	add("DnCNN-17, random", "avx512", all[:1], random, nil)
	add("DnCNN-17, trained", "", all, trained, err)
	add("DnCNN-17, trained", "avx512", all[:1], trained, err)
	return rows
}

// trainRound takes the time of a row once; the peer's is 0 where it has none.
func (r *race) trainRound(ctx context.Context, t *trainRow, theirs float64) error {
	l, err := bench.New(r.Kernels(), 1, min(trainRuns, r.runs)).Train(ctx, t.network, t.training, t.stage)
	if err != nil {
		return err
	}
	t.line, t.ours = l, append(t.ours, l.MS)
	if theirs > 0 {
		t.theirs = append(t.theirs, theirs)
	}
	return nil
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

// torchTraining is the command line of PyTorch's training step. The inference that
// its script measures too is as small as can be.
func (r *race) torchTraining(ctx context.Context, patch, steps int) ([]string, error) {
	script, err := r.script("torch_multistep_bench.py")
	if err != nil {
		return nil, err
	}
	return []string{r.python(ctx), "-c", flushedTorch, script, strconv.Itoa(r.threads), strconv.Itoa(steps),
		"8", strconv.Itoa(trainBatch), strconv.Itoa(patch)}, nil
}

// theirStep runs PyTorch's script and reads the time of its training step, and the
// firing rate, 0 where that is not told.
func theirStep(ctx context.Context, argv []string) (ms, firing float64, err error) {
	stdout, err := printed(ctx, argv, "")
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(stdout) {
		var found struct {
			Work   string
			MS     float64 `json:"ms_median"`
			Firing float64 `json:"firing_rate"`
		}
		if json.Unmarshal([]byte(line), &found) != nil {
			continue
		}
		if found.Work == "train" && found.MS > 0 {
			ms = found.MS
		}
		firing = cmp.Or(found.Firing, firing)
	}
	if ms == 0 {
		return 0, 0, fmt.Errorf("%s printed no ms_median of a training step: %q", argv[0], stdout)
	}
	return ms, firing, nil
}

// trainTable writes the rows. Without a peer they stand alone.
func (r *race) trainTable(page *bytes.Buffer, rows []*trainRow, firing float64, peerErr error) {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"network", "stage", "kernel", "firing rate", "ours (ms)", "ours (patches/s)",
		"PyTorch (ms)", "PyTorch (patches/s)", "ratio", "least to most", "rounds"})
	var missing []string
	if peerErr != nil {
		missing = append(missing, "PyTorch: "+cli.OneLine(peerErr))
	}
	for _, row := range rows {
		if row.err == nil && len(row.ours) == 0 {
			row.err = errors.New("no round was taken")
		}
		if row.err != nil {
			missing = append(missing, fmt.Sprintf("%s, stage %s on %s: %s", row.network, row.stage,
				cmp.Or(row.kernel, "the best kernels"), cli.OneLine(row.err)))
			continue
		}
		cells := row.cells()
		r.Warnf("bench: %s, stage %s: %v ms on %v, PyTorch %v ms, ratio %v", row.network, row.stage, cells[4], cells[2], cells[6], cells[8])
		t.AppendRow(cells)
	}
	section(page, t, missing)
	if firing > 0 {
		fmt.Fprintf(page, "PyTorch's neurons fire at a rate of %.3f.\n\n", firing)
	}
}

func (t *trainRow) cells() table.Row {
	ours := bench.Median(t.ours)
	cells := table.Row{t.network, string(t.stage), t.line.Kernel, "-", ms(ours), rate(perSecond(ours))}
	if t.line.FiringRate > 0 {
		cells[3] = fmt.Sprintf("%.3f", t.line.FiringRate)
	}
	if len(t.theirs) != len(t.ours) || len(t.theirs) == 0 {
		return append(cells, "-", "-", "-", "-", len(t.ours))
	}
	theirs := bench.Median(t.theirs)
	middle, least, most := (&side{ours: t.ours, theirs: t.theirs}).ratio()
	return append(cells, ms(theirs), fmt.Sprintf("%.2f", perSecond(theirs)), fmt.Sprintf("%.2f", middle),
		fmt.Sprintf("%.2f to %.2f", least, most), len(t.ours))
}

// perSecond is the patches a second of steps of some milliseconds.
func perSecond(ms float64) float64 { return trainBatch / ms * 1e3 }
