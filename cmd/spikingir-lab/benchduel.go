package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/runtime/bench"
	"spikingir/runtime/exec"
	"spikingir/runtime/fit"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// duel is a row of the comparison: a network here beside a peer's run of the same, or
// of the network it was made from. On each of its kernels the row is another one, and
// these share the peer's runs.
type duel struct {
	name  string // for --only; the kernel is added to it
	title string
	model string // of the data folder, without .onnx
	h, w  int
	steps int // T; 0 runs the ANN
	peer  peer
	// runs is how many a round takes at most: 1 where one takes the peer seconds.
	// 0 leaves it to the flag.
	runs    int
	kernels []string // implementations that this program runs on; empty is the best
}

const (
	dncnn = "dncnn_s25_bn_op16"
	vdsr  = "vdsr_twt_op16"
	aod   = "aod_boyiliee_op11"
)

var (
	best      = []string{""}
	andAVX512 = []string{"", "avx512"}
)

// duels are in the order of the table.
var duels = []duel{
	{"dncnn-ann-256", "DnCNN-17, ANN", dncnn, 256, 256, 0, ortANN, 0, best},
	{"dncnn-ann-128", "DnCNN-17, ANN", dncnn, 128, 128, 0, ortANN, 0, best},
	{"dncnn-256-ort", "DnCNN-17, spiking", dncnn, 256, 256, 10, ortANN, 0, best},
	{"dncnn-256-flat", "DnCNN-17, spiking", dncnn, 256, 256, 10, ortFlat, 1, andAVX512},
	{"dncnn-128-flat", "DnCNN-17, spiking", dncnn, 128, 128, 10, ortFlat, 0, andAVX512},
	{"dncnn-256-torch", "DnCNN-17, spiking", dncnn, 256, 256, 10, torchDnCNN, 0, best},
	{"dncnn-128-torch", "DnCNN-17, spiking", dncnn, 128, 128, 10, torchDnCNN, 0, best},
	{"aod-640-ort", "AOD-Net, spiking", aod, 480, 640, 10, ortANN, 0, best},
	{"aod-640-torch", "AOD-Net, spiking", aod, 480, 640, 10, torchAOD, 0, best},
	{"vdsr-640-ort", "VDSR-20, spiking", vdsr, 480, 640, 10, ortANN, 1, best},
	{"vdsr-640-torch", "VDSR-20, spiking", vdsr, 480, 640, 10, torchVDSR, 1, best},
}

// row names the duel on a kernel.
func (d duel) row(kernel string) string { return strings.TrimSuffix(d.name+"-"+kernel, "-") }

// wanted lists the kernels of the rows that only names; empty is all.
func (d duel) wanted(only []string) []string {
	return slices.DeleteFunc(slices.Clone(d.kernels), func(k string) bool {
		return len(only) > 0 && !slices.Contains(only, d.row(k))
	})
}

// duelRows lists the rows.
func duelRows() []string {
	var names []string
	for _, d := range duels {
		for _, k := range d.kernels {
			names = append(names, d.row(k))
		}
	}
	return names
}

// runsOf is how many runs a round of the row takes.
func (r *race) runsOf(d duel) int { return min(cmp.Or(d.runs, r.Runs), r.Runs) }

// A side is this program's part of a row beside a peer.
type side struct {
	kernel, ran  string // the implementation to run on, empty for the best, and the one that was
	once         func(context.Context) (ms float64, err error)
	ours, theirs []float64 // milliseconds, round by round
	err          error     // why it is left out
}

// on runs f on an implementation of the kernels.
func on(kernel string, f func() error) error {
	if kernel == "" {
		return f()
	}
	return bench.With(kernel, f)
}

// cells are the median times, their ratio and the number of rounds. The ratio is the
// middle one of the rounds' ratios, of two the less favourable.
func (s *side) cells() (ours, theirs float64, ratio row) {
	ours = bench.Median(s.ours)
	if len(s.theirs) != len(s.ours) {
		return ours, 0, row{"-", "-", len(s.ours)}
	}
	list := make([]float64, len(s.ours))
	for i, mine := range s.ours {
		list[i] = s.theirs[i] / mine
	}
	slices.Sort(list)
	form := func(x float64) string { return fmt.Sprintf("%.2f", x) }
	return ours, bench.Median(s.theirs), row{form(list[(len(list)-1)/2]), span(list, form), len(list)}
}

// late reports whether the time of the page is over.
func (r *race) late() bool { return !r.end.IsZero() && time.Now().After(r.end) }

// turns lets a peer and the sides take turns, in as many rounds as fit in a time. It
// gives the error of a peer that fails at once; the sides then go on alone where they
// may.
func (r *race) turns(ctx context.Context, what string, sides []*side, limit time.Duration, alone bool,
	peer func(context.Context) (ms float64, err error)) error {
	var failed error
	start, longest := time.Now(), time.Duration(0)
	for i := 0; i < r.Rounds && (i == 0 || time.Since(start)+longest <= limit && !r.late()); i++ {
		began := time.Now()
		theirs := 0.0
		if failed == nil {
			var err error
			theirs, err = peer(ctx)
			switch {
			case err != nil && (ctx.Err() != nil || i == 0 && !alone):
				return err
			case err != nil && i > 0:
				r.Warnf("bench: %s ends after round %d: %s", what, i, cli.OneLine(err))
				return nil
			}
			failed = err
		}
		for _, s := range sides {
			if s.err == nil {
				s.err = on(s.kernel, func() error { return s.turn(ctx, theirs) })
			}
		}
		longest = max(longest, time.Since(began))
	}
	return failed
}

