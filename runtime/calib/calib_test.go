package calib

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/graph"
	"spikingir/onnxio/text"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// images is a calibration set in memory; fail, if any, comes in place of an image.
type images struct {
	list []*ops.Tensor
	fail error
}

func (s images) Len() int       { return len(s.list) }
func (s images) SHA256() string { return "hash of the set" }

func (s images) Input(i int) (*ops.Tensor, error) {
	if s.fail != nil {
		return nil, s.fail
	}
	return s.list[i], nil
}

// normal is a set of images [n,c,h,w] of normal numbers, a third of them zeros.
func normal(seed uint64, shapes ...[4]int) images {
	r := rand.New(rand.NewPCG(seed, 3))
	var s images
	for _, d := range shapes {
		x := ops.NewTensor(graph.Float32, d[:])
		for i := range x.F32 {
			if r.IntN(3) > 0 {
				x.F32[i] = float32(r.NormFloat64())
			}
		}
		s.list = append(s.list, x)
	}
	return s
}

func parse(t *testing.T, src string) *graph.Model {
	t.Helper()
	m, err := text.Parse(`<ir_version: 10, opset_import: ["" : 17]>` + "\n" + src)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func collect(t *testing.T, m *graph.Model, set images, pool *machine.Pool, values ...string) *graph.Stats {
	t.Helper()
	s, err := Collect(t.Context(), m, values, set, pool, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// brute counts the elements of one channel one after another.
func brute(xs []float32) *graph.Histogram {
	h := &graph.Histogram{Min: slices.Min(xs), Max: slices.Max(xs)}
	bins := map[uint16]int64{}
	for _, x := range xs {
		h.Count++
		h.Sum += float64(x)
		if x == 0 {
			h.Zeros++
		} else {
			bins[graph.BinKey(x)]++
		}
	}
	for key := range 1 << 16 {
		if n := bins[uint16(key)]; n > 0 {
			h.Bins = append(h.Bins, graph.Bin{Key: uint16(key), Count: n})
		}
	}
	return h
}

// elements are those of channel c, image after image.
func elements(list []*ops.Tensor, c int) []float32 {
	var all []float32
	for _, x := range list {
		plane := x.Dims[2] * x.Dims[3]
		for n := range x.Dims[0] {
			at := (n*x.Dims[1] + c) * plane
			all = append(all, x.F32[at:at+plane]...)
		}
	}
	return all
}

// TestHistograms compares with the brute count, for an input and for computed
// values, batches and images of several sizes.
func TestHistograms(t *testing.T) {
	m := parse(t, `g (float[N,3,H,W] x) => (float[N,3,H,W] y)
{
  a = Abs(x)
  n = Neg(a)
  y = Relu(x)
}`)
	set := normal(1, [4]int{2, 3, 5, 7}, [4]int{1, 3, 4, 4}, [4]int{3, 3, 1, 9})
	s := collect(t, m, set, nil, "x", "n", "y")
	if s.Images != 3 || s.SHA256 != "hash of the set" || len(s.Values) != 3 {
		t.Errorf("%d images, hash %q, %d values", s.Images, s.SHA256, len(s.Values))
	}
	for name, f := range map[string]func(x float32) float32{
		"x": func(x float32) float32 { return x },
		"n": func(x float32) float32 { return -max(x, -x) },
		"y": func(x float32) float32 { return max(x, 0) },
	} {
		if n := len(s.Values[name].Channels); n != 3 {
			t.Fatalf("value %s has %d channels, want 3", name, n)
		}
		for c, got := range s.Values[name].Channels {
			xs := elements(set.list, c)
			for i := range xs {
				xs[i] = f(xs[i])
			}
			if d := cmp.Diff(brute(xs), got); d != "" {
				t.Errorf("value %s, channel %d (-brute +got):\n%s", name, c, d)
			}
		}
	}
}

// TestRanks counts values of rank 2 by channel and those of rank 1 as one.
func TestRanks(t *testing.T) {
	m := parse(t, `g (float[N,2,H,W] x) => (float[N,2] p, float[K] flat)
<int64[2] two = {0, 2}, int64[1] all = {-1}>
{
  m = GlobalAveragePool(x)
  p = Reshape(m, two)
  flat = Reshape(x, all)
}`)
	s := collect(t, m, normal(2, [4]int{3, 2, 4, 4}), nil, "p", "flat")
	p, flat := s.Values["p"].Channels, s.Values["flat"].Channels
	if len(p) != 2 || p[0].Count != 3 || len(flat) != 1 || flat[0].Count != 96 {
		t.Errorf("pooled: %d channels, flat: %d", len(p), len(flat))
	}
}

// TestThreads demands the same statistics, sums included, bit for bit.
func TestThreads(t *testing.T) {
	m := parse(t, `g (float[N,3,H,W] x) => (float[N,5,H,W] y)
<float[5,3,3,3] w = ["location": "seed:4"], float[5] b = {0.1, 0.2, 0.3, 0.4, 0.5}>
{
  c = Conv <pads = [1, 1, 1, 1]> (x, w, b)
  y = Relu(c)
}`)
	set := normal(5, [4]int{2, 3, 33, 41}, [4]int{1, 3, 64, 50}, [4]int{1, 3, 7, 5})
	want := collect(t, m, set, nil, "x", "c", "y")
	for _, n := range []int{1, 2, 5} {
		pool := machine.NewPool(n)
		got := collect(t, m, set, pool, "x", "c", "y")
		pool.Close()
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%d threads differ (-nil pool +got):\n%s", n, d)
		}
	}
	if h := want.Values["c"].Channels[4]; h.Sum == math.Trunc(h.Sum) {
		t.Errorf("sum %g is an integer: the test sees no rounding", h.Sum)
	}
}

// TestDenormalAndSilent holds channels that never fire, and those whose
// activations are subnormal, as real models have them.
func TestDenormalAndSilent(t *testing.T) {
	m := parse(t, `g (float[N,3,H,W] x) => (float[N,3,H,W] y)
<float[3,1,1] scale = {0, 1e-39, 1}>
{ y = Mul(x, scale) }`)
	x := ops.Floats([]float32{1, 2, 3, 4, 1, 2, 3, 0, float32(math.Copysign(0, -1)), 2, 3, 4}, 1, 3, 2, 2)
	s := collect(t, m, images{list: []*ops.Tensor{x}}, nil, "y")
	tiny := float32(1e-39)
	want := []*graph.Histogram{
		{Count: 4, Zeros: 4},
		brute([]float32{tiny, 2 * tiny, 3 * tiny, 0}),
		brute([]float32{0, 2, 3, 4}),
	}
	for c, got := range s.Values["y"].Channels {
		if d := cmp.Diff(want[c], got); d != "" {
			t.Errorf("channel %d (-want +got):\n%s", c, d)
		}
	}
	top := s.Values["y"].PerChannel(100, graph.OverNonzero, graph.Positive)
	if diff := cmp.Diff([]float32{0, 3 * tiny, 4}, top); diff != "" {
		t.Errorf("maxima (-want +got):\n%s", diff)
	}
}

// TestNotFinite names the value, or the node that gives it, and the channel.
func TestNotFinite(t *testing.T) {
	m := parse(t, `g (float[N,2,H,W] x) => (float[N,2,H,W] y)
{
  r = Relu(x)
  y = Neg(r)
}`)
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		x := ops.NewTensor(graph.Float32, []int{1, 2, 2, 2})
		x.F32[5], x.F32[7] = float32(bad), float32(bad)
		_, err := Collect(t.Context(), m, []string{"x"}, images{list: []*ops.Tensor{x}}, nil, nil)
		want := `value "x", channel 1: 2 elements are NaN or infinite`
		if err == nil || err.Error() != want {
			t.Errorf("%g: error %v, want %s", bad, err, want)
		}
		x.F32[5], x.F32[7] = -float32(math.Inf(-1)), 1
		_, err = Collect(t.Context(), m, []string{"r"}, images{list: []*ops.Tensor{x}}, nil, nil)
		want = `node "r" (Relu): channel 1 of its result has 1 elements that are NaN or infinite on the calibration images`
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%g: error %v, want %s", bad, err, want)
		}
	}
}

