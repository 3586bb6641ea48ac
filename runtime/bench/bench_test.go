package bench

import (
	"context"
	"encoding/json"
	"math"
	"testing"
	"time"

	"spikingir/graph"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel"
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
	pool := kernel.NewPool(2)
	defer pool.Close()
	b := New(pool, 0, 1)
	var lines []Line
	err := b.Sweep(t.Context(), Size{8, 8}, 3, func(l Line) error {
		lines = append(lines, l)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	spiking := 0
	for _, l := range lines {
		if l.Work == "" || l.Kernel == "" || !(l.GOPS > 0) || !(l.Share > 0) {
			t.Errorf("line %+v lacks something", l)
		}
		if l.T == 3 {
			spiking++
		}
	}
	if spiking != len(spikingLayers) || len(lines) != len(families())+len(convolutions)+len(spikingLayers) {
		t.Errorf("%d lines, %d of spiking layers", len(lines), spiking)
	}
}

// TestDenseMACs holds what is counted for a spiking layer: the dense
// convolution of every slice, the post step included.
func TestDenseMACs(t *testing.T) {
	s := shape{2, 3, 3, 8, 5}
	p, err := exec.Compile(s.network(4), exec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	res, err := p.Run(t.Context(), map[string]*ops.Tensor{"x": Uniform(1, 2, 8, 5)}, exec.RunOptions{Measure: true})
	if err != nil {
		t.Fatal(err)
	}
	total := 0.0
	for _, u := range p.Units() {
		macs, label, driven := count(u, p, res)
		total += macs
		if macs > 0 && (label != "conv" || !driven) {
			t.Errorf("%g multiply-adds are those of %q, driven %v; want the spiking conv", macs, label, driven)
		}
	}
	if want := float64(2 * 3 * 9 * 8 * 5 * (4 + 1)); total != want {
		t.Errorf("%g multiply-adds, want %g", total, want)
	}
	b := New(kernel.NewPool(1), 0, 1)
	l := b.line("x", analogFamily, 1, 1, 0, 2*time.Millisecond, 3e6)
	if l.MS != 2 || l.GOPS != 3 || math.Abs(l.Share*b.peak(analogFamily)-3) > 0.01 {
		t.Errorf("3 million multiply-adds in 2 ms are %+v, want 3 gops", l)
	}
}

// TestSpikingLayerFires demands that the sweep's neurons do what hidden ones do:
// a silent or a saturated layer would flatter kernels that skip zeros.
func TestSpikingLayerFires(t *testing.T) {
	s := shape{64, 64, 3, 16, 16}
	p, err := exec.Compile(s.network(10), exec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	res, err := p.Run(t.Context(), map[string]*ops.Tensor{"x": Uniform(1, 64, 16, 16)}, exec.RunOptions{Measure: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range res.Neurons {
		if r := n.FiringRate(); r < 0.02 || r > 0.5 {
			t.Errorf("%s fires at a rate of %g, want 0.02 to 0.5", n.Node, r)
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := New(kernel.NewPool(1), 0, 1)
	if err := b.Sweep(ctx, Size{8, 8}, 2, func(Line) error { return nil }); err == nil {
		t.Error("a sweep under a cancelled context succeeds")
	}
}

// TestTiles holds that an image in tiles counts as many operations as a whole one,
// and says in how many tiles it ran.
func TestTiles(t *testing.T) {
	s := shape{2, 3, 3, 64, 50}
	b := New(kernel.NewPool(1), 0, 2)
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
