package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	base "spikingir/runtime/kernel"
	"spikingir/runtime/kernel/kerneltest"
)

// convCases are convolutions of all kinds; the last ones are left out of short runs.
func convCases(t *testing.T) []*convCase {
	var list []*convCase
	add := func(s base.ConvShape, h, w int, densities ...float64) {
		for i, d := range densities {
			list = append(list, newConvCase(t, s, h, w, 1+(len(list)+i)%3, d))
		}
	}
	odd := base.ConvShape{InC: 4, OutC: 6, Groups: 2, KH: 3, KW: 2, StrideH: 2, StrideW: 1, DilationH: 1, DilationW: 2,
		PadTop: 2, PadLeft: 0, PadBottom: 1, PadRight: 3}
	add(odd, 9, 8, 0, 0.3)
	wide := odd
	wide.InC, wide.OutC, wide.StrideH, wide.StrideW = 40, 70, 1, 2
	add(wide, 7, 9, 0, 0.1)
	far := same(5, 20, 1, 3)
	far.DilationH, far.DilationW, far.PadTop, far.PadLeft = 2, 2, 5, 6 // pads beyond the kernel
	far.PadBottom, far.PadRight = 0, 0
	add(far, 8, 7, 0, 0.2)
	skip := same(3, 5, 1, 1)
	skip.StrideH, skip.StrideW = 3, 2
	add(skip, 10, 9, 0, 0.5)
	add(same(6, 6, 6, 3), 6, 7, 0, 0.2) // depthwise
	valid := same(16, 17, 1, 3)
	valid.PadTop, valid.PadLeft, valid.PadBottom, valid.PadRight = 0, 0, 0, 0
	add(valid, 3, 3, 0, 0.1)
	add(same(6, 3, 1, 7), 9, 8, 0, 0.1)
	add(same(32, 32, 1, 3), 8, 7, 0, 0.2)
	if testing.Short() {
		return list
	}
	for _, c := range [][2]int{{1, 64}, {64, 1}, {3, 3}, {12, 3}, {56, 12}, {33, 31}} {
		add(same(c[0], c[1], 1, 3), 7, 9, 0, 0.02, 0.15)
	}
	add(same(64, 64, 1, 3), 8, 11, 0, 0.05, 0.2, 0.9)
	add(same(80, 96, 1, 3), 9, 13, 0)
	add(same(65, 70, 1, 3), 5, 6, 0, 0.1)
	add(same(20, 18, 1, 5), 6, 6, 0, 0.1)
	add(same(64, 17, 1, 1), 5, 7, 0, 0.1)
	add(same(2, 2, 1, 9), 11, 12, 0, 0.1)
	add(same(130, 140, 1, 2), 4, 5, 0, 0.1)
	return list
}

func TestConv(t *testing.T) {
	cases := convCases(t)
	for _, c := range cases {
		c.define()
	}
	forEachOf(t, "train", func(t *testing.T) {
		sc := &Scratch{} // of all cases, so that each finds what others left
		for _, c := range cases {
			first := c.run(t, sc)
			c.check(t, first)
			again := c.run(t, &Scratch{})
			for i, pair := range [][2][]float32{{first.y, again.y}, {first.gx, again.gx}, {first.gw, again.gw}} {
				if d := kerneltest.FirstDifference(pair[0], pair[1]); d >= 0 {
					t.Errorf("%s: result %d differs at %d from run to run", c.name, i, d)
				}
			}
		}
	})
}

// TestConvChannels runs every number of channels, so that every tail of a
// vector occurs.
func TestConvChannels(t *testing.T) {
	for n := 1; n <= 70; n++ {
		if testing.Short() && n%7 != 1 {
			continue
		}
		s := same(n, 71-n, 1, 2)
		s.PadTop, s.PadLeft = 1, 0
		for _, d := range []float64{0, 0.1} {
			c := newConvCase(t, s, 3, 4, 2, d)
			c.define()
			forEachOf(t, "train", func(t *testing.T) { c.check(t, c.run(t, &Scratch{})) })
		}
	}
}

// TestConvSizes runs every width of a row, so that every tail of a tile of
// pixels occurs.
func TestConvSizes(t *testing.T) {
	for w := 1; w <= 40; w++ {
		if testing.Short() && w%5 != 1 {
			continue
		}
		for _, channels := range [][2]int{{16, 32}, {3, 2}} {
			for _, d := range []float64{0, 0.2} {
				c := newConvCase(t, same(channels[0], channels[1], 1, 3), 1+w%4, w, 1, d)
				c.define()
				forEachOf(t, "train", func(t *testing.T) { c.check(t, c.run(t, &Scratch{})) })
			}
		}
	}
}

