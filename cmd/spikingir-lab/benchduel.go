package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"spikingir/cmd/internal/cli"
	"spikingir/runtime/bench"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// duel is one row of the comparison: a network here beside a peer's run of the
// same, or of the network it was made from.
type duel struct {
	name  string // for --only
	title string
	model string // of the data folder, without .onnx
	h, w  int
	steps int // T; 0 runs the ANN
	peer  peer
	// kernel is the implementation that this program runs on; empty is the best.
	kernel string
	// runs is how many a round takes at most: 1 where one takes the peer seconds.
	// 0 leaves it to the flag.
	runs int
}

const (
	dncnn = "dncnn_s25_bn_op16"
	vdsr  = "vdsr_twt_op16"
	aod   = "aod_boyiliee_op11"
)

// duels are in the order of the table. Neighbours that differ in the kernel alone
// share the peer's runs.
var duels = []duel{
	{"dncnn-ann-256", "DnCNN-17, ANN", dncnn, 256, 256, 0, ortANN, "", 0},
	{"dncnn-ann-128", "DnCNN-17, ANN", dncnn, 128, 128, 0, ortANN, "", 0},
	{"dncnn-256-ort", "DnCNN-17, spiking", dncnn, 256, 256, 10, ortANN, "", 0},
	{"dncnn-256-flat", "DnCNN-17, spiking", dncnn, 256, 256, 10, ortFlat, "", 1},
	{"dncnn-256-flat-avx512", "DnCNN-17, spiking", dncnn, 256, 256, 10, ortFlat, "avx512", 1},
	{"dncnn-128-flat", "DnCNN-17, spiking", dncnn, 128, 128, 10, ortFlat, "", 0},
	{"dncnn-128-flat-avx512", "DnCNN-17, spiking", dncnn, 128, 128, 10, ortFlat, "avx512", 0},
	{"dncnn-256-torch", "DnCNN-17, spiking", dncnn, 256, 256, 10, torchDnCNN, "", 0},
	{"dncnn-128-torch", "DnCNN-17, spiking", dncnn, 128, 128, 10, torchDnCNN, "", 0},
	{"aod-640-ort", "AOD-Net, spiking", aod, 480, 640, 10, ortANN, "", 0},
	{"aod-640-torch", "AOD-Net, spiking", aod, 480, 640, 10, torchAOD, "", 0},
	{"vdsr-640-ort", "VDSR-20, spiking", vdsr, 480, 640, 10, ortANN, "", 1},
	{"vdsr-640-torch", "VDSR-20, spiking", vdsr, 480, 640, 10, torchVDSR, "", 1},
}

// with reports whether two rows can share the peer's runs.
func (d duel) with(e duel) bool {
	return d.model == e.model && d.h == e.h && d.w == e.w && d.steps == e.steps && d.peer.title == e.peer.title
}

// runsOf is how many runs a round of the row takes.
func (r *race) runsOf(d duel) int {
	if d.runs > 0 {
		return min(d.runs, r.runs)
	}
	return r.runs
}

// A side is this program's part in a duel, and what was found, in milliseconds.
type side struct {
	duel
	program      *exec.Program
	x            *ops.Tensor
	ran          string // the implementation that it ran on
	ours, theirs []float64
	err          error // why it is left out
}

// on runs f with the side's implementation selected.
func (s *side) on(f func() error) error {
	if s.kernel == "" {
		return f()
	}
	return bench.With(s.kernel, f)
}

// ratio is the middle one of the rounds' ratios, of two the less favourable, with
// the least and the most.
func (s *side) ratio() (middle, least, most float64) {
	list := make([]float64, len(s.ours))
	for i, mine := range s.ours {
		list[i] = s.theirs[i] / mine
	}
	slices.Sort(list)
	return list[(len(list)-1)/2], list[0], list[len(list)-1]
}

// run lets networks and a peer take turns: a run to warm up here, then the median
// of some; the peer's script does the same. The rounds end where another one would
// exceed the time of a row.
func (r *race) run(ctx context.Context, heat []duel) []*side {
	var all, able []*side
	for _, d := range heat {
		s := &side{duel: d}
		all = append(all, s)
		if r.late() {
			s.err = errors.New("the page took longer than --limit")
			continue
		}
		if s.err = s.on(func() error { return r.prepare(ctx, s) }); s.err == nil {
			able = append(able, s)
		}
	}
	if len(able) == 0 {
		return all
	}
	argv, stdin, err := heat[0].peer.command(ctx, r, heat[0], able[0].x.Dims[1])
	longest := time.Duration(0)
	start := time.Now()
	for i := 0; i < r.rounds && err == nil; i++ {
		if i > 0 && (time.Since(start)+longest > r.rowTime || r.late()) {
			break
		}
		began := time.Now()
		if err = r.round(ctx, able, argv, stdin); err != nil && i > 0 && ctx.Err() == nil {
			r.Warnf("bench: %s ends after round %d: %s", heat[0].name, i, cli.OneLine(err))
			return all
		}
		longest = max(longest, time.Since(began))
	}
	for _, s := range able {
		s.err = err
	}
	return all
}

