package train

import (
	"math/rand/v2"
	"testing"

	"spikingir/graph"
	"spikingir/runtime/reference"
)

func compile(t testing.TB, m *graph.Model, h, w int, o Options) *Net {
	t.Helper()
	n, err := Compile(m, h, w, o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// normal is n numbers of a normal distribution.
func normal(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// gradients runs an image forwards and, with the given gradient by the output,
// backwards, and gives the output and the gradients.
func gradients(t testing.TB, n *Net, image, by []float32, mode Mode, h Hooks) (out []float32, grads [][]float32) {
	t.Helper()
	w := n.NewWorker()
	y, err := w.Forward(image, mode, h)
	if err != nil {
		t.Fatal(err)
	}
	out = append(out, y...)
	if err := w.Backward(by); err != nil {
		t.Fatal(err)
	}
	return out, n.Gradients(nil, []*Worker{w})
}

// surrogates are the kinds that Compile takes, and the reference's names of them.
var surrogates = []struct {
	kind Surrogate
	of   reference.Surrogate
}{
	{Sigmoid, reference.Sigmoid},
	{Triangle, reference.Triangle},
	{Arctan, reference.Arctan},
}
