package train

import (
	"fmt"
	"math"
	"testing"
)

// dual is a number and its derivative along one direction: forward mode, which
// shares nothing with what is tested.
type dual struct{ v, d float64 }

func (a dual) add(b dual) dual { return dual{a.v + b.v, a.d + b.d} }
func (a dual) sub(b dual) dual { return dual{a.v - b.v, a.d - b.d} }
func (a dual) mul(b dual) dual { return dual{a.v * b.v, a.d*b.v + a.v*b.d} }
func (a dual) div(b dual) dual { return dual{a.v / b.v, (a.d*b.v - a.v*b.d) / (b.v * b.v)} }

// twinCase is a network of 1x1 convolutions, so that pixels are networks of their
// own.
var twinCase = netCase{
	name: "twin", steps: 4, post: 1, channels: 3, h: 3, w: 2, seed: 21,
	params: `
w1 5,3,1,1 0.6
b1 5,1,1 0.2
t1 5,1,1 0.3 0.7
a1 5,1,1 0.2 0.75
w2 4,5,1,1 0.5
b2 4,1,1 0.2
t2 - 0.1 0.5
k 4,4,1,1 0.5
kb 4 0.1
w3 4,5,1,1 0.5`,
	body: `
c1 = Conv (x, w1)
e1 = ai.spikingir.Encode <@> (c1)
s1, v1 = ai.spikingir.MPRN <@, v0 = 0.25> (e1, b1, t1, a1)
c2 = Conv (s1, w2)
s2, v2 = ai.spikingir.IF <@, v0 = 0.5> (c2, b2, t2)
o = ai.spikingir.CPM <@, kernel_shape = [1, 1], pads = [0, 0, 0, 0]> (s2, v2, k, kb)
q = Conv (v1, w3)
y = Add (o, q)`,
}

// A twin computes twinCase on dual numbers.
type twin struct {
	steps, post int
	mode        Mode
	reset       bool
	p           map[string][]dual
	energy      []float32   // of each of the two layers
	feature     [][]float32 // likewise, [pixel][channel]
	margin      float64     // of the nearest level, in thresholds
}

// at is parameter i of name, or its only one.
func (w *twin) at(name string, i int) dual { return w.p[name][i%len(w.p[name])] }

// product is a 1x1 convolution with the weights of name.
func (w *twin) product(name string, x []dual) []dual {
	y := make([]dual, len(w.p[name])/len(x))
	for o := range y {
		for i, v := range x {
			y[o] = y[o].add(w.p[name][o*len(x)+i].mul(v))
		}
	}
	return y
}

// loss is the loss of one pixel, whose output has the weights by.
func (w *twin) loss(pixel int, x, by []float64) dual {
	in := make([]dual, len(x))
	for i, v := range x {
		in[i].v = v
	}
	slices := w.steps + w.post
	if w.mode != Spikes {
		slices = 1
	}
	first, current := w.product("w1", in), make([][]dual, slices)
	for t := range current {
		if t < w.steps {
			current[t] = first
		} else {
			current[t] = make([]dual, len(first))
		}
	}
	s1, v1, sum := w.layer(0, pixel, current)
	for t := range current {
		current[t] = w.product("w2", s1[t])
	}
	s2, v2, more := w.layer(1, pixel, current)
	mean := make([]dual, len(v2))
	for i := range mean {
		mean[i] = w.mean(s2, i)
	}
	sum = sum.add(more)
	out, res := w.product("k", mean), w.product("w3", v1)
	for i := range out {
		y := out[i].add(w.at("kb", i)).add(v2[i].div(dual{v: float64(w.steps)})).add(res[i])
		sum = sum.add(y.mul(dual{v: by[i]}))
	}
	return sum
}

// mean is the mean amplitude of channel i over the main steps.
func (w *twin) mean(s [][]dual, i int) (sum dual) {
	for _, x := range s {
		sum = sum.add(x[i])
	}
	if w.mode == Spikes {
		sum = sum.div(dual{v: float64(w.steps)})
	}
	return sum
}

