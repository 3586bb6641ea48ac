package recipes_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/passes/recipes"
	"spikingir/runtime/ops"
)

// TestFlat demands that the flat and the unrolled form of every embedded network, written and
// read again, give the bits of the timed form, for batches and odd sizes too,
// and hold nothing but standard operators. Where tests are slow the batch is left out.
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
				for _, form := range []recipes.Form{recipes.Flat, recipes.Unrolled} {
					s.Lower = form
					plain := decode(t, data)
					convert(t, plain, k.recipe, s, x)
					checkPlain(t, plain, form == recipes.Unrolled)
					checkProvenance(t, data, plain)
					plain = decode(t, encode(t, plain))
					for _, v := range vectors {
						if slow() && v.Name == name {
							continue
						}
						in := tensor(v.In)
						sameBits(t, fmt.Sprintf("%s, %s", form, v.Name), run(t, timed, in)[0], run(t, plain, in)[0])
					}
				}
			})
		}
	}
}

func sameBits(t *testing.T, title string, want, got *ops.Tensor) {
	t.Helper()
	distance(t, want, got)
	for i := range want.F32 {
		if math.Float32bits(got.F32[i]) != math.Float32bits(want.F32[i]) {
			t.Fatalf("%s: element %d is %v, want %v", title, i, got.F32[i], want.F32[i])
		}
	}
}

// checkPlain demands standard operators without subgraphs, and each convolution
// at most once, unless they are unrolled.
func checkPlain(t *testing.T, m *graph.Model, unrolled bool) {
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
			if convs[n.OriginLabel()] && !unrolled {
				t.Errorf("node %q is unrolled", n.OriginLabel())
			}
			convs[n.OriginLabel()] = true
		}
	}
}

func tensor(a fixtures.Array) *ops.Tensor {
	return &ops.Tensor{DType: graph.Float32, Dims: a.Shape, F32: a.Data}
}
