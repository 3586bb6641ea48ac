package exact_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/graph/exact"
	"spikingir/graph/infer"
	"spikingir/graph/op"
	"spikingir/onnxio/text"
)

func parse(t *testing.T, src string) *graph.Model {
	t.Helper()
	m, err := text.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	if err := infer.Model(m); err != nil {
		t.Fatal(err)
	}
	return m
}

// header declares constants that the cases below use, and d, whole multiples of 1/16 from -1 to 2.
const header = `<ir_version: 10, opset_import: ["" : 17, "ai.spikingir" : 1]>
g (float[N,2,H,W] x) => (float[N,C,H2,W2] y)
<float low = {-1}, float high = {2}, float up = {16}, float down = {0.0625}, float third = {0.3}, float one = {1}, float[2,1,1] b = {0.5, -0.25},
 float[2,2,1,1] w = {1, -0.5, 0.25, 3}, float[2] bias = {0.125, 0}, float[4] twice = {1, 1, 2, 2}, float[2,2,1,1] fine = {0.3, 1, 1, 1}>
{
  l = Clip(x, low, high)
  m = Mul(l, up)
  f = Floor(m)
  d = Mul(f, down)
`

func TestSpans(t *testing.T) {
	for body, want := range map[string]string{
		"y = Identity(d)":              "4 -1 2",
		"y = Identity(l)":              "free -1 2",
		"y = Neg(d)":                   "4 -2 1",
		"y = Relu(d)":                  "4 0 2",
		"y = Abs(d)":                   "4 0 2",
		"y = Add(d, b)":                "4 -0.5 2.5, 4 -1.25 1.75",
		"y = Sub(d, d)":                "4 -3 3",
		"y = Mul(d, b)":                "5 -0.5 1, 6 -0.5 0.25",
		"y = Mul(d, third)":            "free -0.3 0.6",
		"y = Div(d, up)":               "8 -0.0625 0.125",
		"y = Div(d, third)":            "free -3.333 6.667",
		"y = Max(d, b)":                "4 0.5 2, 4 -0.25 2",
		"y = Concat <axis = 1> (d, l)": "4 -1 2, 4 -1 2, free -1 2, free -1 2",
		"y = Conv(d, w)":               "5 -2 2.5, 6 -3.25 6.5",
		"y = Conv(d, w, bias)":         "5 -2 2.625, 6 -3.25 6.5",
		"y = ConvTranspose(d, w)":      "6 -1.25 2.5, 5 -4 6.5",
		`y = Resize <mode = "nearest"> (d, "", twice)`: "4 -1 2",
		"y = AveragePool <kernel_shape = [2, 2]> (d)":  "6 -1 2",
		"e = ai.spikingir.Encode <timesteps = 8, post = 1> (d)\n s = ai.spikingir.IF <timesteps = 8, post = 1, v0 = 0.5> (e, b, one)\n y = ai.spikingir.Decode <timesteps = 8, post = 1> (s)": "free 0 1.125",
	} {
		m := parse(t, header+body+"\n}")
		p, err := exact.New(m)
		if err != nil {
			t.Fatal(err)
		}
		for n := range m.Graph.Nodes() {
			if err := p.Visit(n); err != nil {
				t.Fatalf("%s: %v", body, err)
			}
		}
		var list []string
		for _, s := range p.Of(m.Graph.Outputs()[0]) {
			unit := fmt.Sprint(s.Unit)
			if s.Unit == exact.Free {
				unit = "free"
			}
			list = append(list, fmt.Sprintf("%s %.4g %.4g", unit, s.Low, s.High))
		}
		if n := len(list); n > 1 && list[0] == list[1] && n == 2 {
			list = list[:1]
		}
		if got := strings.Join(list, ", "); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

func TestUnitOf(t *testing.T) {
	for x, want := range map[float64]int{0: math.MinInt32, 1: 0, -3: 0, 8: -3, 0.375: 3, 0x1p-1074: 1074, math.MaxFloat64: -971,
		math.Inf(1): exact.Free, math.Inf(-1): exact.Free} {
		if got := exact.UnitOf(x); got != want {
			t.Errorf("unit of %v is %d, want %d", x, got, want)
		}
	}
	if got := exact.UnitOf(math.NaN()); got != exact.Free {
		t.Errorf("unit of NaN is %d", got)
	}
}

func TestRefused(t *testing.T) {
	const encoded = "e = ai.spikingir.Encode <timesteps = 8, post = 1> (d)\n"
	for body, want := range map[string]string{
		"y = Sigmoid(d)":    "(Sigmoid): runtimes compute it in different ways",
		"y = Conv(l, w)":    "channel 0 sums numbers that were rounded before",
		"y = Conv(d, fine)": "sums of channel 0 may reach 6.979e+08 times 2^-28, more than the 2^24",
		"y = Sum(d, d, l)":  "channel 0 sums numbers that were rounded before",
		`y = Resize <mode = "linear"> (d, "", twice)`:                              `mode "linear" mixes numbers`,
		"y = AveragePool <kernel_shape = [3, 3]> (d)":                              "no power of two",
		"y = GlobalAveragePool(d)":                                                 "(GlobalAveragePool): runtimes compute it in different ways",
		"y = ai.spikingir.Encode <timesteps = 8> (l)":                              "channel 0 sums numbers that were rounded before",
		encoded + "y = Mul(e, third)":                                              "channel 0 sums numbers that were rounded before",
		encoded + "y = ai.spikingir.Bias <timesteps = 8, post = 1> (e, third)":     "2^24",
		encoded + "y = ai.spikingir.IF <timesteps = 8, post = 1> (e, \"\", third)": "2^24",
	} {
		err := exact.Prove(parse(t, header+body+"\n}"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", body, err, want)
		}
	}
}

// TestSums holds that sums whose span fits are the same in any order of float32.
func TestSums(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	fit := 0
	for range 2000 {
		const taps = 40
		bits := 4 + rng.IntN(9)
		in := exact.Span{Unit: bits, Low: -1, High: 1}
		l := op.Layout{In: 1, Out: 1, Group: 1, Channel: func(int) (int, int) { return 0, 0 }}
		weights, products := make([]float32, taps), make([]float32, taps)
		for i := range weights {
			weights[i] = float32(math.Round(float64(2*rng.Float32()-1)*1024) / 1024)
		}
		s := exact.Sums(l, weights, exact.Spans{in})[0]
		if !s.Fits(1) {
			continue
		}
		fit++
		for i := range products {
			x := float32(math.Round(float64(2*rng.Float32()-1)*math.Exp2(float64(bits))) / math.Exp2(float64(bits)))
			products[i] = weights[i] * x
		}
		sum := func() (y float32) {
			for _, p := range products {
				y += p
			}
			return y
		}
		want := sum()
		for range 5 {
			rng.Shuffle(taps, func(i, j int) { products[i], products[j] = products[j], products[i] })
			if got := sum(); got != want {
				t.Fatalf("sums %v and %v of one set of products", got, want)
			}
		}
		if float64(want) < s.Low || float64(want) > s.High {
			t.Fatalf("sum %v outside of %v", want, s)
		}
	}
	if fit < 200 || fit > 1900 {
		t.Errorf("%d of 2000 sets fit, want some and not all", fit)
	}
}
