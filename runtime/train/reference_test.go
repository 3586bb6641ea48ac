package train

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"spikingir/graph"
	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
	"spikingir/runtime/reference"
)

// margin is how far every potential stays away from its level in the tests that
// compare arithmetic that rounds differently, in thresholds.
const margin = 1e-5

// oracle is the network in Gorgonia.
func oracle(t testing.TB, m *graph.Model, dims []int, o reference.Options) *reference.Net {
	t.Helper()
	net, err := reference.Build(m, dims, o)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// near demands that got is want within bound times the largest want. A largest one
// below 1/2 comes of larger terms that cancel, and is taken for 1/2.
func near(t testing.TB, what string, got []float32, want []float64, bound float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d numbers, want %d", what, len(got), len(want))
		return
	}
	size := 0.5
	for _, v := range want {
		size = max(size, math.Abs(v))
	}
	worst, at := 0.0, 0
	for i, v := range want {
		if d := math.Abs(float64(got[i]) - v); !(d <= worst) {
			worst, at = d, i
		}
	}
	if !(worst <= bound*size) {
		t.Errorf("%s: number %d is %v, want %v: off by %.2g, the largest is %.3g", what, at, got[at], want[at], worst, size)
	}
}

// executed runs the model in package exec, in float32.
func executed(t testing.TB, m *graph.Model, image []float32, h, w int) *exec.Result {
	t.Helper()
	p, err := exec.Compile(m, exec.Options{Precision: exec.Float32})
	if err != nil {
		t.Fatal(err)
	}
	in := &ops.Tensor{DType: graph.Float32, Dims: []int{1, len(image) / (h * w), h, w}, F32: image}
	r, err := p.Run(context.Background(), map[string]*ops.Tensor{p.Inputs()[0].Name(): in}, exec.RunOptions{Measure: true})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestForward holds outputs and spikes against package exec, and outputs against
// the reference.
func TestForward(t *testing.T) {
	for _, c := range netCases {
		t.Run(c.name, func(t *testing.T) {
			m, x := c.model(t), c.image()
			n := compile(t, m, c.h, c.w, Options{})
			sameForward(t, n, m, x)
			net := oracle(t, m, []int{1, c.channels, c.h, c.w}, reference.Options{})
			want, err := net.Output(widen(x))
			if err != nil {
				t.Fatal(err)
			}
			if net.Distance() < margin {
				t.Errorf("a potential is within %.2g of its level, want another seed", net.Distance())
			}
			got, err := n.NewWorker().Forward(x, Spikes, Hooks{})
			if err != nil {
				t.Fatal(err)
			}
			near(t, "output", got, want, 1e-5)
		})
	}
}

// TestActivity demands that the networks of the other tests have neurons that fire
// and neurons that do not, in every layer.
func TestActivity(t *testing.T) {
	for _, c := range append(netCases, twinCase) {
		w := c.compile(t, Options{}).NewWorker()
		if _, err := w.Forward(c.image(), Spikes, Hooks{}); err != nil {
			t.Fatal(err)
		}
		for i, l := range w.net.neurons {
			if n, all := w.Spikes(i), l.out.elems*(c.steps+c.post); n < all/20 || n > all*9/10 {
				t.Errorf("%s: layer %s fires %d of %d times", c.name, l.node.Name, n, all)
			}
		}
	}
}

// sameForward holds a net against package exec.
func sameForward(t *testing.T, n *Net, m *graph.Model, x []float32) {
	t.Helper()
	w := n.NewWorker()
	got, err := w.Forward(x, n.Own(), Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	want := executed(t, m, x, n.input.height(), n.input.width())
	near(t, "output", got, widen(want.Outputs[0].F32), 1e-5)
	if len(want.Neurons) != len(n.neurons) {
		t.Fatalf("%d layers of neurons, exec has %d", len(n.neurons), len(want.Neurons))
	}
	total := 0
	for _, r := range want.Neurons {
		found := false
		for i, l := range n.neurons {
			if l.node.Name != r.Node {
				continue
			}
			found = true
			spikes := w.Spikes(i)
			if w.mode == Rates {
				spikes = int(math.Round(l.firing(w)))
			}
			total += spikes
			if int64(spikes) != r.Spikes {
				t.Errorf("neuron %q fires %d spikes, exec has %d", l.node.Label(), spikes, r.Spikes)
			}
		}
		if !found {
			t.Errorf("exec has neurons %q", r.Node)
		}
	}
	if total == 0 {
		t.Error("no neuron fires")
	}
}

// TestGorgonia holds gradients against the reference's.
func TestGorgonia(t *testing.T) {
	for _, c := range cases() {
		for k, s := range surrogates {
			for _, reset := range []bool{false, true} {
				if k > 0 && (testing.Short() || c.name != "shared" && c.name != "aodnet") {
					continue
				}
				t.Run(fmt.Sprintf("%s/%v/%v", c.name, s.of, reset), func(t *testing.T) {
					n := c.compile(t, Options{Surrogate: s.kind, ResetGradient: reset, TrainThresholds: true})
					sameGradients(t, n, c.image(), c.channels, reference.Options{Surrogate: s.of, ThroughReset: reset})
				})
			}
		}
	}
}

// sameGradients compares the gradients of all parameters of net n.
func sameGradients(t *testing.T, n *Net, x []float32, channels int, o reference.Options) {
	t.Helper()
	net := oracle(t, n.model, []int{1, channels, n.input.height(), n.input.width()}, o)
	r := rand.New(rand.NewPCG(3, 4))
	by := normal(r, n.output.elems)
	_, got := gradients(t, n, x, by, Spikes, Hooks{})
	list, err := net.Gradients(widen(x), widen(by))
	if err != nil {
		t.Fatal(err)
	}
	if net.Distance() < margin && !o.Smooth {
		t.Errorf("a potential is within %.2g of its level, want another seed", net.Distance())
	}
	want := map[string][]float64{}
	for _, g := range list[1:] {
		want[g.Name] = g.Value
	}
	for i, p := range n.params {
		if p.Role == V0 {
			continue
		}
		near(t, "gradient of "+p.Name, got[i], byData(p, want[p.Name]), 1e-5)
	}
}

// byData turns a gradient by a tensor's elements into one by p.Data.
func byData(p *Param, g []float64) []float64 {
	out := append([]float64(nil), g...)
	for i, x := range p.Data {
		s := 1 / (1 + math.Exp(-float64(x)))
		switch p.Role {
		case Beta:
			out[i] *= 0.5 * s * (1 - s)
		case Threshold:
			out[i] *= s
		}
	}
	return out
}
