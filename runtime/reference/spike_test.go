package reference_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"spikingir/runtime/reference"
)

// dual is a number and its derivative along one direction: forward mode, written
// down from the equations of docs/design.md and sharing nothing with Gorgonia.
type dual struct{ v, d float64 }

func (a dual) add(b dual) dual { return dual{a.v + b.v, a.d + b.d} }
func (a dual) sub(b dual) dual { return dual{a.v - b.v, a.d - b.d} }
func (a dual) mul(b dual) dual { return dual{a.v * b.v, a.d*b.v + a.v*b.d} }
func (a dual) over(b dual) dual {
	return dual{a.v / b.v, (a.d*b.v - a.v*b.d) / (b.v * b.v)}
}

// heaviside has the derivative of the sigmoid of slope k.
func (a dual) heaviside(k float64) dual {
	f := 1 / (1 + math.Exp(-k*a.v))
	s := dual{0, k * f * (1 - f) * a.d}
	if a.v >= 0 {
		s.v = 1
	}
	return s
}

// pixel is a network of 1x1 convolutions, two channels, T = 3: MPRN, IF, CPM.
const pixel = `<ir_version: 10, opset_import: ["" : 17, "ai.spikingir" : 1]>
g (float[1,2,1,1] x) => (float[1,1,1,1] y)
<float[2,2,1,1] w = {1, 0.3, -0.4, 0.9}, float[2,1,1] b = {0.05, 0.1}, float[2,1,1] t = {0.7, 0.4}, float a = {0.75},
 float[1,2,1,1] w2 = {0.8, -0.3}, float[1] b2 = {0.07}, float t2 = {0.35}, float[1,1,1,1] k = {1.2}>
{
  e = ai.spikingir.Encode <timesteps = 3, post = 1> (x)
  c = Conv (e, w)
  s = ai.spikingir.MPRN <timesteps = 3, post = 1, v0 = 0.25> (c, b, t, a)
  c2 = Conv (s, w2)
  q, u = ai.spikingir.IF <timesteps = 3, post = 1, v0 = 0.0> (c2, b2, t2)
  y = ai.spikingir.CPM <timesteps = 3, post = 1, kernel_shape = [1, 1], pads = [0, 0, 0, 0]> (q, u, k)
}`

// byHand is the network of pixel on dual numbers.
func byHand(p map[string][]dual, slope float64, through bool) dual {
	const T = 3
	one := dual{1, 0}
	fire := func(v *dual, theta, level dual) dual {
		s := v.over(theta).sub(level).heaviside(slope)
		lost := s
		if !through {
			lost.d = 0
		}
		*v = v.sub(theta.mul(lost))
		return theta.mul(s)
	}
	var v [2]dual
	for i := range v {
		v[i] = dual{0.25, 0}.mul(p["t"][i])
	}
	var u, sum dual
	for step := range T + 1 {
		var out [2]dual
		for i := range v {
			level := one
			if step < T {
				for j := range v {
					v[i] = v[i].add(p["w"][2*i+j].mul(p["x"][j]))
				}
				v[i] = v[i].add(p["b"][i])
			} else {
				level = p["a"][0]
			}
			out[i] = fire(&v[i], p["t"][i], level)
		}
		for i := range out {
			u = u.add(p["w2"][i].mul(out[i]))
		}
		if step < T {
			u = u.add(p["b2"][0])
		}
		sum = sum.add(fire(&u, p["t2"][0], one))
	}
	return p["k"][0].mul(sum).add(u).over(dual{T, 0})
}

// TestSpikes holds the surrogate gradients of hard spikes, with the reset held
// constant and not, against forward mode by hand.
func TestSpikes(t *testing.T) {
	m := parse(t, pixel)
	r := rand.New(rand.NewPCG(1, 1))
	differ := 0
	const slope = 4
	nets := map[bool]*reference.Net{}
	for _, through := range []bool{false, true} {
		nets[through] = build(t, m, []int{1, 2, 1, 1}, reference.Options{ThroughReset: through})
	}
	for range 50 {
		x := []float64{2 * r.Float64(), 2 * r.Float64()}
		var last []float64
		for _, through := range []bool{false, true} {
			net := nets[through]
			grads, err := net.Gradients(x, []float64{1})
			if err != nil {
				t.Fatal(err)
			}
			y, err := net.Output(x)
			if err != nil {
				t.Fatal(err)
			}
			params := map[string][]dual{}
			for _, g := range grads {
				list := net.Parameter(g.Name)
				if g.Name == "x" {
					list = x
				}
				for _, v := range list {
					params[g.Name] = append(params[g.Name], dual{v, 0})
				}
			}
			var all []float64
			for _, g := range grads {
				for i, got := range g.Value {
					params[g.Name][i].d = 1
					want := byHand(params, slope, through)
					params[g.Name][i].d = 0
					if math.Abs(want.v-y[0]) > 1e-12 || math.Abs(got-want.d) > 1e-12 {
						t.Fatalf("x %v, through %t, %s[%d]: output %v, gradient %v; by hand %v, %v",
							x, through, g.Name, i, y[0], got, want.v, want.d)
					}
				}
				all = append(all, g.Value...)
			}
			if last != nil && !slices.Equal(all, last) {
				differ++
			}
			last = all
		}
	}
	if differ == 0 {
		t.Error("the gradient through the reset never differed from that around it")
	}
}

// TestRepeats demands the same bits from each run, whatever ran between.
func TestRepeats(t *testing.T) {
	m, x := fixture(t, "residual", "spikingir", 3)
	x = cut(x, 7, 8)
	wide := widen(x)
	net := build(t, m, x.Dims, reference.Options{})
	first, err := net.Output(wide)
	if err != nil {
		t.Fatal(err)
	}
	weights := normal(rand.New(rand.NewPCG(2, 2)), len(first))
	grads, err := net.Gradients(wide, weights)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := net.Output(make([]float64, len(wide))); err != nil {
		t.Fatal(err)
	}
	again, err := net.Output(wide)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(first, again) {
		t.Error("the output changed between two runs")
	}
	other, err := build(t, m, x.Dims, reference.Options{}).Gradients(wide, weights)
	if err != nil {
		t.Fatal(err)
	}
	for i := range grads {
		if grads[i].Name != other[i].Name || !slices.Equal(grads[i].Value, other[i].Value) {
			t.Errorf("gradient of %q differs in another net", grads[i].Name)
		}
	}
}
