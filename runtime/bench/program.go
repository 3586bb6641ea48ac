package bench

import (
	"context"
	"strings"
	"time"

	"spikingir/graph"
	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
)

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
	in := map[string]*ops.Tensor{p.Inputs()[0].Name(): x}
	tiles := p.Tiling(x.Dims)
	sample, share := x, 1.0
	if tiles.Tiles() > 1 {
		sample = Uniform(x.Dims[0], x.Dims[1], tiles.Height, tiles.Width)
		share = float64(x.Len()) / float64(sample.Len())
	}
	res, err := p.Run(ctx, map[string]*ops.Tensor{p.Inputs()[0].Name(): sample}, exec.RunOptions{Measure: true})
	if err != nil {
		return nil, err
	}
	units := p.Units()
	times, all, err := b.timeRuns(ctx, p, in)
	if err != nil {
		return nil, err
	}
	h, w := x.Dims[2], x.Dims[3]
	whole := analogFamily
	var lines []Line
	total := 0.0
	for i, u := range units {
		macs, label, driven := count(u, p, res)
		macs *= share
		total += macs
		if macs == 0 {
			continue
		}
		family, steps := analogFamily, 0
		if driven {
			steps = p.Timesteps
		}
		if u.FixedPoint {
			family, whole = spikingFamily, spikingFamily
		}
		lines = append(lines, b.line(label, family, h, w, steps, Median(times[i]), macs))
	}
	lines = append(lines, b.line(name, whole, h, w, p.Timesteps, Median(all), total))
	for i := range lines {
		if n := tiles.Tiles(); n > 1 {
			lines[i].Tiles = n
		}
	}
	return lines, nil
}

// timeRuns gives the times of each unit and of the whole in the runs that count.
func (b *Bench) timeRuns(ctx context.Context, p *exec.Program, in map[string]*ops.Tensor) (
	units [][]time.Duration, whole []time.Duration, err error,
) {
	units = make([][]time.Duration, len(p.Units()))
	warmUp := max(b.warmUp-1, 0)
	for i := range warmUp + b.runs {
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
			runs = p.Timesteps + p.Post
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