// layer is the amplitudes of a layer of neurons, what is left of their potentials,
// and what the hooks make of the layer.
func (w *twin) layer(index, pixel int, current [][]dual) (s [][]dual, vres []dual, hooked dual) {
	s = make([][]dual, len(current))
	for c := range current[0] {
		n := struct{ bias, theta, alpha, v0 dual }{
			w.at(fmt.Sprint("b", index+1), c), w.at(fmt.Sprint("t", index+1), c), dual{v: 1}, w.at(fmt.Sprint("s", index+1, ".v0"), 0)}
		if index == 0 {
			n.alpha = w.at("a1", c)
		}
		var left dual
		if w.mode == Rates {
			var y dual
			y, left = w.rate(current[0][c].add(n.bias), n.theta, n.v0, n.v0.add(dual{v: 1}).sub(n.alpha))
			s[0] = append(s[0], y)
		} else {
			left = n.v0.mul(n.theta)
			for t := range current {
				level := n.alpha
				left = left.add(current[t][c])
				if t < w.steps {
					level, left = dual{v: 1}, left.add(n.bias)
				}
				var y dual
				y, left = w.fire(left, n.theta, level)
				s[t] = append(s[t], y)
			}
		}
		vres = append(vres, left)
		mean := w.mean(s, c)
		hooked = hooked.add(mean.mul(dual{v: float64(w.feature[index][pixel*len(current[0])+c])}))
		spikes := mean.mul(dual{v: float64(w.steps)}).div(n.theta)
		hooked = hooked.add(spikes.mul(dual{v: float64(w.energy[index])}))
	}
	return s, vres, hooked
}

// fire is one step of a neuron, with the sigmoid of slope 4 for the derivative.
func (w *twin) fire(u, theta, level dual) (y, left dual) {
	x := u.div(theta).sub(level)
	w.margin = min(w.margin, math.Abs(x.v))
	f := 1 / (1 + math.Exp(-4*x.v))
	s := dual{d: 4 * f * (1 - f) * x.d}
	if x.v >= 0 {
		s.v = 1
	}
	lost := s
	if !w.reset {
		lost.d = 0
	}
	return theta.mul(s), u.sub(theta.mul(lost))
}

// rate rounds the mean current x, bias included, down to a rate, and passes
// gradients straight through.
func (w *twin) rate(x, theta, v0, shift dual) (y, left dual) {
	steps, levels := float64(w.steps), float64(w.steps+w.post)
	h := x.v / theta.v
	z := h*steps + shift.v
	w.margin = min(w.margin, math.Abs(z-math.Round(z)), math.Abs(h), math.Abs(h-levels/steps))
	r := min(max(math.Floor(z), 0), levels) / steps
	y.v = theta.v * r
	switch {
	case h <= 0:
	case h < levels/steps:
		y.d = x.d + (r-h)*theta.d + theta.v/steps*shift.d
	default:
		y.d = levels / steps * theta.d
	}
	return y, x.sub(y).mul(dual{v: steps}).add(v0.mul(theta))
}

// gradients are those of the loss over all pixels of an image [C][pixels] by every
// element of the parameters.
func (w *twin) gradients(x, by []float32, pixels int) map[string][]float64 {
	grads := map[string][]float64{}
	for name, list := range w.p {
		for i := range list {
			list[i].d = 1
			total := 0.0
			for p := range pixels {
				at := func(x []float32) (one []float64) {
					for i := p; i < len(x); i += pixels {
						one = append(one, float64(x[i]))
					}
					return one
				}
				total += w.loss(p, at(x), at(by)).d
			}
			list[i].d = 0
			grads[name] = append(grads[name], total)
		}
	}
	return grads
}

// TestTwin holds gradients of spikes and of rates, with energy and features, against
// the recursions in plain Go, of all parameters.
func TestTwin(t *testing.T) {
	for _, c := range []struct {
		name  string
		mode  Mode
		reset bool
	}{{"detached", Spikes, false}, {"attached", Spikes, true}, {"rates", Rates, false}} {
		t.Run(c.name, func(t *testing.T) {
			n := twinCase.compile(t, Options{ResetGradient: c.reset, TrainThresholds: true, TrainV0: true})
			l := newLoss(&twinCase, n, c.mode, true)
			w := &twin{steps: 4, post: 1, mode: c.mode, reset: c.reset, energy: l.energy, feature: l.feature,
				p: map[string][]dual{}, margin: math.Inf(1)}
			for _, p := range n.params {
				for _, x := range p.elems {
					w.p[p.Name] = append(w.p[p.Name], dual{v: float64(x)})
				}
			}
			got := hooked(t, l)
			want := w.gradients(l.image, l.by, twinCase.h*twinCase.w)
			if w.margin < margin {
				t.Errorf("a potential is within %.2g of its level, want another seed", w.margin)
			}
			if len(n.params) != 12 {
				t.Errorf("%d parameters, want 12", len(n.params))
			}
			for i, p := range n.params {
				near(t, "gradient of "+p.Name, got[i], byData(p, want[p.Name]), 1e-5)
			}
		})
	}
}

// hooked is the gradients of a loss without asking for its value.
func hooked(t *testing.T, l *loss) [][]float32 {
	t.Helper()
	_, grads := gradients(t, l.net, l.image, l.by, l.mode, Hooks{Energy: l.energy, Feature: l.give})
	return grads
}
