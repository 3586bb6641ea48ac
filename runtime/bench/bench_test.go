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
		got, err := json.Marshal(Line{"w", "k", 2, 3, 4, 5, 6, 7, 0.5, tiles, true})
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
	var lines []Line
	err := b.Sweep(t.Context(), Size{8, 8}, 3, func(l Line, err error) error {
		lines = append(lines, l)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	spiking := 0
	for _, l := range lines {
		if l.Work == "" || l.Kernel == "" || !(l.GOPS > 0) || !(l.Share > 0) {
			t.Errorf("line %+v lacks something", l)
		}
		fixed := strings.HasPrefix(l.Work, SpikingWork)
		if fixed != l.Fixed {
			t.Errorf("%s in fixed point: %v", l.Work, l.Fixed)
		}
		if fixed || strings.HasPrefix(l.Work, SlicesWork) {
			spiking++
			if l.T != 3 {
				t.Errorf("%s runs %d timesteps, want 3", l.Work, l.T)
			}
		}
	}
	want, wantSpiking := len(families()), 0
	for _, l := range layers {
		for _, way := range []bool{l.analog, l.spiking, l.slices} {
			if way {
				want++
			}
		}
		if l.spiking {
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
// the others are measured where emit says so.
func TestSweepGoesOn(t *testing.T) {
	defer func(list []layer) { layers = list }(layers)
	layers = []layer{
		both(shape{in: 3, out: 4, kernel: 3, groups: 2}), both(shape{in: 2, out: 3, kernel: 3}),
	}
	failed, done := 0, 0
	b := New(machine.NewPool(1), 0, 1)
	err := b.SweepLayers(t.Context(), Size{8, 8}, 2, func(l Line, err error) error {
		switch {
		case err == nil:
			done++
		case !strings.HasSuffix(l.Work, "3->4 3x3 groups 2") || l.H != 8:
			t.Errorf("%+v fails: %v", l, err)
		default:
			failed++
		}
		return nil
	})
	if err != nil || failed != 2 || done != 2 {
		t.Errorf("%d measured, %d not: %v; want 2 and 2", done, failed, err)
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
		p, err := exec.Compile(c.s.network(4), exec.Options{})
		if err != nil {
			t.Fatal(c.s, err)
		}
		res, err := p.Run(t.Context(), map[string]*ops.Tensor{"x": Uniform(1, c.s.in, c.s.h, c.s.w)}, exec.RunOptions{Measure: true})
		if err != nil {
			t.Fatal(c.s, err)
		}
		total := 0.0
		for _, u := range p.Units() {
			macs, label, driven := count(u, p, res)
			total += macs
			if macs > 0 && (label != "conv" || !driven) {
				t.Errorf("%v: %g multiply-adds are those of %q, driven %v; want the spiking conv", c.s, macs, label, driven)
			}
		}
		if want := float64(c.want * (4 + 1)); total != want || c.s.macs() != float64(c.want) {
			t.Errorf("%v: %g multiply-adds in all and %g in a slice, want %g and %d", c.s, total, c.s.macs(), want, c.want)
		}
	}
}

func TestLine(t *testing.T) {
	b := New(machine.NewPool(2), 0, 1)
	l := b.line("x", analogFamily, 1, 1, 0, 2*time.Millisecond, 3e6, peaks{analogFamily: 6})
	if l.MS != 2 || l.GOPS != 3 || l.Share != 0.25 {
		t.Errorf("3 million multiply-adds in 2 ms are %+v, want 3 gops, a quarter of the peak", l)
	}
	if p := (peaks{"a": 1, "b": 3}).and(peaks{"a": 2, "b": 2}); p["a"] != 2 || p["b"] != 3 {
		t.Errorf("the larger peaks are %v", p)
	}
}

// TestOutSize holds that pads keep the size of the image, but for the stride.
func TestOutSize(t *testing.T) {
	for _, l := range layers {
		s := l.whole()
		h, w := s.outSize()
		wantH, wantW := s.h/s.stride, s.w/s.stride
		if s.transposed {
			wantH, wantW = s.h*s.stride, s.w*s.stride
		}
		if h != wantH || w != wantW {
			t.Errorf("%v makes %dx%d of %dx%d", s, h, w, s.h, s.w)
		}
	}
}

// TestSpikingLayerFires demands that the sweep's neurons do what hidden ones do:
// a silent or a saturated layer would flatter kernels that skip zeros.
func TestSpikingLayerFires(t *testing.T) {
	for _, l := range layers {
		if !l.spiking || l.kernel > 5 && testing.Short() {
			continue
		}
		s := l.shape
		s.h, s.w = 16, 16
		p, err := exec.Compile(s.network(10), exec.Options{})
		if err != nil {
			t.Fatal(s, err)
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

// TestGroups holds which layers of a network are taken together, and that times
// are summed run by run.
func TestGroups(t *testing.T) {
	s := shape{in: 3, out: 3, kernel: 3, h: 8, w: 5}
	p, err := exec.Compile(s.network(4), exec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	some, all, err := New(machine.NewPool(1), 0, 3).Groups(t.Context(), p, Uniform(1, 3, 8, 5), 3)
	if err != nil {
		t.Fatal(err)
	}
	if some.Layers != 1 || all.Layers != 2 || !(some.Min <= some.Median) || !(some.Min < all.Min) ||
		!(some.Peak > 0) || !(some.Together > 0) || some.Kernel == "" {
		t.Errorf("%+v and %+v, want one layer and two", some, all)
	}
	if want := operations(spikingFamily) * s.macs() * 5 / 1e9; some.Operations != want || all.Operations != want {
		t.Errorf("%g and %g operations, want %g", some.Operations, all.Operations, want)
	}
	d := &timing{whole: make([]time.Duration, 3), units: []unitTiming{
		{times: []time.Duration{1e6, 4e6, 5e6}}, {times: []time.Duration{5e6, 1e6, 2e6}},
	}}
	d.units[1].macs = 70e9 // 140 of 10^9 operations
	g := d.group(func(*unitTiming) bool { return true }, []float64{20e3, 40e3, 60e3, 20e3})
	if g.Min != 5 || g.Median != 6 || g.Layers != 2 {
		t.Errorf("sums of 6, 5 and 7 ms have minimum and median %g and %g", g.Min, g.Median)
	}
	if want := []float64{140 / 7e-3 / 40e3, 140 / 5e-3 / 50e3, 140 / 6e-3 / 30e3}; g.Together != 40e3 || !slices.Equal(g.Shares, want) {
		t.Errorf("shares %v of %g, want %v of 40000", g.Shares, g.Together, want)
	}
}

// TestWith selects every implementation of this CPU and comes back.
func TestWith(t *testing.T) {
	before := machine.Implementations()
	for _, i := range before {
		if i.Family != spikingFamily {
			continue
		}
		ran := false
		err := With(i.Name, func() error {
			ran = true
			if got := selected(spikingFamily); got != i.Name {
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
	if err := With("generic", func() error { return failed }); !errors.Is(err, failed) && selected(spikingFamily) != "generic" {
		t.Errorf("the error is lost: %v", err)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := New(machine.NewPool(1), 0, 1)
	if err := b.Sweep(ctx, Size{8, 8}, 2, func(Line, error) error { return nil }); err == nil {
		t.Error("a sweep under a cancelled context succeeds")
	}
}

// TestTiles holds that an image in tiles counts as many operations as a whole one,
// and says in how many tiles it ran.
func TestTiles(t *testing.T) {
	s := shape{in: 2, out: 3, kernel: 3, h: 64, w: 50}
	b := New(machine.NewPool(1), 0, 2)
	x := Uniform(1, 2, 64, 50)
	for _, limit := range []int64{-1, 1 << 15} {
		m := s.network(4)
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
		want := float64(2 * 2 * 3 * 9 * 64 * 50 * (4 + 1))
		if got := last.GOPS * last.MS * 1e6; math.Abs(got-want) > 0.01*want {
			t.Errorf("limit %d: %g operations, want %g", limit, got, want)
		}
	}
}
