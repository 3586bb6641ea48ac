package bench

import (
	"context"
	"slices"
	"strings"
	"time"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
)

// A Timing is what runs of a program on one image took.
type Timing struct {
	Units []UnitTiming
	Whole []time.Duration // of the runs that count

	tiles int
	peaks peaks
}

// A UnitTiming is a step of the plan and its times in the runs that count.
type UnitTiming struct {
	exec.Unit
	Times []time.Duration

	work workload
	macs float64 // of dense convolutions in a run; 0 where there are none
}

// family is that of the kernels that the unit runs on.
func (u *UnitTiming) family() *family {
	switch {
	case u.WeightBits == 8:
		return countFamily
	case u.WeightBits > 0:
		return count16Family
	case u.FixedPoint:
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
	t, err := b.Time(ctx, p, x, nil)
	if err != nil {
		return nil, err
	}
	whole := UnitTiming{Times: t.Whole, work: workload{label: name, driven: true}}
	var units []UnitTiming
	most := 0.0
	for _, u := range t.Units {
		if u.macs > 0 {
			units = append(units, u)
		}
		whole.macs += u.macs
		whole.FixedPoint = whole.FixedPoint || u.FixedPoint && u.macs > 0
		if u.macs > most {
			most, whole.WeightBits = u.macs, u.WeightBits // the kernels of the largest
		}
	}
	var lines []Line
	for _, u := range append(units, whole) {
		steps := 0
		if u.work.driven {
			steps = p.T
		}
		l := b.line(u.work.label, u.family(), x.Dims[2], x.Dims[3], steps, Median(u.Times), u.macs, t.peaks)
		if t.tiles > 1 {
			l.Tiles = t.tiles
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// Time counts the operations of p and times its runs on one image; beside is that of
// [Bench.Times].
func (b *Bench) Time(ctx context.Context, p *exec.Program, x *ops.Tensor, beside func()) (*Timing, error) {
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
	t := &Timing{tiles: tiles.Tiles()}
	sums, slices := p.Timing.Schedule == op.TwoPhase, float64(p.T+p.Post)
	if sums {
		slices = 1
	}
	for _, u := range p.Units() {
		w := worked(u, res, sums)
		t.Units = append(t.Units, UnitTiming{Unit: u, work: w, macs: share * (w.once + w.slice*slices)})
	}
	more := *b
	more.warmUp = max(b.warmUp-1, 0)
	t.peaks, err = probed(func() (err error) {
		t.Whole, err = more.Times(ctx, beside, func() error { return t.run(ctx, p, map[string]*ops.Tensor{in: x}) })
		return err
	}, append([]*family{count16Family}, inference...)...)
	if err != nil {
		return nil, err
	}
	for i := range t.Units {
		t.Units[i].Times = t.Units[i].Times[more.warmUp:]
	}
	return t, nil
}

// run notes what the units take in a run.
func (t *Timing) run(ctx context.Context, p *exec.Program, in map[string]*ops.Tensor) error {
	spent := make([]time.Duration, len(t.Units))
	last := time.Now()
	_, err := p.Run(ctx, in, exec.RunOptions{Progress: func(done, _ int) {
		now := time.Now()
		spent[(done-1)%len(spent)] += now.Sub(last) // of every tile
		last = now
	}})
	for k, d := range spent {
		t.Units[k].Times = append(t.Units[k].Times, d)
	}
	return err
}

// A workload is the multiply-adds of a unit: those of one image, and those of each
// slice that spikes drive.
type workload struct {
	once, slice float64
	label       string // of the operators that do them
	driven      bool
}

// worked reads a unit's work off a run; a network that works on sums over time computes
// everything once.
func worked(u exec.Unit, res *exec.Result, sums bool) workload {
	var l workload
	var names []string
	for _, k := range u.Work {
		w := res.Work[k]
		switch {
		case w.MACs == 0:
			continue
		case w.Op.Type == "CPM", sums && !w.Driven: // of the sum of the slices
			l.once += w.MACs
		case w.Driven:
			l.slice += w.MACs
		default:
			l.once += w.MACs * float64(w.Runs)
		}
		name := w.Origin
		if w.Op.Domain == graph.Spiking {
			name += " " + w.Op.Type
		}
		names = append(names, name)
		l.driven = l.driven || w.Driven
	}
	l.label = strings.Join(names, "+")
	return l
}

// Hidden reports whether the unit is a layer in fixed point that convolves spikes of
// as many channels as it has.
func (u *UnitTiming) Hidden() bool {
	return u.FixedPoint && slices.ContainsFunc(u.Nodes, func(n *graph.Node) bool {
		if !n.Is("Conv") {
			return false
		}
		w := n.Input(1).Const
		return w != nil && len(w.Dims) == 4 && w.Dims[0] == w.Dims[1]
	})
}

// Neurons reports whether the unit is a layer of spiking neurons.
func (u *UnitTiming) Neurons() bool { return slices.ContainsFunc(u.Nodes, op.IsNeuron) }

// A Group is layers of a spiking network taken together, as they take turns within
// runs from image to image.
type Group struct {
	Kernel     string // of the layers in fixed point
	Layers     int
	Times      []time.Duration // of the runs
	Operations float64         // 10^9 in a run
	Peak       float64         // 10^9 operations a second of one thread
}

// Group sums the times of some units, run by run; the peak is that of the kernels of the
// first in integers, or of spiking ones.
func (t *Timing) Group(in func(*UnitTiming) bool) Group {
	f := spikingFamily
	if i := slices.IndexFunc(t.Units, func(u UnitTiming) bool { return u.FixedPoint && in(&u) }); i >= 0 {
		f = t.Units[i].family()
	}
	g := Group{Kernel: f.selected(), Times: make([]time.Duration, len(t.Whole)), Peak: t.peaks[f]}
	for i := range t.Units {
		u := &t.Units[i]
		if !in(u) {
			continue
		}
		g.Layers++
		g.Operations += float64(u.family().operations()) * u.macs / 1e9
		for k, d := range u.Times {
			g.Times[k] += d
		}
	}
	return g
}
