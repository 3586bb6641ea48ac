package lowerfunctions_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"golang.org/x/tools/txtar"

	"spikingir/graph"
	"spikingir/onnxio/text"
	"spikingir/passes/passtest"
)

// TestTwoPhaseBodies runs the functions themselves: under another domain nothing but their
// bodies says what they mean. Inputs are multiples of 1/8, so that sums are exact.
func TestTwoPhaseBodies(t *testing.T) {
	data, err := os.ReadFile("testdata/two-phase.txtar")
	if err != nil {
		t.Fatal(err)
	}
	models := map[string]*graph.Model{}
	for _, f := range txtar.Parse(data).Files {
		if f.Name != "before" && f.Name != "after" {
			continue
		}
		if models[f.Name], err = text.Parse(string(f.Data)); err != nil {
			t.Fatal(err)
		}
	}
	bodies := models["after"]
	for _, f := range bodies.Functions {
		f.Domain = "test"
	}
	for n := range bodies.Graph.Nodes() {
		if n.Op().Domain == graph.Spiking {
			n.SetOp(graph.Op{Domain: "test", Type: n.Op().Type})
		}
	}
	bodies.SetOpset("test", 1)
	r := rand.New(rand.NewPCG(1, 2))
	xs := make([]float32, 2*2*3*4)
	for i := range xs {
		xs[i] = float32(r.IntN(33)-16) / 8
	}
	in := map[string]*graph.Tensor{"x": graph.NewFloat32([]int64{2, 2, 3, 4}, xs)}
	want, err := passtest.Execute(models["before"], in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := passtest.Execute(bodies, in)
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range want {
		ws, _ := w.Float32s()
		gs, err := got[name].Float32s()
		if err != nil || !slices.Equal(gs, ws) || !slices.Equal(got[name].Dims, w.Dims) {
			t.Errorf("output %s is %v%v, want %v%v (%v)", name, got[name].Dims, gs, w.Dims, ws, err)
		}
	}
}