const one = `g (float[N,1,H,W] x) => (float[N,1,H,W] y)
<float w = {2}>
{ y = Mul(x, w) }`

// TestRefuses holds the errors of what cannot be calibrated.
func TestRefuses(t *testing.T) {
	set := normal(1, [4]int{1, 1, 2, 2})
	lost := errors.New("the image is lost")
	for _, c := range []struct {
		name, src, value string
		set              images
		want             string
	}{
		{"no image", one, "y", images{}, "the calibration set holds no image"},
		{"unknown value", one, "z", set, `value "z" to calibrate is not in the graph`},
		{"constant", one, "w", set, `value "w" to calibrate is not computed as a float tensor`},
		{"integers", `g (float[N,1,H,W] x) => (int64[4] y)
{ y = Shape(x) }`, "y", set, `value "y" to calibrate is not computed as a float tensor`},
		{"two inputs", `g (float[N,1,H,W] x, float[N,1,H,W] z) => (float[N,1,H,W] y)
{ y = Add(x, z) }`, "y", set, "the model has 2 inputs, calibration feeds exactly one"},
		{"other channels", one, "y", normal(1, [4]int{1, 2, 2, 2}), `calibration image 1: input "x" has dimensions`},
		{"no such operator", `g (float[N,1,H,W] x) => (float[N,1,H,W] y)
{ [odd] y = custom.Thing(x) }`, "y", set, `node "odd"`},
		{"an image fails", one, "y", images{set.list, lost}, lost.Error()},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Collect(t.Context(), parse(t, c.src), []string{c.value}, c.set, nil, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// TestProgress is called once an image, and Collect stops when told to.
func TestProgress(t *testing.T) {
	set := normal(1, [4]int{1, 1, 2, 2}, [4]int{1, 1, 2, 2}, [4]int{1, 1, 2, 2})
	var calls []string
	step := func(done, total int) { calls = append(calls, fmt.Sprintf("%d/%d", done, total)) }
	if _, err := Collect(t.Context(), parse(t, one), []string{"y"}, set, nil, step); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"1/3", "2/3", "3/3"}, calls); d != "" {
		t.Errorf("progress (-want +got):\n%s", d)
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls = nil
	_, err := Collect(ctx, parse(t, one), []string{"y"}, set, nil, func(done, total int) {
		step(done, total)
		cancel()
	})
	if !errors.Is(err, context.Canceled) || len(calls) != 1 {
		t.Errorf("after %v: error %v, want %v after one image", calls, err, context.Canceled)
	}
}