// TestConvAdjoint compares <conv(x), gy> with <x, conv^T(gy)>, and with
// <w, gradient of w> where the scale is 1.
func TestConvAdjoint(t *testing.T) {
	for _, s := range []base.ConvShape{same(64, 64, 1, 3), same(3, 64, 1, 5), same(12, 12, 3, 3)} {
		c := newConvCase(t, s, 12, 13, 2, 0)
		c.conv.SetWeights(c.w, nil)
		forEachOf(t, "train", func(t *testing.T) {
			sc := &Scratch{}
			y, gx, gw := make([]float32, len(c.gy)), make([]float32, len(c.x)), make([]float32, len(c.w))
			c.conv.Forward(sc, y, c.x, c.slices)
			c.conv.BackwardInput(sc, gx, c.gy, c.slices)
			c.conv.BackwardWeights(sc, gw, c.x, c.gy, c.slices)
			a, size := dot(y, c.gy)
			b, _ := dot(gx, c.x)
			w, _ := dot(gw, c.w)
			if math.Abs(a-b) > 1e-6*size || math.Abs(a-w) > 1e-6*size {
				t.Errorf("%s: <y,gy> = %v, <x,gx> = %v, <w,gw> = %v, want equal within %v", c.name, a, b, w, 1e-6*size)
			}
		})
	}
}

// dot is the inner product and the sum of the magnitudes of its terms.
func dot(a, b []float32) (sum, size float64) {
	for i, v := range a {
		sum += float64(v) * float64(b[i])
		size += math.Abs(float64(v) * float64(b[i]))
	}
	return sum, size
}

// TestConvAllocates holds that a warm scratch is enough.
func TestConvAllocates(t *testing.T) {
	for _, s := range []base.ConvShape{same(64, 64, 1, 3), same(64, 1, 1, 3), same(3, 3, 1, 3)} {
		for _, d := range []float64{0, 0.1} {
			c := newConvCase(t, s, 9, 10, 2, d)
			forEachOf(t, "train", func(t *testing.T) {
				sc := &Scratch{}
				y, gx, gw := make([]float32, len(c.gy)), make([]float32, len(c.x)), make([]float32, len(c.w))
				run := func() {
					if d > 0 {
						c.conv.ForwardSpikes(sc, y, c.spikes, c.slices)
						c.conv.Backward(sc, &Gradients{GW: gw, Spikes: c.spikes, GY: c.gy, Slices: c.slices})
					}
					c.conv.Forward(sc, y, c.x, c.slices)
					c.conv.BackwardInput(sc, gx, c.gy, c.slices)
					c.conv.BackwardWeights(sc, gw, c.x, c.gy, c.slices)
					c.conv.SetWeights(c.w, c.scale)
				}
				run()
				if n := testing.AllocsPerRun(3, run); n > 0 {
					t.Errorf("%s: %v allocations with a warm scratch, want none", c.name, n)
				}
			})
		}
	}
}

// TestConvNaN holds that what is not a number is not lost.
func TestConvNaN(t *testing.T) {
	c := newConvCase(t, same(16, 16, 1, 3), 5, 5, 1, 0)
	nan := float32(math.NaN())
	c.x[12*16] = nan
	forEachOf(t, "train", func(t *testing.T) {
		r := c.run(t, &Scratch{})
		if !slices.ContainsFunc(r.y, isNaN) || !slices.ContainsFunc(r.gw, isNaN) || slices.ContainsFunc(r.gx, isNaN) {
			t.Error("a NaN in x must appear in y and gw, and only there")
		}
	})
}

func isNaN(v float32) bool { return v != v }

func TestShapeErrors(t *testing.T) {
	good := shapeFor(t, same(4, 6, 2, 3), 5, 5)
	for want, change := range map[string]func(s *Shape){
		"number of input channels 0":        func(s *Shape) { s.InC = 0 },
		"multiples of its 4 groups":         func(s *Shape) { s.Group = 4 },
		"kernel width -1":                   func(s *Shape) { s.KernelW = -1 },
		"vertical stride 0":                 func(s *Shape) { s.StrideH = 0 },
		"left pad -1":                       func(s *Shape) { s.PadL = -1 },
		"output height 0":                   func(s *Shape) { s.OutH = 0 },
		"input width -3":                    func(s *Shape) { s.InW = -3 },
		"input of [20000 20000 4] elements": func(s *Shape) { s.InH, s.InW = 20000, 20000 },
		"padded input of":                   func(s *Shape) { s.OutH, s.StrideH = 1<<14, 1<<14 },
	} {
		s := good
		change(&s)
		if _, err := NewConv(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewConv(%+v) = %v, want an error with %q", s, err, want)
		}
	}
	if _, err := NewShape(same(1, 1, 1, 3), 0, 5); err == nil || !strings.Contains(err.Error(), "does not fit") {
		t.Errorf("an empty image gives %v, want an error that says that the kernel does not fit", err)
	}
}

