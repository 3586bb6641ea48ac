package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"spikingir"
	"spikingir/fixtures"
	"spikingir/passes/recipes"
	"spikingir/runtime/bench"
	"spikingir/runtime/exec"
)

// contests are the networks and images on which two-phase networks, their forms and
// their ANNs take turns. T is the flag's; there is no single peer.
var contests = []duel{
	{"twophase-dncnn-256", "DnCNN-17", dncnn, 256, 256, 0, peer{}, 0, best},
	{"twophase-dncnn-640", "DnCNN-17", dncnn, 480, 640, 0, peer{}, 1, best},
	{"twophase-vdsr-256", "VDSR-20", vdsr, 256, 256, 0, peer{}, 0, best},
	{"twophase-vdsr-640", "VDSR-20", vdsr, 480, 640, 0, peer{}, 1, best},
	{"twophase-aod-640", "AOD-Net", aod, 480, 640, 0, peer{}, 0, best},
	{"twophase-fsrcnn-320", "FSRCNN x2", fsrcnn, 240, 320, 0, peer{}, 0, best},
}

const fsrcnn = "fsrcnn_x2_op11"

// rowNames are those of rows for --only.
func rowNames(list []duel) []string {
	var names []string
	for _, d := range list {
		names = append(names, d.name)
	}
	return names
}

// ContestTime is when a contest begins no other round.
func (r *race) ContestTime() time.Duration { return 3 * r.RowTime }

// An entrant is one that takes turns; prepare gives what times it.
type entrant struct {
	title   string
	prepare func(*race, context.Context, duel) (once func(context.Context) (ms float64, err error), err error)
	once    func(context.Context) (ms float64, err error)
	times   []float64 // milliseconds, round by round
	err     error
}

// The places of those that the shares are of.
const (
	annPlace = iota
	int8Place
)

func entrants() []*entrant {
	return []*entrant{
		annPlace:  {title: "ONNX Runtime, the ANN", prepare: (*race).floatANN},
		int8Place: {title: "ONNX Runtime, the 8-bit ANN", prepare: (*race).int8ANN},
		{title: "spikingir, 16 bits", prepare: ours(16)},
		{title: "spikingir, 8 bits", prepare: ours(8)},
		{title: "ONNX Runtime, counts", prepare: written(recipes.Counts)},
		{title: "ONNX Runtime, qdq", prepare: written(recipes.QDQ)},
	}
}

// twoPhase converts a network of the data folder to a two-phase one.
func (r *race) twoPhase(ctx context.Context, name string, steps, bits int, form recipes.Form) (*spikingir.Model, error) {
	return r.convert(ctx, name, "two-phase", spikingir.Settings{Timesteps: steps, WeightBits: bits, Lower: form})
}

func ours(bits int) func(*race, context.Context, duel) (func(context.Context) (float64, error), error) {
	return func(r *race, ctx context.Context, d duel) (func(context.Context) (float64, error), error) {
		m, err := r.twoPhase(ctx, d.model, r.Steps, bits, recipes.None)
		if err != nil {
			return nil, err
		}
		p, x, err := r.compile(m, d.h, d.w, r.Kernels())
		if err != nil {
			return nil, err
		}
		return r.rounds(p, x, d), nil
	}
}

func written(form recipes.Form) func(*race, context.Context, duel) (func(context.Context) (float64, error), error) {
	return func(r *race, ctx context.Context, d duel) (func(context.Context) (float64, error), error) {
		path, err := r.writtenForm(ctx, d, form)
		if err != nil {
			return nil, err
		}
		return r.asked(ctx, d, path)
	}
}

// asked times ONNX Runtime on the model of a file.
func (r *race) asked(ctx context.Context, d duel, path string) (func(context.Context) (float64, error), error) {
	c, err := r.ort(ctx, d, path)
	return func(ctx context.Context) (float64, error) {
		a, err := c.ask(ctx, "")
		return a.MS, err
	}, err
}

func (r *race) floatANN(ctx context.Context, d duel) (func(context.Context) (float64, error), error) {
	return r.asked(ctx, d, r.modelPath(d.model))
}

