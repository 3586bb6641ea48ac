package bench

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"spikingir/graph"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		xs   []time.Duration
		want time.Duration
	}{{[]time.Duration{7}, 7}, {[]time.Duration{9, 1}, 9}, {[]time.Duration{9, 1, 5}, 5}} {
		if got := Median(c.xs); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.xs, got, c.want)
		}
	}
}

// TestLineJSON holds the contract of the command line, names and order.
func TestLineJSON(t *testing.T) {
	const want = `{"work":"w","kernel":"k","threads":2,"h":3,"w":4,"T":5,"ms_median":6,"gops":7,"peak_share":0.5`
	for tiles, end := range map[int]string{0: "}", 8: `,"tiles":8}`} {
		got, err := json.Marshal(Line{"w", "k", 2, 3, 4, 5, 6, 7, 0.5, tiles})
		if err != nil || string(got) != want+end {
			t.Errorf("%s, want %s%s (%v)", got, want, end, err)
		}
	}
}

// TestSweep runs the sweep on images of 8x8.
func TestSweep(t *testing.T) {
	pool := machine.NewPool(2)
	defer pool.Close()
	b := New(pool, 0, 1)
	lines, together := b.Peaks()
	for _, l := range together {
		if l.Threads != 2 || !(l.GOPS > 0) {
			t.Errorf("threads sustain %+v", l)
		}
	}
	for l, err := range b.Sweep(t.Context(), 8, 8, 3) {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	spiking := 0
	for _, l := range lines {
		if l.Work == "" || l.Kernel == "" || !(l.GOPS > 0) || !(l.Share > 0) {
			t.Errorf("line %+v lacks something", l)
		}
		if strings.HasPrefix(l.Work, SpikingWork) || strings.HasPrefix(l.Work, SlicesWork) {
			spiking++
			if l.T != 3 {
				t.Errorf("%s runs %d timesteps, want 3", l.Work, l.T)
			}
		}
	}
	want, wantSpiking := len(inference), 0
	for _, l := range layers {
		for _, way := range []bool{l.conv, l.hidden, l.slices} {
			if way {
				want++
			}
		}
		if l.hidden {
			wantSpiking++
		}
		if l.slices {
			wantSpiking++
		}
	}
	if spiking != wantSpiking || len(lines) != want {
		t.Errorf("%d lines, %d of spiking layers, want %d and %d", len(lines), spiking, want, wantSpiking)
	}
}

// TestSweepGoesOn holds that a layer which cannot be measured is named, and that
// the others are measured.
func TestSweepGoesOn(t *testing.T) {
	defer func(list []layer) { layers = list }(layers)
	layers = []layer{
		both(shape{in: 3, out: 4, kernel: 3, groups: 2}), both(shape{in: 2, out: 3, kernel: 3}),
	}
	failed, done := 0, 0
	b := New(machine.NewPool(1), 0, 1)
	for l, err := range b.Sweep(t.Context(), 8, 8, 2) {
		switch {
		case err == nil:
			done++
		case !strings.HasSuffix(l.Work, "3->4 3x3 groups 2") || l.H != 8:
			t.Errorf("%+v fails: %v", l, err)
		default:
			failed++
		}
	}
	if failed != 2 || done != 2 {
		t.Errorf("%d measured, %d not; want 2 and 2", done, failed)
	}
}

// TestDenseMACs holds what is counted for a spiking layer: the dense convolution
// of every slice, the post step included.
func TestDenseMACs(t *testing.T) {
	for _, c := range []struct {
		s    shape
		want int // of one slice
	}{
		{shape{in: 2, out: 3, kernel: 3, h: 8, w: 5}, 2 * 3 * 9 * 8 * 5},
		{shape{in: 2, out: 3, kernel: 3, h: 8, w: 6, stride: 2}, 2 * 3 * 9 * 4 * 3},
		{shape{in: 2, out: 3, kernel: 5, h: 8, w: 6, dilation: 2}, 2 * 3 * 25 * 8 * 6},
		{shape{in: 4, out: 6, kernel: 3, h: 8, w: 5, groups: 2}, 4 * 6 / 2 * 9 * 8 * 5},
		{shape{in: 4, out: 2, kernel: 4, h: 8, w: 5, stride: 2, groups: 2, transposed: true}, 4 * 2 / 2 * 16 * 8 * 5},
		{shape{in: 2, out: 1, kernel: 9, h: 8, w: 5, stride: 3, transposed: true}, 2 * 81 * 8 * 5},
	} {
		p, err := exec.Compile(c.s.spiking(4), exec.Options{})
		if err != nil {
			t.Fatal(c.s, err)
		}
		res, err := p.Run(t.Context(), map[string]*ops.Tensor{"x": Uniform(1, c.s.in, c.s.h, c.s.w)}, exec.RunOptions{Measure: true})
		if err != nil {
			t.Fatal(c.s, err)
		}
		var all workload
		for _, u := range p.Units() {
			w := worked(u, res, false)
			all.once, all.slice = all.once+w.once, all.slice+w.slice
			if w.once+w.slice > 0 && (w.label != "Conv" && w.label != "ConvTranspose" || !w.driven) {
				t.Errorf("%v: %+v, want the multiply-adds of the spiking convolution", c.s, w)
			}
		}
		if all.slice != float64(c.want) || all.once != 0 {
			t.Errorf("%v: %g multiply-adds in a slice and %g once, want %d and 0", c.s, all.slice, all.once, c.want)
		}
		timed, err := New(machine.NewPool(1), 0, 1).Time(t.Context(), p, Uniform(1, c.s.in, c.s.h, c.s.w), nil)
		if err != nil {
			t.Fatal(c.s, err)
		}
		total := 0.0
		for _, u := range timed.Units {
			total += u.macs
		}
		if want := float64(c.want * (4 + 1)); total != want {
			t.Errorf("%v: %g multiply-adds in all, want %g", c.s, total, want)
		}
	}
}

func TestLine(t *testing.T) {
	b := New(machine.NewPool(2), 0, 1)
	l := b.line("x", analogFamily, 1, 1, 0, 2*time.Millisecond, 3e6, peaks{analogFamily: 6})
	if l.MS != 2 || l.GOPS != 3 || l.Share != 0.25 {
		t.Errorf("3 million multiply-adds in 2 ms are %+v, want 3 gops, a quarter of the peak", l)
	}
	probe := 3.0
	falling := &family{"falling", func(time.Duration) float64 { probe--; return probe }, nil, two}
	rising := &family{"rising", func(time.Duration) float64 { return -probe }, nil, two}
	p, err := probed(func() error { return nil }, falling, rising)
	if err != nil || p[falling] != 2 || p[rising] != 0 {
		t.Errorf("the larger peaks are %v, %v", p, err)
	}
}

// TestOutSize holds that pads keep the size of the image, but for the stride.
func TestOutSize(t *testing.T) {
	for _, l := range layers {
		s := l.whole()
		s.h, s.w = 12, 18 // the strides divide them
		wantH, wantW := s.h/s.stride, s.w/s.stride
		if s.transposed {
			wantH, wantW = s.h*s.stride, s.w*s.stride
		}
		p, err := exec.Compile(s.spiking(1), exec.Options{})
		if err != nil {
			t.Fatal(s, err)
		}
		res, err := p.Run(t.Context(), map[string]*ops.Tensor{"x": Uniform(1, s.in, s.h, s.w)}, exec.RunOptions{})
		if err != nil {
			t.Fatal(s, err)
		}
		if got := res.Outputs[0].Dims; !slices.Equal(got, []int{1, s.out, wantH, wantW}) {
			t.Errorf("%v makes %v of %dx%d", s, got, s.h, s.w)
		}
	}
}

// TestSpikingLayerFires demands that the sweep's spiking layers run in fixed point, and
// that their neurons do what hidden ones do: a silent or a saturated layer would flatter
// kernels that skip zeros.
func TestSpikingLayerFires(t *testing.T) {
	for _, l := range layers {
		if !l.hidden || l.kernel > 5 && testing.Short() {
			continue
		}
		s := l.shape
		s.h, s.w = 16, 16
		p, err := exec.Compile(s.spiking(10), exec.Options{})
		if err != nil {
			t.Fatal(s, err)
		}
		for numbers, want := range map[exec.Precision]bool{exec.FixedPoint: true, exec.Float32: false} {
			q, err := exec.Compile(s.spiking(10), exec.Options{Precision: numbers})
			if err != nil {
				t.Fatal(s, err)
			}
			fixed := slices.ContainsFunc(q.Units(), func(u exec.Unit) bool { return u.FixedPoint && len(u.Work) > 0 })
			if fixed != want {
				t.Errorf("%v: in fixed point is %v, want %v", s, fixed, want)
			}
		}
		res, err := p.Run(t.Context(), map[string]*ops.Tensor{"x": Uniform(1, s.in, s.h, s.w)}, exec.RunOptions{Measure: true})
		if err != nil {
			t.Fatal(s, err)
		}
		least, most, neurons := 0.02, 0.5, res.Neurons
		if s.rate > 0 { // what the layer itself fires then follows from it
			least, most, neurons = 0.6*s.rate, 1.4*s.rate, neurons[:1]
		}
		for _, n := range neurons {
			if r := n.FiringRate(); r < least || r > most {
				t.Errorf("%v: %s fires at a rate of %g, want %g to %g", s, n.Node, r, least, most)
			}
		}
	}
}

// TestGroup holds which layers of a network are taken together, and that times
// are summed run by run.
func TestGroup(t *testing.T) {
	s := shape{in: 3, out: 3, kernel: 3, h: 8, w: 5}
	p, err := exec.Compile(s.spiking(4), exec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	beside := 0
	timed, err := New(machine.NewPool(1), 0, 3).Time(t.Context(), p, Uniform(1, 3, 8, 5), func() { beside++ })
	if err != nil {
		t.Fatal(err)
	}
	some, all := timed.Group((*UnitTiming).Hidden), timed.Group((*UnitTiming).Neurons)
	if some.Layers != 1 || all.Layers != 2 || !(slices.Min(some.Times) <= Median(some.Times)) || !(slices.Min(some.Times) < slices.Min(all.Times)) ||
		!(some.Peak > 0) || some.Kernel == "" || len(some.Times) < 3 || beside != len(some.Times)+1 {
		t.Errorf("%+v and %+v beside %d probes, want one layer and two", some, all, beside)
	}
	if want := float64(spikingFamily.operations()*3*3*9*8*5*5) / 1e9; some.Operations != want || all.Operations != want {
		t.Errorf("%g and %g operations, want %g", some.Operations, all.Operations, want)
	}
	if !(Sustained(2) > 0) {
		t.Error("two threads sustain nothing")
	}
	d := &Timing{Whole: make([]time.Duration, 3), Units: []UnitTiming{
		{Times: []time.Duration{1e6, 4e6, 5e6}}, {Times: []time.Duration{5e6, 1e6, 2e6}},
	}}
	g := d.Group(func(*UnitTiming) bool { return true })
	if want := []time.Duration{6e6, 5e6, 7e6}; !slices.Equal(g.Times, want) || g.Layers != 2 {
		t.Errorf("sums of 6, 5 and 7 ms are %v", g.Times)
	}
}

// TestWith selects every implementation of this CPU and comes back.
func TestWith(t *testing.T) {
	before := machine.Implementations()
	for _, i := range before {
		if i.Family != spikingFamily.name {
			continue
		}
		ran := false
		err := With(i.Name, func() error {
			ran = true
			if got := spikingFamily.selected(); got != i.Name {
				t.Errorf("%s runs, want %s", got, i.Name)
			}
			return nil
		})
		if want := i.Available && !i.Selected; ran != want || (err == nil) != want {
			t.Errorf("%+v: ran %v, %v", i, ran, err)
		}
		if !slices.Equal(machine.Implementations(), before) {
			t.Fatalf("after %s the selection is another one", i.Name)
		}
	}
	failed := errors.New("failed")
	if err := With("generic", func() error { return failed }); !errors.Is(err, failed) && spikingFamily.selected() != "generic" {
		t.Errorf("the error is lost: %v", err)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := New(machine.NewPool(1), 0, 1)
	lines := 0
	for _, err := range b.Sweep(ctx, 8, 8, 2) {
		if lines++; err == nil {
			t.Error("a sweep under a cancelled context succeeds")
		}
	}
	if lines != 1 {
		t.Errorf("%d lines under a cancelled context, want its error alone", lines)
	}
}

// TestTiles holds that an image in tiles counts as many operations as a whole one,
// and says in how many tiles it ran.
func TestTiles(t *testing.T) {
	s := shape{in: 2, out: 3, kernel: 3, h: 64, w: 50}
	b := New(machine.NewPool(1), 0, 2)
	x := Uniform(1, 2, 64, 50)
	for _, limit := range []int64{-1, 1 << 15} {
		m := s.spiking(4)
		m.Graph.Inputs()[0].Type.Shape = graph.Shape{graph.Known(1), graph.Known(2), graph.Symbol("H"), graph.Symbol("W")}
		p, err := exec.Compile(m, exec.Options{MemoryLimit: limit})
		if err != nil {
			t.Fatal(err)
		}
		lines, err := b.Program(t.Context(), "net", p, x)
		if err != nil {
			t.Fatal(err)
		}
		last := lines[len(lines)-1]
		if cut := limit > 0; cut != (last.Tiles > 1) || last.H != 64 || last.W != 50 {
			t.Errorf("limit %d: %+v, want tiles only with a limit", limit, last)
		}
		want := float64(spikingFamily.operations() * 2 * 3 * 9 * 64 * 50 * (4 + 1))
		if got := last.GOPS * last.MS * 1e6; math.Abs(got-want) > 0.01*want {
			t.Errorf("limit %d: %g operations, want %g", limit, got, want)
		}
	}
}