// turn takes the side's time; the peer's is 0 where it has none.
func (s *side) turn(ctx context.Context, theirs float64) error {
	mine, err := s.once(ctx)
	if err != nil {
		return err
	}
	s.ours = append(s.ours, mine)
	if theirs > 0 {
		s.theirs = append(s.theirs, theirs)
	}
	return nil
}

// plan makes a network of the data folder ready for an image.
func (r *race) plan(ctx context.Context, name string, steps, h, w int, pool *machine.Pool) (*exec.Program, *ops.Tensor, error) {
	m, err := r.network(ctx, name, steps)
	if err != nil {
		return nil, nil, err
	}
	return r.compile(m, h, w, pool)
}

// compile makes a network ready for an image.
func (r *race) compile(m *spikingir.Model, h, w int, pool *machine.Pool) (*exec.Program, *ops.Tensor, error) {
	channels, err := spikingir.Channels(m)
	if err != nil {
		return nil, nil, err
	}
	fit.Free(m, "")
	p, err := exec.Compile(m, exec.Options{Pool: pool, Precision: r.Numbers()})
	return p, bench.Uniform(1, max(channels, 1), h, w), err
}

// duels is the table of ratios. A row that cannot be measured is left out and the
// reason given below.
func (r *race) duels(ctx context.Context) *grid {
	g := newGrid("network", "W x H", "T", "kernel", "peer", "ours (ms)", "peer (ms)", "ratio", "least to most", "rounds")
	for _, d := range duels {
		if kernels := d.wanted(r.only); len(kernels) > 0 && ctx.Err() == nil {
			r.Warnf("bench: %s, %s", d.title, d.row(kernels[0]))
			r.duel(ctx, g, d, kernels)
		}
	}
	return g
}

// duel measures the rows of some kernels.
func (r *race) duel(ctx context.Context, g *grid, d duel, kernels []string) {
	start := time.Now()
	var sides []*side
	for _, k := range kernels {
		s := &side{kernel: k}
		s.err = on(k, func() error { return r.prepare(ctx, s, d) })
		sides = append(sides, s)
	}
	if slices.ContainsFunc(sides, func(s *side) bool { return s.err == nil }) {
		err := r.beside(ctx, d, sides)
		for _, s := range sides {
			s.err = cmp.Or(s.err, err)
		}
	}
	for _, s := range sides {
		if s.err != nil {
			r.Warnf("bench: %s is not measured: %s", d.row(s.kernel), cli.OneLine(s.err))
			on := ""
			if s.kernel != "" {
				on = " on " + s.kernel
			}
			g.leaveOut(s.err, "%s at %s%s beside %s", d.title, size(d.w, d.h), on, d.peer.title)
			continue
		}
		ours, theirs, ratio := s.cells()
		// The log outlives a run that is cut off.
		r.Warnf("bench: %s: ours %s ms on %s, peer %s ms, ratio %v; rounds: %v, %s in all", d.row(s.kernel),
			ms(ours), s.ran, ms(theirs), ratio[0], ratio[2], time.Since(start).Round(time.Second))
		g.AppendRow(append(row{d.title, size(d.w, d.h), timesteps(d.steps), s.ran, d.peer.title, ms(ours), ms(theirs)}, ratio...))
	}
}

// prepare plans a side's network. A round is the median of some runs after one that does
// not count.
func (r *race) prepare(ctx context.Context, s *side, d duel) error {
	if r.late() {
		return errors.New("the page took longer than --limit")
	}
	p, x, err := r.plan(ctx, d.model, d.steps, d.h, d.w, r.Kernels())
	if err != nil {
		return err
	}
	family := "float32"
	for _, u := range p.Units() {
		switch {
		case u.WeightBits > 0:
			family = "counts"
		case u.FixedPoint:
			family = "spikes"
		}
	}
	s.ran = machine.Selected(family)
	s.once = r.rounds(p, x, d)
	return nil
}

// rounds gives what times a program for a round of a row.
func (r *race) rounds(p *exec.Program, x *ops.Tensor, d duel) func(context.Context) (float64, error) {
	in := map[string]*ops.Tensor{p.Inputs()[0].Name(): x}
	return func(ctx context.Context) (float64, error) {
		times, err := bench.New(nil, 1, r.runsOf(d)).Times(ctx, nil, func() error {
			_, err := p.Run(ctx, in, exec.RunOptions{})
			return err
		})
		if err != nil {
			return 0, err
		}
		return bench.Milliseconds(bench.Median(times)), nil
	}
}

// beside lets sides and the peer of a duel take turns.
func (r *race) beside(ctx context.Context, d duel, sides []*side) error {
	c, err := d.peer.command(ctx, r, d)
	if err != nil {
		return err
	}
	return r.turns(ctx, d.name, sides, r.RowTime, false, func(ctx context.Context) (float64, error) {
		a, err := c.ask(ctx, "")
		return a.MS, err
	})
}