func TestConvWantsLengths(t *testing.T) {
	c := newConvCase(t, same(2, 3, 1, 3), 4, 5, 1, 0)
	sc := &Scratch{}
	got := kerneltest.Caught(func() { c.conv.Forward(sc, c.gy, c.x[1:], 1) })
	if want := "kernel: training convolution with 39 inputs, want 40"; fmt.Sprint(got) != want {
		t.Errorf("a short input: %v, want %s", got, want)
	}
}

// BenchmarkConv measures every entry point on a hidden layer of DnCNN, 11 slices
// of a patch, on one thread: GFLOP/s are those of the dense product.
func BenchmarkConv(b *testing.B) {
	for _, density := range []float64{0, 0.05, 0.1, 0.2, 0.3} {
		c := newConvCase(b, same(64, 64, 1, 3), 40, 40, 11, density)
		benchConv(b, c)
	}
	for _, k := range [][3]int{{1, 64, 3}, {64, 1, 3}, {3, 3, 1}, {3, 3, 3}, {6, 3, 5}, {6, 3, 7}, {12, 3, 3}, {56, 12, 1}} {
		for _, density := range []float64{0, 0.15} {
			benchConv(b, newConvCase(b, same(k[0], k[1], 1, k[2]), 40, 40, 11, density))
		}
	}
}

func benchConv(b *testing.B, c *convCase) {
	sc := &Scratch{}
	y, gx, gw := make([]float32, len(c.gy)), make([]float32, len(c.x)), make([]float32, len(c.w))
	runs := map[string]func(){
		"forward": func() { c.conv.Forward(sc, y, c.x, c.slices) },
		"input":   func() { c.conv.BackwardInput(sc, gx, c.gy, c.slices) },
		"weights": func() { c.conv.BackwardWeights(sc, gw, c.x, c.gy, c.slices) },
	}
	if c.density > 0 {
		runs = map[string]func(){
			"forward": func() { c.conv.ForwardSpikes(sc, y, c.spikes, c.slices) },
			"weights": func() { c.conv.Backward(sc, &Gradients{GW: gw, Spikes: c.spikes, GY: c.gy, Slices: c.slices}) },
		}
	}
	if c.density == 0 {
		for name, form := range map[string]weightForm{"filtered": filteredBackward, "direct": directForward, "sparse": sparseForward} {
			if c.conv.backward.fast != nil || form != filteredBackward {
				runs[name] = func() { c.conv.SetWeights(c.w, c.scale); c.conv.pack(form) }
			}
		}
	}
	madds := c.slices * c.s.OutH * c.s.OutW * len(c.w)
	for _, name := range []string{"forward", "input", "weights", "filtered", "direct", "sparse"} {
		f := runs[name]
		if f == nil {
			continue
		}
		b.Run(fmt.Sprintf("%dto%d_%dx%d/%g/%s", c.s.InC, c.s.OutC, c.s.KernelH, c.s.KernelW, c.density, name), func(b *testing.B) {
			best := time.Duration(1 << 62)
			for b.Loop() {
				start := time.Now()
				f()
				best = min(best, time.Since(start))
			}
			b.ReportMetric(float64(best.Microseconds())/1000, "ms")
			b.ReportMetric(2*float64(madds)/float64(best.Nanoseconds()), "GFLOP/s")
		})
	}
}

// TestConvDenormals holds that a convolution of subnormal numbers gives zeros or
// what the definition says, no matter which.
func TestConvDenormals(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	c := newConvCase(t, same(16, 16, 1, 3), 6, 6, 1, 0)
	for i := range c.gy {
		c.gy[i] = float32(r.NormFloat64()) * 1e-40
	}
	forEachOf(t, "train", func(t *testing.T) {
		got := c.run(t, &Scratch{})
		for i, v := range got.gx {
			if !(math.Abs(float64(v)) < 1e-37) {
				t.Fatalf("gradient %d is %v, want a number below 1e-37", i, v)
			}
		}
		// The state of the processor is as before.
		tiny := math.Float32frombits(uint32(2 + r.IntN(2)))
		if tiny/2 == 0 {
			t.Error("subnormal numbers are flushed after the kernel returned")
		}
	})
}
