package ops_test

import (
	"math"
	"testing"

	"spikingir/graph"
	"spikingir/runtime/kernel/kerneltest"
	"spikingir/runtime/ops"
)

// TestSubnormalWeights holds that convolutions take subnormal weights as zeros, and only
// those.
func TestSubnormalWeights(t *testing.T) {
	tiny := []float32{math.SmallestNonzeroFloat32, -0x1p-127, math.Nextafter32(0x1p-126, 0), 1e-40}
	for _, typ := range []string{"Conv", "ConvTranspose"} {
		given := make([]float32, 2*2*3*3)
		for i := range given {
			given[i] = float32(i%7) - 3.5
			if i%3 == 0 {
				given[i] = tiny[i/3%len(tiny)]
			}
		}
		given[1], given[2] = 0x1p-126, -0x1p-126
		zeroed := append([]float32(nil), given...)
		for i := range zeroed {
			if i%3 == 0 {
				zeroed[i] = 0
			}
		}
		x := make([]float32, 2*5*5)
		for i := range x {
			x[i] = float32(i%11)*0x1p60 - 3
		}
		got, want := convolved(t, typ, given, x), convolved(t, typ, zeroed, x)
		if d := kerneltest.FirstDifference(got, want); d >= 0 {
			t.Errorf("%s: element %d is %g, want %g", typ, d, got[d], want[d])
		}
		given[4] = 0
		if d := kerneltest.FirstDifference(convolved(t, typ, given, x), want); d < 0 {
			t.Errorf("%s: an ordinary weight makes no difference", typ)
		}
	}
	if ws := []float32{1, 0, -0x1p-126}; &ops.NormalWeights(ws)[0] != &ws[0] {
		t.Error("weights without subnormal ones are copied")
	}
}

// convolved runs a convolution with constant weights [2,2,3,3] on x, [1,2,5,5].
func convolved(t *testing.T, typ string, weights, x []float32) []float32 {
	t.Helper()
	g := graph.New("g", nil)
	in := g.AddInput("x", graph.TensorOf(graph.Float32, graph.ShapeOf(1, 2, 5, 5)))
	w := g.AddInitializer("w", graph.NewFloat32([]int64{2, 2, 3, 3}, weights))
	n := g.AddNode(graph.Op{Type: typ}, nil, []*graph.Value{in, w}, "y")
	o, err := ops.Bind(n, 17)
	if err != nil {
		t.Fatal(err)
	}
	out, err := o.Run(&ops.Env{Alloc: ops.NewTensor}, []*ops.Tensor{ops.Floats(x, 1, 2, 5, 5), ops.Floats(weights, 2, 2, 3, 3)})
	if err != nil {
		t.Fatal(err)
	}
	return out[0].F32
}