// late reports whether the time of the page is over.
func (r *race) late() bool { return !r.end.IsZero() && time.Now().After(r.end) }

// prepare plans the network of a side.
func (r *race) prepare(ctx context.Context, s *side) error {
	m, err := r.network(ctx, s.model, s.steps)
	if err != nil {
		return err
	}
	p, channels, err := compileOn(m, r.Kernels(), r.Numbers())
	if err != nil {
		return err
	}
	family := "float32"
	if slices.ContainsFunc(p.Units(), func(u exec.Unit) bool { return u.FixedPoint }) {
		family = "spikes"
	}
	s.program, s.x, s.ran = p, bench.Uniform(1, channels, s.h, s.w), machine.Selected(family)
	return nil
}

// round takes each side's time once, and the peer's.
func (r *race) round(ctx context.Context, sides []*side, argv []string, stdin string) error {
	mine := make([]float64, len(sides))
	for i, s := range sides {
		err := s.on(func() (err error) {
			mine[i], err = r.ours(ctx, s)
			return err
		})
		if err != nil {
			return err
		}
	}
	other, err := theirTime(ctx, argv, stdin)
	if err != nil {
		return err
	}
	for i, s := range sides {
		s.ours, s.theirs = append(s.ours, mine[i]), append(s.theirs, other)
	}
	return nil
}

// ours is the median time of a program in milliseconds.
func (r *race) ours(ctx context.Context, s *side) (float64, error) {
	in := map[string]*ops.Tensor{s.program.Inputs()[0].Name(): s.x}
	var times []float64
	for i := range r.runsOf(s.duel) + 1 {
		start := time.Now()
		if _, err := s.program.Run(ctx, in, exec.RunOptions{}); err != nil {
			return 0, err
		}
		if i > 0 {
			times = append(times, float64(time.Since(start).Nanoseconds())/1e6)
		}
	}
	return bench.Median(times), nil
}

// duels fills the table of ratios. A row that cannot be measured is left out
// and the reason given below.
func (r *race) duels(ctx context.Context, page *bytes.Buffer, only []string) error {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"network", "W x H", "T", "kernel", "peer", "ours (ms)", "peer (ms)", "ratio", "least to most", "rounds"})
	var missing []string
	for _, heat := range heats(only) {
		start := time.Now()
		r.Warnf("bench: %s, %s", heat[0].title, heat[0].name)
		sides := r.run(ctx, heat)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for _, s := range sides {
			if s.err != nil {
				r.Warnf("bench: %s is not measured: %s", s.name, cli.OneLine(s.err))
				missing = append(missing, s.missing())
				continue
			}
			r.Warnf("bench: %s", s.told(time.Since(start)))
			t.AppendRow(s.row())
		}
	}
	section(page, t, missing)
	return nil
}

// heats groups the wanted rows that share the peer's runs.
func heats(only []string) [][]duel {
	var list [][]duel
	for _, d := range duels {
		if !wanted(d.name, only) {
			continue
		}
		if n := len(list); n > 0 && list[n-1][0].with(d) {
			list[n-1] = append(list[n-1], d)
		} else {
			list = append(list, []duel{d})
		}
	}
	return list
}

// missing says what is left out, and why.
func (s *side) missing() string {
	on := ""
	if s.kernel != "" {
		on = " on " + s.kernel
	}
	return fmt.Sprintf("%s at %dx%d%s beside %s: %s", s.title, s.w, s.h, on, s.peer.title, cli.OneLine(s.err))
}

// told is the row for the log, where it outlives a run that is cut off.
func (s *side) told(took time.Duration) string {
	middle, _, _ := s.ratio()
	return fmt.Sprintf("%s: ours %s ms on %s, peer %s ms, ratio %.2f; rounds: %d, %s in all", s.name,
		ms(bench.Median(s.ours)), s.ran, ms(bench.Median(s.theirs)), middle, len(s.ours), took.Round(time.Second))
}

func (s *side) row() table.Row {
	middle, least, most := s.ratio()
	return table.Row{s.title, fmt.Sprintf("%dx%d", s.w, s.h), timesteps(s.steps), s.ran, s.peer.title,
		ms(bench.Median(s.ours)), ms(bench.Median(s.theirs)), fmt.Sprintf("%.2f", middle),
		fmt.Sprintf("%.2f to %.2f", least, most), len(s.ours)}
}
