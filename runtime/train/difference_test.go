package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"spikingir/runtime/kernel"
	"spikingir/runtime/reference"
)

// A loss is a function of a net's output and, by hooks, of its spikes.
type loss struct {
	net     *Net
	smooth  []*smoothNeuron // nil in modes of one slice
	image   []float32
	mode    Mode
	by      []float32   // weights of the output
	energy  []float32   // of each layer's spikes; nil: none
	feature [][]float32 // of each layer's mean amplitudes; nil: none
	worker  *Worker
}

// newLoss makes a loss of random weights, with hooks or without.
func newLoss(c *netCase, n *Net, mode Mode, hooks bool) *loss {
	r := rand.New(rand.NewPCG(c.seed, 5))
	l := &loss{net: n, image: c.image(), mode: mode, by: normal(r, n.output.elems), worker: n.NewWorker()}
	if hooks {
		l.energy = normal(r, len(n.neurons))
		for _, k := range n.neurons {
			l.feature = append(l.feature, normal(r, k.out.elems))
		}
	}
	return l
}

// value runs the net; it keeps what Backward wants.
func (l *loss) value(t *testing.T) float64 {
	t.Helper()
	sum, hooks := 0.0, Hooks{Energy: l.energy}
	if l.feature != nil {
		hooks.Feature = func(layer int, rate, gradient []float32) bool {
			for i, x := range rate {
				sum += float64(x) * float64(l.feature[layer][i])
			}
			return l.give(layer, rate, gradient)
		}
	}
	y, err := l.worker.Forward(l.image, l.mode, hooks)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range y {
		sum += float64(x) * float64(l.by[i])
	}
	for i, e := range l.energy {
		sum += float64(e) * l.spikes(i)
	}
	return sum
}

// give is the hook of the features.
func (l *loss) give(layer int, _, gradient []float32) bool {
	copy(gradient, l.feature[layer])
	return true
}

// spikes is the number of spikes of a layer.
func (l *loss) spikes(layer int) (sum float64) {
	if l.mode == Spikes {
		for _, s := range l.smooth[layer].spikes {
			sum += s
		}
		return sum
	}
	k := l.net.neurons[layer]
	for i, x := range l.worker.amplitudes(k.out) {
		sum += float64(x) * float64(l.net.Timesteps) / float64(k.theta1[i%k.out.channels()])
	}
	return sum
}

// gradients runs the net both ways.
func (l *loss) gradients(t *testing.T) [][]float32 {
	t.Helper()
	l.value(t)
	l.worker.Clear()
	if err := l.worker.Backward(l.by); err != nil {
		t.Fatal(err)
	}
	return l.net.Gradients(nil, []*Worker{l.worker})
}

// moved is value with the parameter's data replaced.
func (l *loss) moved(t *testing.T, p *Param, data []float32) float64 {
	t.Helper()
	before := append([]float32(nil), p.Data...)
	copy(p.Data, data)
	l.net.Refresh()
	v := l.value(t)
	copy(p.Data, before)
	l.net.Refresh()
	return v
}

// along compares the gradient g of p with central differences of steps h and 2h
// along direction d: 8*(L(h) - L(-h)) - (L(2h) - L(-2h)) = 12h*dL/dh + O(h^5). The
// steps that are taken are those that float32 can tell.
func (l *loss) along(t *testing.T, p *Param, g, d []float32, h float64) (got, want float64) {
	t.Helper()
	size := len(p.Data)
	for _, step := range []struct{ factor, h float64 }{{8, h}, {-8, -h}, {-1, 2 * h}, {1, -2 * h}} {
		data := make([]float32, size)
		for i, x := range p.Data {
			data[i] = float32(float64(x) + step.h*float64(d[i]))
			got += step.factor * float64(g[i]) * (float64(data[i]) - float64(x))
		}
		want += step.factor * l.moved(t, p, data)
	}
	return got / (12 * h), want / (12 * h)
}

// check compares all gradients with differences along random directions of length
// 1. A step too long crosses kinks, one too short drowns in what float32 rounds: one
// of steps must do.
func (l *loss) check(t *testing.T, grads [][]float32, steps []float64, bound float64) {
	t.Helper()
	r := rand.New(rand.NewPCG(8, 9))
	for i, p := range l.net.params {
		if l.mode == ANN && p.Role == Beta {
			if norm(grads[i]) != 0 {
				t.Errorf("gradient of %s is not 0, and there is no post step", p.Name)
			}
			continue
		}
		d := normal(r, len(p.Data))
		kernel.MulScalar(d, d, 1/float32(norm(d)))
		ok, got, want := false, 0.0, 0.0
		usual := max(norm(grads[i])/math.Sqrt(float64(len(d))), 0.3) // along such a direction
		for _, h := range steps {
			if got, want = l.along(t, p, grads[i], d, h); math.Abs(got-want) <= bound*max(math.Abs(want), usual) {
				ok = true
				break
			}
		}
		if !ok {
			t.Errorf("gradient of %s (%s) along a direction is %.6g, differences give %.6g", p.Name, p.Role, got, want)
		}
		if dead := norm(grads[i]) < 1e-6; dead {
			t.Errorf("gradient of %s (%s) is 0", p.Name, p.Role)
		}
	}
}

func norm(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}

// TestSmoothDifferences holds the gradients of whole smoothed networks against
// differences: of all parameters, with attached resets and with detached ones, which
// are those of the function whose resets take the spikes for given.
func TestSmoothDifferences(t *testing.T) {
	for _, c := range cases() {
		for k, s := range surrogates {
			for _, reset := range []bool{true, false} {
				if k > 0 && (testing.Short() || c.name != "shared") {
					continue
				}
				t.Run(fmt.Sprintf("%s/%v/%v", c.name, s.of, reset), func(t *testing.T) {
					n := c.compile(t, Options{Surrogate: s.kind, Slope: 2, ResetGradient: reset, TrainThresholds: true, TrainV0: true})
					l := newLoss(&c, n, Spikes, true)
					l.smooth = smooth(n)
					grads := l.gradients(t)
					freeze(l.smooth, !reset)
					l.check(t, grads, []float64{1e-2, 3e-3, 3e-4}, 1e-3)
				})
			}
		}
	}
}

// TestSmoothGorgonia holds the gradients of smoothed networks against the
// reference's, whose own are held against differences in float64.
func TestSmoothGorgonia(t *testing.T) {
	for _, c := range cases() {
		for _, reset := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/%v", c.name, reset), func(t *testing.T) {
				n := c.compile(t, Options{ResetGradient: reset, TrainThresholds: true})
				smooth(n)
				sameGradients(t, n, c.image(), c.channels, reference.Options{Smooth: true, ThroughReset: reset})
			})
		}
	}
}

// TestMeansDifferences holds the gradients of the networks of ReLUs against
// differences, within what the kinks that lie on the way cost.
func TestMeansDifferences(t *testing.T) {
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			n := c.compile(t, Options{TrainThresholds: true})
			l := newLoss(&c, n, ANN, true)
			l.check(t, l.gradients(t), []float64{1e-2, 3e-3, 1e-3, 3e-4}, 2e-2)
		})
	}
}
