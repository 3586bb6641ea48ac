package bench

import (
	"context"
	"strings"
	"time"

	"spikingir/graph"
	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
)

// A timing is what runs of a program on one image took.
type timing struct {
	units []unitTiming
	whole []time.Duration
	tiles int
	peaks peaks
}

// A unitTiming is a step of the plan and its times in the runs that count.
type unitTiming struct {
	exec.Unit
	macs   float64 // of dense convolutions; 0 where there are none
	label  string
	driven bool
	times  []time.Duration
}

// family is that of the kernels that the unit runs on.
func (u *unitTiming) family() string {
	if u.FixedPoint {
		return spikingFamily
	}
	return analogFamily
}

// Program measures runs of p on one image x [1,C,H,W], from image to image. The
// lines are those of the operators with weights, as they take turns within a run,
// and last the whole, called name. A spiking program counts the multiply-adds of
// every slice, the post step included, as if no spike were skipped; one that
// computes a constant current or a readout counts them once. The first warm-up is
// the run that counts.
//
// An image that p cuts into tiles is measured so. Counting wants a whole image, so
// that a single tile is counted then, and stands for its share of the pixels: what
// tiles compute more than once adds to the time and not to the operations.
func (b *Bench) Program(ctx context.Context, name string, p *exec.Program, x *ops.Tensor) ([]Line, error) {
	t, err := b.time(ctx, p, x, nil)
	if err != nil {
		return nil, err
	}
	h, w := x.Dims[2], x.Dims[3]
	whole := analogFamily
	var lines []Line
	total := 0.0
	for i := range t.units {
		u := &t.units[i]
		total += u.macs
		if u.macs == 0 {
			continue
		}
		steps := 0
		if u.driven {
			steps = p.T
		}
		if u.FixedPoint {
			whole = spikingFamily
		}
		lines = append(lines, b.line(u.label, u.family(), h, w, steps, Median(u.times), u.macs, t.peaks))
	}
	lines = append(lines, b.line(name, whole, h, w, p.T, Median(t.whole), total, t.peaks))
	for i := range lines {
		if t.tiles > 1 {
			lines[i].Tiles = t.tiles
		}
	}
	return lines, nil
}

// time counts the operations of p and times its runs; see timeRuns for probing.
func (b *Bench) time(ctx context.Context, p *exec.Program, x *ops.Tensor, probing func()) (*timing, error) {
	in := p.Inputs()[0].Name()
	tiles := p.Tiling(x.Dims)
	sample, share := x, 1.0
	if tiles.Tiles() > 1 {
		sample = Uniform(x.Dims[0], x.Dims[1], tiles.Height, tiles.Width)
		share = float64(x.Len()) / float64(sample.Len())
	}
	res, err := p.Run(ctx, map[string]*ops.Tensor{in: sample}, exec.RunOptions{Measure: true})
	if err != nil {
		return nil, err
	}
	before := probe(families()...)
	times, whole, err := b.timeRuns(ctx, p, map[string]*ops.Tensor{in: x}, probing)
	if err != nil {
		return nil, err
	}
	t := &timing{whole: whole, tiles: tiles.Tiles(), peaks: before.and(probe(families()...))}
	for i, u := range p.Units() {
		macs, label, driven := count(u, p, res)
		t.units = append(t.units, unitTiming{u, macs * share, label, driven, times[i]})
	}
	return t, nil
}

// timeRuns gives the times of each unit and of the whole in the runs that count. With
// probing, which is called before each of these and after the last, there are more of
// them, up to mostRuns times as many, while they take less than runsTime.
func (b *Bench) timeRuns(ctx context.Context, p *exec.Program, in map[string]*ops.Tensor, probing func()) (
	units [][]time.Duration, whole []time.Duration, err error,
) {
	units = make([][]time.Duration, len(p.Units()))
	warmUp := max(b.warmUp-1, 0)
	begun := time.Now()
	more := func() bool {
		return len(whole) < b.runs || probing != nil && len(whole) < mostRuns*b.runs && time.Since(begun) < runsTime
	}
	for i := 0; more(); i++ {
		if probing != nil && i >= warmUp {
			probing()
		}
		spent := make([]time.Duration, len(units))
		start := time.Now()
		last := start
		_, err := p.Run(ctx, in, exec.RunOptions{Progress: func(done, _ int) {
			now := time.Now()
			spent[(done-1)%len(units)] += now.Sub(last) // of every tile
			last = now
		}})
		if err != nil {
			return nil, nil, err
		}
		if i < warmUp {
			continue
		}
		whole = append(whole, time.Since(start))
		for k, d := range spent {
			units[k] = append(units[k], d)
		}
	}
	if probing != nil {
		probing()
	}
	return units, whole, nil
}

// count sums the multiply-adds of a unit, names it after the operators that do
// them, and tells whether spikes drive one.
func count(u exec.Unit, p *exec.Program, res *exec.Result) (macs float64, label string, driven bool) {
	var names []string
	for _, k := range u.Work {
		w := res.Work[k]
		if w.MACs == 0 {
			continue
		}
		runs := w.Runs
		switch {
		case w.Op.Type == "CPM":
			runs = 1 // of the sum of the slices
		case w.Driven:
			runs = p.T + p.Post
		}
		macs += w.MACs * float64(runs)
		name := w.Origin
		if w.Op.Domain == graph.Spiking {
			name += " " + w.Op.Type
		}
		names = append(names, name)
		driven = driven || w.Driven
	}
	return macs, strings.Join(names, "+"), driven
}
