package recipes_test

import (
	"math"
	"strings"
	"testing"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/passes/recipes"
	"spikingir/runtime/ops"
)

// TestFlat demands that the flat form of every embedded network, written and
// read again, gives the bits of the timed form, for batches and odd sizes too,
// and holds nothing but standard operators. Where tests are slow the batch is left out.
func TestFlat(t *testing.T) {
	kinds := []struct {
		name   string
		recipe string
		set    func(*recipes.Settings)
	}{
		{"spikingir", "spikingir", func(*recipes.Settings) {}},
		{"spikingir v0 unit", "spikingir", func(s *recipes.Settings) { s.V0, s.Unit = 0.25, true }},
		{"spikingir rate layer", "spikingir", func(s *recipes.Settings) { s.Readout, s.Per = "rate", "layer" }},
		{"rueckauer", "rueckauer", func(*recipes.Settings) {}},
	}
	for _, name := range fixtures.Names() {
		data, x := fixture(t, name)
		vectors, err := fixtures.Vectors(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range kinds {
			t.Run(name+"/"+k.name, func(t *testing.T) {
				s := recipes.Defaults()
				k.set(&s)
				s.Timesteps, s.Lower = 6, "none"
				timed := decode(t, data)
				convert(t, timed, k.recipe, s, x)
				s.Lower = "flat"
				flat := decode(t, data)
				convert(t, flat, k.recipe, s, x)
				checkPlain(t, flat)
				checkProvenance(t, data, flat)
				flat = decode(t, encode(t, flat))
				for _, v := range vectors {
					if slow() && v.Name == name {
						continue
					}
					in := tensor(v.In)
					want, got := run(t, timed, in)[0], run(t, flat, in)[0]
					distance(t, want, got)
					for i := range want.F32 {
						if math.Float32bits(got.F32[i]) != math.Float32bits(want.F32[i]) {
							t.Fatalf("%s: element %d is %v, want %v", v.Name, i, got.F32[i], want.F32[i])
						}
					}
				}
			})
		}
	}
}

// checkPlain demands standard operators without subgraphs, and each convolution
// at most once.
func checkPlain(t *testing.T, m *graph.Model) {
	t.Helper()
	if len(m.Functions) > 0 || m.Opset(graph.Spiking) != 0 {
		t.Errorf("%d functions and opset %d of the spiking domain are left", len(m.Functions), m.Opset(graph.Spiking))
	}
	convs := map[string]bool{}
	for n := range m.Graph.Nodes() {
		if n.Op().Domain != "" || len(n.Subgraphs()) > 0 {
			t.Errorf("node %q is a %v", n.Label(), n.Op())
		}
		if n.Is("Conv") && !strings.HasPrefix(n.From.Pass, "lower-") {
			if convs[n.OriginLabel()] {
				t.Errorf("node %q is unrolled", n.OriginLabel())
			}
			convs[n.OriginLabel()] = true
		}
	}
}

func tensor(a fixtures.Array) *ops.Tensor {
	return &ops.Tensor{DType: graph.Float32, Dims: a.Shape, F32: a.Data}
}