// int8ANN makes the 8-bit twin of the ANN, without BatchNormalization, by the project's
// script, from the values on an image of noise.
func (r *race) int8ANN(ctx context.Context, d duel) (func(context.Context) (float64, error), error) {
	m, err := r.network(ctx, d.model, 0)
	if err != nil {
		return nil, err
	}
	m = m.Clone()
	if _, err := spikingir.Convert(ctx, m, spikingir.Options{Pipeline: recipes.CleanUp(), Threads: r.Workers()}); err != nil {
		return nil, err
	}
	clean, path := filepath.Join(r.tmp, d.model+".clean.onnx"), filepath.Join(r.tmp, d.model+".int8.onnx")
	if err := spikingir.Write(clean, m); err != nil {
		return nil, err
	}
	channels, err := spikingir.Channels(m)
	if err != nil {
		return nil, err
	}
	const side = 96
	image := filepath.Join(r.tmp, d.model+".f32")
	var pixels []byte
	for _, v := range bench.Uniform(1, max(channels, 1), side, side).F32 {
		pixels = binary.LittleEndian.AppendUint32(pixels, math.Float32bits(v))
	}
	if err := os.WriteFile(image, pixels, 0o666); err != nil {
		return nil, err
	}
	c := line(pythons[0], "-", clean, path, image, side, side)
	c.stdin = fixtures.ORTInt8
	if _, err := c.printed(ctx); err != nil {
		return nil, err
	}
	return r.asked(ctx, d, path)
}

// contests is the table of two-phase networks.
func (r *race) contests(ctx context.Context) *grid {
	g := newGrid("network", "W x H", "what runs", "ms", "share of the ANN", "least to most", "share of the 8-bit ANN", "least to most", "rounds")
	for _, d := range contests {
		if len(r.only) > 0 && !slices.Contains(r.only, d.name) || ctx.Err() != nil {
			continue
		}
		r.Warnf("bench: %s at %s, %s", d.title, size(d.w, d.h), d.name)
		list := entrants()
		for _, e := range list {
			if r.late() {
				e.err = errors.New("the page took longer than --limit")
			} else {
				e.once, e.err = e.prepare(r, ctx, d)
			}
		}
		r.compete(ctx, d, list)
		for _, e := range list {
			if e.err != nil {
				g.leaveOut(e.err, "%s at %s, %s", d.title, size(d.w, d.h), e.title)
				continue
			}
			cells := row{d.title, size(d.w, d.h), e.title, ms(bench.Median(e.times))}
			cells = append(append(cells, e.share(list[annPlace])...), e.share(list[int8Place])...)
			r.Warnf("bench: %v", cells)
			g.AppendRow(append(cells, len(e.times)))
		}
	}
	return g
}

// compete lets those take turns that can, in as many rounds as fit.
func (r *race) compete(ctx context.Context, d duel, list []*entrant) {
	start, longest := time.Now(), time.Duration(0)
	for i := 0; i < r.Rounds && (i == 0 || time.Since(start)+longest <= r.ContestTime() && !r.late()); i++ {
		began := time.Now()
		for _, e := range list {
			if e.err != nil {
				continue
			}
			var took float64
			if took, e.err = e.once(ctx); e.err == nil {
				e.times = append(e.times, took)
			}
		}
		longest = max(longest, time.Since(began))
	}
}

// share is the part of another's time that e takes, over the rounds, and the least and the
// most; dashes where the other has none.
func (e *entrant) share(of *entrant) row {
	if of.err != nil || len(of.times) != len(e.times) {
		return row{"-", "-"}
	}
	list := make([]float64, len(e.times))
	for i, t := range e.times {
		list[i] = t / of.times[i]
	}
	form := func(x float64) string { return fmt.Sprintf("%.2f", x) }
	return row{form(bench.Median(list)), span(list, form)}
}

// StepRounds is how many rounds the cost of T takes.
func (r *race) StepRounds() int { return max(r.Rounds, 5) }

// stepCosts is the table of two-phase networks at several T.
func (r *race) stepCosts(ctx context.Context) *grid {
	r.Warnf("bench: two-phase networks at several T")
	g := newGrid("T", "16 bits (ms)", "8 bits (ms)")
	type cost struct {
		steps int
		once  [2]func(context.Context) (float64, error)
		times [2][]float64
	}
	d := contests[0]
	var list []*cost
	for _, steps := range []int{5, 10, 20, 40, 80, 120} {
		c, err := &cost{steps: steps}, error(nil)
		for i, bits := range []int{16, 8} {
			var p *exec.Program
			m, failed := r.twoPhase(ctx, d.model, steps, bits, recipes.None)
			if failed == nil {
				p, _, failed = r.compile(m, d.h, d.w, r.Kernels())
			}
			if failed != nil {
				err = failed
				break
			}
			c.once[i] = r.rounds(p, bench.Uniform(1, 1, d.h, d.w), duel{runs: 1})
		}
		if err != nil {
			g.leaveOut(err, "T = %d", steps)
			continue
		}
		list = append(list, c)
	}
	for range r.StepRounds() {
		for _, c := range list {
			for i, once := range c.once {
				took, err := once(ctx)
				if err != nil {
					g.leaveOut(err, "T = %d", c.steps)
					return g
				}
				c.times[i] = append(c.times[i], took)
			}
		}
	}
	for _, c := range list {
		g.AppendRow(row{c.steps, ms(bench.Median(c.times[0])), ms(bench.Median(c.times[1]))})
	}
	return g
}
