package spikingir_test

import (
	"slices"
	"testing"

	"spikingir"
	"spikingir/graph"
	"spikingir/runtime/metric"
)

// TestQuantised converts a network with pairs of QuantizeLinear and DequantizeLinear in front of every layer, as
// static quantisation writes it, with ReLUs in the pairs or in front of them. Neurons stand for all of them, and the
// network agrees with the one of 8 bits as closely as rounding to 8 bits leaves it.
func TestQuantised(t *testing.T) {
	t.Parallel()
	x := picture(t, 1)
	for _, fused := range []bool{false, true} {
		ann := read(t, "dncnn")
		neurons := quantise(ann, fused)
		want := output(t, ann, spikingir.Float32, x)
		for _, recipe := range []string{"spikingir", "two-phase"} {
			m := ann.Clone()
			o := spikingir.Options{Settings: spikingir.DefaultSettings(), Threads: 2}
			o.Recipe, o.Settings.Timesteps = recipe, 256
			done, err := spikingir.Convert(t.Context(), m, o)
			if err != nil {
				t.Fatal(err)
			}
			if got := len(done.Neurons); got < neurons {
				t.Errorf("%s, fused %v: %d layers of neurons, want %d at least", recipe, fused, got, neurons)
			}
			db, err := metric.Agreement(output(t, m, spikingir.FixedPoint, x), want)
			if t.Logf("%s, fused %v: %.1f dB", recipe, fused, db); err != nil || !(db >= 40) {
				t.Errorf("%s, fused %v: agreement is %.1f dB (%v), want 40", recipe, fused, db, err)
			}
		}
	}
}

// quantise puts a pair behind every Relu of m, or in the place of it, and tells how many there are.
func quantise(m *graph.Model, fused bool) (count int) {
	g := m.Graph
	scale := g.AddInitializer("scale", graph.Scalar(1./64))
	zero, err := graph.NewTensor(graph.Uint8, []int64{}, []byte{0})
	if err != nil {
		panic(err)
	}
	z := g.AddInitializer("zero", zero)
	for n := range g.Nodes() {
		if !n.Is("Relu") {
			continue
		}
		count++
		v := n.Output(0)
		readers := v.Uses()
		from := v
		if fused {
			from = n.Input(0)
		}
		mark := readers[0].Node
		q := g.InsertBefore(mark, graph.Op{Type: "QuantizeLinear"}, nil, []*graph.Value{from, scale, z}, g.FreshName("q"))
		d := g.InsertBefore(mark, graph.Op{Type: "DequantizeLinear"}, nil, []*graph.Value{q.Output(0), scale, z}, g.FreshName("d"))
		for _, u := range slices.Clone(readers) {
			u.Node.SetInput(u.Index, d.Output(0))
		}
	}
	return count
}
