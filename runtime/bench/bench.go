// Package bench measures how fast kernels and programs run: medians of several
// runs after a warm-up, beside the peak that the arithmetic unit was probed to
// reach. What is counted is the multiply-adds of dense convolutions, whatever the
// kernels skip or do otherwise.
package bench

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"spikingir/graph"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// Line is one measurement. Its JSON form is a contract of the command line.
type Line struct {
	Work    string  `json:"work"`
	Kernel  string  `json:"kernel"` // the implementation in use
	Threads int     `json:"threads"`
	H       int     `json:"h"` // of the input
	W       int     `json:"w"`
	T       int     `json:"T"` // timesteps; 0 for what is not spiking
	MS      float64 `json:"ms_median"`
	GOPS    float64 `json:"gops"`            // 10^9 operations a second, two for a multiply-add
	Share   float64 `json:"peak_share"`      // of the probed peak of all threads
	Tiles   int     `json:"tiles,omitempty"` // that the image of a model is cut into; 0 for none
}

// Bench measures on one pool of threads.
type Bench struct {
	pool   *machine.Pool
	warmUp int
	runs   int
}

// DefaultWarmUp is how many runs are thrown away before those that count.
const DefaultWarmUp = 2

// New makes a Bench that takes the median of some runs, at least one, after a
// number of runs that do not count.
func New(pool *machine.Pool, warmUp, runs int) *Bench {
	return &Bench{pool, warmUp, max(runs, 1)}
}

// line is a measurement of work that runs on the kernels of a family.
func (b *Bench) line(work string, f *family, h, w, t int, took time.Duration, macs float64, p peaks) Line {
	l := Line{Work: work, Kernel: f.selected(), Threads: b.pool.Threads(), H: h, W: w, T: t,
		MS: digits(Milliseconds(took))}
	if took > 0 {
		gops := float64(f.operations()) * macs / float64(took.Nanoseconds())
		l.GOPS = digits(gops)
		l.Share = digits(gops / (p[f] * float64(l.Threads)))
	}
	return l
}

// Times gives the times of the runs of f that count. beside, when not nil, is called
// before each of them and after the last.
func (b *Bench) Times(ctx context.Context, beside func(), f func() error) ([]time.Duration, error) {
	if beside == nil {
		beside = func() {}
	}
	defer beside()
	var times []time.Duration
	for i := range b.warmUp + b.runs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if i >= b.warmUp {
			beside()
		}
		start := time.Now()
		if err := f(); err != nil {
			return nil, err
		}
		if i >= b.warmUp {
			times = append(times, time.Since(start))
		}
	}
	return times, nil
}

// Median is the middle of the sorted times, the upper one of two.
func Median[T int64 | float64 | time.Duration](times []T) T {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}

// Milliseconds is a time in milliseconds.
func Milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// digits rounds to four digits; no clock is better here.
func digits(x float64) float64 {
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return 0
	}
	x, _ = strconv.ParseFloat(strconv.FormatFloat(x, 'g', 4, 64), 64)
	return x
}

// Uniform is a tensor of pseudo-random numbers in [0,1), the same at every call.
func Uniform(dims ...int) *ops.Tensor {
	r := rand.New(rand.NewPCG(1, 1))
	x := ops.NewTensor(graph.Float32, dims)
	for i := range x.F32 {
		x.F32[i] = r.Float32()
	}
	return x
}
