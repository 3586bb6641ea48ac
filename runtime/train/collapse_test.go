package train

import (
	"math"
	"testing"

	base "spikingir/runtime/kernel"
	"spikingir/runtime/train/kernel"
)

// TestCollapse holds that a spiking run's means fit each other, as convolutions are
// linear over time: the mean current of neurons, which is worked out from their
// spikes and last potentials, is the convolution of the mean amplitudes before them,
// and these are the spikes times the threshold over T.
func TestCollapse(t *testing.T) {
	compared := 0
	for _, c := range netCases {
		t.Run(c.name, func(t *testing.T) {
			n := c.compile(t, Options{})
			w := n.NewWorker()
			if _, err := w.Forward(c.image(), Spikes, Hooks{}); err != nil {
				t.Fatal(err)
			}
			sums := make([]float64, len(n.neurons))
			for i := range n.neurons {
				sums[i] = amplitudeSum(w, i)
			}
			for _, v := range n.order {
				w.collapse(v)
			}
			w.mode = Rates
			for i, l := range n.neurons {
				total := 0.0
				for _, x := range w.slots[l.out.id].x {
					total += float64(x)
				}
				if want := sums[i] / float64(n.Timesteps); math.Abs(total-want) > 1e-4*max(want, 1) {
					t.Errorf("mean amplitudes of neurons %d sum to %g, want %g", i, total, want)
				}
			}
			for _, l := range n.layers {
				conv, ok := l.(*convLayer)
				if !ok || conv.x.neuron == nil || elems(conv.b, conv.bias) != nil {
					continue
				}
				for i, l := range n.neurons {
					if l.x != conv.y {
						continue
					}
					want := make([]float32, conv.y.elems)
					conv.plain.Forward(&kernel.Scratch{}, want, w.slots[conv.x.id].x, 1)
					for k, got := range w.states[i].u {
						if math.Abs(float64(got-want[k])) > 1e-4 {
							t.Fatalf("mean current %d of neurons %d is %g, want %g", k, i, got, want[k])
						}
					}
					compared++
				}
			}
		})
	}
	if compared < 3 {
		t.Errorf("%d layers of neurons compared", compared)
	}
}

// amplitudeSum is the sum of the amplitudes that neuron layer i emitted.
func amplitudeSum(w *Worker, i int) (sum float64) {
	l := w.net.neurons[i]
	words, counts := base.SpikeWords(l.out.elems), make([]float32, l.out.elems)
	bits := w.slots[l.out.id].bits
	for at := 0; at < len(bits); at += words {
		kernel.AddSpikes(counts, bits[at:at+words])
	}
	for k, n := range counts {
		if n > 0 {
			sum += float64(n) * float64(l.theta1[k%l.out.channels()])
		}
	}
	return sum
}
